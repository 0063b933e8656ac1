/*
 * Idempotency-Key: asked twice, answered once.
 */
#include <pthread.h>

#include "caller.h"
#include "vault/edge/service_api.h"
#include "vault/keeper.h"
#include "vault/parts.h"
#include "vault/store/reply.h"
#include "vault/vault/erase.h"
#include "vault/vault/repeat.h"
#include "vault/vault/stance.h"
#include "vault_test.h"

#define RELEASES "/v1/releases"
#define REQUESTS "/v1/access-requests"
#define JSON     "application/json"
#define REST                                                                                       \
    "\"purpose\":\"" SUPPORT "\",\"fields\":{\"identity.birth_date\":\"year\"},"                   \
    "\"context\":{\"assurance_at_least\":\"high\"}"

static struct vault_test test;
static struct service_api api;
static struct caller caller;
static struct buf first;

static void begin(void)
{
    make_filled_vault(&test);
    api = (struct service_api){test.vault, "https://citizens.example:8444"};
    caller = caller_new(service_api_handle, &api, caseworker_key);
    caller.idempotency_key = "key-1";
    first = buf_limited(65536);
}

static void end(void)
{
    buf_finish(&first);
    caller_finish(&caller);
    vault_close(&test.vault);
}

static uint64_t log_size(void)
{
    return ledger_head(test.vault->ledger).size;
}

static void ask(const char *rest)
{
    char subject[SUBJECT_CHARS + 1];
    char body[1024];
    subject_of_citizen(&test, subject);
    snprintf(body, sizeof body, "{\"subject\":\"%s\",%s}", subject, rest);
    caller_post(&caller, RELEASES, body);
}

static void ask_first(void)
{
    ask(REST);
    assert_answered(&caller, 200, JSON);
    buf_clear(&first);
    buf_bytes(&first, buf_view(&caller.answer.body));
}

static void assert_same(void)
{
    assert_answered(&caller, 200, JSON);
    assert_true(bytes_equal(buf_view(&first), buf_view(&caller.answer.body)));
}

static void assert_ended(void)
{
    ask(REST);
    assert_problem(&caller, 409, NULL, -1);
    assert_not_said(&caller, "1990");
    assert_not_said(&caller, "key-1");
}

static void test_the_same_key_and_body_have_the_same_bytes_and_one_entry(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    ask_first();
    assert_members(caller_value(&caller, "/released"), "identity.birth_date");
    const uint64_t size = log_size();
    ask(REST);
    assert_same();
    /* The same said otherwise. */
    ask("  \"context\" : {\"assurance_at_least\":\"high\"},\"fields\":"
        "{\"identity.birth_date\":\"y\\u0065ar\"} ,\"purpose\":\"" SUPPORT "\"");
    assert_same();
    assert_int_equal(log_size(), size);
    caller.idempotency_key = NULL;
    ask(REST);
    assert_answered(&caller, 200, JSON);
    assert_int_equal(log_size(), size + 1);
    end();
}

static void test_another_body_under_the_key_is_409(void **state)
{
    (void)state;
    static const char *const others[] = {
        REST ",\"reference\":\"case-1\"",
        "\"purpose\":\"" SUPPORT "\",\"fields\":[\"identity.birth_date\"]",
        "\"purpose\":\"" LENDING "\",\"fields\":{\"identity.birth_date\":\"year\"}",
    };
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    ask_first();
    const uint64_t size = log_size();
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        ask(others[i]);
        assert_problem(&caller, 409, NULL, -1);
    }
    caller_post(&caller, REQUESTS,
                "{\"purpose\":\"" SUPPORT "\",\"fields\":{\"employment.status\":null}}");
    assert_problem(&caller, 409, NULL, -1);
    assert_int_equal(log_size(), size);
    ask(REST);
    assert_same();
    end();
}

static void test_keys_are_each_service_s_own(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    ask_first();
    caller.key = library_key;
    ask(REST);
    assert_answered(&caller, 200, JSON);
    assert_members(caller_value(&caller, "/released"), "");
    end();
}

static void test_a_key_has_1_to_64_printable_characters(void **state)
{
    (void)state;
    static const char longest[] =
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    static const char *const wrong[] = {"", "a\tb", "caf\xc3\xa9", "a\x7f",
                                        ("0123456789abcdef0123456789abcdef0123456789abcdef"
                                         "0123456789abcdefg")};
    begin();
    const uint64_t size = log_size();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        caller.idempotency_key = wrong[i];
        ask(REST);
        assert_problem(&caller, 400, NULL, -1);
    }
    assert_int_equal(log_size(), size);
    caller.idempotency_key = longest;
    ask_first();
    ask(REST);
    assert_same();
    caller_post(&caller, "/v1/releases/batch", "{\"requests\":[{}]}");
    assert_problem(&caller, 400, NULL, -1);
    end();
}

