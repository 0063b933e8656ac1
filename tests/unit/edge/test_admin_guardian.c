/* The operator's commands about guardians. */
#include "family.h"
#include "vault/edge/admin.h"

static struct vault_test test;
static struct family family;
static struct config config;
static struct admin_context context;
static struct sealing *sealing;
static json_t *answer;

static enum vault_code open_test(void *unused, const struct secret *secret, struct vault **out,
                                 struct vault_error *err)
{
    (void)unused;
    (void)secret;
    (void)err;
    *out = test.vault;
    return VAULT_OK;
}

static void close_test(void *unused)
{
    (void)unused;
}

static const struct sealing_calls calls = {NULL, open_test, close_test, NULL};

static void begin(void)
{
    make_vault_with_family(&test, &family);
    assert_done(sealing_new(&calls, &sealing, &test_error));
    assert_done(sealing_unseal(sealing, NULL, &test_error));
    context = (struct admin_context){.sealing = sealing, .config = &config};
}

static void end(void)
{
    json_free(&answer);
    sealing_free(&sealing);
    vault_close(&test.vault);
}

/* "ok", or the code of what went wrong. */
static const char *ask(const char *line)
{
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(ADMIN_LINE_BYTES_MAX);
    json_free(&answer);
    admin_answer(&context, bytes_of_text(line), &out);
    assert_done(json_parse(buf_view(&out), 16, &answer, NULL, &test_error));
    return json_is_true(json_object_get(answer, "ok"))
               ? "ok"
               : json_string_value(json_object_get(answer, "code"));
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
    assert_string_equal(json_string_value(json_object_get(max, "name")), MAX_NAME);
    assert_string_equal(json_string_value(json_object_get(max, "since")), "2027-03-08");
    assert_string_equal(ask(LIST("F-2")), "ok");
    const json_t *minor = json_array_get(listed("minors"), 0);
    assert_string_equal(json_string_value(json_object_get(minor, "reference")), "F-1");
    assert_string_equal(json_string_value(json_object_get(minor, "name")), MINOR_NAME);
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
