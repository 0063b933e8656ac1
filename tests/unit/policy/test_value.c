/* Forms and derived fields on values (contract, section 8). */
#include "vault/policy/value.h"

#include "sample.h"
#include "vault/base/clock.h"

/* A catalogue of its own: every type with its whole ladder, and one field for each operation. */
#define FIELDS                                                                                     \
    "{\"id\":\"s.date\",\"type\":\"date\"},{\"id\":\"s.text\",\"type\":\"text\"},"                 \
    "{\"id\":\"s.id\",\"type\":\"identifier\"},{\"id\":\"s.address\",\"type\":\"address\"},"       \
    "{\"id\":\"s.number\",\"type\":\"number\"},{\"id\":\"s.series\",\"type\":\"series\"},"         \
    "{\"id\":\"s.code\",\"type\":\"code\"},{\"id\":\"s.yes\",\"type\":\"boolean\"},"               \
    "{\"id\":\"s.no\",\"type\":\"boolean\"},"                                                      \
    "{\"id\":\"d.adult\",\"type\":\"boolean\",\"derive\":{\"op\":\"age_at_least\","                \
    "\"from\":[\"s.date\"],\"years\":18}},"                                                        \
    "{\"id\":\"d.months\",\"type\":\"boolean\",\"derive\":{\"op\":\"months_at_least\","            \
    "\"from\":[\"s.date\"],\"months\":12}},"                                                       \
    "{\"id\":\"d.age\",\"type\":\"code\",\"derive\":{\"op\":\"age_band\",\"from\":[\"s.date\"],"   \
    "\"bands\":[0,18,65]}},"                                                                       \
    "{\"id\":\"d.band\",\"type\":\"text\",\"derive\":{\"op\":\"band\",\"from\":[\"s.number\"],"    \
    "\"table\":[{\"from\":0,\"is\":\"low\"},{\"from\":900,\"is\":\"high\"}]}},"                    \
    "{\"id\":\"d.in\",\"type\":\"boolean\",\"derive\":{\"op\":\"in_set\",\"from\":[\"s.code\"],"   \
    "\"values\":[\"a\",\"é\"]}},"                                                                 \
    "{\"id\":\"d.ten\",\"type\":\"boolean\",\"derive\":{\"op\":\"equals\","                        \
    "\"from\":[\"s.number\"],\"value\":10}},"                                                      \
    "{\"id\":\"d.any\",\"type\":\"boolean\",\"derive\":{\"op\":\"any_of\","                        \
    "\"from\":[\"s.yes\",\"s.no\"]}},"                                                             \
    "{\"id\":\"d.all\",\"type\":\"boolean\",\"derive\":{\"op\":\"all_of\","                        \
    "\"from\":[\"s.yes\",\"s.no\"]}},"                                                             \
    "{\"id\":\"d.here\",\"type\":\"boolean\",\"derive\":{\"op\":\"present\","                      \
    "\"from\":[\"s.text\"]}},"                                                                     \
    "{\"id\":\"d.grown\",\"type\":\"boolean\",\"derive\":{\"op\":\"all_of\","                      \
    "\"from\":[\"d.adult\",\"s.yes\"]}},"                                                          \
    "{\"id\":\"d.me\",\"type\":\"identifier\",\"derive\":{\"op\":\"pseudonym\","                   \
    "\"epoch\":\"2027\"}},"                                                                        \
    "{\"id\":\"d.card\",\"type\":\"identifier\",\"derive\":{\"op\":\"pseudonym\","                 \
    "\"from\":[\"s.id\"]}}"

#define NOW "2027-03-01T10:00:00Z"

static struct policy *policy;

static int load_policy(void)
{
    const char *end = strstr(SAMPLE_CATALOGUE, " \"fields\":[");
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(65536);
    buf_append(&text, SAMPLE_CATALOGUE, (size_t)(end - SAMPLE_CATALOGUE));
    buf_text(&text, "\"fields\":[" FIELDS "]}");
    if (sample_try(buf_string(&text), NULL, NULL, &policy) != VAULT_OK)
        fprintf(stderr, "%s\n", test_error.text);
    return policy == NULL;
}

