#include "vault/edge/doctor.h"

#include "doctor_parts.h"

static const struct {
    const char *name;
    doctor_check *run;
} checks[] = {
    {"configuration", doctor_check_config},
    {"files", doctor_check_files},
    {"key files", doctor_check_key_files},
    {"certificates", doctor_check_certificates},
    {"room", doctor_check_room},
    {"clock", doctor_check_clock},
};

void doctor_run(const struct doctor *doctor)
{
    struct checkup out = doctor->out;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        out.check = checks[i].name;
        checks[i].run(doctor, &out);
    }
}
