#include "vault/vault/people.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "parts.h"
#include "vault/base/json.h"
#include "vault/crypto/password.h"
#include "vault/policy/value.h"
#include "vault/store/account.h"
#include "vault/store/control_citizen.h"
#include "vault/vault/active_policy.h"
#include "vault/vault/sign_in.h"

#define ROW_DEPTH_MAX  8
#define ROW_VALUES_MAX 256
#define DAY_S          86400

/* One row while it is read. Texts are borrowed from root. */
struct row {
    json_t *root;
    const char *reference;
    char login[SIGN_IN_LOGIN_CHARS + 1]; /* empty: no account */
    struct bytes password;               /* data NULL: none yet */
    char password_hash[PASSWORD_HASH_CHARS];
    const char *language;
    struct citizen_value values[ROW_VALUES_MAX];
    size_t value_count;
    struct buf texts; /* the values as JSON text, one behind the other */
    struct citizen_id id;
};

static void row_finish(struct row *row)
{
    json_free(&row->root);
    buf_finish(&row->texts);
    explicit_bzero(row->password_hash, sizeof row->password_hash);
}

static enum vault_code wrong(struct vault_error *err, const char *what)
{
    return vault_fail(err, VAULT_INVALID, "%s", what);
}

static enum vault_code read_account(struct row *row, struct vault_error *err)
{
    const json_t *login = json_object_get(row->root, "login");
    const json_t *password = json_object_get(row->root, "password");
    const json_t *language = json_object_get(row->root, "language");
    if ((login && !json_is_string(login)) || (password && !json_is_string(password)) ||
        (language && !json_is_string(language)))
        return wrong(err, "login, password and language are texts");
    if (!login)
        return password ? wrong(err, "a password needs a login") : VAULT_OK;
    VAULT_TRY(sign_in_login(json_text(login), row->login, err));
    row->password = json_text(password);
    row->language = language ? json_string_value(language) : "";
    if (language && strcmp(row->language, "fr") != 0 && strcmp(row->language, "en") != 0)
        return wrong(err, "the language is not fr or en");
    return VAULT_OK;
}

/* What a cell of a table holds, as JSON of the field's type. */
static enum vault_code write_text(struct row *row, enum policy_type type, const json_t *text,
                                  struct vault_error *err)
{
    const bool is_text = type == POLICY_TEXT || type == POLICY_DATE || type == POLICY_CODE ||
                         type == POLICY_IDENTIFIER;
    if (!json_is_string(text))
        return wrong(err, "text is a text");
    if (is_text) {
        json_write_string(&row->texts, json_text(text));
        return VAULT_OK;
    }
    VAULT_AUTO(json_free) json_t *value = NULL;
    VAULT_TRY(json_parse(json_text(text), ROW_DEPTH_MAX, &value, NULL, err));
    json_write_value(&row->texts, value);
    return VAULT_OK;
}

/* The value's JSON text is appended to row->texts; its place is known when all are there. */
static enum vault_code read_value(struct row *row, const struct policy *policy, const char *name,
                                  const json_t *value, int64_t now_s, struct vault_error *err)
{
    static const char *const members[] = {"value", "text", "as_of", "source", NULL};
    const json_t *given = json_object_get(value, "value");
    const json_t *text = json_object_get(value, "text");
    const json_t *as_of = json_object_get(value, "as_of");
    const json_t *source = json_object_get(value, "source");
    const uint16_t field = policy_find(policy, POLICY_FIELD, bytes_of_text(name));
    if (field == POLICY_NONE || policy_field_is_derived(policy, field))
        return wrong(err, "a field that the policy's catalogue does not have as a stored one");
    if (!json_is_object(value) || json_unknown_member(value, members) || !given == !text)
        return wrong(err, "a value is an object with value or text, as_of and source");
    if (row->value_count == ROW_VALUES_MAX)
        return wrong(err, "too many values");
    struct citizen_value *out = &row->values[row->value_count++];
    *out = (struct citizen_value){.field = name, .as_of_s = now_s, .source = "import"};
    if (as_of)
        VAULT_TRY(instant_or_date_parse(json_text(as_of), &out->as_of_s, err));
    if (out->as_of_s > now_s)
        return wrong(err, "as_of is in the future");
    if (source && !json_is_string(source))
        return wrong(err, "a source is a text");
    if (source)
        out->source = json_string_value(source);
    const size_t before = row->texts.size;
    if (given)
        json_write_value(&row->texts, given);
    else
        VAULT_TRY(write_text(row, policy_field_type(policy, field), text, err));
    VAULT_TRY(buf_check(&row->texts, err));
    out->json.size = row->texts.size - before;
    return policy_value_check(policy, field,
                              (struct bytes){row->texts.data + before, out->json.size}, err);
}