/* Values as a JSON object, and the bytes that pseudonyms are made of. */
struct store {
    json_t *values;
    struct buf text[64];
    size_t count;
    char pseudonym_for[128];
};

static enum policy_reason stored(void *context, uint16_t field, struct bytes *json)
{
    struct store *store = context;
    const json_t *value = json_object_get(store->values, policy_id(policy, POLICY_FIELD, field));
    if (!value)
        return REASON_NO_VALUE;
    struct buf *text = &store->text[store->count++];
    *text = buf_limited(65536);
    json_write_value(text, value);
    *json = buf_view(text);
    return REASON_RELEASED;
}

static bool pseudonym(void *context, const struct policy_pseudonym *what,
                      uint8_t out[POLICY_PSEUDONYM_BYTES])
{
    struct store *store = context;
    snprintf(store->pseudonym_for, sizeof store->pseudonym_for, "%s|%.*s|%.*s", what->field,
             (int)what->epoch.size, (const char *)what->epoch.data, (int)what->source.size,
             (const char *)what->source.data);
    memset(out, 0, POLICY_PSEUDONYM_BYTES);
    return true;
}

/* The field's value in a form at a time, or the name of the reason; to be freed. */
static char *value_at(const char *field, const char *form, const char *values, const char *now)
{
    struct store store = {.values = json_loads(values, 0, NULL)};
    const struct policy_source source = {&store, stored, pseudonym};
    const uint16_t number = policy_find(policy, POLICY_FIELD, bytes_of_text(field));
    const uint8_t step = policy_form_find(policy, number, bytes_of_text(form));
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(65536);
    int64_t now_s = 0;
    assert_non_null(store.values);
    assert_int_not_equal(number, POLICY_NONE);
    assert_int_not_equal(step, POLICY_FORM_NONE);
    assert_done(instant_parse(bytes_of_text(now), &now_s, &test_error));
    const enum policy_reason reason =
        policy_value_write(policy, number, step, now_s, &source, &out);
    if (reason != REASON_RELEASED)
        assert_int_equal(out.size, 0);
    char *result =
        strdup(reason == REASON_RELEASED ? buf_string(&out) : policy_reason_name(reason));
    for (size_t i = 0; i < store.count; i++)
        buf_finish(&store.text[i]);
    json_decref(store.values);
    return result;
}

struct vector {
    const char *field;
    const char *form;
    const char *values;
    const char *expected; /* JSON, or the name of a reason */
    const char *now;      /* NULL: NOW */
};

static void assert_vectors(const struct vector vectors[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct vector *v = &vectors[i];
        char *got = value_at(v->field, v->form, v->values, v->now ? v->now : NOW);
        if (strcmp(got, v->expected) != 0)
            fail_msg("%s as %s of %s: %s, not %s", v->field, v->form, v->values, got, v->expected);
        free(got);
    }
}

#define ALL(list) (list), sizeof(list) / sizeof *(list)

static void test_dates_in_every_form(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"s.date", "as_is", "{\"s.date\":\"1990-05-17\"}", "\"1990-05-17\"", NULL},
        {"s.date", "month", "{\"s.date\":\"1990-05-17\"}", "\"1990-05\"", NULL},
        {"s.date", "year", "{\"s.date\":\"1990-05-17\"}", "\"1990\"", NULL},
        {"s.date", "present", "{\"s.date\":\"1990-05-17\"}", "true", NULL},
        {"s.date", "age_band", "{\"s.date\":\"1990-05-17\"}", "\"30-49\"", NULL},
        {"s.date", "age_band", "{\"s.date\":\"1950-01-01\"}", "\"65+\"", NULL},
        {"s.date", "age_band", "{\"s.date\":\"2027-03-01\"}", "\"0-14\"", NULL},
    };
    assert_vectors(ALL(vectors));
}

