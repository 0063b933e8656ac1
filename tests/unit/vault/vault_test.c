#include "vault_test.h"

#include <glob.h>
#include <sys/stat.h>

#include "vault/base/codec.h"
#include "vault/parts.h"
#include "vault/store/account.h"
#include "vault/vault/mediator.h"

const uint8_t caseworker_key[SHA256_BYTES] = {1};
const uint8_t library_key[SHA256_BYTES] = {2};

static void copy_bundle(const char *to)
{
    char command[PATH_MAX * 3];
    snprintf(command, sizeof command, "cp -r '%s/bundle' '%s'", TEST_FIXTURES, to);
    if (system(command) != 0) /* test data only, and no path from outside */
        fail_msg("copying the tests' bundle");
}

static void sign_version(struct vault_test *test, uint64_t version)
{
    VAULT_AUTO(secret_free) struct secret *seed = NULL;
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    const struct policy_manifest manifest = {
        .name = "tests", .version = version, .not_before_s = START_MS / 1000 - 1};
    const struct bytes raw = {test->seed, sizeof test->seed};
    assert_done(secret_copy(raw, &seed, &test_error));
    assert_done(note_signer_make(BYTES("test-dpo"), NOTE_ED25519, seed, &signer, &test_error));
    note_key_print(&signer.key, test->vkey);
    assert_done(policy_sign(test->bundle, &signer, &manifest, &test_error));
}

static void sign_bundle(struct vault_test *test)
{
    random_bytes(test->seed, sizeof test->seed);
    copy_bundle(test->bundle);
    sign_version(test, 1);
}

void sign_again(struct vault_test *test, uint64_t version)
{
    static const char *const old[] = {"manifest.json", "manifest.sig"};
    for (size_t i = 0; i < 2; i++) {
        char path[PATH_MAX];
        assert_done(file_join(path, sizeof path, test->bundle, old[i], &test_error));
        assert_int_equal(unlink(path), 0);
    }
    sign_version(test, version);
}

void change_test_bundle(struct vault_test *test, const char *file, const char *text,
                        uint64_t version)
{
    char path[PATH_MAX];
    assert_done(file_join(path, sizeof path, test->bundle, file, &test_error));
    assert_done(file_replace(path, bytes_of_text(text), 0600, &test_error));
    sign_again(test, version);
}

void open_test_vault(struct vault_test *test)
{
    assert_done(vault_open(&test->options, &test->vault, &test_error));
}

void reopen_test_vault(struct vault_test *test)
{
    vault_close(&test->vault);
    open_test_vault(test);
}

/* The places and options of a vault in a new test folder. */
static const char *place_test_vault(struct vault_test *test)
{
    const char *folder = test_folder();
    snprintf(test->dir, sizeof test->dir, "%s/vault", folder);
    snprintf(test->key_file, sizeof test->key_file, "%s/root.key", folder);
    snprintf(test->bundle, sizeof test->bundle, "%s/policy", folder);
    test->now_ms = START_MS;
    test->trust[0] = test->vkey;
    test->options = (struct vault_options){
        .dir = test->dir,
        .origin = "unit.vault.example/log",
        .provider = {.name = "file", .place = test->key_file},
        .trust = test->trust,
        .trust_count = 1,
        .signatures = 1,
        .clock = clock_fixed(&test->now_ms),
    };
    return folder;
}

void make_test_vault(struct vault_test *test)
{
    VAULT_AUTO(secret_free) struct secret *recovery = NULL;
    json_start();
    assert_done(crypto_start(true, &test_error));
    *test = (struct vault_test){0};
    place_test_vault(test);
    sign_bundle(test);
    assert_done(vault_create(&test->options, &recovery, &test_error));
    open_test_vault(test);
}