static enum vault_code read_values(struct row *row, const struct policy *policy, int64_t now_s,
                                   struct vault_error *err)
{
    json_t *values = json_object_get(row->root, "values");
    const char *name;
    json_t *value;
    if (!json_is_object(values))
        return wrong(err, "values is an object of fields");
    json_object_foreach(values, name, value)
    {
        const enum vault_code code = read_value(row, policy, name, value, now_s, err);
        if (code) {
            /* Only names of the catalogue may be repeated; others may be anything. */
            if (policy_find(policy, POLICY_FIELD, bytes_of_text(name)) != POLICY_NONE)
                vault_error_context(err, "%s", name);
            return code;
        }
    }
    const uint8_t *next = row->texts.data;
    for (size_t i = 0; i < row->value_count; i++) {
        row->values[i].json.data = next;
        next += row->values[i].json.size;
    }
    return VAULT_OK;
}

/* An export (people_export) is a row too; what it has besides belongs to the vault it is from. */
static bool has_members_of_a_row(const json_t *root)
{
    static const char *const members[] = {"reference", "login",  "password",
                                          "language",  "values", NULL};
    const json_t *format = json_object_get(root, "format");
    if (format)
        return bytes_equal(json_text(format), bytes_of_text(PEOPLE_EXPORT_FORMAT));
    return json_is_object(root) && !json_unknown_member(root, members);
}

static enum vault_code read_row(struct row *row, const struct policy *policy, struct bytes text,
                                int64_t now_s, struct vault_error *err)
{
    row->texts = buf_limited(PEOPLE_ROW_BYTES_MAX);
    row->id = citizen_id_new();
    VAULT_TRY(json_parse(text, ROW_DEPTH_MAX, &row->root, NULL, err));
    if (!has_members_of_a_row(row->root))
        return wrong(err, "a row is an object with reference, values, login, password, language");
    const json_t *reference = json_object_get(row->root, "reference");
    const size_t size = json_is_string(reference) ? json_string_length(reference) : 0;
    if (size == 0 || size > CITIZEN_REFERENCE_CHARS)
        return wrong(err, "reference is a text of 1 to 64 characters");
    row->reference = json_string_value(reference);
    VAULT_TRY(read_account(row, err));
    return read_values(row, policy, now_s, err);
}

static enum vault_code hash_password(struct row *row, struct vault_error *err)
{
    return row->password.data ? password_hash(row->password, row->password_hash, err) : VAULT_OK;
}

static enum vault_code add_account(struct vault *vault, const struct row *row,
                                   const struct citizen_id *citizen, struct vault_error *err)
{
    struct account account = {.citizen = *citizen};
    if (!row->login[0])
        return VAULT_OK;
    memcpy(account.login, row->login, sizeof row->login);
    memcpy(account.password_hash, row->password_hash, sizeof row->password_hash);
    if (account.password_hash[0])
        account.first_until_s = clock_now_s(&vault->options.clock) + SIGN_IN_FIRST_DAYS * DAY_S;
    snprintf(account.language, sizeof account.language, "%s", row->language);
    return account_add(vault->store, &account, err);
}

/* VAULT_INVALID unless nobody has the row's login, and no earlier row of the batch. */
static enum vault_code check_login(struct vault *vault, const struct row *row,
                                   const struct row earlier[], size_t count,
                                   struct vault_error *err)
{
    struct account account;
    if (!row->login[0])
        return VAULT_OK;
    const enum vault_code code = account_by_login(vault->store, row->login, &account, err);
    if (code && code != VAULT_NOT_FOUND)
        return code;
    bool taken = code == VAULT_OK;
    for (size_t i = 0; i < count; i++)
        taken = taken || strcmp(earlier[i].login, row->login) == 0;
    return taken ? wrong(err, "the login is taken") : VAULT_OK;
}

/* A row whose reference is there already. If an import was interrupted between the citizen and the
 * account, the account is made up for; else there is nothing to do, and VAULT_CONFLICT says so. */
static enum vault_code complete_known(struct vault *vault, struct row *row,
                                      const struct citizen_id *citizen, struct vault_error *err)
{
    struct account account;
    const enum vault_code code = account_of_citizen(vault->store, citizen, &account, err);
    if (code == VAULT_NOT_FOUND && row->login[0]) {
        VAULT_TRY(check_login(vault, row, NULL, 0, err));
        VAULT_TRY(hash_password(row, err));
        return add_account(vault, row, citizen, err);
    }
    if (code && code != VAULT_NOT_FOUND)
        return code;
    return vault_fail(err, VAULT_CONFLICT, "the reference is there already");
}

static void set_result(struct people_result *result, enum vault_code code,
                       const struct vault_error *err)
{
    result->code = code;
    snprintf(result->text, sizeof result->text, "%s", code ? err->text : "");
}

