/* The operator's commands about structures and mediators. */
#include "admin_test.h"

#include "vault/parts.h"
#include "vault/vault/mediator.h"

static void begin(void)
{
    make_filled_vault(&test);
    begin_asking();
}

#define ADD_HUB "{\"command\":\"mediator add-structure\",\"id\":\"hub\",\"name\":\"A digital hub\"}"
#define ADD_ADA                                                                                    \
    "{\"command\":\"mediator add\",\"structure\":\"hub\",\"login\":\"ada\",\"name\":\"Ada\"}"

/* What the last answer had for the operator to hand over signs in. */
static void enter_with_first_password(char token[ACTOR_TOKEN_CHARS + 1])
{
    const json_t *result = json_object_get(answer, "result");
    const char *first = json_string_value(json_object_get(result, "first_password"));
    assert_non_null(first);
    assert_int_equal(strlen(json_string_value(json_object_get(result, "until"))), 20);
    assert_done(
        mediator_sign_in(test.vault, BYTES("ada"), bytes_of_text(first), token, &test_error));
}

static void test_a_structure_and_its_mediators_come_and_go_each_as_an_entry(void **state)
{
    (void)state;
    char token[ACTOR_TOKEN_CHARS + 1];
    begin();
    const uint64_t before = ledger_head(test.vault->ledger).size;
    assert_string_equal(ask(ADD_HUB), "ok");
    assert_string_equal(ask(ADD_ADA), "ok");
    assert_int_equal(ledger_head(test.vault->ledger).size, before + 2);
    enter_with_first_password(token);
    assert_string_equal(ask("{\"command\":\"mediator reset\",\"login\":\"ada\"}"), "ok");
    enter_with_first_password(token);
    assert_string_equal(ask("{\"command\":\"mediator list\"}"), "ok");
    const json_t *hub = json_array_get(json_object_get(answer, "result"), 0);
    assert_string_equal(json_string_value(json_object_get(hub, "id")), "hub");
    assert_int_equal(json_array_size(json_object_get(hub, "mediators")), 1);
    const json_t *ada = json_array_get(json_object_get(hub, "mediators"), 0);
    assert_true(json_is_integer(json_object_get(ada, "passkeys")));
    const uint64_t then = ledger_head(test.vault->ledger).size;
    assert_string_equal(ask("{\"command\":\"mediator remove\",\"login\":\"ada\"}"), "ok");
    assert_string_equal(ask("{\"command\":\"mediator remove-structure\",\"id\":\"hub\"}"), "ok");
    assert_int_equal(ledger_head(test.vault->ledger).size, then + 2);
    end();
}

static void test_what_is_wrong_changes_nothing(void **state)
{
    (void)state;
    begin();
    assert_string_equal(ask(ADD_ADA), "not_found");
    assert_string_equal(ask(ADD_HUB), "ok");
    const uint64_t before = ledger_head(test.vault->ledger).size;
    assert_string_equal(ask(ADD_HUB), "conflict");
    assert_string_equal(ask("{\"command\":\"mediator add-structure\",\"id\":\"x\"}"), "invalid");
    assert_string_equal(ask("{\"command\":\"mediator add\",\"structure\":\"hub\",\"login\":\"eve\","
                            "\"name\":\"\"}"),
                        "invalid");
    assert_string_equal(ask("{\"command\":\"mediator add\",\"structure\":\"hub\"}"), "invalid");
    assert_string_equal(ask("{\"command\":\"mediator remove\",\"login\":\"nobody\"}"), "not_found");
    assert_string_equal(ask("{\"command\":\"mediator reset\",\"login\":\"nobody\"}"), "not_found");
    assert_string_equal(ask("{\"command\":\"mediator remove-structure\",\"id\":\"none\"}"),
                        "not_found");
    assert_int_equal(ledger_head(test.vault->ledger).size, before);
    end();
}

int main(void)
{
    return TEST_RUN(test_a_structure_and_its_mediators_come_and_go_each_as_an_entry,
                    test_what_is_wrong_changes_nothing);
}
