/* Who is whose guardian, for the operator who registers them: by their references, since a name is
 * a value. */
#include "parts.h"
#include "vault/base/clock.h"
#include "vault/base/json.h"
#include "vault/store/control_citizen.h"
#include "vault/vault/guardian.h"

struct report {
    struct vault *vault;
    struct buf *out;
    size_t count;
};

static enum vault_code begin_one(struct report *report, const struct citizen_id *id,
                                 struct vault_error *err)
{
    struct control_citizen known;
    VAULT_TRY(control_citizen_find(report->vault->store, id, &known, err));
    buf_format(report->out, "%s{\"reference\":", report->count++ ? "," : "");
    json_write_string(report->out, bytes_of_text(known.reference));
    return buf_check(report->out, err);
}

static enum vault_code write_guardian(void *context, const struct guardian *guardian,
                                      struct vault_error *err)
{
    struct report *report = context;
    char since[INSTANT_CHARS + 1];
    instant_format(since, guardian->since_s);
    VAULT_TRY(begin_one(report, &guardian->citizen, err));
    buf_format(report->out, ",\"since\":\"%.10s\"}", since);
    return buf_check(report->out, err);
}

static enum vault_code write_minor(void *context, const struct guardian_minor *minor,
                                   struct vault_error *err)
{
    struct report *report = context;
    VAULT_TRY(begin_one(report, &minor->citizen, err));
    buf_format(report->out, ",\"decides\":%s,\"damaged\":%s}", minor->decides ? "true" : "false",
               minor->damaged ? "true" : "false");
    return buf_check(report->out, err);
}

enum vault_code guardian_write_list(struct vault *vault, const struct citizen_id *citizen,
                                    struct buf *out, struct vault_error *err)
{
    struct report guardians = {vault, out, 0};
    struct report minors = {vault, out, 0};
    buf_text(out, "{\"guardians\":[");
    VAULT_TRY(guardian_list(vault, citizen, write_guardian, &guardians, err));
    buf_text(out, "],\"minors\":[");
    VAULT_TRY(guardian_list_minors(vault, citizen, write_minor, &minors, err));
    buf_text(out, "]}");
    return buf_check(out, err);
}