bool find_copied_bundle(const struct vault_test *test, uint64_t version,
                        const uint8_t hash[ENTRY_POLICY_BYTES], char out[PATH_MAX])
{
    char hex[HEX_CHARS(ENTRY_POLICY_BYTES) + 1];
    char pattern[PATH_MAX * 2];
    glob_t found = {0};
    hex_string(hex, hash, ENTRY_POLICY_BYTES);
    snprintf(pattern, sizeof pattern, "%s/policy/%llu-%s*[0-9a-f]", test->dir,
             (unsigned long long)version, hex);
    const bool one = glob(pattern, 0, NULL, &found) == 0 && found.gl_pathc == 1;
    if (one)
        snprintf(out, PATH_MAX, "%s", found.gl_pathv[0]);
    globfree(&found);
    return one;
}

void import_one(struct vault_test *test, const char *row)
{
    const struct bytes rows[] = {bytes_of_text(row)};
    struct people_result result;
    assert_done(people_import(test->vault, rows, 1, &result, &test_error));
    if (result.code)
        fail_msg("import: %s", result.text);
}

void register_mediator(struct vault_test *test, const char *structure, const char *login,
                       const char *name, const char *password)
{
    char token[ACTOR_TOKEN_CHARS + 1];
    struct mediator_first first;
    struct mediator_seat seat;
    assert_done(mediator_register(test->vault, structure, login, name, &first, &test_error));
    assert_done(mediator_sign_in(test->vault, bytes_of_text(login), bytes_of_text(first.password),
                                 token, &test_error));
    assert_done(mediator_check(test->vault, bytes_of_text(token), &seat, &test_error));
    assert_done(mediator_change_password(test->vault, &seat, bytes_of_text(first.password),
                                         bytes_of_text(password), &test_error));
    assert_done(mediator_sign_out(test->vault, &seat, &test_error));
}

static void fill_with_mediators(struct vault_test *test)
{
    fill_test_vault(test);
    assert_done(mediator_register_structure(test->vault, "hub", "A digital hub", &test_error));
    assert_done(mediator_register_structure(test->vault, "centre", "A social centre", &test_error));
    register_mediator(test, "hub", "ada", "Ada Inventée", MEDIATOR_PASSWORD);
    register_mediator(test, "centre", "bob", "Bob Inventé", MEDIATOR_PASSWORD);
}

void make_vault_with_mediators(struct vault_test *test)
{
    static struct kept_vault kept;
    make_kept_vault(test, &kept, fill_with_mediators);
}

void own_password(struct vault_test *test, const char *login)
{
    struct account account;
    assert_done(account_by_login(test->vault->store, login, &account, &test_error));
    assert_done(account_set_password(test->vault->store, &account.citizen, account.password_hash,
                                     &test_error));
}

void fill_test_vault(struct vault_test *test)
{
    assert_done(active_policy_set(test->vault, test->bundle, &test_error));
    assert_done(
        service_add(test->vault,
                    BYTES("{\"id\":\"" CASEWORKER
                          "\",\"name\":\"An employment plan\",\"contact\":\"a@b.example\","
                          "\"classes\":[\"employment.caseworker\"],\"purposes\":[\"" SUPPORT "\"],"
                          "\"atoms\":[\"assurance_at_least\"]}"),
                    &test_error));
    assert_done(service_add(
        test->vault,
        BYTES("{\"id\":\"" LIBRARY "\",\"name\":\"A library\",\"contact\":\"a@b.example\","
              "\"classes\":[\"culture.library\"],\"purposes\":[\"" LENDING "\"]}"),
        &test_error));
    assert_done(service_add_key(test->vault, CONTROL_CERTIFICATE_SERVICE, CASEWORKER,
                                caseworker_key, INT64_MAX, &test_error));
    assert_done(service_add_key(test->vault, CONTROL_CERTIFICATE_SERVICE, LIBRARY, library_key,
                                INT64_MAX, &test_error));
    import_one(test,
               "{\"reference\":\"T-1\",\"login\":\"Testine\",\"password\":\"un mot de passe\","
               "\"values\":{\"identity.birth_date\":{\"value\":\"1990-05-17\","
               "\"as_of\":\"2026-01-02T00:00:00Z\",\"source\":\"civil register\"},"
               "\"identity.name\":{\"value\":\"Testine Inventee\"},"
               "\"address.postal\":{\"value\":{\"street\":\"rue des Essais\","
               "\"postcode\":\"35000\",\"city\":\"Rennes\"}},"
               "\"employment.status\":{\"value\":\"seeking\"}}}");
    assert_done(people_find(test->vault, "T-1", &test->citizen, &test_error));
}

