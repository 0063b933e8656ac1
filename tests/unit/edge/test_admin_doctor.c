/*
 * What the running vault answers when the doctor asks.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "vault/base/codec.h"
#include "vault/edge/admin.h"
#include "vault/parts.h"
#include "vault_test.h"

static struct vault_test test;
static struct config config = {.open_citizens = 10};
static struct sealing *sealing;
static struct admin_context context;
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
    make_filled_vault(&test);
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

static const json_t *ask(const char *line)
{
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(ADMIN_LINE_BYTES_MAX);
    json_free(&answer);
    admin_answer(&context, bytes_of_text(line), &out);
    assert_done(json_parse(buf_view(&out), 16, &answer, NULL, &test_error));
    return json_object_get(answer, "result");
}

static size_t findings(const json_t *result)
{
    return json_array_size(json_object_get(result, "findings"));
}

static void test_a_healthy_vault_has_nothing_to_say(void **state)
{
    (void)state;
    json_int_t citizens = 0;
    begin();
    assert_int_equal(findings(ask("{\"command\":\"doctor\"}")), 0);
    assert_true(json_is_true(json_object_get(answer, "ok")));
    for (int shard = 0; shard < 256; shard++) {
        char line[128];
        snprintf(line, sizeof line, "{\"command\":\"doctor citizens\",\"shard\":%d}", shard);
        const json_t *result = ask(line);
        assert_int_equal(findings(result), 0);
        citizens += json_integer_value(json_object_get(result, "citizens"));
    }
    assert_int_equal(citizens, 2); /* with the decoy */
    assert_int_equal(findings(ask("{\"command\":\"doctor end\"}")), 0);
    end();
}

static void test_what_is_wrong_is_said_and_nobody_named(void **state)
{
    (void)state;
    char path[PATH_MAX];
    char line[128];
    char name[HEX_CHARS(CITIZEN_ID_BYTES) + 1];
    begin();
    hex_string(name, test.citizen.bytes, sizeof test.citizen.bytes);
    snprintf(path, sizeof path, "%s/citizens/%.2s/%s.db", test.dir, name, name);
    assert_int_equal(chmod(path, 0644), 0);
    snprintf(line, sizeof line, "{\"command\":\"doctor citizens\",\"shard\":%d,\"pages\":false}",
             test.citizen.bytes[0]);
    const json_t *result = ask(line);
    assert_int_equal(findings(result), 1);
    const json_t *finding = json_array_get(json_object_get(result, "findings"), 0);
    assert_string_equal(json_string_value(json_object_get(finding, "check")), "citizens");
    assert_string_equal(json_string_value(json_object_get(finding, "severity")), "error");
    assert_null(strstr(json_string_value(json_object_get(finding, "text")), name));
    assert_int_equal(
        findings(ask("{\"command\":\"doctor end\",\"former_keys\":3,\"unchecked\":1}")), 2);
    end();
}

static void test_a_shard_that_is_none_is_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {"{\"command\":\"doctor citizens\"}",
                                        "{\"command\":\"doctor citizens\",\"shard\":256}",
                                        "{\"command\":\"doctor citizens\",\"shard\":-1}",
                                        "{\"command\":\"doctor citizens\",\"shard\":\"1\"}"};
    begin();
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        ask(lines[i]);
        assert_string_equal(json_string_value(json_object_get(answer, "code")), "invalid");
    }
    end();
}

static void test_a_sealed_vault_is_not_looked_at(void **state)
{
    (void)state;
    begin();
    assert_done(sealing_seal(sealing, &test_error));
    ask("{\"command\":\"doctor\"}");
    assert_string_equal(json_string_value(json_object_get(answer, "code")), "unavailable");
    end();
}

int main(void)
{
    return TEST_RUN(test_a_healthy_vault_has_nothing_to_say,
                    test_what_is_wrong_is_said_and_nobody_named,
                    test_a_shard_that_is_none_is_refused, test_a_sealed_vault_is_not_looked_at);
}