static void test_age_counts_whole_years_and_the_leap_day(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"d.adult", "as_is", "{\"s.date\":\"2009-03-01\"}", "true", NULL},
        {"d.adult", "as_is", "{\"s.date\":\"2009-03-02\"}", "false", NULL},
        {"d.adult", "as_is", "{\"s.date\":\"2009-03-02\"}", "true", "2027-03-02T00:00:00Z"},
        {"d.adult", "as_is", "{\"s.date\":\"2009-03-02\"}", "false", "2027-03-01T23:59:59Z"},
        /* Born on 29 February 2008: 18 on 1 March 2026, not on 28 February. */
        {"d.adult", "as_is", "{\"s.date\":\"2008-02-29\"}", "false", "2026-02-28T23:59:59Z"},
        {"d.adult", "as_is", "{\"s.date\":\"2008-02-29\"}", "true", "2026-03-01T00:00:00Z"},
        /* In a leap year on the day itself. */
        {"d.adult", "as_is", "{\"s.date\":\"1988-02-29\"}", "true", "2008-02-29T00:00:00Z"},
        {"d.age", "as_is", "{\"s.date\":\"1962-03-01\"}", "\"65+\"", NULL},
        {"d.age", "as_is", "{\"s.date\":\"1962-03-02\"}", "\"18-64\"", NULL},
    };
    assert_vectors(ALL(vectors));
}

static void test_a_date_in_the_future_has_no_age(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"s.date", "age_band", "{\"s.date\":\"2027-03-02\"}", "error", NULL},
        {"d.adult", "as_is", "{\"s.date\":\"2030-01-01\"}", "error", NULL},
        {"d.age", "as_is", "{\"s.date\":\"2030-01-01\"}", "error", NULL},
        {"d.months", "as_is", "{\"s.date\":\"2030-01-01\"}", "error", NULL},
        {"s.date", "year", "{\"s.date\":\"2030-01-01\"}", "\"2030\"", NULL},
    };
    assert_vectors(ALL(vectors));
}

static void test_months_are_whole_months(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"d.months", "as_is", "{\"s.date\":\"2026-03-01\"}", "true", NULL},
        {"d.months", "as_is", "{\"s.date\":\"2026-03-02\"}", "false", NULL},
        {"d.months", "as_is", "{\"s.date\":\"2026-01-31\"}", "true", NULL},
        {"d.months", "as_is", "{\"s.date\":\"2027-03-01\"}", "false", NULL},
    };
    assert_vectors(ALL(vectors));
}

static void test_texts_and_identifiers_in_every_form(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"s.text", "as_is", "{\"s.text\":\"Zoé \\\"Z\\\"\"}", "\"Zoé \\\"Z\\\"\"", NULL},
        {"s.text", "initial", "{\"s.text\":\"Zoé\"}", "\"Z\"", NULL},
        {"s.text", "initial", "{\"s.text\":\"Éloïse\"}", "\"É\"", NULL},
        {"s.text", "initial", "{\"s.text\":\"𝄞x\"}", "\"𝄞\"", NULL},
        {"s.text", "present", "{\"s.text\":\"Zoé\"}", "true", NULL},
        {"s.id", "as_is", "{\"s.id\":\"INV-0042\"}", "\"INV-0042\"", NULL},
        {"s.id", "last4", "{\"s.id\":\"INV-0042\"}", "\"0042\"", NULL},
        {"s.id", "last4", "{\"s.id\":\"éééé-éàü\"}", "\"-éàü\"", NULL},
        {"s.id", "last4", "{\"s.id\":\"INV-042\"}", "error", NULL},
        {"s.id", "last4", "{\"s.id\":\"ééééééé\"}", "error", NULL}, /* 7 characters, 14 bytes */
        {"s.id", "present", "{\"s.id\":\"1\"}", "true", NULL},
        {"s.code", "as_is", "{\"s.code\":\"a\"}", "\"a\"", NULL},
        {"s.code", "present", "{\"s.code\":\"a\"}", "true", NULL},
        {"s.no", "as_is", "{\"s.no\":false}", "false", NULL},
        {"s.no", "present", "{\"s.no\":false}", "true", NULL},
    };
    assert_vectors(ALL(vectors));
}