struct batch {
    struct row *rows[PEOPLE_BATCH_MAX];
    size_t positions[PEOPLE_BATCH_MAX]; /* in results */
    struct citizen_new citizens[PEOPLE_BATCH_MAX];
    size_t count;
};

static void batch_drop(struct batch *batch, size_t i)
{
    batch->count--;
    memmove(&batch->rows[i], &batch->rows[i + 1], (batch->count - i) * sizeof(struct row *));
    memmove(&batch->positions[i], &batch->positions[i + 1],
            (batch->count - i) * sizeof batch->positions[0]);
    memmove(&batch->citizens[i], &batch->citizens[i + 1],
            (batch->count - i) * sizeof batch->citizens[0]);
}

/* What one citizen of a batch can be to blame for: the others are not. */
static bool is_ones_own(enum vault_code code)
{
    return code == VAULT_CONFLICT || code == VAULT_INVALID || code == VAULT_TOO_LARGE;
}

/* Make the citizens of the batch; one that cannot be made is answered and left out, and the rest
 * tried again. Where all of them failed they stay in the batch, as the change may stand. */
static void create_batch(struct vault *vault, struct batch *batch, struct people_result results[])
{
    const int64_t now_s = clock_now_s(&vault->options.clock);
    struct vault_error err;
    while (batch->count) {
        size_t failed_at = batch->count;
        const enum vault_code code =
            citizen_create(vault->store, batch->citizens, batch->count, now_s, &failed_at, &err);
        if (code == VAULT_OK)
            break;
        if (failed_at < batch->count && is_ones_own(code)) {
            set_result(&results[batch->positions[failed_at]], code, &err);
            batch_drop(batch, failed_at);
            continue;
        }
        for (size_t i = 0; i < batch->count; i++)
            set_result(&results[batch->positions[i]], code, &err);
        return;
    }
    for (size_t i = 0; i < batch->count; i++) {
        const struct row *row = batch->rows[i];
        const enum vault_code code = add_account(vault, row, &row->id, &err);
        set_result(&results[batch->positions[i]], code, &err);
    }
}

/* Whether the row is somebody new; if so, their login is free and their password hashed. */
static enum vault_code meet_row(struct vault *vault, struct row *read, size_t i, bool *is_new,
                                struct vault_error *err)
{
    struct citizen_id known;
    const enum vault_code code = people_find(vault, read[i].reference, &known, err);
    if (code == VAULT_OK)
        return complete_known(vault, &read[i], &known, err);
    if (code != VAULT_NOT_FOUND)
        return code;
    VAULT_TRY(check_login(vault, &read[i], read, i, err));
    *is_new = true;
    return hash_password(&read[i], err);
}

static enum vault_code import(struct vault *vault, const struct policy *policy,
                              const struct bytes rows[], size_t count, struct row *read,
                              struct batch *batch, struct people_result results[],
                              struct vault_error *err)
{
    const int64_t now_s = clock_now_s(&vault->options.clock);
    for (size_t i = 0; i < count; i++) {
        struct vault_error why;
        struct row *row = &read[i];
        bool is_new = false;
        enum vault_code code = read_row(row, policy, rows[i], now_s, &why);
        if (code == VAULT_OK)
            code = meet_row(vault, read, i, &is_new, &why);
        set_result(&results[i], code, &why);
        if (code || !is_new)
            continue;
        batch->rows[batch->count] = row;
        batch->positions[batch->count] = i;
        batch->citizens[batch->count++] =
            (struct citizen_new){row->id, row->reference, row->values, row->value_count};
    }
    create_batch(vault, batch, results);
    return batch->count ? event_of_operator(vault, ENTRY_ADMIN, (struct bytes){0}, err) : VAULT_OK;
}

enum vault_code people_import(struct vault *vault, const struct bytes rows[], size_t count,
                              struct people_result results[], struct vault_error *err)
{
    assert(count >= 1 && count <= PEOPLE_BATCH_MAX);
    VAULT_AUTO(active_policy_release) struct policy_hold held = active_policy_hold(vault);
    if (!held.policy)
        return vault_fail(err, VAULT_UNAVAILABLE,
                          "no policy is active, and its catalogue says what values may be; "
                          "activate one first");
    struct row *read = calloc(count, sizeof *read);
    struct batch *batch = calloc(1, sizeof *batch);
    const enum vault_code code =
        read && batch ? import(vault, held.policy, rows, count, read, batch, results, err)
                      : vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    for (size_t i = 0; read && i < count; i++)
        row_finish(&read[i]);
    free(read);
    free(batch);
    return code;
}

enum vault_code people_find(struct vault *vault, const char *reference, struct citizen_id *out,
                            struct vault_error *err)
{
    struct control_citizen citizen;
    VAULT_TRY(control_citizen_by_reference(vault->store, reference, &citizen, err));
    *out = citizen.id;
    return VAULT_OK;
}
