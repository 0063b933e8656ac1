/* Looking at openings: nothing without a trace, nothing of who it was, and only what is a list of
 * fields. */
#include "vault/vault/look.h"

#include "vault/base/codec.h"
#include "vault/ledger/opening.h"
#include "vault/parts.h"
#include "vault/retention.h"
#include "vault/vault/erase.h"
#include "vault_test.h"

#define REASON    "Contrôle annuel des accès du plan emploi"
#define MONTHS_MS (31 * 86400000LL)

static const uint8_t anne_key[SHA256_BYTES] = {7, 7, 7};

static struct vault_test test;
static char subject[SUBJECT_CHARS + 1];
static uint64_t release_index;
static uint64_t deny_index;
static uint64_t consent_index;

static struct {
    size_t count;
    enum look_result results[LOOK_ENTRIES_MAX];
    char what[256]; /* of the last one */
    char line[1024];
    struct buf body;
} seen;

static enum vault_code see(void *context, const struct look_opening *opening,
                           struct vault_error *err)
{
    (void)context;
    (void)err;
    seen.results[seen.count++] = opening->result;
    snprintf(seen.what, sizeof seen.what, "%.*s", (int)opening->what.size,
             opening->what.size ? (const char *)opening->what.data : "");
    snprintf(seen.line, sizeof seen.line, "%.*s", (int)opening->line.size,
             opening->line.size ? (const char *)opening->line.data : "");
    if (opening->result == LOOK_SHOWN) {
        buf_bytes(&seen.body, opening->line);
        buf_byte(&seen.body, '\n');
    }
    return VAULT_OK;
}

static uint64_t size_now(void)
{
    return ledger_head(test.vault->ledger).size;
}

static void publish(void)
{
    assert_done(ledger_wait_published(test.vault->ledger, size_now(), 20000, &test_error));
}

static void begin(void)
{
    make_filled_vault(&test);
    consent_index = size_now();
    give_consent(&test, CONSENT_UNLIMITED);
    subject_of_citizen(&test, subject);
    release_index = size_now();
    assert_int_equal(count_released(ask_release(&test, subject)), 2);
    deny_index = size_now();
    json_decref(ask_release(&test, "aaaaaaaaaaaaaaaaaaaaaaaaaa")); /* of nobody */
    publish();
    buf_finish(&seen.body);
    seen.body = buf_limited(64UL * 1024);
}

static void end(void)
{
    buf_finish(&seen.body);
    vault_close(&test.vault);
}

static enum vault_code make(const char *entries, const char *reason, uint64_t *index)
{
    struct look_wish wish = {.reason = bytes_of_text(reason)};
    VAULT_TRY(look_parse_entries(bytes_of_text(entries), &wish, &test_error));
    return look_make(test.vault, "anne", anne_key, &wish, index, &test_error);
}

static uint64_t made(uint64_t first, uint64_t last)
{
    char entries[64];
    uint64_t index = 0;
    snprintf(entries, sizeof entries, "%llu-%llu", (unsigned long long)first,
             (unsigned long long)last);
    assert_done(make(entries, REASON, &index));
    return index;
}

static enum vault_code show(uint64_t index)
{
    seen.count = 0;
    seen.what[0] = 0;
    buf_clear(&seen.body);
    return look_show(test.vault, "anne", index, see, NULL, &test_error);
}

static struct look_row kept;
static char kept_reason[LOOK_REASON_BYTES_MAX + 1];
static char kept_opening[OPENING_MAX_BYTES];
static size_t kept_count;

static enum vault_code keep(void *context, const struct look_row *row, struct vault_error *err)
{
    (void)context;
    (void)err;
    kept = *row;
    kept_count++;
    snprintf(kept_reason, sizeof kept_reason, "%.*s", (int)row->reason.size,
             (const char *)row->reason.data);
    snprintf(kept_opening, sizeof kept_opening, "%.*s", (int)row->opening.size,
             (const char *)row->opening.data);
    return VAULT_OK;
}

static void read_entry(uint64_t index, struct buf *text, struct entry *entry)
{
    publish();
    assert_done(ledger_entry(test.vault->ledger, index, text, &test_error));
    assert_done(entry_parse(buf_view(text), entry, &test_error));
}

static void test_fields_forms_and_outcomes_are_shown_and_nothing_else(void **state)
{
    (void)state;
    begin();
    const uint64_t look = made(release_index, release_index);
    assert_done(show(look));
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.results[0], LOOK_SHOWN);
    assert_non_null(strstr(seen.what, "identity.birth_date year released"));
    assert_non_null(strstr(seen.what, "identity.name - "));
    assert_non_null(strstr(seen.line, "{\"index\":"));
    assert_non_null(strstr(seen.line, "\"what\":{\"salt\""));
    static const char *const secrets[] = {"1990",  "Testine", "subject", "basis",
                                          "actor", "answer",  "consent", "T-1"};
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        assert_null(strstr(seen.line, secrets[i]));
    assert_null(strstr(seen.line, subject));
    end();
}