/* --- What ended is not told again ----------------------------------------------------------- */

static void withdraw(void)
{
    assert_done(consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
}

static void suspend(void)
{
    assert_done(consent_suspend(test.vault, &test.citizen, CASEWORKER, SUPPORT, CONSENT_BY_CITIZEN,
                                &test_error));
}

static void pause_all(void)
{
    assert_done(stance_pause(test.vault, &test.citizen, NULL, &test_error));
}

static void renew(void)
{
    withdraw();
    give_consent(&test, CONSENT_UNLIMITED);
}

static void narrow(void)
{
    static const struct consent_field fields[] = {{"employment.status", ""}};
    const struct consent_narrowing less = {fields, 1, START_MS / 1000 + 86400, "fr", "Moins."};
    assert_done(consent_narrow(test.vault, &test.citizen, CASEWORKER, SUPPORT, &less, &test_error));
}

static void forget_policy(void)
{
    active_policy_close(test.vault);
}

static void erase(void)
{
    assert_done(erase_citizen(test.vault, &test.citizen, &test_error));
}

static void test_after_the_consent_ended_there_are_no_values(void **state)
{
    (void)state;
    static void (*const ends[])(void) = {withdraw, suspend,       pause_all, renew,
                                         narrow,   forget_policy, erase};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        begin();
        give_consent(&test, CONSENT_UNLIMITED);
        ask_first();
        ends[i]();
        assert_ended();
        end();
    }
}

/* The rules have two grounds for what was asked: consent, and a task that needs none. */
static void add_public_task(void)
{
    static const char rules[] =
        "{\"format\":\"vault-rules/1\",\"policy\":\"library\",\"title\":{\"fr\":\"B\","
        "\"en\":\"L\"},\"owner\":\"dpo@ville.example\",\"rules\":[{\"id\":\"task\","
        "\"effect\":\"permit\",\"why\":{\"fr\":\"A\",\"en\":\"A\"},"
        "\"who\":{\"classes\":[\"employment.caseworker\"]},\"purposes\":[\"" SUPPORT "\"],"
        "\"fields\":[\"identity.birth_date\"],\"basis\":\"public_task\","
        "\"release\":{\"identity.birth_date\":\"year\"}}]}";
    change_test_bundle(&test, "rules/library.json", rules, 2);
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
}

static void run_out(void)
{
    test.now_ms += 1000; /* of a consent that had one left */
}

/* It would be released anew, on the other ground; what was released on consent is not told again.
 */
static void test_what_came_on_a_consent_is_not_told_on_another_ground(void **state)
{
    (void)state;
    static void (*const ends[])(void) = {withdraw, suspend, pause_all, renew, run_out};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        begin();
        add_public_task();
        give_consent(&test, CONSENT_UNLIMITED);
        if (ends[i] == run_out)
            test.now_ms += 30LL * 86400 * 1000 - 1000;
        ask_first();
        assert_members(caller_value(&caller, "/released"), "identity.birth_date");
        ask(REST);
        assert_same();
        ends[i]();
        assert_ended();
        caller.idempotency_key = "key-2";
        ask_first();
        assert_members(caller_value(&caller, "/released"), "identity.birth_date");
        end();
    }
}

static void test_what_was_resumed_is_told_again(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    ask_first();
    suspend();
    assert_ended();
    assert_done(consent_resume(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error));
    ask(REST);
    assert_same();
    end();
}

static void test_what_was_used_up_is_not_told_again(void **state)
{
    (void)state;
    begin();
    give_consent(&test, 1);
    ask_first();
    assert_members(caller_value(&caller, "/released"), "identity.birth_date");
    assert_ended();
    end();
}

static void test_an_answer_without_values_is_told_again_whatever_came(void **state)
{
    (void)state;
    begin();
    ask_first();
    assert_members(caller_value(&caller, "/released"), "");
    give_consent(&test, CONSENT_UNLIMITED);
    ask(REST);
    assert_same();
    caller.idempotency_key = "key-2";
    caller_post(&caller, RELEASES, "{\"subject\":\"aaaaaaaaaaaaaaaaaaaaaaaaaa\"," REST "}");
    assert_answered(&caller, 200, JSON);
    buf_clear(&first);
    buf_bytes(&first, buf_view(&caller.answer.body));
    caller_post(&caller, RELEASES, "{\"subject\":\"aaaaaaaaaaaaaaaaaaaaaaaaaa\"," REST "}");
    assert_same();
    end();
}

/* --- How long, and what a stop leaves ------------------------------------------------------- */

static void test_it_is_kept_for_a_day(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    ask_first();
    test.now_ms += (REPEAT_KEPT_S - 1) * 1000LL;
    assert_done(keeper_run(test.vault, &test_error));
    ask(REST);
    assert_same();
    test.now_ms += 1000;
    ask(REST);
    assert_answered(&caller, 200, JSON);
    assert_false(bytes_equal(buf_view(&first), buf_view(&caller.answer.body)));
    end();
}

