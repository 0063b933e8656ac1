/* Figures and state as auditors see them: they add up, say how far they reach, and what does not
 * hold is not called sound. */
#include "auditor.h"
#include "ledger/state.h"
#include "vault/base/codec.h"
#include "vault/parts.h"

#define JSON "application/json"
#define HTML "text/html; charset=utf-8"

static struct vault_test test;
static struct auditor_api api;
static struct caller caller;

static void begin(void)
{
    char subject[SUBJECT_CHARS + 1];
    auditor_open(&test, "auditor", &api, &caller);
    auditor_releases(&test, 3, subject);
}

static void end(void)
{
    caller_finish(&caller);
    vault_close(&test.vault);
}

static json_int_t total_of(const char *name)
{
    size_t i;
    json_t *series;
    json_array_foreach(json_object_get(caller.json, "series"), i, series)
    {
        const char *own = json_string_value(json_object_get(series, "name"));
        if (strcmp(own ? own : "", name) == 0)
            return json_integer_value(json_object_get(series, "total"));
    }
    return 0;
}

static json_int_t total_of_all(void)
{
    json_int_t sum = 0;
    size_t i;
    json_t *series;
    json_array_foreach(json_object_get(caller.json, "series"), i, series)
    {
        json_int_t own = 0;
        size_t j;
        json_t *count;
        json_array_foreach(json_object_get(series, "counts"), j, count)
        {
            own += json_integer_value(count);
        }
        assert_int_equal(own, json_integer_value(json_object_get(series, "total")));
        sum += own;
    }
    return sum;
}

static void test_every_entry_is_in_the_figures_once(void **state)
{
    (void)state;
    static const char *const splits[] = {"event", "service", "outcome"};
    begin();
    const uint64_t size = ledger_head(test.vault->ledger).size;
    for (size_t i = 0; i < sizeof splits / sizeof splits[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "/v1/figures?of=%s&by=month", splits[i]);
        caller_get(&caller, path);
        assert_answered(&caller, 200, JSON);
        assert_members(caller.json, "by of counted tree_size buckets series");
        assert_int_equal(json_integer_value(caller_value(&caller, "/counted")), size);
        assert_int_equal(json_array_size(caller_value(&caller, "/buckets")), 12);
        assert_int_equal(total_of_all(), size);
    }
    end();
}

static void test_each_split_counts_what_it_says(void **state)
{
    (void)state;
    begin();
    caller_get(&caller, "/v1/figures?of=event");
    assert_int_equal(total_of("release"), 3);
    assert_int_equal(total_of("consent"), 1);
    caller_get(&caller, "/v1/figures?of=outcome&service=" CASEWORKER);
    assert_int_equal(total_of("released"), 3);
    caller_get(&caller, "/v1/figures?of=service&event=release");
    assert_int_equal(total_of(CASEWORKER), 3);
    assert_int_equal(total_of_all(), 3);
    caller_get(&caller, "/v1/figures?of=event&outcome=withheld");
    assert_int_equal(total_of_all(), 0);
    end();
}

static void test_a_period_is_cut_into_days_or_months(void **state)
{
    (void)state;
    begin();
    caller_get(&caller, "/v1/figures?from=2027-03-01&to=2027-03-31&event=release");
    assert_string_equal(caller_text(&caller, "/by"), "day");
    assert_int_equal(json_array_size(caller_value(&caller, "/buckets")), 31);
    assert_string_equal(json_string_value(json_array_get(caller_value(&caller, "/buckets"), 7)),
                        "2027-03-08");
    const json_t *counts =
        json_object_get(json_array_get(caller_value(&caller, "/series"), 0), "counts");
    assert_int_equal(json_integer_value(json_array_get(counts, 7)), 3);
    caller_get(&caller, "/v1/figures?from=2027-03-01&to=2027-03-07&event=release");
    assert_int_equal(total_of_all(), 0);
    caller_get(&caller, "/v1/figures?from=2026-11-30&to=2027-03-31&by=month");
    assert_int_equal(json_array_size(caller_value(&caller, "/buckets")), 5);
    assert_string_equal(json_string_value(json_array_get(caller_value(&caller, "/buckets"), 1)),
                        "2026-12");
    end();
}

static void test_what_cannot_be_counted_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        unsigned status;
    } wrong[] = {
        {"by=week", 422},     {"of=subject", 422},
        {"purpose=a.b", 422}, {"from=2020-01-01&to=2027-01-01&by=day", 422},
        {"after=3", 400},     {"limit=1", 400},
        {"from=never", 400},  {"of=event&of=event", 400},
        {"colour=red", 400},  {"event=nothing", 422},
        {"lang=fr", 400},     {"from=0001-01-01&by=month", 422},
    };
    begin();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char path[256];
        snprintf(path, sizeof path, "/v1/figures?%s", wrong[i].query);
        caller_get(&caller, path);
        assert_problem(&caller, wrong[i].status, NULL, -1);
    }
    caller_get(&caller, "/figures?by=week");
    assert_answered(&caller, 422, HTML);
    assert_null(strstr(caller_page(&caller), "<svg"));
    end();
}

