#include "vault/vault/vault.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "vault/crypto/note.h"
#include "vault/parts.h"
#include "vault_test.h"

static struct vault_test test;

static void begin(void)
{
    make_filled_vault(&test);
}

static enum vault_code open_another(void)
{
    struct vault *other = NULL;
    const enum vault_code code = vault_open(&test.options, &other, &test_error);
    if (code)
        assert_null(other);
    vault_close(&other);
    return code;
}

/* All of a folder's files by name, size and time of change. */
static void list_folder(struct buf *out)
{
    char command[PATH_MAX + 64];
    char line[512];
    snprintf(command, sizeof command, "find '%s' -printf '%%p %%s %%T@ %%m\\n' | sort", test.dir);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    *out = buf_limited(65536);
    while (fgets(line, sizeof line, pipe))
        buf_text(out, line);
    pclose(pipe);
    assert_true(out->size > 0);
}

/* --- Making --------------------------------------------------------------------------------- */

static void test_a_new_vault_is_for_its_own_user_only(void **state)
{
    (void)state;
    char command[PATH_MAX * 2];
    make_test_vault(&test);
    vault_close(&test.vault);
    snprintf(command, sizeof command, "test -z \"$(find '%s' '%s' -perm /077)\"", test.dir,
             test.key_file);
    assert_int_equal(system(command), 0);
}

static void test_the_recovery_secret_is_shown_and_kept_nowhere(void **state)
{
    (void)state;
    char command[PATH_MAX * 2];
    VAULT_AUTO(secret_free) struct secret *recovery = NULL;
    make_test_vault(&test);
    vault_close(&test.vault);
    snprintf(command, sizeof command, "rm -r '%s' '%s'", test.dir, test.key_file);
    assert_int_equal(system(command), 0);
    assert_done(vault_create(&test.options, &recovery, &test_error));
    const struct bytes shown = secret_view(recovery);
    assert_int_equal(shown.size, KEYRING_RECOVERY_CHARS + 1);
    assert_int_equal(shown.data[shown.size - 1], 0);
    snprintf(command, sizeof command, "! grep -rqF '%.7s' '%s'", (const char *)shown.data,
             test.dir);
    assert_int_equal(system(command), 0);
}

static void test_a_vault_is_not_made_where_one_is(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *recovery = NULL;
    VAULT_AUTO(buf_finish) struct buf before = {0};
    VAULT_AUTO(buf_finish) struct buf after = {0};
    begin();
    vault_close(&test.vault);
    list_folder(&before);
    assert_fails(VAULT_CONFLICT, vault_create(&test.options, &recovery, &test_error));
    list_folder(&after);
    assert_true(bytes_equal(buf_view(&before), buf_view(&after)));
    assert_null(recovery);
    open_test_vault(&test);
    assert_done(vault_ready(test.vault, &test_error));
    vault_close(&test.vault);
}

static void test_a_key_that_is_there_is_not_replaced(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *recovery = NULL;
    char other_dir[PATH_MAX + 8];
    begin();
    vault_close(&test.vault);
    snprintf(other_dir, sizeof other_dir, "%s-other", test.dir);
    struct vault_options other = test.options;
    other.dir = other_dir;
    assert_fails(VAULT_CONFLICT, vault_create(&other, &recovery, &test_error));
    assert_null(recovery);
    open_test_vault(&test); /* with the key it had */
    vault_close(&test.vault);
}

static void test_a_vault_without_a_name_that_a_log_may_have_is_not_made(void **state)
{
    (void)state;
    static const char *const names[] = {"", "a b", "a+b", "a\nb"};
    VAULT_AUTO(secret_free) struct secret *recovery = NULL;
    make_test_vault(&test);
    vault_close(&test.vault);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char dir[PATH_MAX + 8];
        char key[PATH_MAX + 8];
        snprintf(dir, sizeof dir, "%s-%zu", test.dir, i);
        snprintf(key, sizeof key, "%s-%zu", test.key_file, i);
        struct vault_options odd = test.options;
        odd.dir = dir;
        odd.provider.place = key;
        odd.origin = names[i];
        assert_fails(VAULT_INVALID, vault_create(&odd, &recovery, &test_error));
        assert_null(recovery);
        assert_false(file_exists(dir)); /* or it could not be made after all */
        assert_false(file_exists(key));
    }
}

