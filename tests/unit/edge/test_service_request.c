/*
 * Waiting for what becomes of an access request, and taking it back.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "caller.h"
#include "vault/edge/qr.h"
#include "vault/edge/service_api.h"
#include "vault/parts.h"
#include "vault_test.h"

#define REQUESTS "/v1/access-requests"
#define JSON     "application/json"

static struct vault_test test;
static struct service_api api;
static struct caller caller;
static char path[128];
static char code[32];
static char id[REQUEST_ID_CHARS + 1];

static void begin(void)
{
    make_filled_vault(&test);
    api = (struct service_api){test.vault, "https://citizens.example:8444"};
    caller = caller_new(service_api_handle, &api, caseworker_key);
}

static void end(void)
{
    caller_finish(&caller);
    vault_close(&test.vault);
}

static void open_request(void)
{
    caller_post(&caller, REQUESTS,
                "{\"purpose\":\"" SUPPORT "\",\"fields\":{\"identity.birth_date\":\"year\"}}");
    assert_answered(&caller, 201, JSON);
    snprintf(id, sizeof id, "%s", caller_text(&caller, "/id"));
    snprintf(code, sizeof code, "%s", caller_text(&caller, "/code"));
    snprintf(path, sizeof path, REQUESTS "/%s", id);
}

static void claim(void)
{
    VAULT_AUTO(access_view_finish) struct access_view view = {0};
    assert_done(
        access_request_by_code(test.vault, &test.citizen, bytes_of_text(code), &view, &test_error));
}

static enum vault_code answer(bool give)
{
    static const struct consent_field fields[] = {{"identity.birth_date", "year"}};
    const struct consent_decision decision = {
        CASEWORKER, SUPPORT, fields, 1, 30, CONSENT_UNLIMITED, NULL, "fr", "Le texte.", NULL};
    return give ? access_request_give(test.vault, &test.citizen, id, &decision, &test_error)
                : access_request_refuse(test.vault, &test.citizen, id, &decision, &test_error);
}

static void cancel(void)
{
    caller_send(&caller, HTTP_DELETE, path, (struct bytes){0});
}

static void get(const char *query)
{
    char whole[256];
    snprintf(whole, sizeof whole, "%s%s", path, query);
    caller_get(&caller, whole);
}

static void test_the_link_comes_as_a_picture_where_it_is_asked_for(void **state)
{
    (void)state;
    char drawn[256];
    begin();
    open_request();
    assert_null(strstr(buf_string(&caller.answer.body), "\"qr\""));
    caller_post(&caller, REQUESTS "?qr=1",
                "{\"purpose\":\"" SUPPORT "\",\"fields\":{\"identity.birth_date\":\"year\"}}");
    assert_answered(&caller, 201, JSON);
    VAULT_AUTO(buf_finish) struct buf svg = buf_limited(QR_SVG_BYTES_MAX);
    snprintf(drawn, sizeof drawn, "%s", caller_text(&caller, "/link"));
    assert_done(qr_write_svg(bytes_of_text(drawn), &svg, &test_error));
    assert_string_equal(caller_text(&caller, "/qr"), buf_string(&svg));
    end();
}

/* --- Taking it back ------------------------------------------------------------------------- */

static void test_a_pending_request_is_taken_back_and_stays_so(void **state)
{
    (void)state;
    begin();
    open_request();
    cancel();
    assert_int_equal(caller.answer.status, 204);
    assert_int_equal(caller.answer.body.size, 0);
    get("");
    assert_members(caller.json, "id state");
    assert_string_equal(caller_text(&caller, "/state"), "cancelled");
    cancel();
    assert_int_equal(caller.answer.status, 204);
    VAULT_AUTO(access_view_finish) struct access_view view = {0};
    assert_fails(VAULT_NOT_FOUND, access_request_by_code(test.vault, &test.citizen,
                                                         bytes_of_text(code), &view, &test_error));
    end();
}

static void test_one_that_somebody_opened_can_be_taken_back_and_not_be_given_any_more(void **state)
{
    (void)state;
    begin();
    open_request();
    claim();
    cancel();
    assert_int_equal(caller.answer.status, 204);
    assert_fails(VAULT_NOT_FOUND, answer(true));
    get("");
    assert_string_equal(caller_text(&caller, "/state"), "cancelled");
    end();
}

static void test_what_was_answered_cannot_be_taken_back(void **state)
{
    (void)state;
    for (int give = 0; give < 2; give++) {
        begin();
        open_request();
        claim();
        assert_done(answer(give));
        cancel();
        assert_problem(&caller, 409, NULL, -1);
        get("");
        assert_string_equal(caller_text(&caller, "/state"), give ? "granted" : "refused");
        end();
    }
}

static void test_one_that_ran_out_cannot_be_taken_back(void **state)
{
    (void)state;
    begin();
    open_request();
    test.now_ms += ACCESS_REQUEST_DAYS * 86400000LL;
    cancel();
    assert_problem(&caller, 409, NULL, -1);
    get("");
    assert_string_equal(caller_text(&caller, "/state"), "expired");
    end();
}

static void test_another_s_request_is_not_there(void **state)
{
    (void)state;
    begin();
    open_request();
    caller.key = library_key;
    cancel();
    assert_problem(&caller, 404, NULL, -1);
    snprintf(path, sizeof path, REQUESTS "/01ARZ3NDEKTSV4RRFFQ69G5FAV");
    cancel();
    assert_problem(&caller, 404, NULL, -1);
    caller.key = NULL;
    cancel();
    assert_problem(&caller, 401, NULL, -1);
    end();
}