static void test_a_restart_keeps_it(void **state)
{
    (void)state;
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    ask_first();
    reopen_test_vault(&test);
    api.vault = test.vault;
    const uint64_t size = log_size();
    ask(REST);
    assert_same();
    assert_int_equal(log_size(), size);
    end();
}

/* As if a crash had kept the entry from the disk and not what is kept: the log has no such entry,
 * or another one there. */
static void test_an_answer_whose_entry_was_lost_is_forgotten_at_the_start(void **state)
{
    (void)state;
    for (uint64_t ahead = 0; ahead < 2; ahead++) {
        struct reply reply = {
            .service = CASEWORKER, .created_s = START_MS / 1000, .is_logged = true};
        bool found = true;
        uint64_t index = 0;
        begin();
        reply.index = log_size() + ahead;
        assert_done(reply_put(test.vault->store, &reply, BYTES("sealed"), &test_error));
        reopen_test_vault(&test);
        api.vault = test.vault;
        assert_done(reply_last_index(test.vault->store, &found, &index, &test_error));
        assert_false(found);
        end();
    }
}

static void test_what_failed_is_not_kept(void **state)
{
    (void)state;
    begin();
    ask("\"purpose\":\"" SUPPORT "\",\"fields\":[\"shoe.size\"]");
    assert_problem(&caller, 422, "/fields", -1);
    ask_first();
    ask(REST);
    assert_same();
    end();
}

/* --- Two at once ---------------------------------------------------------------------------- */

static void *ask_there(void *context)
{
    struct caller *there = context;
    char subject[SUBJECT_CHARS + 1];
    char body[1024];
    subject_of_citizen(&test, subject);
    snprintf(body, sizeof body, "{\"subject\":\"%s\"," REST "}", subject);
    caller_post(there, RELEASES, body);
    return NULL;
}

static void test_many_at_once_are_one(void **state)
{
    (void)state;
    enum { MANY = 8 };
    struct caller callers[MANY];
    pthread_t threads[MANY];
    begin();
    give_consent(&test, CONSENT_UNLIMITED);
    const uint64_t size = log_size();
    for (size_t i = 0; i < MANY; i++) {
        callers[i] = caller_new(service_api_handle, &api, caseworker_key);
        callers[i].idempotency_key = "key-1";
        assert_int_equal(pthread_create(&threads[i], NULL, ask_there, &callers[i]), 0);
    }
    for (size_t i = 0; i < MANY; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(log_size(), size + 1);
    for (size_t i = 0; i < MANY; i++) {
        assert_answered(&callers[i], 200, JSON);
        assert_true(
            bytes_equal(buf_view(&callers[0].answer.body), buf_view(&callers[i].answer.body)));
    }
    for (size_t i = 0; i < MANY; i++)
        caller_finish(&callers[i]);
    end();
}

/* --- Access requests ------------------------------------------------------------------------ */

static void test_an_access_request_is_made_once(void **state)
{
    (void)state;
    static const char body[] =
        "{\"purpose\":\"" SUPPORT "\",\"fields\":{\"employment.status\":null}}";
    begin();
    caller_post(&caller, REQUESTS, body);
    assert_answered(&caller, 201, JSON);
    buf_bytes(&first, buf_view(&caller.answer.body));
    reopen_test_vault(&test);
    api.vault = test.vault;
    caller_post(&caller, REQUESTS, body);
    assert_answered(&caller, 201, JSON);
    assert_true(bytes_equal(buf_view(&first), buf_view(&caller.answer.body)));
    caller.idempotency_key = "key-2";
    caller_post(&caller, REQUESTS, body);
    assert_answered(&caller, 201, JSON);
    assert_false(bytes_equal(buf_view(&first), buf_view(&caller.answer.body)));
    end();
}

int main(void)
{
    return TEST_RUN(test_the_same_key_and_body_have_the_same_bytes_and_one_entry,
                    test_another_body_under_the_key_is_409, test_keys_are_each_service_s_own,
                    test_a_key_has_1_to_64_printable_characters,
                    test_after_the_consent_ended_there_are_no_values,
                    test_what_came_on_a_consent_is_not_told_on_another_ground,
                    test_what_was_resumed_is_told_again, test_what_was_used_up_is_not_told_again,
                    test_an_answer_without_values_is_told_again_whatever_came,
                    test_it_is_kept_for_a_day, test_a_restart_keeps_it,
                    test_an_answer_whose_entry_was_lost_is_forgotten_at_the_start,
                    test_what_failed_is_not_kept, test_many_at_once_are_one,
                    test_an_access_request_is_made_once);
}
