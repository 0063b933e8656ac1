#include "store_test.h"

#include "vault/store/request.h"

static void fresh_with_services(void)
{
    fresh_store();
    const struct control_service services[] = {{"library", BYTES("{}"), CONTROL_SERVICE_ACTIVE},
                                               {"travel", BYTES("{}"), CONTROL_SERVICE_ACTIVE}};
    for (size_t i = 0; i < 2; i++)
        assert_done(control_service_add(store, &services[i], &test_error));
}

static struct request request_of(const char *id, const char *service, uint8_t code)
{
    struct request request = {
        .code_hash = {code}, .created_s = NOW_S + code, .expires_s = NOW_S + 100 + code};
    snprintf(request.id, sizeof request.id, "%s", id);
    snprintf(request.service, sizeof request.service, "%s", service);
    return request;
}

static void add(const char *id, const char *service, uint8_t code)
{
    const struct request request = request_of(id, service, code);
    assert_done(request_add(store, &request, BYTES("{\"purpose\":\"p\"}"), &test_error));
}

static struct request get(const char *id)
{
    struct request request;
    assert_done(request_get(store, id, &request, NULL, &test_error));
    return request;
}

static enum vault_code by_code(uint8_t code, struct request *out)
{
    const uint8_t hash[SHA256_BYTES] = {code};
    return request_by_code(store, hash, out, NULL, &test_error);
}

static void test_a_request_is_found_by_id_and_by_code(void **state)
{
    (void)state;
    fresh_with_services();
    add("r1", "library", 1);
    struct request request;
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(100);
    assert_done(request_get(store, "r1", &request, &json, &test_error));
    assert_string_equal(buf_string(&json), "{\"purpose\":\"p\"}");
    assert_string_equal(request.id, "r1");
    assert_string_equal(request.service, "library");
    assert_int_equal(request.state, REQUEST_PENDING);
    assert_int_equal(request.created_s, NOW_S + 1);
    assert_int_equal(request.expires_s, NOW_S + 101);
    assert_false(request.claimed);
    assert_int_equal(request.tries, 0);
    assert_done(by_code(1, &request));
    assert_string_equal(request.id, "r1");
    assert_fails(VAULT_NOT_FOUND, by_code(2, &request));
    assert_fails(VAULT_NOT_FOUND, request_get(store, "r2", &request, NULL, &test_error));
}

static void test_ids_and_pending_codes_are_used_once(void **state)
{
    (void)state;
    fresh_with_services();
    add("r1", "library", 1);
    const struct request same_id = request_of("r1", "library", 2);
    const struct request same_code = request_of("r2", "travel", 1);
    assert_fails(VAULT_CONFLICT, request_add(store, &same_id, BYTES("{}"), &test_error));
    assert_fails(VAULT_CONFLICT, request_add(store, &same_code, BYTES("{}"), &test_error));
    assert_done(request_cancel(store, "r1", "library", NULL, &test_error));
    assert_done(request_add(store, &same_code, BYTES("{}"), &test_error));
    struct request found;
    assert_done(by_code(1, &found));
    assert_string_equal(found.id, "r2");
}

static void test_only_a_registered_service_asks(void **state)
{
    (void)state;
    fresh_with_services();
    const struct request stranger = request_of("r1", "nobody", 1);
    assert_fails(VAULT_NOT_FOUND, request_add(store, &stranger, BYTES("{}"), &test_error));
    assert_done(control_service_remove(store, "travel", BYTES("{}"), &test_error));
    const struct request removed = request_of("r1", "travel", 1);
    assert_fails(VAULT_NOT_FOUND, request_add(store, &removed, BYTES("{}"), &test_error));
}

static void test_a_removed_service_takes_its_requests_with_it(void **state)
{
    (void)state;
    fresh_with_services();
    struct request found;
    add("r1", "travel", 1);
    add("r2", "travel", 2);
    add("r3", "library", 3);
    assert_done(request_cancel(store, "r2", "travel", NULL, &test_error));
    assert_done(control_service_remove(store, "travel", BYTES("{}"), &test_error));
    assert_done(request_get(store, "r1", &found, NULL, &test_error));
    assert_int_equal(found.state, REQUEST_CANCELLED);
    assert_done(request_get(store, "r3", &found, NULL, &test_error));
    assert_int_equal(found.state, REQUEST_PENDING);
    assert_fails(VAULT_NOT_FOUND, by_code(1, &found));
}