/* --- Opening -------------------------------------------------------------------------------- */

static void test_without_a_vault_there_is_nothing_to_open(void **state)
{
    (void)state;
    char nowhere[PATH_MAX + 8];
    begin();
    vault_close(&test.vault);
    snprintf(nowhere, sizeof nowhere, "%s/none", test.dir);
    test.options.dir = nowhere;
    assert_fails(VAULT_NOT_FOUND, open_another());
}

static void test_without_the_key_nothing_opens_and_nothing_is_touched(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf before = {0};
    VAULT_AUTO(buf_finish) struct buf after = {0};
    VAULT_AUTO(buf_finish) struct buf key = buf_limited(100);
    static const uint8_t wrong[32] = {7};
    begin();
    vault_close(&test.vault);
    list_folder(&before);
    assert_done(file_read(test.key_file, &key, &test_error));
    assert_int_equal(unlink(test.key_file), 0);
    assert_true(open_another() != VAULT_OK);
    assert_non_null(strstr(test_error.text, test.key_file));
    assert_done(file_create(test.key_file, (struct bytes){wrong, sizeof wrong}, 0600, &test_error));
    assert_true(open_another() != VAULT_OK);
    assert_done(file_replace(test.key_file, (struct bytes){key.data, 31}, 0600, &test_error));
    assert_true(open_another() != VAULT_OK);
    assert_done(file_replace(test.key_file, buf_view(&key), 0644, &test_error));
    assert_true(open_another() != VAULT_OK);
    list_folder(&after);
    assert_true(bytes_equal(buf_view(&before), buf_view(&after)));
    assert_done(file_replace(test.key_file, buf_view(&key), 0600, &test_error));
    open_test_vault(&test);
    vault_close(&test.vault);
}

static void test_a_provider_that_does_not_exist_is_refused(void **state)
{
    (void)state;
    begin();
    vault_close(&test.vault);
    test.options.provider.name = "cloud";
    assert_fails(VAULT_INVALID, open_another());
}

static void test_the_key_of_another_vault_does_not_open_this_one(void **state)
{
    (void)state;
    char other_dir[PATH_MAX + 8];
    char other_key[PATH_MAX + 8];
    VAULT_AUTO(secret_free) struct secret *recovery = NULL;
    begin();
    vault_close(&test.vault);
    snprintf(other_dir, sizeof other_dir, "%s-other", test.dir);
    snprintf(other_key, sizeof other_key, "%s-other", test.key_file);
    struct vault_options other = test.options;
    other.dir = other_dir;
    other.provider.place = other_key;
    assert_done(vault_create(&other, &recovery, &test_error));
    test.options.provider.place = other_key;
    assert_true(open_another() != VAULT_OK);
    test.options.provider.place = test.key_file;
    assert_done(open_another());
}

/* Parts of another vault in the place of this one's. */
static void test_parts_of_another_vault_do_not_go_together(void **state)
{
    (void)state;
    static const char *const parts[] = {"log", "keyring.json"};
    char other_dir[PATH_MAX + 8];
    char other_key[PATH_MAX + 8];
    char command[PATH_MAX * 6];
    VAULT_AUTO(secret_free) struct secret *recovery = NULL;
    begin();
    vault_close(&test.vault);
    snprintf(other_dir, sizeof other_dir, "%s-other", test.dir);
    snprintf(other_key, sizeof other_key, "%s-other", test.key_file);
    struct vault_options other = test.options;
    other.dir = other_dir;
    other.provider.place = other_key;
    assert_done(vault_create(&other, &recovery, &test_error));
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        snprintf(command, sizeof command, "mv '%s/%s' '%s/kept' && cp -r '%s/%s' '%s/%s'", test.dir,
                 parts[i], test.dir, other_dir, parts[i], test.dir, parts[i]);
        assert_int_equal(system(command), 0);
        assert_true(open_another() != VAULT_OK);
        snprintf(command, sizeof command, "rm -r '%s/%s' && mv '%s/kept' '%s/%s'", test.dir,
                 parts[i], test.dir, test.dir, parts[i]);
        assert_int_equal(system(command), 0);
        assert_done(open_another());
    }
}

/* The origin is the log's name: with another one its own signatures are a stranger's. */
static void test_another_origin_is_another_log(void **state)
{
    (void)state;
    begin();
    vault_close(&test.vault);
    test.options.origin = "other.vault.example/log";
    assert_fails(VAULT_CORRUPT, open_another());
}