static void test_pictures_have_their_table_in_both_languages(void **state)
{
    (void)state;
    begin();
    caller_get(&caller, "/figures?event=release");
    assert_answered(&caller, 200, HTML);
    assert_page_says(&caller, "<svg class=\"chart\"");
    assert_page_says(&caller, "<th scope=\"row\">2027-03</th><td>3</td>");
    assert_page_says(&caller, "Données transmises à un service");
    caller_get(&caller, "/figures?event=release&lang=en");
    assert_page_says(&caller, "3 in all, 3 at the most");
    caller_get(&caller, "/figures?event=prune&lang=en");
    assert_null(strstr(caller_page(&caller), "<svg"));
    assert_page_says(&caller, "Nothing in what was read fits.");
    end();
}

static void test_the_state_is_what_the_published_log_says(void **state)
{
    (void)state;
    char key[NOTE_KEY_CHARS_MAX + 1];
    begin();
    VAULT_AUTO(buf_finish) struct buf vkey = buf_limited(NOTE_KEY_CHARS_MAX);
    assert_done(vault_log_key(test.vault, &vkey, &test_error));
    snprintf(key, sizeof key, "%s", buf_string(&vkey));
    caller_get(&caller, "/v1/state");
    assert_answered(&caller, 200, JSON);
    assert_members(caller.json, "holds wrong writable why verified published durable first root "
                                "key checkpoint anchor");
    assert_true(json_is_true(caller_value(&caller, "/holds")));
    assert_true(json_is_true(caller_value(&caller, "/writable")));
    assert_true(json_is_null(caller_value(&caller, "/anchor")));
    assert_string_equal(caller_text(&caller, "/key"), key);
    assert_int_equal(json_integer_value(caller_value(&caller, "/published")),
                     ledger_head(test.vault->ledger).size);
    assert_memory_equal(caller_text(&caller, "/checkpoint"), "unit.vault.example/log\n", 23);
    caller_get(&caller, "/state?lang=en");
    assert_answered(&caller, 200, HTML);
    assert_page_says(&caller, "What is published holds.");
    assert_page_says(&caller, "Nobody outside the vault is asked");
    end();
}

/* What the ledger counts as published, which it does a moment after the checkpoint is there. */
static void count_published(int64_t more)
{
    struct ledger *ledger = test.vault->ledger;
    pthread_mutex_lock(&ledger->mutex);
    ledger->published_size += (uint64_t)more;
    pthread_mutex_unlock(&ledger->mutex);
}

static void test_what_was_published_this_very_moment_holds(void **state)
{
    (void)state;
    begin();
    count_published(-1);
    caller_get(&caller, "/v1/state");
    count_published(1);
    assert_answered(&caller, 200, JSON);
    assert_true(json_is_true(caller_value(&caller, "/holds")));
    assert_int_equal(json_integer_value(caller_value(&caller, "/published")),
                     ledger_head(test.vault->ledger).size);
    end();
}

static void spoil(const char *name, const char *bytes)
{
    char path[PATH_MAX * 2];
    snprintf(path, sizeof path, "%s/%s", test.vault->log_dir, name);
    assert_done(file_replace(path, bytes_of_text(bytes), 0600, &test_error));
}

static void assert_does_not_hold(void)
{
    caller_get(&caller, "/v1/state");
    assert_answered(&caller, 200, JSON);
    assert_false(json_is_true(caller_value(&caller, "/holds")));
    assert_true(json_string_length(caller_value(&caller, "/wrong")) > 0);
    caller_get(&caller, "/state?lang=en");
    assert_answered(&caller, 200, HTML);
    assert_page_says(&caller, "What is published does not hold:");
    assert_null(strstr(caller_page(&caller), "What is published holds."));
}

static void test_what_was_changed_is_not_called_sound(void **state)
{
    (void)state;
    char name[64];
    begin();
    snprintf(name, sizeof name, "tile/0/000.p/%llu",
             (unsigned long long)ledger_head(test.vault->ledger).size);
    spoil(name, "short");
    assert_does_not_hold();
    end();
    begin();
    spoil("checkpoint", "unit.vault.example/log\n1\nAAAA\n");
    assert_does_not_hold();
    end();
}

int main(void)
{
    return TEST_RUN(
        test_every_entry_is_in_the_figures_once, test_each_split_counts_what_it_says,
        test_a_period_is_cut_into_days_or_months, test_what_cannot_be_counted_is_refused,
        test_pictures_have_their_table_in_both_languages,
        test_the_state_is_what_the_published_log_says,
        test_what_was_published_this_very_moment_holds, test_what_was_changed_is_not_called_sound);
}