static void test_what_is_shown_is_what_the_log_committed_to(void **state)
{
    (void)state;
    begin();
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(ENTRY_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf storage = buf_limited(OPENING_MAX_BYTES);
    VAULT_AUTO(json_free) json_t *line = NULL;
    struct entry entry;
    struct opening opening;
    assert_done(show(made(release_index, release_index)));
    assert_done(json_parse(bytes_of_text(seen.line), 5, &line, NULL, &test_error));
    assert_int_equal(json_integer_value(json_object_get(line, "index")), release_index);
    assert_done(
        opening_parse_json(json_object_get(line, "fields"), &storage, &opening, &test_error));
    read_entry(release_index, &text, &entry);
    assert_done(opening_check(&opening, &entry, &test_error));
    assert_true(opening.fields[ENTRY_WHAT].present);
    assert_false(opening.fields[ENTRY_SUBJECT].present);
    end();
}

static void
test_the_trace_names_the_key_and_commits_to_the_reason_and_to_what_was_shown(void **state)
{
    (void)state;
    begin();
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(ENTRY_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf storage = buf_limited(OPENING_MAX_BYTES);
    struct entry entry;
    struct opening opening;
    const uint64_t look = made(consent_index, release_index);
    assert_int_equal(look, deny_index + 1);
    read_entry(look, &text, &entry);
    assert_int_equal(entry.event, ENTRY_LOG_READ);
    assert_true(entry.has_client);
    assert_memory_equal(entry.client, anne_key, ENTRY_CLIENT_BYTES);
    assert_false(entry.commitments[ENTRY_SUBJECT].present);
    assert_done(look_find(test.vault, look, keep, NULL, &test_error));
    assert_string_equal(kept_reason, REASON);
    assert_string_equal(kept.auditor, "anne");
    assert_done(opening_parse(bytes_of_text(kept_opening), &storage, &opening, &test_error));
    assert_done(opening_check(&opening, &entry, &test_error));
    char wanted[256];
    snprintf(wanted, sizeof wanted, "auditor anne\nentries %llu-%llu\n" REASON,
             (unsigned long long)consent_index, (unsigned long long)release_index);
    assert_true(bytes_equal(opening.fields[ENTRY_ACTOR].value, bytes_of_text(wanted)));
    uint8_t hash[SHA256_BYTES];
    char answer[BASE64_CHARS(SHA256_BYTES) + 1];
    assert_done(show(look));
    sha256_of(hash, buf_view(&seen.body));
    base64_string(answer, hash, sizeof hash);
    assert_true(bytes_equal(opening.fields[ENTRY_ANSWER].value, bytes_of_text(answer)));
    end();
}

static void test_what_has_no_opening_and_what_is_no_list_is_not_shown(void **state)
{
    (void)state;
    begin();
    assert_done(show(made(deny_index, deny_index)));
    assert_int_equal(seen.results[0], LOOK_GONE); /* of nobody */
    assert_done(show(made(0, 0)));
    assert_int_equal(seen.results[0], LOOK_GONE); /* an operator's */
    const uint64_t export = size_now();
    VAULT_AUTO(buf_finish) struct buf exported = buf_limited(8UL * 1024 * 1024);
    assert_done(people_export_own(test.vault, &test.citizen, &exported, &test_error));
    publish();
    assert_done(show(made(export, export)));
    assert_int_equal(seen.results[0], LOOK_PRIVATE);
    assert_string_equal(seen.what, "");
    assert_string_equal(seen.line, "");
    end();
}

static void test_without_room_in_the_log_nothing_is_shown(void **state)
{
    (void)state;
    uint64_t index = 99;
    begin();
    assert_done(ledger_stop(test.vault->ledger, &test_error));
    assert_fails(VAULT_UNAVAILABLE, make("3", REASON, &index));
    assert_int_equal(index, 99);
    kept_count = 0;
    assert_done(look_all(test.vault, UINT64_MAX, 10, keep, NULL, &test_error));
    assert_int_equal(kept_count, 0);
    assert_fails(VAULT_NOT_FOUND, show(99));
    end();
}

static void test_what_is_asked_badly_leaves_no_trace_and_shows_nothing(void **state)
{
    (void)state;
    static const char *const lists[] = {
        "",   " , ", "x", "1-", "-1", "3 2", "2 2", "5-4", "1;2", "1-2-3", "1234567890123456789",
        "1 a"};
    uint64_t index = 99;
    char entries[32];
    begin();
    const uint64_t before = size_now();
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        assert_fails(VAULT_INVALID, make(lists[i], REASON, &index));
    assert_fails(VAULT_TOO_LARGE, make("0-100", REASON, &index));
    assert_fails(VAULT_TOO_LARGE, make("0-50 60-109", REASON, &index));
    snprintf(entries, sizeof entries, "%llu", (unsigned long long)before);
    assert_fails(VAULT_NOT_FOUND, make(entries, REASON, &index));
    assert_fails(VAULT_INVALID, make("1", "", &index));
    assert_fails(VAULT_INVALID, make("1", "too short", &index));
    assert_fails(VAULT_INVALID, make("1", "a bell \a in a long enough reason", &index));
    assert_fails(VAULT_INVALID, make("1", "not \xff UTF-8, and long enough", &index));
    char reason[LOOK_REASON_CHARS_MAX * 2 + 4];
    memset(reason, 'a', sizeof reason);
    reason[LOOK_REASON_CHARS_MAX + 1] = 0;
    assert_fails(VAULT_INVALID, make("1", reason, &index));
    assert_int_equal(size_now(), before);
    assert_int_equal(index, 99);
    /* As many as may be, of two bytes each. */
    for (size_t i = 0; i < LOOK_REASON_CHARS_MAX; i++)
        memcpy(reason + 2 * i, "é", 2);
    reason[2 * LOOK_REASON_CHARS_MAX] = 0;
    assert_done(make("1", reason, &index));
    end();
}

static void test_a_look_is_its_auditors_and_for_a_while(void **state)
{
    (void)state;
    begin();
    const uint64_t look = made(release_index, release_index);
    assert_fails(VAULT_DENIED, look_show(test.vault, "bo", look, see, NULL, &test_error));
    test.now_ms += LOOK_OPEN_S * 1000 - 1;
    assert_done(show(look));
    test.now_ms += 1;
    assert_fails(VAULT_DENIED, show(look));
    assert_int_equal(seen.count, 0);
    assert_done(look_find(test.vault, look, keep, NULL, &test_error));
    assert_string_equal(kept_reason, REASON);
    end();
}

static void test_erasing_somebody_takes_their_openings_out_of_a_look(void **state)
{
    (void)state;
    begin();
    const uint64_t look = made(release_index, release_index);
    assert_done(erase_citizen(test.vault, &test.citizen, &test_error));
    assert_done(show(look));
    assert_int_equal(seen.results[0], LOOK_GONE);
    assert_string_equal(seen.line, "");
    end();
}

static void test_an_entry_says_who_looked_at_it(void **state)
{
    (void)state;
    begin();
    made(release_index, release_index);
    made(consent_index, release_index);
    kept_count = 0;
    assert_done(look_at_entry(test.vault, release_index, 9, keep, NULL, &test_error));
    assert_int_equal(kept_count, 2);
    kept_count = 0;
    assert_done(look_at_entry(test.vault, consent_index, 9, keep, NULL, &test_error));
    assert_int_equal(kept_count, 1);
    kept_count = 0;
    assert_done(look_at_entry(test.vault, deny_index, 9, keep, NULL, &test_error));
    assert_int_equal(kept_count, 0);
    end();
}

static void test_reasons_survive_a_restart_and_go_with_the_openings(void **state)
{
    (void)state;
    begin();
    const uint64_t look = made(release_index, release_index);
    reopen_test_vault(&test);
    assert_done(look_find(test.vault, look, keep, NULL, &test_error));
    test.now_ms += 11 * MONTHS_MS;
    assert_done(retention_run(test.vault, &test_error));
    assert_done(look_find(test.vault, look, keep, NULL, &test_error));
    test.now_ms += 2 * MONTHS_MS;
    assert_done(retention_run(test.vault, &test_error));
    assert_fails(VAULT_NOT_FOUND, look_find(test.vault, look, keep, NULL, &test_error));
    end();
}

static void test_a_list_of_entries_reads_back_as_it_was_written(void **state)
{
    (void)state;
    struct look_wish wish = {.entry_count = 9};
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(256);
    assert_done(look_parse_entries(BYTES(" 3,4 5\n9-11, 20 "), &wish, &test_error));
    assert_int_equal(wish.entry_count, 7);
    look_write_entries(wish.entries, wish.entry_count, &text);
    assert_string_equal(buf_string(&text), "3-5 9-11 20");
}

int main(void)
{
    return TEST_RUN(test_fields_forms_and_outcomes_are_shown_and_nothing_else,
                    test_what_is_shown_is_what_the_log_committed_to,
                    test_the_trace_names_the_key_and_commits_to_the_reason_and_to_what_was_shown,
                    test_what_has_no_opening_and_what_is_no_list_is_not_shown,
                    test_without_room_in_the_log_nothing_is_shown,
                    test_what_is_asked_badly_leaves_no_trace_and_shows_nothing,
                    test_a_look_is_its_auditors_and_for_a_while,
                    test_erasing_somebody_takes_their_openings_out_of_a_look,
                    test_an_entry_says_who_looked_at_it,
                    test_reasons_survive_a_restart_and_go_with_the_openings,
                    test_a_list_of_entries_reads_back_as_it_was_written);
}