static void test_a_log_that_is_gone_does_not_start_anew(void **state)
{
    (void)state;
    char command[PATH_MAX + 32];
    begin();
    vault_close(&test.vault);
    snprintf(command, sizeof command, "rm -r '%s/log'", test.dir);
    assert_int_equal(system(command), 0);
    assert_true(open_another() != VAULT_OK);
    assert_true(open_another() != VAULT_OK);
}

static void test_two_at_once_are_one_too_many(void **state)
{
    (void)state;
    begin();
    assert_fails(VAULT_UNAVAILABLE, open_another());
    assert_done(vault_ready(test.vault, &test_error)); /* the first is well */
    json_decref(ask_release(&test, "aaaaaaaaaaaaaaaaaaaaaaaaaa"));
    vault_close(&test.vault);
    assert_done(open_another());
}

static void test_another_process_cannot_have_it_either(void **state)
{
    (void)state;
    int result = -1;
    begin();
    const pid_t child = fork();
    if (child == 0)
        _exit(open_another() == VAULT_UNAVAILABLE ? 0 : 1);
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), 0);
    assert_done(vault_ready(test.vault, &test_error));
    vault_close(&test.vault);
}

static void test_it_can_be_closed_and_opened_many_times(void **state)
{
    (void)state;
    begin();
    const uint64_t size = ledger_head(test.vault->ledger).size;
    for (int i = 0; i < 5; i++) {
        reopen_test_vault(&test);
        assert_done(vault_ready(test.vault, &test_error));
    }
    assert_int_equal(ledger_head(test.vault->ledger).size, size); /* and leaves no entry */
    vault_close(&test.vault);
    assert_null(test.vault);
    vault_close(&test.vault);
}

/* --- Ready ---------------------------------------------------------------------------------- */

static void test_a_vault_is_ready_once_a_policy_is_active(void **state)
{
    (void)state;
    make_test_vault(&test);
    assert_fails(VAULT_UNAVAILABLE, vault_ready(test.vault, &test_error));
    assert_non_null(strstr(test_error.text, "policy"));
    assert_false(vault_has_stopped(test.vault));
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
    assert_done(vault_ready(test.vault, &test_error));
    active_policy_close(test.vault);
    assert_fails(VAULT_UNAVAILABLE, vault_ready(test.vault, &test_error));
    vault_close(&test.vault);
}

static void test_a_vault_whose_log_stopped_is_not_ready(void **state)
{
    (void)state;
    begin();
    assert_done(ledger_stop(test.vault->ledger, &test_error));
    assert_fails(VAULT_UNAVAILABLE, vault_ready(test.vault, &test_error));
    vault_close(&test.vault);
    open_test_vault(&test);
    assert_done(vault_ready(test.vault, &test_error));
    vault_close(&test.vault);
}

/* --- Figures -------------------------------------------------------------------------------- */

static json_t *status_now(void)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(65536);
    json_t *status = NULL;
    assert_done(vault_status(test.vault, &text, &test_error));
    assert_done(json_parse(buf_view(&text), 4, &status, NULL, &test_error));
    return status;
}

static const json_t *member(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (!value)
        fail_msg("there is no %s", name);
    return value;
}

static void test_the_status_of_a_vault_that_is_well(void **state)
{
    (void)state;
    begin();
    const uint64_t size = ledger_head(test.vault->ledger).size;
    assert_done(ledger_wait_published(test.vault->ledger, size, 10000, &test_error));
    VAULT_AUTO(json_free) json_t *status = status_now();
    assert_int_equal(json_object_size(status), 9);
    assert_int_equal(json_integer_value(member(status, "certificates_ending")), 0);
    assert_true(json_is_true(member(status, "ready")));
    assert_string_equal(json_string_value(member(status, "reason")), "");
    assert_int_equal(json_integer_value(member(status, "citizens")), 1);
    assert_true(json_is_integer(member(status, "open_citizens")));
    const json_t *log = member(status, "log");
    assert_int_equal(json_object_size(log), 4);
    assert_string_equal(json_string_value(member(log, "origin")), test.options.origin);
    assert_int_equal(json_integer_value(member(log, "size")), size);
    assert_int_equal(json_integer_value(member(log, "published")), size);
    const json_t *policy = member(status, "policy");
    assert_int_equal(json_object_size(policy), 4);
    assert_string_equal(json_string_value(member(policy, "bundle")), "tests");
    assert_int_equal(json_integer_value(member(policy, "version")), 1);
    assert_int_equal(json_string_length(member(policy, "manifest")), 64);
    assert_int_equal(json_integer_value(member(policy, "rules")), 4);
    vault_close(&test.vault);
}