static void test_limits_are_held(void **state)
{
    (void)state;
    fresh_with_services();
    static uint8_t large[REQUEST_JSON_MAX_BYTES + 1];
    const struct request good = request_of("r1", "library", 1);
    const struct request no_id = request_of("", "library", 1);
    assert_fails(VAULT_TOO_LARGE,
                 request_add(store, &good, (struct bytes){large, sizeof large}, &test_error));
    assert_fails(VAULT_INVALID, request_add(store, &good, BYTES(""), &test_error));
    assert_fails(VAULT_INVALID, request_add(store, &no_id, BYTES("{}"), &test_error));
}

static void test_the_first_who_opens_it_has_it_alone(void **state)
{
    (void)state;
    fresh_with_services();
    const struct citizen_id ada = new_citizen();
    const struct citizen_id grace = new_citizen();
    const struct citizen_id stranger = citizen_id_new();
    add("r1", "library", 1);
    assert_fails(VAULT_NOT_FOUND, request_claim(store, "r1", &stranger, &test_error));
    assert_done(request_claim(store, "r1", &ada, &test_error));
    assert_done(request_claim(store, "r1", &ada, &test_error));
    assert_fails(VAULT_NOT_FOUND, request_claim(store, "r1", &grace, &test_error));
    assert_fails(VAULT_NOT_FOUND, request_claim(store, "r9", &grace, &test_error));
    const struct request request = get("r1");
    assert_true(request.claimed);
    assert_true(citizen_id_equal(&request.citizen, &ada));
    assert_fails(VAULT_NOT_FOUND,
                 request_answer(store, "r1", &grace, REQUEST_GRANTED, 4, &test_error));
    assert_int_equal(get("r1").state, REQUEST_PENDING);
}

static void test_an_answer_is_given_once(void **state)
{
    (void)state;
    fresh_with_services();
    const struct citizen_id ada = new_citizen();
    add("r1", "library", 1);
    add("r2", "library", 2);
    assert_fails(VAULT_NOT_FOUND,
                 request_answer(store, "r1", &ada, REQUEST_GRANTED, 4, &test_error));
    assert_done(request_claim(store, "r1", &ada, &test_error));
    assert_done(request_claim(store, "r2", &ada, &test_error));
    assert_done(request_answer(store, "r1", &ada, REQUEST_GRANTED, 4, &test_error));
    assert_done(request_answer(store, "r2", &ada, REQUEST_REFUSED, 0, &test_error));
    assert_int_equal(get("r1").state, REQUEST_GRANTED);
    assert_int_equal(get("r1").consent_seq, 4);
    assert_int_equal(get("r2").state, REQUEST_REFUSED);
}

static void test_nothing_leaves_an_end_state(void **state)
{
    (void)state;
    fresh_with_services();
    const struct citizen_id ada = new_citizen();
    add("r1", "library", 1);
    add("r2", "library", 2);
    assert_done(request_claim(store, "r1", &ada, &test_error));
    assert_done(request_claim(store, "r2", &ada, &test_error));
    assert_done(request_answer(store, "r1", &ada, REQUEST_GRANTED, 4, &test_error));
    assert_done(request_answer(store, "r2", &ada, REQUEST_REFUSED, 0, &test_error));
    assert_fails(VAULT_CONFLICT,
                 request_answer(store, "r1", &ada, REQUEST_REFUSED, 0, &test_error));
    assert_fails(VAULT_CONFLICT,
                 request_answer(store, "r2", &ada, REQUEST_GRANTED, 5, &test_error));
    assert_fails(VAULT_NOT_FOUND, request_claim(store, "r1", &ada, &test_error));
    struct request found;
    assert_fails(VAULT_NOT_FOUND, by_code(1, &found));
    assert_int_equal(get("r1").state, REQUEST_GRANTED);
}

static void test_a_service_cancels_its_own_only(void **state)
{
    (void)state;
    fresh_with_services();
    add("r1", "library", 1);
    assert_fails(VAULT_NOT_FOUND, request_cancel(store, "r1", "travel", NULL, &test_error));
    assert_fails(VAULT_NOT_FOUND, request_cancel(store, "r2", "library", NULL, &test_error));
    assert_done(request_cancel(store, "r1", "library", NULL, &test_error));
    assert_int_equal(get("r1").state, REQUEST_CANCELLED);
    assert_fails(VAULT_CONFLICT, request_cancel(store, "r1", "library", NULL, &test_error));
    assert_fails(VAULT_NOT_FOUND, request_cancel(store, "r1", "travel", NULL, &test_error));
}