static void test_addresses_in_every_form(void **state)
{
    (void)state;
#define ADDRESS                                                                                    \
    "{\"s.address\":{\"number\":\"12\",\"street\":\"rue Inventée\",\"postcode\":\"35200\","       \
    "\"city\":\"Rennes\"}}"
    static const struct vector vectors[] = {
        {"s.address", "as_is", ADDRESS,
         "{\"city\":\"Rennes\",\"number\":\"12\",\"postcode\":\"35200\",\"street\":\"rue "
         "Inventée\"}",
         NULL},
        {"s.address", "street", ADDRESS,
         "{\"city\":\"Rennes\",\"postcode\":\"35200\",\"street\":\"rue Inventée\"}", NULL},
        {"s.address", "postcode", ADDRESS, "{\"city\":\"Rennes\",\"postcode\":\"35200\"}", NULL},
        {"s.address", "city", ADDRESS, "{\"city\":\"Rennes\"}", NULL},
        {"s.address", "department", ADDRESS, "{\"department\":\"35\"}", NULL},
        {"s.address", "department",
         "{\"s.address\":{\"street\":\"a\",\"postcode\":\"97400\",\"city\":\"b\"}}",
         "{\"department\":\"974\"}", NULL},
        {"s.address", "department",
         "{\"s.address\":{\"street\":\"a\",\"postcode\":\"98800\",\"city\":\"b\"}}",
         "{\"department\":\"988\"}", NULL},
        {"s.address", "department",
         "{\"s.address\":{\"street\":\"a\",\"postcode\":\"2A004\",\"city\":\"b\"}}", "error", NULL},
        {"s.address", "department",
         "{\"s.address\":{\"street\":\"a\",\"postcode\":\"352\",\"city\":\"b\"}}", "error", NULL},
        {"s.address", "present", ADDRESS, "true", NULL},
        {"s.address", "as_is",
         "{\"s.address\":{\"street\":\"a\",\"postcode\":\"1\",\"city\":\"b\"}}",
         "{\"city\":\"b\",\"postcode\":\"1\",\"street\":\"a\"}", NULL},
    };
    assert_vectors(ALL(vectors));
}

static void test_numbers_in_every_form(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"s.number", "as_is", "{\"s.number\":-7}", "-7", NULL},
        {"s.number", "rounded", "{\"s.number\":149}", "100", NULL},
        {"s.number", "rounded", "{\"s.number\":150}", "200", NULL},
        {"s.number", "rounded", "{\"s.number\":-150}", "-200", NULL},
        {"s.number", "rounded", "{\"s.number\":-149}", "-100", NULL},
        {"s.number", "rounded", "{\"s.number\":49}", "0", NULL},
        {"s.number", "rounded", "{\"s.number\":-49}", "0", NULL},
        {"s.number", "rounded", "{\"s.number\":9223372036854775807}", "9223372036854775800", NULL},
        {"s.number", "rounded", "{\"s.number\":-9223372036854775807}", "-9223372036854775800",
         NULL},
        {"s.number", "band", "{\"s.number\":0}", "\"0\"", NULL},
        {"s.number", "band", "{\"s.number\":1}", "\"1-999\"", NULL},
        {"s.number", "band", "{\"s.number\":1999}", "\"1000-1999\"", NULL},
        {"s.number", "band", "{\"s.number\":2000}", "\"2000+\"", NULL},
        {"s.number", "band", "{\"s.number\":-1}", "error", NULL},
        {"s.number", "sign", "{\"s.number\":-3}", "-1", NULL},
        {"s.number", "sign", "{\"s.number\":0}", "0", NULL},
        {"s.number", "sign", "{\"s.number\":3}", "1", NULL},
        {"s.number", "present", "{\"s.number\":0}", "true", NULL},
    };
    assert_vectors(ALL(vectors));
}