static void copy_files(const char *from, const char *to)
{
    char command[PATH_MAX * 3];
    snprintf(command, sizeof command, "cp -a '%s/.' '%s'", from, to);
    if (system(command) != 0) /* folders of our own, and no path from outside */
        fail_msg("copying a filled vault");
}

void make_kept_vault(struct vault_test *test, struct kept_vault *kept,
                     void (*fill)(struct vault_test *test))
{
    if (!kept->folder) {
        make_test_vault(&kept->filled);
        fill(&kept->filled);
        vault_close(&kept->filled.vault);
        kept->folder = test_folder_keep();
    }
    *test = kept->filled;
    copy_files(kept->folder, place_test_vault(test));
    open_test_vault(test);
}

void make_filled_vault(struct vault_test *test)
{
    static struct kept_vault kept;
    make_kept_vault(test, &kept, fill_test_vault);
}

struct service_hold hold_service(struct vault_test *test, const uint8_t *key)
{
    struct service_hold hold = {0};
    assert_done(service_by_key(test->vault, key, &hold, &test_error));
    return hold;
}

void give_consent(struct vault_test *test, int64_t uses)
{
    static const struct consent_field fields[] = {{"identity.birth_date", "year"},
                                                  {"employment.status", ""}};
    const struct consent_decision decision = {
        .service = CASEWORKER,
        .purpose = SUPPORT,
        .fields = fields,
        .field_count = 2,
        .days = 30,
        .uses = uses,
        .language = "fr",
        .text = "Le texte affiché.",
    };
    char id[CONSENT_ID_CHARS + 1];
    int64_t seq;
    assert_done(consent_give(test->vault, &test->citizen, &decision, id, &seq, &test_error));
}

json_t *ask_release(struct vault_test *test, const char *subject)
{
    const struct release_ask asks[] = {
        {BYTES("identity.birth_date"), {0}},
        {BYTES("employment.status"), {0}},
        {BYTES("identity.name"), {0}},
    };
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(test, caseworker_key);
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(RELEASE_ANSWER_BYTES);
    VAULT_AUTO(json_free) json_t *context = json_pack("{s:s}", "assurance_at_least", "high");
    const struct release_request request = {
        .client_spki = caseworker_key,
        .subject = bytes_of_text(subject),
        .purpose = BYTES(SUPPORT),
        .asks = asks,
        .ask_count = 3,
        .context = context,
    };
    enum release_fault fault;
    json_t *answer = NULL;
    assert_done(release_perform(test->vault, hold.service, &request, &body, &fault, &test_error));
    assert_done(json_parse(buf_view(&body), 8, &answer, NULL, &test_error));
    return answer;
}

void subject_of_citizen(struct vault_test *test, char out[SUBJECT_CHARS + 1])
{
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(test, caseworker_key);
    assert_done(subject_write(hold.service, &test->citizen, out, &test_error));
}

size_t count_released(json_t *answer)
{
    const size_t count = json_object_size(json_object_get(answer, "released"));
    json_decref(answer);
    return count;
}

void find_largest_file(const struct vault_test *test, char out[PATH_MAX])
{
    char pattern[PATH_MAX + 32];
    off_t largest = -1;
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/citizens/*/*.db", test->dir);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct stat status;
        assert_int_equal(stat(found.gl_pathv[i], &status), 0);
        if (status.st_size > largest) {
            largest = status.st_size;
            snprintf(out, PATH_MAX, "%s", found.gl_pathv[i]);
        }
    }
    globfree(&found);
}

void flip_first_page(const char *file)
{
    FILE *out = fopen(file, "r+b");
    assert_non_null(out);
    assert_int_equal(fseek(out, 100, SEEK_SET), 0);
    const int byte = fgetc(out);
    assert_int_equal(fseek(out, 100, SEEK_SET), 0);
    assert_int_equal(fputc(byte ^ 1, out), byte ^ 1);
    assert_int_equal(fclose(out), 0);
}