static void test_wrong_tries_are_counted(void **state)
{
    (void)state;
    fresh_with_services();
    uint32_t tries = 77;
    add("r1", "library", 1);
    assert_done(request_tried(store, "r1", &tries, &test_error));
    assert_int_equal(tries, 1);
    reopen_store();
    assert_done(request_tried(store, "r1", &tries, &test_error));
    assert_int_equal(tries, 2);
    assert_int_equal(get("r1").tries, 2);
    assert_fails(VAULT_NOT_FOUND, request_tried(store, "r2", &tries, &test_error));
    assert_done(request_cancel(store, "r1", "library", NULL, &test_error));
    assert_fails(VAULT_NOT_FOUND, request_tried(store, "r1", &tries, &test_error));
}

static enum vault_code gather(void *context, const struct request *request, struct bytes json,
                              struct vault_error *err)
{
    (void)err;
    buf_format(context, "%s/%d/%zu ", request->id, (int)request->state, json.size);
    return VAULT_OK;
}

static void assert_list(const struct citizen_id *citizen, enum request_state state, size_t limit,
                        const char *expected)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(1000);
    assert_done(request_list(store, citizen, state, limit, gather, &text, &test_error));
    assert_string_equal(text.size ? buf_string(&text) : "", expected);
}

static void test_a_citizens_requests_are_listed_newest_first(void **state)
{
    (void)state;
    fresh_with_services();
    const struct citizen_id ada = new_citizen();
    const struct citizen_id grace = new_citizen();
    add("r1", "library", 1);
    add("r2", "travel", 2);
    add("r3", "library", 3);
    add("r4", "library", 4);
    assert_done(request_claim(store, "r1", &ada, &test_error));
    assert_done(request_claim(store, "r2", &ada, &test_error));
    assert_done(request_claim(store, "r3", &grace, &test_error));
    assert_done(request_answer(store, "r2", &ada, REQUEST_REFUSED, 0, &test_error));
    assert_list(&ada, 0, 10, "r2/3/15 r1/1/15 ");
    assert_list(&ada, REQUEST_PENDING, 10, "r1/1/15 ");
    assert_list(&ada, 0, 1, "r2/3/15 ");
    assert_list(&ada, REQUEST_GRANTED, 10, "");
    assert_list(&grace, 0, 10, "r3/1/15 ");
}

static void test_time_ends_what_is_pending_and_later_removes_it(void **state)
{
    (void)state;
    fresh_with_services();
    const struct citizen_id ada = new_citizen();
    uint64_t count = 77;
    struct request request;
    for (uint8_t i = 1; i <= 4; i++) {
        char id[4];
        snprintf(id, sizeof id, "r%d", i);
        add(id, "library", i);
    }
    assert_done(request_claim(store, "r1", &ada, &test_error));
    assert_done(request_answer(store, "r1", &ada, REQUEST_GRANTED, 1, &test_error));
    assert_done(request_expire(store, NOW_S + 103, 1, &count, &test_error));
    assert_int_equal(count, 1);
    assert_int_equal(get("r2").state, REQUEST_EXPIRED);
    assert_done(request_expire(store, NOW_S + 103, 100, &count, &test_error));
    assert_int_equal(count, 1);
    assert_int_equal(get("r3").state, REQUEST_EXPIRED);
    assert_int_equal(get("r4").state, REQUEST_PENDING);
    assert_int_equal(get("r1").state, REQUEST_GRANTED);
    assert_done(request_prune(store, NOW_S + 103, 100, &count, &test_error));
    assert_int_equal(count, 2);
    assert_fails(VAULT_NOT_FOUND, request_get(store, "r1", &request, NULL, &test_error));
    assert_fails(VAULT_NOT_FOUND, request_get(store, "r2", &request, NULL, &test_error));
    assert_done(request_prune(store, NOW_S + 9999, 100, &count, &test_error));
    assert_int_equal(count, 1);
    assert_int_equal(get("r4").state, REQUEST_PENDING);
}

int main(void)
{
    store_test_start();
    const int failed =
        TEST_RUN(test_a_request_is_found_by_id_and_by_code,
                 test_ids_and_pending_codes_are_used_once, test_only_a_registered_service_asks,
                 test_a_removed_service_takes_its_requests_with_it, test_limits_are_held,
                 test_the_first_who_opens_it_has_it_alone, test_an_answer_is_given_once,
                 test_nothing_leaves_an_end_state, test_a_service_cancels_its_own_only,
                 test_wrong_tries_are_counted, test_a_citizens_requests_are_listed_newest_first,
                 test_time_ends_what_is_pending_and_later_removes_it);
    finish_store();
    return failed;
}