static void test_series_in_every_form(void **state)
{
    (void)state;
#define SERIES                                                                                     \
    "{\"s.series\":[{\"date\":\"2027-02-01\",\"value\":3},{\"date\":\"2027-01-31\",\"value\":4},"  \
    "{\"date\":\"2027-02-28\",\"value\":-1}]}"
    static const struct vector vectors[] = {
        {"s.series", "as_is", SERIES,
         "[{\"date\":\"2027-02-01\",\"value\":3},{\"date\":\"2027-01-31\",\"value\":4},"
         "{\"date\":\"2027-02-28\",\"value\":-1}]",
         NULL},
        {"s.series", "monthly", SERIES, "{\"2027-01\":4,\"2027-02\":2}", NULL},
        {"s.series", "total", SERIES, "6", NULL},
        {"s.series", "present", SERIES, "true", NULL},
        {"s.series", "monthly", "{\"s.series\":[]}", "{}", NULL},
        {"s.series", "total", "{\"s.series\":[]}", "0", NULL},
        {"s.series", "total",
         "{\"s.series\":[{\"date\":\"2027-02-01\",\"value\":9223372036854775807},"
         "{\"date\":\"2027-02-01\",\"value\":1}]}",
         "error", NULL},
        {"s.series", "monthly",
         "{\"s.series\":[{\"date\":\"2027-02-01\",\"value\":9223372036854775807},"
         "{\"date\":\"2027-02-01\",\"value\":1}]}",
         "error", NULL},
    };
    assert_vectors(ALL(vectors));
}

/* Values that are none of their field's type. */
static const struct {
    const char *field;
    const char *values[8];
} wrong[] = {
    {"s.date",
     {"\"2027-02-29\"", "\"1990-5-17\"", "19900517", "\"\"", "null", "{}", "\"1990-05-17T\""}},
    {"s.text", {"\"\"", "7", "null", "[]", "true"}},
    {"s.id", {"\"\"", "12345678", "false"}},
    {"s.code", {"\"\"", "1", "null"}},
    {"s.yes", {"1", "\"true\"", "null"}},
    {"s.number", {"1.0", "\"1\"", "true", "null", "1e3"}},
    {"s.address",
     {"\"Rennes\"", "{}", "{\"street\":\"a\",\"postcode\":\"1\"}",
      "{\"street\":\"a\",\"postcode\":\"1\",\"city\":\"\"}",
      "{\"street\":\"a\",\"postcode\":\"1\",\"city\":\"b\",\"floor\":\"2\"}",
      "{\"street\":\"a\",\"postcode\":35000,\"city\":\"b\"}",
      "{\"street\":\"a\",\"postcode\":\"1\",\"city\":\"b\",\"number\":\"\"}"}},
    {"s.series",
     {"{}", "[1]", "[{\"date\":\"2027-01-01\"}]", "[{\"date\":\"2027-13-01\",\"value\":1}]",
      "[{\"date\":\"2027-01-01\",\"value\":1.5}]",
      "[{\"date\":\"2027-01-01\",\"value\":1,\"unit\":\"l\"}]"}},
};

static void assert_wrong(const char *id, const char *value)
{
    const uint16_t field = policy_find(policy, POLICY_FIELD, bytes_of_text(id));
    char values[256];
    snprintf(values, sizeof values, "{\"%s\":%s}", id, value);
    const uint8_t steps = (uint8_t)policy_form_count(policy, field);
    for (uint8_t step = 0; step < steps; step++)
        assert_vectors(
            &(struct vector){id, policy_form_name(policy, field, step), values, "error", NULL}, 1);
    assert_fails(VAULT_INVALID,
                 policy_value_check(policy, field, bytes_of_text(value), &test_error));
}

static void test_a_value_of_another_type_fails_in_every_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        for (size_t j = 0; j < 8 && wrong[i].values[j]; j++)
            assert_wrong(wrong[i].field, wrong[i].values[j]);
    }
}

