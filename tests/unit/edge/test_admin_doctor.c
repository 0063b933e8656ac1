/*
 * What the running vault answers when the doctor asks.
 */
#include "admin_test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "vault/base/codec.h"
#include "vault/parts.h"

static void begin(void)
{
    make_filled_vault(&test);
    config.open_citizens = 10;
    begin_asking();
}

static const json_t *result_of(const char *line)
{
    ask(line);
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
    assert_int_equal(findings(result_of("{\"command\":\"doctor\"}")), 0);
    assert_true(json_is_true(json_object_get(answer, "ok")));
    for (int shard = 0; shard < 256; shard++) {
        char line[128];
        snprintf(line, sizeof line, "{\"command\":\"doctor citizens\",\"shard\":%d}", shard);
        const json_t *result = result_of(line);
        assert_int_equal(findings(result), 0);
        citizens += json_integer_value(json_object_get(result, "citizens"));
    }
    assert_int_equal(citizens, 2); /* with the decoy */
    assert_int_equal(findings(result_of("{\"command\":\"doctor end\"}")), 0);
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
    const json_t *result = result_of(line);
    assert_int_equal(findings(result), 1);
    const json_t *finding = json_array_get(json_object_get(result, "findings"), 0);
    assert_string_equal(json_string_value(json_object_get(finding, "check")), "citizens");
    assert_string_equal(json_string_value(json_object_get(finding, "severity")), "error");
    assert_null(strstr(json_string_value(json_object_get(finding, "text")), name));
    assert_int_equal(
        findings(result_of("{\"command\":\"doctor end\",\"former_keys\":3,\"unchecked\":1}")), 2);
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