/* --- Waiting -------------------------------------------------------------------------------- */

static void test_a_wait_is_a_whole_number_of_seconds_up_to_60(void **state)
{
    (void)state;
    static const char *const wrong[] = {"?wait=",   "?wait",     "?wait=-1",
                                        "?wait=61", "?wait=1.5", "?wait=abc",
                                        "?wait=+1", "?wait=0x1", "?wait=999999999999999999999999"};
    begin();
    open_request();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        get(wrong[i]);
        assert_problem(&caller, 400, NULL, -1);
        assert_not_said(&caller, "abc");
    }
    get("?wait=0");
    assert_string_equal(caller_text(&caller, "/state"), "pending");
    get("?wait=1");
    assert_string_equal(caller_text(&caller, "/state"), "pending");
    end();
}

/* A second caller that waits in a thread of its own. */
struct waiting {
    struct caller caller;
    char path[192];
    pthread_t thread;
    atomic_bool begun;
    int64_t ended_ms;
};

static void *wait_there(void *context)
{
    struct waiting *waiting = context;
    atomic_store(&waiting->begun, true);
    caller_get(&waiting->caller, waiting->path);
    waiting->ended_ms = clock_monotonic_ms();
    return NULL;
}

static void start_waiting(struct waiting *waiting)
{
    *waiting = (struct waiting){.caller = caller_new(service_api_handle, &api, caseworker_key)};
    snprintf(waiting->path, sizeof waiting->path, "%s?wait=60", path);
    assert_int_equal(pthread_create(&waiting->thread, NULL, wait_there, waiting), 0);
    while (!atomic_load(&waiting->begun))
        sched_yield();
}

static void assert_ends_with(struct waiting *waiting, const char *wanted)
{
    const int64_t now_ms = clock_monotonic_ms();
    pthread_join(waiting->thread, NULL);
    assert_true(waiting->ended_ms - now_ms < 5000);
    assert_answered(&waiting->caller, 200, JSON);
    assert_string_equal(caller_text(&waiting->caller, "/state"), wanted);
    caller_finish(&waiting->caller);
}

static void test_who_waits_hears_of_the_answer(void **state)
{
    (void)state;
    for (int give = 0; give < 2; give++) {
        struct waiting waiting;
        begin();
        open_request();
        start_waiting(&waiting);
        claim();
        assert_done(answer(give));
        assert_ends_with(&waiting, give ? "granted" : "refused");
        end();
    }
}

static void test_who_waits_hears_of_the_taking_back(void **state)
{
    (void)state;
    struct waiting waiting;
    begin();
    open_request();
    start_waiting(&waiting);
    cancel();
    assert_ends_with(&waiting, "cancelled");
    end();
}

static void test_an_interruption_ends_the_wait_with_what_is_so(void **state)
{
    (void)state;
    struct waiting waiting;
    begin();
    open_request();
    start_waiting(&waiting);
    vault_interrupt(test.vault);
    assert_ends_with(&waiting, "pending");
    end();
}

static void test_what_is_over_is_not_waited_for(void **state)
{
    (void)state;
    struct waiting waiting;
    begin();
    open_request();
    test.now_ms += ACCESS_REQUEST_DAYS * 86400000LL;
    start_waiting(&waiting);
    assert_ends_with(&waiting, "expired");
    end();
}

/* --- Guessing codes ------------------------------------------------------------------------- */

static enum vault_code try_code(const char *typed)
{
    VAULT_AUTO(access_view_finish) struct access_view view = {0};
    return access_request_by_code(test.vault, &test.citizen, bytes_of_text(typed), &view,
                                  &test_error);
}

static void test_wrong_codes_are_few_a_minute(void **state)
{
    (void)state;
    begin();
    open_request();
    for (int i = 0; i < 3 * ACCESS_REQUEST_TRIES_EACH; i++)
        assert_done(try_code(code)); /* right ones do not count */
    unsigned tried = 0;
    while (try_code("2345-6789") == VAULT_NOT_FOUND)
        tried++;
    assert_in_range(tried, ACCESS_REQUEST_TRIES_EACH, ACCESS_REQUEST_TRIES_EACH + 2);
    assert_fails(VAULT_LIMITED, try_code("2345-6789"));
    assert_fails(VAULT_LIMITED, try_code("no code at all"));
    assert_fails(VAULT_LIMITED, try_code(code)); /* a right one cannot be found out either */
    end();
}

int main(void)
{
    return TEST_RUN(test_the_link_comes_as_a_picture_where_it_is_asked_for,
                    test_a_pending_request_is_taken_back_and_stays_so,
                    test_one_that_somebody_opened_can_be_taken_back_and_not_be_given_any_more,
                    test_what_was_answered_cannot_be_taken_back,
                    test_one_that_ran_out_cannot_be_taken_back, test_another_s_request_is_not_there,
                    test_a_wait_is_a_whole_number_of_seconds_up_to_60,
                    test_who_waits_hears_of_the_answer, test_who_waits_hears_of_the_taking_back,
                    test_an_interruption_ends_the_wait_with_what_is_so,
                    test_what_is_over_is_not_waited_for, test_wrong_codes_are_few_a_minute);
}