static void test_without_a_value_there_is_no_value(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"s.date", "as_is", "{}", "no_value", NULL},
        {"s.date", "present", "{}", "no_value", NULL},
        {"d.adult", "as_is", "{}", "no_value", NULL},
        {"d.adult", "present", "{}", "no_value", NULL},
        {"d.any", "as_is", "{\"s.yes\":true}", "no_value", NULL},
        {"d.any", "as_is", "{\"s.yes\":7}", "no_value", NULL}, /* no value comes before an error */
        {"d.any", "as_is", "{\"s.no\":7,\"s.yes\":true}", "error", NULL},
        {"d.grown", "as_is", "{\"s.yes\":true}", "no_value", NULL},
    };
    assert_vectors(ALL(vectors));
}

static void test_derived_fields(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"d.band", "as_is", "{\"s.number\":899}", "\"low\"", NULL},
        {"d.band", "as_is", "{\"s.number\":900}", "\"high\"", NULL},
        {"d.band", "initial", "{\"s.number\":900}", "\"h\"", NULL},
        {"d.band", "as_is", "{\"s.number\":-1}", "error", NULL},
        {"d.in", "as_is", "{\"s.code\":\"é\"}", "true", NULL},
        {"d.in", "as_is", "{\"s.code\":\"\\u00e9\"}", "true", NULL},
        {"d.in", "as_is", "{\"s.code\":\"b\"}", "false", NULL},
        {"d.in", "present", "{\"s.code\":\"b\"}", "true", NULL},
        {"d.ten", "as_is", "{\"s.number\":10}", "true", NULL},
        {"d.ten", "as_is", "{\"s.number\":100}", "false", NULL},
        {"d.any", "as_is", "{\"s.yes\":true,\"s.no\":false}", "true", NULL},
        {"d.any", "as_is", "{\"s.yes\":false,\"s.no\":false}", "false", NULL},
        {"d.all", "as_is", "{\"s.yes\":true,\"s.no\":false}", "false", NULL},
        {"d.all", "as_is", "{\"s.yes\":true,\"s.no\":true}", "true", NULL},
        {"d.grown", "as_is", "{\"s.yes\":true,\"s.date\":\"1990-05-17\"}", "true", NULL},
        {"d.grown", "as_is", "{\"s.yes\":true,\"s.date\":\"2020-05-17\"}", "false", NULL},
    };
    assert_vectors(ALL(vectors));
}

static void test_present_is_false_without_a_value_and_an_error_on_a_bad_one(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"d.here", "as_is", "{}", "false", NULL},
        {"d.here", "present", "{}", "true", NULL},
        {"d.here", "as_is", "{\"s.text\":\"x\"}", "true", NULL},
        {"d.here", "as_is", "{\"s.text\":\"\"}", "error", NULL},
    };
    assert_vectors(ALL(vectors));
}

static void test_a_value_stored_under_a_derived_field_is_not_looked_at(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"d.adult", "as_is", "{\"d.adult\":true}", "no_value", NULL},
        {"d.adult", "as_is", "{\"d.adult\":true,\"s.date\":\"2020-01-01\"}", "false", NULL},
    };
    assert_vectors(ALL(vectors));
}

static void test_pseudonyms_are_made_by_the_caller(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"d.me", "as_is", "{}", "\"aaaaaaaaaaaaaaaaaaaaaaaaaa\"", NULL},
        {"d.me", "present", "{}", "true", NULL},
        {"d.card", "as_is", "{\"s.id\":\"INV-0042\"}", "\"aaaaaaaaaaaaaaaaaaaaaaaaaa\"", NULL},
        {"d.card", "as_is", "{}", "no_value", NULL},
        {"s.id", "pseudonym", "{\"s.id\":\"INV-0042\"}", "\"aaaaaaaaaaaaaaaaaaaaaaaaaa\"", NULL},
        {"s.id", "pseudonym", "{}", "no_value", NULL},
    };
    assert_vectors(ALL(vectors));
}

