/* The operator's commands about guardians. */
#include "admin_test.h"

#include "family.h"

static struct family family;

static void begin(void)
{
    make_vault_with_family(&test, &family);
    begin_asking();
}

#define COMMAND(verb, minor, guardian)                                                             \
    "{\"command\":\"citizen guardian-" verb "\",\"minor\":\"" minor "\",\"guardian\":\"" guardian  \
    "\"}"
#define LIST(citizen) "{\"command\":\"citizen guardian-list\",\"citizen\":\"" citizen "\"}"

static const json_t *listed(const char *side)
{
    return json_object_get(json_object_get(answer, "result"), side);
}

static void test_guardians_are_registered_listed_from_both_sides_and_removed(void **state)
{
    (void)state;
    begin();
    assert_string_equal(ask(COMMAND("add", "F-1", "F-2")), "ok");
    assert_string_equal(ask(COMMAND("add", "F-1", "F-3")), "ok");
    assert_string_equal(ask(LIST("F-1")), "ok");
    assert_int_equal(json_array_size(listed("guardians")), 2);
    assert_int_equal(json_array_size(listed("minors")), 0);
    const json_t *max = json_array_get(listed("guardians"), 0);
    assert_string_equal(json_string_value(json_object_get(max, "reference")), "F-2");
    assert_null(json_object_get(max, "name")); /* a value */
    assert_string_equal(json_string_value(json_object_get(max, "since")), "2027-03-08");
    assert_string_equal(ask(LIST("F-2")), "ok");
    const json_t *minor = json_array_get(listed("minors"), 0);
    assert_string_equal(json_string_value(json_object_get(minor, "reference")), "F-1");
    assert_null(json_object_get(minor, "name"));
    assert_true(json_is_true(json_object_get(minor, "decides")));
    assert_string_equal(ask(COMMAND("remove", "F-1", "F-2")), "ok");
    assert_string_equal(ask(LIST("F-2")), "ok");
    assert_int_equal(json_array_size(listed("minors")), 0);
    end();
}

static void test_what_is_wrong_is_said_without_a_name(void **state)
{
    (void)state;
    begin();
    assert_string_equal(ask(COMMAND("add", "F-9", "F-2")), "not_found");
    assert_string_equal(ask(COMMAND("add", "F-1", "F-9")), "not_found");
    assert_string_equal(ask(COMMAND("add", "F-1", "F-1")), "invalid");
    assert_string_equal(ask(COMMAND("add", "F-2", "F-3")), "conflict");
    assert_null(strstr(json_string_value(json_object_get(answer, "error")), MAX_NAME));
    assert_string_equal(ask(COMMAND("add", "F-1", "")), "invalid");
    assert_string_equal(ask("{\"command\":\"citizen guardian-add\",\"minor\":\"F-1\"}"), "invalid");
    assert_string_equal(ask("{\"command\":\"citizen guardian-list\"}"), "invalid");
    assert_string_equal(ask(LIST("F-9")), "not_found");
    assert_string_equal(ask(COMMAND("remove", "F-1", "F-9")), "not_found");
    assert_string_equal(ask(LIST("F-1")), "ok");
    assert_int_equal(json_array_size(listed("guardians")), 0);
    end();
}

int main(void)
{
    return TEST_RUN(test_guardians_are_registered_listed_from_both_sides_and_removed,
                    test_what_is_wrong_is_said_without_a_name);
}
