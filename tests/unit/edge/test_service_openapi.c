/*
 * GET /v1/openapi.json: every call of the table is in it, and nothing else.
 */
#include "caller.h"
#include "edge/service_calls.h"
#include "edge/service_parts.h"
#include "vault/parts.h"
#include "vault_test.h"

static json_t *document(void)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(HTTP_ANSWER_BYTES_MAX);
    json_t *root = NULL;
    json_start();
    service_openapi_write(&text);
    assert_done(buf_check(&text, &test_error));
    assert_done(json_parse(buf_view(&text), 32, &root, NULL, &test_error));
    return root;
}

static const char *method_name(enum http_method method)
{
    return method == HTTP_GET    ? "get"
           : method == HTTP_POST ? "post"
           : method == HTTP_PUT  ? "put"
                                 : "delete";
}

/* Its path in the document: {id} has a name of its own there. */
static void path_of(const struct service_call *call, char out[256])
{
    const char *step = strstr(call->route.pattern, "{id}");
    assert_true((step != NULL) == (call->step != NULL));
    if (step)
        snprintf(out, 256, "%.*s{%s}%s", (int)(step - call->route.pattern), call->route.pattern,
                 call->step, step + strlen("{id}"));
    else
        snprintf(out, 256, "%s", call->route.pattern);
}

static const json_t *component(const json_t *root, const char *kind, const char *name)
{
    return json_object_get(json_object_get(json_object_get(root, "components"), kind), name);
}

static void test_every_call_is_described_and_nothing_else(void **state)
{
    (void)state;
    json_t *root = document();
    json_t *paths = json_object_get(root, "paths");
    size_t described = 0;
    const char *name;
    json_t *calls;
    json_object_foreach(paths, name, calls) described += json_object_size(calls);
    assert_int_equal(described, service_call_count);
    for (size_t i = 0; i < service_call_count; i++) {
        char path[256];
        const struct service_call *call = &service_calls[i];
        path_of(call, path);
        const json_t *found =
            json_object_get(json_object_get(paths, path), method_name(call->route.method));
        assert_non_null(found);
        assert_string_equal(json_string_value(json_object_get(found, "operationId")),
                            call->operation);
        assert_true(json_string_length(json_object_get(found, "summary")) > 0);
        assert_true(json_string_length(json_object_get(found, "description")) > 0);
        assert_true((json_object_get(found, "requestBody") != NULL) == (call->request != NULL));
    }
    json_decref(root);
}

static void test_what_the_table_names_is_there(void **state)
{
    (void)state;
    json_t *root = document();
    for (size_t i = 0; i < service_call_count; i++) {
        const struct service_call *call = &service_calls[i];
        if (call->step)
            assert_non_null(component(root, "parameters", call->step));
        for (size_t j = 0; j < SERVICE_PARAMETERS_MAX && call->parameters[j]; j++)
            assert_non_null(component(root, "parameters", call->parameters[j]));
        if (call->request)
            assert_non_null(component(root, "schemas", call->request));
        if (call->answer)
            assert_non_null(component(root, "schemas", call->answer));
    }
    json_decref(root);
}

static void test_a_call_with_a_body_says_how_it_can_be_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < service_call_count; i++) {
        static const unsigned wanted[] = {400, 401, 403, 413, 415, 429, 503};
        const struct service_call *call = &service_calls[i];
        for (size_t j = 0; call->request && j < sizeof wanted / sizeof wanted[0]; j++) {
            bool found = false;
            for (size_t k = 0; k < SERVICE_PROBLEMS_MAX; k++)
                found |= call->problems[k] == wanted[j];
            assert_true(found);
        }
    }
}

/* Each refuses who is nobody, and none but the two of health answers without a certificate. */
static void test_every_call_but_health_asks_who_calls(void **state)
{
    (void)state;
    struct vault_test test;
    make_filled_vault(&test);
    struct service_api api = {test.vault, "https://citizens.example:8444"};
    struct caller caller = caller_new(service_api_handle, &api, NULL);
    for (size_t i = 0; i < service_call_count; i++) {
        const struct service_call *call = &service_calls[i];
        caller_send(&caller, call->route.method, call->route.pattern, BYTES("{}"));
        const bool is_health = strcmp(call->route.pattern, "/healthz") == 0 ||
                               strcmp(call->route.pattern, "/readyz") == 0;
        assert_int_equal(caller.answer.status, is_health ? 200 : 401);
    }
    caller.key = caseworker_key;
    caller_get(&caller, "/v1/openapi.json");
    assert_answered(&caller, 200, "application/json");
    assert_string_equal(caller_text(&caller, "/openapi"), "3.1.0");
    caller_finish(&caller);
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(test_every_call_is_described_and_nothing_else,
                    test_what_the_table_names_is_there,
                    test_a_call_with_a_body_says_how_it_can_be_wrong,
                    test_every_call_but_health_asks_who_calls);
}
