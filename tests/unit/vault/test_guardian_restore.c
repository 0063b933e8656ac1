/* A backup of a family, what is decided after it, and what a restored vault holds of that. */
#include "family.h"

#include <time.h>

#include "vault/vault/backup.h"
#include "vault/vault/keys.h"
#include "vault/vault/restore.h"

static struct vault_test test;
static struct family family;
static char root[PATH_MAX];
static char backup_dir[PATH_MAX + 16];
static char again_dir[PATH_MAX + 16];
static char lost_log[PATH_MAX + 16];
static struct restore_report report;
static struct guardian_seat max;
static char request[REQUEST_ID_CHARS + 1];

static void back_up(void)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    struct backup_progress progress;
    char config[PATH_MAX + 16];
    snprintf(config, sizeof config, "%s/vaultd.json", test.dir);
    assert_done(file_create(config, BYTES("{}"), 0600, &test_error));
    const struct backup_request wanted = {.folder = backup_dir, .config = config};
    assert_done(backup_start(test.vault, &wanted, &test_error));
    for (backup_look(test.vault, &progress); progress.state == BACKUP_RUNNING;
         backup_look(test.vault, &progress))
        nanosleep(&pause, NULL);
    assert_int_equal(progress.state, BACKUP_DONE);
    test.now_ms += 1000;
}

static void restore_with(const char *log)
{
    struct restore *restore = NULL;
    vault_close(&test.vault);
    const struct restore_options options = {
        .backup = backup_dir, .dir = again_dir, .log = log, .provider = test.options.provider};
    assert_done(restore_begin(&options, &restore, &test_error));
    test.options.dir = restore_dir(restore);
    open_test_vault(&test);
    assert_done(restore_replay(restore, test.vault, NULL, NULL, &report, &test_error));
    vault_close(&test.vault);
    assert_done(restore_finish(restore, &test_error));
    restore_end(&restore);
    test.options.dir = again_dir;
    open_test_vault(&test);
}

static enum vault_code take_id(void *context, const struct guardian_minor *minor,
                               struct vault_error *err)
{
    (void)err;
    memcpy(context, minor->id, sizeof minor->id);
    return VAULT_OK;
}

static bool is_guardian(const struct citizen_id *citizen)
{
    char id[GUARDIAN_ID_CHARS + 1] = "";
    assert_done(guardian_list_minors(test.vault, citizen, take_id, id, &test_error));
    return id[0] != 0;
}

/* The minor and Max, and the library's request. */
static void begin(void)
{
    struct guardian_minor minor;
    char id[GUARDIAN_ID_CHARS + 1] = "";
    VAULT_AUTO(access_view_finish) struct access_view view = {0};
    make_vault_with_family(&test, &family);
    snprintf(root, sizeof root, "%.*s", (int)(strlen(test.dir) - strlen("/vault")), test.dir);
    snprintf(backup_dir, sizeof backup_dir, "%s/backup", root);
    snprintf(again_dir, sizeof again_dir, "%s/again", root);
    snprintf(lost_log, sizeof lost_log, "%s/vault/log", root);
    assert_done(guardian_add(test.vault, &family.minor, &family.max, &test_error));
    assert_done(guardian_list_minors(test.vault, &family.max, take_id, id, &test_error));
    assert_done(guardian_open(test.vault, &family.max, id, &max, &minor, &test_error));
    const struct access_receipt receipt = ask_minor(&test);
    assert_done(access_request_by_code(test.vault, &family.minor, bytes_of_text(receipt.code),
                                       &view, &test_error));
    memcpy(request, view.request.id, sizeof request);
}

static void end(void)
{
    vault_close(&test.vault);
}

static enum vault_code answer(const struct guardian_seat *seat, bool gives)
{
    static const struct consent_field fields[] = {{"reader.token", ""}};
    const struct actor actor = {.guardian = seat};
    const struct consent_decision decision = {.service = LIBRARY,
                                              .purpose = LENDING,
                                              .fields = fields,
                                              .field_count = 1,
                                              .days = 90,
                                              .uses = CONSENT_UNLIMITED,
                                              .language = "fr",
                                              .text = "Le texte affiché.",
                                              .actor = seat ? &actor : NULL};
    return gives
               ? access_request_give(test.vault, &family.minor, request, &decision, &test_error)
               : access_request_refuse(test.vault, &family.minor, request, &decision, &test_error);
}

static bool half_waits_now(void)
{
    struct guardian_rule rule;
    struct guardian_half half;
    bool waits = false;
    assert_done(
        guardian_ask(test.vault, &family.minor, request, &rule, &waits, &half, &test_error));
    return waits;
}

static size_t released(void)
{
    return release_of_minor(&test, &family);
}

static enum vault_code take_consent(void *context, const struct consent *consent,
                                    struct vault_error *err)
{
    (void)err;
    *(struct consent *)context = *consent;
    return VAULT_OK;
}

static struct consent consent_now(void)
{
    struct consent consent = {.state = CONSENT_NONE};
    assert_done(consent_list(test.vault, &family.minor, take_consent, &consent, &test_error));
    return consent;
}

static void test_what_nothing_happened_to_is_as_it_was(void **state)
{
    (void)state;
    begin();
    assert_done(answer(NULL, true));
    back_up();
    restore_with(lost_log);
    assert_true(is_guardian(&family.max));
    assert_true(half_waits_now());
    assert_done(answer(&max, true));
    assert_int_equal(released(), 1);
    end();
}