static void test_a_pseudonym_is_asked_for_field_epoch_and_source(void **state)
{
    (void)state;
    struct store store = {.values = json_loads("{\"s.id\":\"INV-0042\"}", 0, NULL)};
    const struct policy_source source = {&store, stored, pseudonym};
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(1024);
    static const struct {
        const char *field;
        uint8_t step;
        const char *asked;
    } cases[] = {
        {"d.me", 0, "d.me|2027|"},
        {"d.card", 0, "d.card||\"INV-0042\""},
        {"s.id", 2, "s.id||\"INV-0042\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const uint16_t field = policy_find(policy, POLICY_FIELD, bytes_of_text(cases[i].field));
        assert_int_equal(policy_value_write(policy, field, cases[i].step, 0, &source, &out),
                         REASON_RELEASED);
        assert_string_equal(store.pseudonym_for, cases[i].asked);
    }
    for (size_t i = 0; i < store.count; i++)
        buf_finish(&store.text[i]);
    json_decref(store.values);
}

static void test_without_a_key_a_pseudonym_is_an_error(void **state)
{
    (void)state;
    struct store store = {.values = json_object()};
    const struct policy_source source = {&store, stored, NULL};
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(1024);
    assert_int_equal(policy_value_write(policy, policy_find(policy, POLICY_FIELD, BYTES("d.me")), 0,
                                        0, &source, &out),
                     REASON_ERROR);
    json_decref(store.values);
}

static enum policy_reason unreadable(void *context, uint16_t field, struct bytes *json)
{
    (void)context;
    (void)field;
    (void)json;
    return REASON_ERROR;
}

static void test_a_value_that_cannot_be_read_is_an_error(void **state)
{
    (void)state;
    const struct policy_source source = {NULL, unreadable, NULL};
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(1024);
    const uint16_t fields = (uint16_t)policy_count(policy, POLICY_FIELD);
    for (uint16_t field = 0; field < fields; field++)
        assert_int_equal(policy_value_write(policy, field, 0, 0, &source, &out), REASON_ERROR);
    assert_int_equal(out.size, 0);
}

static void test_values_to_be_stored_are_checked(void **state)
{
    (void)state;
    const uint16_t text = policy_find(policy, POLICY_FIELD, BYTES("s.text"));
    const uint16_t adult = policy_find(policy, POLICY_FIELD, BYTES("d.adult"));
    assert_done(policy_value_check(policy, text, BYTES("\"Zoé\""), &test_error));
    assert_fails(VAULT_INVALID, policy_value_check(policy, text, BYTES("Zoé"), &test_error));
    assert_null(strstr(test_error.text, "Zoé"));
    assert_fails(VAULT_INVALID, policy_value_check(policy, text, BYTES("\"a\"b"), &test_error));
    assert_fails(VAULT_INVALID, policy_value_check(policy, adult, BYTES("true"), &test_error));
    VAULT_AUTO(buf_finish) struct buf large = buf_limited(2 * POLICY_VALUE_BYTES_MAX);
    buf_byte(&large, '"');
    memset(buf_extend(&large, POLICY_VALUE_BYTES_MAX), 'x', POLICY_VALUE_BYTES_MAX);
    buf_byte(&large, '"');
    assert_fails(VAULT_TOO_LARGE, policy_value_check(policy, text, buf_view(&large), &test_error));
}

int main(void)
{
    if (sample_start() || load_policy())
        return 1;
    const int result = TEST_RUN(
        test_dates_in_every_form, test_age_counts_whole_years_and_the_leap_day,
        test_a_date_in_the_future_has_no_age, test_months_are_whole_months,
        test_texts_and_identifiers_in_every_form, test_addresses_in_every_form,
        test_numbers_in_every_form, test_series_in_every_form,
        test_a_value_of_another_type_fails_in_every_form, test_without_a_value_there_is_no_value,
        test_derived_fields, test_present_is_false_without_a_value_and_an_error_on_a_bad_one,
        test_a_value_stored_under_a_derived_field_is_not_looked_at,
        test_pseudonyms_are_made_by_the_caller,
        test_a_pseudonym_is_asked_for_field_epoch_and_source,
        test_without_a_key_a_pseudonym_is_an_error, test_a_value_that_cannot_be_read_is_an_error,
        test_values_to_be_stored_are_checked);
    policy_free(&policy);
    return result;
}
