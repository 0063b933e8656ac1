#include "version.h"

#include <stdio.h>

#include "vault/base/json.h"

#define STAMPS 3

/* --- the bundle --- */

static const char *const forms[] = {"as_is", "month", "year", "present"};

#define FORMS (sizeof forms / sizeof *forms)

static const char *form_of(unsigned version)
{
    return forms[version % FORMS];
}

/* A code that is the version's name, whatever the value. */
static json_t *stamp_field(const char *id, unsigned version)
{
    char name[32];
    snprintf(name, sizeof name, "version %u", version);
    return json_pack("{s:s,s:s,s:{s:s},s:{s:s,s:[s],s:[{s:i,s:s}]}}", "id", id, "type", "code",
                     "title", "en", "A stamp", "derive", "op", "band", "from", "trial.points",
                     "table", "from", 0, "is", name);
}

json_t *version_catalogue(unsigned version)
{
    static const char *const stamps[] = {"stamp.one", "stamp.two", "stamp.three", "stamp.even",
                                         "stamp.odd"};
    json_t *fields = json_pack("[{s:s,s:s,s:{s:s}},{s:s,s:s,s:{s:s}}]", "id", "trial.day", "type",
                               "date", "title", "en", "A day", "id", "trial.points", "type",
                               "number", "title", "en", "Points");
    for (size_t i = 0; i < sizeof stamps / sizeof *stamps; i++)
        json_array_append_new(fields, stamp_field(stamps[i], version));
    return json_pack("{s:s,s:[{s:s,s:[{s:s},{s:s},{s:s},{s:s}]},{s:s,s:[{s:s},{s:s}]}],s:o,"
                     "s:[{s:s}],s:[{s:s}],s:[],s:[{s:s,s:s}]}",
                     "format", "vault-catalogue/1", "types", "id", "date", "ladder", "form",
                     forms[0], "form", forms[1], "form", forms[2], "form", forms[3], "id", "number",
                     "ladder", "form", "as_is", "form", "present", "fields", fields, "purposes",
                     "id", VERSION_PURPOSE, "classes", "id", VERSION_CLASS, "atoms", "obligations",
                     "id", "retain_at_most_days", "merge", "min");
}

json_t *version_rules(unsigned version)
{
    return json_pack("{s:s,s:s,s:[{s:s,s:s,s:{s:[s]},s:[s],s:[s,s,s,s,s],s:s,s:{s:s},s:{s:i}}]}",
                     "format", "vault-rules/1", "policy", "reload", "rules", "id", "desk", "effect",
                     "permit", "who", "classes", VERSION_CLASS, "purposes", VERSION_PURPOSE,
                     "fields", "stamp.one", "stamp.two", "stamp.three",
                     version % 2 ? "stamp.odd" : "stamp.even", "trial.day", "basis", "public_task",
                     "release", "trial.day", form_of(version), "must", "retain_at_most_days",
                     (int)version);
}

/* --- the answer --- */

static json_t *released_value(const char *form, json_t *value)
{
    return json_pack("{s:s,s:o,s:s,s:s}", "form", form, "value", value, "as_of", "2026-01-02",
                     "source", "a register");
}

static json_t *released_day(unsigned version)
{
    static const char *const values[] = {"1990-05-17", "1990-05", "1990"};
    const size_t step = version % FORMS;
    return released_value(forms[step], step == 3 ? json_true() : json_string(values[step]));
}

static json_t *released_of(unsigned version)
{
    static const char *const stamps[] = {"stamp.one", "stamp.two", "stamp.three"};
    char name[32];
    json_t *released = json_pack("{s:o}", "trial.day", released_day(version));
    snprintf(name, sizeof name, "version %u", version);
    for (size_t i = 0; i < STAMPS; i++)
        json_object_set_new(released, stamps[i], released_value("as_is", json_string(name)));
    json_object_set_new(released, version % 2 ? "stamp.odd" : "stamp.even",
                        released_value("as_is", json_string(name)));
    return released;
}

bool version_has_answered(unsigned version, const json_t *answer)
{
    VAULT_AUTO(json_free) json_t *released = released_of(version);
    VAULT_AUTO(json_free)
    json_t *withheld = json_pack("[s,s]", version % 2 ? "stamp.even" : "stamp.odd", "trial.points");
    VAULT_AUTO(json_free)
    json_t *obligations = json_pack("{s:i}", "retain_at_most_days", (int)version);
    return json_equal(released, json_object_get(answer, "released")) &&
           json_equal(withheld, json_object_get(answer, "withheld")) &&
           json_equal(obligations, json_object_get(answer, "obligations"));
}