static void test_the_status_of_a_vault_that_is_not_ready_says_why(void **state)
{
    (void)state;
    make_test_vault(&test);
    {
        VAULT_AUTO(json_free) json_t *status = status_now();
        assert_true(json_is_false(member(status, "ready")));
        assert_non_null(strstr(json_string_value(member(status, "reason")), "policy"));
        assert_true(json_is_null(member(status, "policy")));
        assert_int_equal(json_integer_value(member(status, "citizens")), 0);
    }
    assert_done(ledger_stop(test.vault->ledger, &test_error));
    VAULT_AUTO(json_free) json_t *status = status_now();
    assert_true(json_is_false(member(status, "ready")));
    assert_null(strstr(json_string_value(member(status, "reason")), "policy"));
    vault_close(&test.vault);
}

static void test_a_status_that_does_not_fit_is_told(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf small = buf_limited(20);
    begin();
    assert_fails(VAULT_TOO_LARGE, vault_status(test.vault, &small, &test_error));
    vault_close(&test.vault);
}

static void test_the_logs_key_is_the_one_that_signs_it(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf vkey = buf_limited(NOTE_KEY_CHARS_MAX);
    VAULT_AUTO(buf_finish) struct buf again = buf_limited(NOTE_KEY_CHARS_MAX);
    VAULT_AUTO(buf_finish) struct buf checkpoint = buf_limited(65536);
    struct note_key key;
    struct note note;
    bool is_signed = false;
    begin();
    assert_done(vault_log_key(test.vault, &vkey, &test_error));
    assert_done(note_key_parse(buf_view(&vkey), &key, &test_error));
    assert_string_equal(key.name, test.options.origin);
    assert_done(ledger_checkpoint(test.vault->ledger, &checkpoint, &test_error));
    assert_done(note_parse(buf_view(&checkpoint), &note, &test_error));
    assert_done(note_verify(&note, &key, &is_signed, &test_error));
    assert_true(is_signed);
    reopen_test_vault(&test);
    assert_done(vault_log_key(test.vault, &again, &test_error));
    assert_true(bytes_equal(buf_view(&vkey), buf_view(&again)));
    vault_close(&test.vault);
}

static void test_what_is_published_lies_in_the_logs_folder(void **state)
{
    (void)state;
    char path[PATH_MAX];
    begin();
    const uint64_t size = ledger_head(test.vault->ledger).size;
    assert_done(ledger_wait_published(test.vault->ledger, size, 10000, &test_error));
    assert_done(
        file_join(path, sizeof path, vault_log_folder(test.vault), "checkpoint", &test_error));
    assert_true(file_exists(path));
    assert_int_equal(clock_now_ms(vault_clock(test.vault)), START_MS);
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(
        test_a_new_vault_is_for_its_own_user_only,
        test_the_recovery_secret_is_shown_and_kept_nowhere, test_a_vault_is_not_made_where_one_is,
        test_a_key_that_is_there_is_not_replaced,
        test_a_vault_without_a_name_that_a_log_may_have_is_not_made,
        test_without_a_vault_there_is_nothing_to_open,
        test_without_the_key_nothing_opens_and_nothing_is_touched,
        test_a_provider_that_does_not_exist_is_refused,
        test_the_key_of_another_vault_does_not_open_this_one,
        test_parts_of_another_vault_do_not_go_together, test_another_origin_is_another_log,
        test_a_log_that_is_gone_does_not_start_anew, test_two_at_once_are_one_too_many,
        test_another_process_cannot_have_it_either, test_it_can_be_closed_and_opened_many_times,
        test_a_vault_is_ready_once_a_policy_is_active, test_a_vault_whose_log_stopped_is_not_ready,
        test_the_status_of_a_vault_that_is_well,
        test_the_status_of_a_vault_that_is_not_ready_says_why,
        test_a_status_that_does_not_fit_is_told, test_the_logs_key_is_the_one_that_signs_it,
        test_what_is_published_lies_in_the_logs_folder);
}
