/*
 * Rows of an import, a line each, as the daemon is given them. Citizens are not made: the store's
 * call is answered by this file (--wrap in CMakeLists.txt), which sees what would be.
 *
 * A row is taken whole or not at all; what is taken keeps the limits, and each value is one of its
 * field in the policy's catalogue; what is not is said without the row.
 */
#include "fuzz_tools.h"

#include "vault/crypto/password.h"
#include "vault/event.h"
#include "vault/policy/value.h"
#include "vault/store/account.h"
#include "vault_test.h"

#define ROWS_BYTES_MAX (64UL * 1024)
#define VALUES_MAX     256U

enum vault_code __wrap_citizen_create(struct store *store, const struct citizen_new citizens[],
                                      size_t count, int64_t now_s, size_t *failed_at,
                                      struct vault_error *err);
enum vault_code __real_citizen_create(struct store *store, const struct citizen_new citizens[],
                                      size_t count, int64_t now_s, size_t *failed_at,
                                      struct vault_error *err);
enum vault_code __wrap_password_hash(struct bytes password, char out[PASSWORD_HASH_CHARS],
                                     struct vault_error *err);
enum vault_code __wrap_account_add(struct store *store, const struct account *account,
                                   struct vault_error *err);
enum vault_code __real_account_add(struct store *store, const struct account *account,
                                   struct vault_error *err);
enum vault_code __wrap_event_of_operator(struct vault *vault, enum entry_event kind,
                                         struct bytes service, struct vault_error *err);
enum vault_code __real_event_of_operator(struct vault *vault, enum entry_event kind,
                                         struct bytes service, struct vault_error *err);

static struct vault_test test;
static bool is_ready;
static size_t made;

static void check_values(const struct citizen_new *citizen, int64_t now_s)
{
    VAULT_AUTO(active_policy_release) struct policy_hold held = active_policy_hold(test.vault);
    REQUIRE(citizen->value_count <= VALUES_MAX);
    for (size_t i = 0; i < citizen->value_count; i++) {
        const struct citizen_value *value = &citizen->values[i];
        const uint16_t field = policy_find(held.policy, POLICY_FIELD, bytes_of_text(value->field));
        REQUIRE(field != POLICY_NONE && !policy_field_is_derived(held.policy, field));
        REQUIRE(policy_value_check(held.policy, field, value->json, NULL) == VAULT_OK);
        REQUIRE(value->as_of_s <= now_s && value->source);
    }
}

enum vault_code __wrap_citizen_create(struct store *store, const struct citizen_new citizens[],
                                      size_t count, int64_t now_s, size_t *failed_at,
                                      struct vault_error *err)
{
    if (!is_ready)
        return __real_citizen_create(store, citizens, count, now_s, failed_at, err);
    for (size_t i = 0; i < count; i++) {
        REQUIRE(citizens[i].reference[0]);
        REQUIRE(strlen(citizens[i].reference) <= CITIZEN_REFERENCE_CHARS);
        check_values(&citizens[i], now_s);
    }
    made += count;
    return VAULT_OK;
}

enum vault_code __wrap_password_hash(struct bytes password, char out[PASSWORD_HASH_CHARS],
                                     struct vault_error *err)
{
    (void)password;
    (void)err;
    snprintf(out, PASSWORD_HASH_CHARS, "$argon2id$invented");
    return VAULT_OK;
}

enum vault_code __wrap_account_add(struct store *store, const struct account *account,
                                   struct vault_error *err)
{
    if (!is_ready)
        return __real_account_add(store, account, err);
    REQUIRE(account->login[0] && strlen(account->login) <= SIGN_IN_LOGIN_CHARS);
    REQUIRE(!account->language[0] || strlen(account->language) == 2);
    return VAULT_OK;
}

enum vault_code __wrap_event_of_operator(struct vault *vault, enum entry_event kind,
                                         struct bytes service, struct vault_error *err)
{
    return is_ready ? VAULT_OK : __real_event_of_operator(vault, kind, service, err);
}

static void stop(void)
{
    vault_close(&test.vault);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    make_filled_vault(&test);
    is_ready = true;
    atexit(stop);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct people_result results[PEOPLE_BATCH_MAX];
    struct bytes rows[PEOPLE_BATCH_MAX] = {{0}};
    struct bytes rest = {data, size};
    struct vault_error err = {.text = ""};
    size_t count = 0;
    size_t taken = 0;
    if (size == 0 || size > ROWS_BYTES_MAX)
        return 0;
    while (rest.size && count < PEOPLE_BATCH_MAX)
        rows[count++] = take_part(&rest, '\n');
    made = 0;
    REQUIRE(people_import(test.vault, rows, count, results, &err) == VAULT_OK);
    for (size_t i = 0; i < count; i++) {
        taken += results[i].code == VAULT_OK;
        REQUIRE(results[i].code == VAULT_OK || results[i].text[0]);
        REQUIRE(!strstr(results[i].text, FUZZ_VALUE) && !strchr(results[i].text, '\n'));
    }
    REQUIRE(made <= taken && taken <= made + 1); /* one who is there may lack an account */
    return 0;
}
