/* A backup, what a citizen decides after it, and what a restored vault holds of that. */
#include "vault/vault/restore.h"

#include <time.h>

#include "vault/base/folder.h"
#include "vault/vault/erase.h"
#include "vault/vault/keys.h"
#include "vault/vault/mandate.h"
#include "vault/vault/mediator.h"
#include "vault/vault/stance.h"
#include "vault_test.h"

static struct vault_test test;
static char root[PATH_MAX];
static char backup_dir[PATH_MAX + 16];
static char again_dir[PATH_MAX + 16];
static char lost_log[PATH_MAX + 16];
static struct restore_report report;

static void wait_for_backup(enum backup_state wanted)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    struct backup_progress progress;
    for (backup_look(test.vault, &progress); progress.state == BACKUP_RUNNING;
         backup_look(test.vault, &progress))
        nanosleep(&pause, NULL);
    if (progress.state != wanted)
        fail_msg("the backup: %s", progress.error.text);
}

static struct backup_request request_of(char config[PATH_MAX])
{
    snprintf(config, PATH_MAX, "%s/vaultd.json", test.dir);
    if (!file_exists(config))
        assert_done(file_create(config, BYTES("{}"), 0600, &test_error));
    return (struct backup_request){.folder = backup_dir, .config = config};
}

static void back_up(void)
{
    char config[PATH_MAX];
    const struct backup_request request = request_of(config);
    assert_done(backup_start(test.vault, &request, &test_error));
    wait_for_backup(BACKUP_DONE);
}

/* A vault with one consent of that many uses. */
static void prepare(int64_t uses)
{
    make_filled_vault(&test);
    snprintf(root, sizeof root, "%.*s", (int)(strlen(test.dir) - strlen("/vault")), test.dir);
    snprintf(backup_dir, sizeof backup_dir, "%s/backup", root);
    snprintf(again_dir, sizeof again_dir, "%s/again", root);
    snprintf(lost_log, sizeof lost_log, "%s/vault/log", root);
    give_consent(&test, uses);
}

/* The same, and yesterday's backup of it. */
static void begin(int64_t uses)
{
    prepare(uses);
    back_up();
    test.now_ms += 1000;
}

/* The vault is lost but for its log (with_log), and restored; it is the test's vault then. */
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

struct found {
    enum consent_state state;
    enum consent_cause cause;
    int64_t version;
    int64_t used;
    enum consent_event event;
    enum consent_how how;
};

static enum vault_code take_consent(void *context, const struct consent *consent,
                                    struct vault_error *err)
{
    struct found *found = context;
    (void)err;
    *found = (struct found){consent->state, consent->cause, consent->version,
                            consent->used,  consent->event, consent->how};
    return VAULT_OK;
}

static struct found consent_now(void)
{
    struct found found = {.state = CONSENT_NONE};
    assert_done(consent_list(test.vault, &test.citizen, take_consent, &found, &test_error));
    return found;
}

static size_t released(void)
{
    char subject[SUBJECT_CHARS + 1];
    subject_of_citizen(&test, subject);
    return count_released(ask_release(&test, subject));
}

static void test_what_was_withdrawn_stays_so_and_what_was_not_is_in_force(void **state)
{
    (void)state;
    begin(CONSENT_UNLIMITED);
    assert_true(released() > 0);
    restore_with(lost_log);
    assert_true(released() > 0);
    assert_int_equal(report.replayed, 0);
    assert_int_equal(report.suspended, 0);
    vault_close(&test.vault);
    begin(CONSENT_UNLIMITED);
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    restore_with(lost_log);
    assert_int_equal(released(), 0);
    assert_int_equal(consent_now().state, CONSENT_WITHDRAWN);
    assert_int_equal(consent_now().version, 2);
    assert_int_equal(report.replayed, 1);
    vault_close(&test.vault);
}