static void test_who_was_removed_since_is_no_guardian(void **state)
{
    (void)state;
    begin();
    back_up();
    assert_done(guardian_remove(test.vault, &family.minor, &family.max, &test_error));
    restore_with(lost_log);
    assert_false(is_guardian(&family.max));
    assert_fails(VAULT_DENIED, answer(&max, true));
    assert_done(guardian_add(test.vault, &family.minor, &family.max, &test_error));
    assert_true(is_guardian(&family.max));
    end();
}

static void test_that_a_guardian_looked_since_ends_nothing(void **state)
{
    (void)state;
    struct guardian_minor minor;
    begin();
    back_up();
    test.now_ms += 24LL * 3600 * 1000;
    assert_done(guardian_open(test.vault, &family.max, max.id, &max, &minor, &test_error));
    restore_with(lost_log);
    assert_true(is_guardian(&family.max));
    end();
}

static void test_who_was_added_since_is_added_again(void **state)
{
    (void)state;
    begin();
    back_up();
    assert_done(guardian_add(test.vault, &family.minor, &family.lou, &test_error));
    restore_with(lost_log);
    assert_true(is_guardian(&family.max));
    assert_false(is_guardian(&family.lou));
    assert_done(guardian_add(test.vault, &family.minor, &family.lou, &test_error));
    assert_true(is_guardian(&family.lou));
    end();
}

static void test_a_half_that_was_taken_back_since_does_not_wait(void **state)
{
    (void)state;
    begin();
    assert_done(answer(NULL, true));
    back_up();
    assert_done(consent_withdraw(test.vault, &family.minor, LIBRARY, LENDING, &test_error));
    restore_with(lost_log);
    assert_false(half_waits_now());
    assert_done(answer(&max, true));
    assert_int_equal(released(), 0);
    end();
}

static void test_a_half_that_was_refused_since_does_not_wait(void **state)
{
    (void)state;
    begin();
    assert_done(answer(NULL, true));
    back_up();
    assert_done(answer(&max, false));
    restore_with(lost_log);
    assert_false(half_waits_now());
    end();
}

static void test_a_half_that_was_answered_since_does_not_wait(void **state)
{
    (void)state;
    begin();
    assert_done(answer(NULL, true));
    back_up();
    assert_done(answer(&max, true));
    assert_int_equal(released(), 1);
    restore_with(lost_log);
    assert_false(half_waits_now());
    assert_done(answer(&max, true)); /* the first of two again */
    assert_int_equal(released(), 0);
    assert_done(answer(NULL, true));
    assert_int_equal(released(), 1);
    end();
}

static void test_a_joint_consent_that_either_withdrew_since_stays_withdrawn(void **state)
{
    (void)state;
    begin();
    assert_done(answer(NULL, true));
    assert_done(answer(&max, true));
    back_up();
    assert_done(guardian_withdraw(test.vault, &family.max, max.id, LIBRARY, LENDING, &test_error));
    restore_with(lost_log);
    assert_int_equal(consent_now().state, CONSENT_WITHDRAWN);
    assert_int_equal(released(), 0);
    end();
}

static void test_both_given_and_withdrawn_since_leaves_no_half(void **state)
{
    (void)state;
    begin();
    assert_done(answer(NULL, true));
    back_up();
    assert_done(answer(&max, true));
    assert_done(consent_withdraw(test.vault, &family.minor, LIBRARY, LENDING, &test_error));
    restore_with(lost_log);
    assert_false(half_waits_now());
    assert_int_equal(released(), 0);
    end();
}

static void test_without_a_log_nobody_is_a_guardian_and_nothing_waits(void **state)
{
    (void)state;
    begin();
    assert_done(answer(NULL, true));
    back_up();
    restore_with(NULL);
    assert_false(is_guardian(&family.max));
    assert_false(half_waits_now());
    end();
}

/* A guardian may have withdrawn it: the minor's word alone is not enough. */
static void test_what_a_minor_suspended_they_do_not_resume_alone_without_a_log(void **state)
{
    (void)state;
    begin();
    assert_done(answer(NULL, true));
    assert_done(answer(&max, true));
    assert_done(consent_suspend(test.vault, &family.minor, LIBRARY, LENDING, CONSENT_BY_CITIZEN,
                                &test_error));
    back_up();
    assert_done(guardian_withdraw(test.vault, &family.max, max.id, LIBRARY, LENDING, &test_error));
    restore_with(NULL);
    assert_fails(VAULT_DENIED,
                 consent_resume(test.vault, &family.minor, LIBRARY, LENDING, &test_error));
    assert_int_equal(released(), 0);
    end();
}

static void test_what_a_new_key_hides_since_ends_all_of_that_minors(void **state)
{
    (void)state;
    begin();
    assert_done(answer(NULL, true));
    back_up();
    assert_done(keys_rekey(test.vault, &family.minor, &test_error));
    assert_done(guardian_remove(test.vault, &family.minor, &family.max, &test_error));
    restore_with(lost_log);
    assert_false(is_guardian(&family.max));
    assert_false(half_waits_now());
    end();
}

int main(void)
{
    return TEST_RUN(
        test_what_nothing_happened_to_is_as_it_was, test_who_was_removed_since_is_no_guardian,
        test_that_a_guardian_looked_since_ends_nothing, test_who_was_added_since_is_added_again,
        test_a_half_that_was_taken_back_since_does_not_wait,
        test_a_half_that_was_refused_since_does_not_wait,
        test_a_half_that_was_answered_since_does_not_wait,
        test_a_joint_consent_that_either_withdrew_since_stays_withdrawn,
        test_both_given_and_withdrawn_since_leaves_no_half,
        test_without_a_log_nobody_is_a_guardian_and_nothing_waits,
        test_what_a_minor_suspended_they_do_not_resume_alone_without_a_log,
        test_what_a_new_key_hides_since_ends_all_of_that_minors);
}