static void test_what_was_suspended_since_is_so_and_what_was_resumed_is_in_force(void **state)
{
    (void)state;
    begin(CONSENT_UNLIMITED);
    assert_done(consent_suspend(test.vault, &test.citizen, CASEWORKER, SUPPORT, CONSENT_BY_CITIZEN,
                                &test_error));
    restore_with(lost_log);
    assert_int_equal(consent_now().state, CONSENT_SUSPENDED);
    assert_int_equal(consent_now().cause, CONSENT_BY_RESTORE);
    assert_done(consent_resume(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    assert_true(released() > 0);
    vault_close(&test.vault);
    begin(CONSENT_UNLIMITED);
    assert_done(consent_suspend(test.vault, &test.citizen, CASEWORKER, SUPPORT, CONSENT_BY_CITIZEN,
                                &test_error));
    assert_done(consent_resume(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    restore_with(lost_log);
    assert_int_equal(consent_now().state, CONSENT_GIVEN);
    assert_int_equal(report.replayed, 2);
    vault_close(&test.vault);
}

/* What was suspended is not the consent that the backup has: that one had ended. */
static void test_what_was_withdrawn_before_is_not_suspended_by_what_came_after_it(void **state)
{
    (void)state;
    prepare(CONSENT_UNLIMITED);
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    back_up();
    test.now_ms += 1000;
    give_consent(&test, CONSENT_UNLIMITED);
    assert_done(consent_suspend(test.vault, &test.citizen, CASEWORKER, SUPPORT, CONSENT_BY_CITIZEN,
                                &test_error));
    restore_with(lost_log);
    assert_int_equal(consent_now().state, CONSENT_WITHDRAWN);
    assert_done(consent_resume(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    assert_int_equal(consent_now().state, CONSENT_WITHDRAWN);
    assert_int_equal(released(), 0);
    vault_close(&test.vault);
}

static void narrow(void)
{
    static const struct consent_field field[] = {{"identity.birth_date", "year"}};
    const struct consent_narrowing narrowing = {.fields = field,
                                                .field_count = 1,
                                                .expires_s = test.now_ms / 1000 + 86400,
                                                .language = "fr",
                                                .text = "Moins."};
    assert_done(
        consent_narrow(test.vault, &test.citizen, CASEWORKER, SUPPORT, &narrowing, &test_error));
}

/* It is as wide as before, and only who is told so resumes it. */
static void test_what_was_narrowed_and_suspended_is_suspended_by_the_restore(void **state)
{
    (void)state;
    size_t count = 7;
    begin(CONSENT_UNLIMITED);
    narrow();
    assert_done(consent_suspend(test.vault, &test.citizen, CASEWORKER, SUPPORT, CONSENT_BY_CITIZEN,
                                &test_error));
    restore_with(lost_log);
    assert_int_equal(consent_now().state, CONSENT_SUSPENDED);
    assert_int_equal(consent_now().cause, CONSENT_BY_RESTORE);
    assert_int_equal(released(), 0);
    vault_close(&test.vault);
    begin(CONSENT_UNLIMITED);
    narrow();
    assert_done(stance_pause(test.vault, &test.citizen, NULL, &test_error));
    restore_with(lost_log);
    assert_done(stance_resume(test.vault, &test.citizen, &count, &test_error));
    assert_int_equal(count, 0);
    assert_int_equal(consent_now().cause, CONSENT_BY_RESTORE);
    assert_int_equal(released(), 0);
    vault_close(&test.vault);
}

static void test_what_a_pause_since_suspended_is_resumed_with_all(void **state)
{
    (void)state;
    size_t count = 0;
    begin(CONSENT_UNLIMITED);
    assert_done(stance_pause(test.vault, &test.citizen, NULL, &test_error));
    restore_with(lost_log);
    assert_int_equal(consent_now().cause, CONSENT_BY_PAUSE);
    assert_int_equal(released(), 0);
    assert_done(stance_resume(test.vault, &test.citizen, &count, &test_error));
    assert_int_equal(count, 1);
    assert_true(released() > 0);
    vault_close(&test.vault);
}

/* The service is not removed in the backup: it is suspended, for the operator to say. What had
 * ended with it by then has ended, and is on record as the city's doing. */
static void test_what_ended_with_a_service_stays_ended(void **state)
{
    (void)state;
    begin(CONSENT_UNLIMITED);
    assert_done(service_remove(test.vault, CASEWORKER, &test_error));
    assert_int_equal(consent_now().state, CONSENT_WITHDRAWN);
    restore_with(lost_log);
    assert_int_equal(consent_now().state, CONSENT_WITHDRAWN);
    assert_int_equal(consent_now().event, CONSENT_END);
    assert_int_equal(consent_now().how, CONSENT_OPERATOR);
    assert_int_equal(consent_now().version, 2);
    assert_int_equal(report.replayed, 1);
    assert_int_equal(report.services_suspended, 1);
    vault_close(&test.vault);
    /* Removed, but this citizen's file was not read since: it ends once the operator removes it
     * again. */
    begin(CONSENT_UNLIMITED);
    assert_done(service_remove(test.vault, CASEWORKER, &test_error));
    restore_with(lost_log);
    assert_int_equal(consent_now().state, CONSENT_GIVEN);
    assert_done(service_remove(test.vault, CASEWORKER, &test_error));
    assert_int_equal(consent_now().state, CONSENT_WITHDRAWN);
    vault_close(&test.vault);
}

static void test_a_pause_of_everything_is_still_one(void **state)
{
    (void)state;
    bool paused = false;
    bool restricted = false;
    begin(CONSENT_UNLIMITED);
    assert_done(stance_pause(test.vault, &test.citizen, NULL, &test_error));
    restore_with(lost_log);
    assert_done(
        stance_read(test.vault, &test.citizen, &paused, &restricted, NULL, NULL, &test_error));
    assert_true(paused);
    assert_int_equal(released(), 0);
    vault_close(&test.vault);
}

static void test_a_restriction_of_everything_is_still_one(void **state)
{
    (void)state;
    bool paused = false;
    bool restricted = false;
    begin(CONSENT_UNLIMITED);
    assert_done(stance_restrict(test.vault, &test.citizen, NULL, &test_error));
    restore_with(lost_log);
    assert_done(
        stance_read(test.vault, &test.citizen, &paused, &restricted, NULL, NULL, &test_error));
    assert_true(paused && restricted);
    vault_close(&test.vault);
}

static enum vault_code take_objection(void *context, const struct objection *objection,
                                      struct vault_error *err)
{
    (void)err;
    *(bool *)context = objection->stands && strcmp(objection->service, LIBRARY) == 0;
    return VAULT_OK;
}

static void test_an_objection_stands(void **state)
{
    (void)state;
    bool paused = true;
    bool restricted = false;
    bool stands = false;
    begin(CONSENT_UNLIMITED);
    assert_done(stance_object(test.vault, &test.citizen, LIBRARY, LENDING, &test_error));
    restore_with(lost_log);
    assert_done(stance_read(test.vault, &test.citizen, &paused, &restricted, take_objection,
                            &stands, &test_error));
    assert_true(stands);
    assert_false(paused);
    vault_close(&test.vault);
}

/* The backup does not have the key that the withdrawal was sealed under. */
static void test_who_got_a_new_key_since_has_nothing_in_force(void **state)
{
    (void)state;
    begin(CONSENT_UNLIMITED);
    assert_done(keys_rekey(test.vault, &test.citizen, &test_error));
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    restore_with(lost_log);
    assert_int_equal(released(), 0);
    assert_int_equal(consent_now().state, CONSENT_SUSPENDED);
    assert_int_equal(report.suspended, 1);
    assert_int_equal(report.unreadable, 1);
    vault_close(&test.vault);
}

static enum vault_code count_standing(void *context, const struct mandate *mandate,
                                      struct vault_error *err)
{
    (void)err;
    *(size_t *)context += mandate_state_now(mandate, test.now_ms / 1000) == MANDATE_IN_FORCE;
    return VAULT_OK;
}

static size_t mandates_in_force(void)
{
    size_t count = 0;
    assert_done(mandate_list(test.vault, &test.citizen, count_standing, &count, &test_error));
    return count;
}

/* A mandate, a backup, and then whatever there is to do since. */
static void begin_with_mandate(char id[MANDATE_ID_CHARS + 1])
{
    const struct mandate_terms terms = {
        .structure = "hub", .purposes = {SUPPORT}, .purpose_count = 1, .days = 31};
    prepare(CONSENT_UNLIMITED);
    assert_done(mediator_register_structure(test.vault, "hub", "A digital hub", &test_error));
    assert_done(mandate_give(test.vault, &test.citizen, &terms, id, &test_error));
    back_up();
    test.now_ms += 1000;
}

static void test_a_mandate_that_was_ended_since_is_not_in_force(void **state)
{
    (void)state;
    char id[MANDATE_ID_CHARS + 1];
    begin_with_mandate(id);
    restore_with(lost_log);
    assert_int_equal(mandates_in_force(), 1);
    vault_close(&test.vault);
    begin_with_mandate(id);
    assert_done(mandate_end(test.vault, &test.citizen, id, &test_error));
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    restore_with(lost_log);
    assert_int_equal(mandates_in_force(), 0);
    assert_int_equal(released(), 0);
    vault_close(&test.vault);
}

static void test_what_was_given_anew_suspends_what_it_replaced(void **state)
{
    (void)state;
    begin(CONSENT_UNLIMITED);
    give_consent(&test, 1);
    restore_with(lost_log);
    assert_int_equal(consent_now().state, CONSENT_SUSPENDED);
    assert_int_equal(consent_now().cause, CONSENT_BY_RESTORE);
    assert_int_equal(report.suspended, 1);
    assert_int_equal(released(), 0);
    vault_close(&test.vault);
}

static void test_a_narrowed_consent_is_not_as_wide_as_before(void **state)
{
    (void)state;
    begin(CONSENT_UNLIMITED);
    narrow();
    assert_done(consent_suspend(test.vault, &test.citizen, CASEWORKER, SUPPORT, CONSENT_BY_CITIZEN,
                                &test_error));
    assert_done(consent_resume(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    restore_with(lost_log);
    assert_int_equal(consent_now().state, CONSENT_SUSPENDED);
    assert_int_equal(released(), 0);
    vault_close(&test.vault);
}

static void test_uses_since_are_counted(void **state)
{
    (void)state;
    begin(2);
    assert_true(released() > 0);
    restore_with(lost_log);
    assert_int_equal(consent_now().used, 1);
    assert_true(released() > 0);
    assert_int_equal(released(), 0);
    vault_close(&test.vault);
}

static void test_without_a_log_every_consent_is_suspended(void **state)
{
    (void)state;
    begin(CONSENT_UNLIMITED);
    restore_with(NULL);
    assert_true(report.log_lost);
    assert_int_equal(report.suspended, 1);
    assert_int_equal(consent_now().cause, CONSENT_BY_RESTORE);
    assert_int_equal(released(), 0);
    vault_close(&test.vault);
}

/* Suspended at the backup, withdrawn since, and nobody knows: resuming is for who is told so. */
static void test_without_a_log_what_was_suspended_is_so_by_the_restore(void **state)
{
    (void)state;
    size_t count = 7;
    prepare(CONSENT_UNLIMITED);
    assert_done(stance_pause(test.vault, &test.citizen, NULL, &test_error));
    back_up();
    test.now_ms += 1000;
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    restore_with(NULL);
    assert_int_equal(report.suspended, 1);
    assert_int_equal(consent_now().cause, CONSENT_BY_RESTORE);
    assert_done(stance_resume(test.vault, &test.citizen, &count, &test_error));
    assert_int_equal(count, 0);
    assert_int_equal(consent_now().state, CONSENT_SUSPENDED);
    assert_int_equal(released(), 0);
    vault_close(&test.vault);
}

static void test_what_was_suspended_and_hidden_by_a_new_key_is_so_by_the_restore(void **state)
{
    (void)state;
    prepare(CONSENT_UNLIMITED);
    assert_done(consent_suspend(test.vault, &test.citizen, CASEWORKER, SUPPORT, CONSENT_BY_CITIZEN,
                                &test_error));
    back_up();
    test.now_ms += 1000;
    assert_done(keys_rekey(test.vault, &test.citizen, &test_error));
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    restore_with(lost_log);
    assert_int_equal(report.suspended, 1);
    assert_int_equal(consent_now().state, CONSENT_SUSPENDED);
    assert_int_equal(consent_now().cause, CONSENT_BY_RESTORE);
    vault_close(&test.vault);
}

/* Given anew while the old one was suspended. */
static void test_what_was_given_anew_since_leaves_the_suspended_one_to_the_restore(void **state)
{
    (void)state;
    prepare(CONSENT_UNLIMITED);
    assert_done(consent_suspend(test.vault, &test.citizen, CASEWORKER, SUPPORT, CONSENT_BY_CITIZEN,
                                &test_error));
    back_up();
    test.now_ms += 1000;
    give_consent(&test, 1);
    restore_with(lost_log);
    assert_int_equal(report.suspended, 1);
    assert_int_equal(consent_now().state, CONSENT_SUSPENDED);
    assert_int_equal(consent_now().cause, CONSENT_BY_RESTORE);
    vault_close(&test.vault);
}

static void test_what_a_restore_suspended_is_not_suspended_once_more(void **state)
{
    (void)state;
    prepare(CONSENT_UNLIMITED);
    assert_done(consent_suspend(test.vault, &test.citizen, CASEWORKER, SUPPORT, CONSENT_BY_RESTORE,
                                &test_error));
    back_up();
    restore_with(NULL);
    assert_int_equal(report.suspended, 0);
    assert_int_equal(consent_now().version, 2);
    vault_close(&test.vault);
}

static void test_who_was_erased_is_not_there(void **state)
{
    (void)state;
    struct citizen_id found;
    begin(CONSENT_UNLIMITED);
    assert_done(erase_citizen(test.vault, &test.citizen, &test_error));
    restore_with(lost_log);
    assert_int_equal(report.erased, 1);
    assert_int_equal(released(), 0);
    assert_fails(VAULT_NOT_FOUND, people_find(test.vault, "T-1", &found, &test_error));
    vault_close(&test.vault);
}

static void test_a_citizens_count_goes_on(void **state)
{
    (void)state;
    begin(CONSENT_UNLIMITED);
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    restore_with(lost_log);
    give_consent(&test, CONSENT_UNLIMITED);
    assert_true(released() > 0);
    reopen_test_vault(&test); /* every opening follows its citizen's last */
    assert_true(released() > 0);
    vault_close(&test.vault);
}

static void test_a_failed_restore_leaves_nothing(void **state)
{
    (void)state;
    struct restore *restore = NULL;
    char partial[PATH_MAX + 32];
    begin(CONSENT_UNLIMITED);
    struct restore_options options = {
        .backup = backup_dir, .dir = again_dir, .log = lost_log, .provider = test.options.provider};
    snprintf(partial, sizeof partial, "%s.partial", again_dir);
    assert_fails(VAULT_CONFLICT, restore_begin(&options, &restore, &test_error)); /* in use */
    assert_false(file_exists(partial));
    options.log = backup_dir; /* no log's folder */
    assert_int_not_equal(restore_begin(&options, &restore, &test_error), VAULT_OK);
    assert_false(file_exists(partial));
    options.dir = test.dir;
    assert_fails(VAULT_CONFLICT, restore_begin(&options, &restore, &test_error));
    options.backup = test.dir;
    assert_fails(VAULT_NOT_FOUND, restore_begin(&options, &restore, &test_error));
    assert_null(restore);
    vault_close(&test.vault);
}

static void test_a_second_backup_and_another_key_wait(void **state)
{
    (void)state;
    char config[PATH_MAX];
    struct keys_progress progress;
    begin(CONSENT_UNLIMITED);
    struct backup_request request = request_of(config);
    assert_fails(VAULT_CONFLICT, backup_start(test.vault, &request, &test_error)); /* is there */
    assert_done(folder_remove(backup_dir, &test_error));
    request.folder = "relative";
    assert_fails(VAULT_INVALID, backup_start(test.vault, &request, &test_error));
    request.folder = backup_dir;
    assert_done(backup_start(test.vault, &request, &test_error));
    const enum vault_code second = backup_start(test.vault, &request, &test_error);
    const enum vault_code rewrapped = keys_rewrap(test.vault, &progress, &test_error);
    assert_true(second == VAULT_CONFLICT);
    assert_true(rewrapped == VAULT_CONFLICT || rewrapped == VAULT_OK); /* it may be done */
    wait_for_backup(BACKUP_DONE);
    assert_done(keys_rewrap(test.vault, &progress, &test_error));
    vault_close(&test.vault);
}

static void test_a_vault_that_closes_gives_its_backup_up(void **state)
{
    (void)state;
    char config[PATH_MAX];
    begin(CONSENT_UNLIMITED);
    assert_done(folder_remove(backup_dir, &test_error));
    const struct backup_request request = request_of(config);
    assert_done(backup_start(test.vault, &request, &test_error));
    vault_close(&test.vault);
    VAULT_AUTO(keyring_close) struct keyring *keyring = NULL;
    struct backup_facts facts;
    if (file_exists(backup_dir)) { /* whole, or not there */
        assert_done(keyring_open(backup_dir, &test.options.provider, &keyring, &test_error));
        assert_done(backup_check(backup_dir, keyring, NULL, NULL, &facts, &test_error));
    }
}

int main(void)
{
    return TEST_RUN(
        test_what_was_withdrawn_stays_so_and_what_was_not_is_in_force,
        test_what_was_suspended_since_is_so_and_what_was_resumed_is_in_force,
        test_what_was_withdrawn_before_is_not_suspended_by_what_came_after_it,
        test_what_was_narrowed_and_suspended_is_suspended_by_the_restore,
        test_what_a_pause_since_suspended_is_resumed_with_all,
        test_what_ended_with_a_service_stays_ended, test_a_pause_of_everything_is_still_one,
        test_a_restriction_of_everything_is_still_one, test_an_objection_stands,
        test_who_got_a_new_key_since_has_nothing_in_force,
        test_a_mandate_that_was_ended_since_is_not_in_force,
        test_what_was_given_anew_suspends_what_it_replaced,
        test_a_narrowed_consent_is_not_as_wide_as_before, test_uses_since_are_counted,
        test_without_a_log_every_consent_is_suspended,
        test_without_a_log_what_was_suspended_is_so_by_the_restore,
        test_what_was_suspended_and_hidden_by_a_new_key_is_so_by_the_restore,
        test_what_was_given_anew_since_leaves_the_suspended_one_to_the_restore,
        test_what_a_restore_suspended_is_not_suspended_once_more, test_who_was_erased_is_not_there,
        test_a_citizens_count_goes_on, test_a_failed_restore_leaves_nothing,
        test_a_second_backup_and_another_key_wait, test_a_vault_that_closes_gives_its_backup_up);
}
