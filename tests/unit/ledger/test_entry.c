#include "test.h"

#include <stdio.h>

#include "vault/ledger/entry.h"

#define COMMITMENT "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

#define RELEASE                                                                                    \
    "vault-access-log/1\n"                                                                         \
    "event release\n"                                                                              \
    "time 1795295592123\n"                                                                         \
    "service plie-rennes\n"                                                                        \
    "client 9f86d081884c7d65\n"                                                                    \
    "purpose employment.support\n"                                                                 \
    "policy 12 4f2a9c01b7e35d68\n"                                                                 \
    "subject " COMMITMENT "\n"                                                                     \
    "actor -\n"                                                                                    \
    "basis " COMMITMENT "\n"                                                                       \
    "what " COMMITMENT "\n"                                                                        \
    "answer " COMMITMENT "\n"

#define SYSTEM(event)                                                                              \
    "vault-access-log/1\n"                                                                         \
    "event " event "\n"                                                                            \
    "time 0\n"                                                                                     \
    "service -\n"                                                                                  \
    "client -\n"                                                                                   \
    "purpose -\n"                                                                                  \
    "policy -\n"                                                                                   \
    "subject -\n"                                                                                  \
    "actor -\n"                                                                                    \
    "basis -\n"                                                                                    \
    "what -\n"                                                                                     \
    "answer -\n"

static struct entry_commitment a_commitment(void)
{
    struct entry_commitment commitment = {.present = true};
    for (uint8_t i = 0; i < sizeof commitment.hash; i++)
        commitment.hash[i] = i;
    return commitment;
}

static struct entry a_release(void)
{
    struct entry entry = {
        .event = ENTRY_RELEASE,
        .time_ms = 1795295592123,
        .service = BYTES("plie-rennes"),
        .has_client = true,
        .client = {0x9f, 0x86, 0xd0, 0x81, 0x88, 0x4c, 0x7d, 0x65},
        .purpose = BYTES("employment.support"),
        .has_policy = true,
        .policy_version = 12,
        .policy_hash = {0x4f, 0x2a, 0x9c, 0x01, 0xb7, 0xe3, 0x5d, 0x68},
    };
    for (unsigned i = 0; i < ENTRY_KEY_COUNT; i++) {
        if (i != ENTRY_ACTOR)
            entry.commitments[i] = a_commitment();
    }
    return entry;
}

static void assert_written(const struct entry *entry, const char *text)
{
    uint8_t out[ENTRY_MAX_BYTES];
    assert_done(entry_check(entry, &test_error));
    const struct bytes written = {out, entry_write(entry, out)};
    assert_true(bytes_equal(written, bytes_of_text(text)));
}

static void assert_refused(const char *text)
{
    struct entry entry = {.count = 4711};
    assert_fails(VAULT_INVALID, entry_parse(bytes_of_text(text), &entry, &test_error));
    assert_int_equal(entry.count, 4711);
}

/* The text with one part of it replaced. */
static const char *with(const char *text, const char *part, const char *instead)
{
    static char out[4096];
    const char *found = strstr(text, part);
    assert_non_null(found);
    snprintf(out, sizeof out, "%.*s%s%s", (int)(found - text), text, instead, found + strlen(part));
    return out;
}

static void test_a_release_is_written_as_the_contract_shows_it(void **state)
{
    (void)state;
    const struct entry entry = a_release();
    assert_written(&entry, RELEASE);
}

static void test_an_event_of_no_citizen_is_all_dashes(void **state)
{
    (void)state;
    const struct entry entry = {.event = ENTRY_CLOCK_STEP};
    assert_written(&entry, SYSTEM("clock-step"));
}

static void test_what_is_written_is_read_back(void **state)
{
    (void)state;
    for (unsigned event = 0; event < ENTRY_EVENT_COUNT; event++) {
        struct entry entry = a_release();
        entry.event = (enum entry_event)event;
        if (!entry_event_has_subject(entry.event)) {
            entry.has_policy = false;
            for (unsigned i = 0; i < ENTRY_KEY_COUNT; i++)
                entry.commitments[i].present = i == ENTRY_ACTOR;
        }
        if (entry_event_has_count(entry.event))
            entry.count = 70000;
        if (entry.event == ENTRY_PRUNE)
            entry.below = 65536;
        uint8_t first[ENTRY_MAX_BYTES];
        uint8_t second[ENTRY_MAX_BYTES];
        const struct bytes text = {first, entry_write(&entry, first)};
        struct entry back;
        assert_done(entry_parse(text, &back, &test_error));
        const struct bytes again = {second, entry_write(&back, second)};
        assert_true(bytes_equal(text, again));
        assert_int_equal(back.event, event);
        assert_int_equal(back.count, entry.count);
        assert_int_equal(back.below, entry.below);
    }
}

static void test_the_longest_entry_is_within_the_limit(void **state)
{
    (void)state;
    uint8_t id[ENTRY_ID_MAX_CHARS];
    memset(id, 'a', sizeof id);
    struct entry entry = a_release();
    entry.event = ENTRY_ERASE;
    entry.time_ms = ENTRY_TIME_MAX_MS;
    entry.service = entry.purpose = (struct bytes){id, sizeof id};
    entry.policy_version = ENTRY_NUMBER_MAX;
    entry.commitments[ENTRY_ACTOR] = a_commitment();
    entry.count = ENTRY_NUMBER_MAX;
    uint8_t out[ENTRY_MAX_BYTES];
    assert_in_range(entry_write(&entry, out), 500, ENTRY_MAX_BYTES / 2 + 128);
}

static void test_names_go_both_ways(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ENTRY_EVENT_COUNT; i++) {
        const char *name = entry_event_name((enum entry_event)i);
        assert_int_equal(entry_event_of(bytes_of_text(name)), i);
    }
    for (unsigned i = 0; i < ENTRY_KEY_COUNT; i++) {
        const char *name = entry_key_name((enum entry_key)i);
        assert_int_equal(entry_key_of(bytes_of_text(name)), i);
    }
    assert_int_equal(entry_event_of(BYTES("Release")), ENTRY_EVENT_COUNT);
    assert_int_equal(entry_event_of(BYTES("")), ENTRY_EVENT_COUNT);
    assert_int_equal(entry_key_of(BYTES("time")), ENTRY_KEY_COUNT);
}

static void test_ids_are_those_of_the_contract(void **state)
{
    (void)state;
    uint8_t long_id[ENTRY_ID_MAX_CHARS + 1];
    memset(long_id, 'z', sizeof long_id);
    assert_true(entry_id_is_valid(BYTES("a")));
    assert_true(entry_id_is_valid(BYTES("a0_.-z")));
    assert_true(entry_id_is_valid((struct bytes){long_id, ENTRY_ID_MAX_CHARS}));
    assert_false(entry_id_is_valid((struct bytes){long_id, ENTRY_ID_MAX_CHARS + 1}));
    assert_false(entry_id_is_valid(BYTES("")));
    assert_false(entry_id_is_valid(BYTES("-")));
    assert_false(entry_id_is_valid(BYTES("0a")));
    assert_false(entry_id_is_valid(BYTES("A")));
    assert_false(entry_id_is_valid(BYTES("a b")));
    assert_false(entry_id_is_valid(BYTES("a\n")));
    assert_false(entry_id_is_valid(BYTES("caf\xc3\xa9")));
}

static void test_no_line_can_be_missing(void **state)
{
    (void)state;
    struct entry entry;
    assert_done(entry_parse(bytes_of_text(RELEASE), &entry, &test_error));
    for (const char *line = RELEASE; *line; line = strchr(line, '\n') + 1) {
        char without[sizeof RELEASE];
        const size_t before = strlen(RELEASE) - strlen(line);
        snprintf(without, sizeof without, "%.*s%s", (int)before, RELEASE, strchr(line, '\n') + 1);
        assert_refused(without);
    }
}

static void test_no_text_that_is_cut_is_an_entry(void **state)
{
    (void)state;
    struct entry entry;
    for (size_t size = 0; size < sizeof RELEASE - 1; size++)
        assert_fails(VAULT_INVALID,
                     entry_parse((struct bytes){(const uint8_t *)RELEASE, size}, &entry, NULL));
}

static void test_a_second_spelling_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *part;
        const char *instead;
    } wrong[] = {
        {"log/1", "log/2"},
        {"event release", "event released"},
        {"event release", "event  release"},
        {"event release\n", "event release\r\n"},
        {"time 1795", "time 01795"},
        {"time 1795295592123", "time -1"},
        {"time 1795295592123", "time 253402300800000"},
        {"time 1795295592123", "time "},
        {"time 1795295592123", "time 99999999999999999999"},
        {"service plie-rennes", "service "},
        {"service plie-rennes", "service Plie"},
        {"client 9f86d081884c7d65", "client 9F86d081884c7d65"},
        {"client 9f86d081884c7d65", "client 9f86d081884c7d"},
        {"client 9f86d081884c7d65", "client 9f86d081884c7d6500"},
        {"purpose employment.support", "purpose employment/support"},
        {"policy 12 ", "policy 012 "},
        {"policy 12 ", "policy 9223372036854775808 "},
        {"policy 12 ", "policy 12  "},
        {"policy 12 4f2a9c01b7e35d68", "policy 12"},
        {"policy 12 4f2a9c01b7e35d68", "policy 12 4f2a"},
        {"policy 12 4f2a9c01b7e35d68", "policy 4f2a9c01b7e35d68"},
        {"subject " COMMITMENT, "subject -"},
        {"subject AAEC", "subject AAE"},
        {"subject " COMMITMENT, "subject AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9="},
        {"basis " COMMITMENT, "basis -"},
        {"what " COMMITMENT, "what -"},
        {"actor -", "actor --"},
        {"actor -\nbasis", "basis"},
        {"answer", "reply"},
        {"event release\ntime 1795295592123\n", "time 1795295592123\nevent release\n"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_refused(with(RELEASE, wrong[i].part, wrong[i].instead));
    assert_refused(RELEASE "\n");
    assert_refused(RELEASE "count 1\n");
    assert_refused(RELEASE "note x\n");
}

static void test_optional_lines_may_be_dashes(void **state)
{
    (void)state;
    static const char *const parts[][2] = {
        {"service plie-rennes", "service -"},
        {"client 9f86d081884c7d65", "client -"},
        {"purpose employment.support", "purpose -"},
        {"policy 12 4f2a9c01b7e35d68", "policy -"},
        {"actor -", "actor " COMMITMENT},
        {"answer " COMMITMENT, "answer -"},
    };
    struct entry entry;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        assert_done(entry_parse(bytes_of_text(with(RELEASE, parts[i][0], parts[i][1])), &entry,
                                &test_error));
}

static void test_events_of_no_citizen_say_nothing_of_one(void **state)
{
    (void)state;
    static const char *const parts[][2] = {
        {"policy -", "policy 1 4f2a9c01b7e35d68"},
        {"subject -", "subject " COMMITMENT},
        {"basis -", "basis " COMMITMENT},
        {"what -", "what " COMMITMENT},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        assert_refused(with(SYSTEM("admin"), parts[i][0], parts[i][1]));
    assert_refused(SYSTEM("release"));
    struct entry entry;
    assert_done(entry_parse(bytes_of_text(SYSTEM("log-read")), &entry, &test_error));
}

static void test_counts_stand_where_they_must_and_nowhere_else(void **state)
{
    (void)state;
    struct entry entry;
    assert_done(entry_parse(bytes_of_text(SYSTEM("recover") "count 3\n"), &entry, &test_error));
    assert_int_equal(entry.count, 3);
    assert_refused(SYSTEM("recover"));
    assert_refused(SYSTEM("recover") "count 03\n");
    assert_refused(SYSTEM("recover") "count -\n");
    assert_refused(SYSTEM("recover") "count 3\nbelow 5\n");
    assert_refused(SYSTEM("admin") "count 3\n");
    assert_refused(SYSTEM("prune") "count 3\n");
    assert_refused(SYSTEM("prune") "below 65536\n");
    assert_refused(SYSTEM("prune") "below 65536\ncount 3\nbelow 65536\n");
}

static void test_the_last_lines_of_prune_are_read_in_either_order(void **state)
{
    (void)state;
    static const char *const texts[] = {SYSTEM("prune") "below 65536\ncount 9\n",
                                        SYSTEM("prune") "count 9\nbelow 65536\n"};
    for (size_t i = 0; i < 2; i++) {
        struct entry entry;
        assert_done(entry_parse(bytes_of_text(texts[i]), &entry, &test_error));
        assert_int_equal(entry.below, 65536);
        assert_int_equal(entry.count, 9);
    }
}

static void test_a_caller_cannot_enter_what_could_not_be_read(void **state)
{
    (void)state;
    struct entry entry = a_release();
    entry.service = BYTES("two words");
    assert_fails(VAULT_INVALID, entry_check(&entry, NULL));
    entry = a_release();
    entry.purpose = BYTES("line\nbreak");
    assert_fails(VAULT_INVALID, entry_check(&entry, NULL));
    entry = a_release();
    entry.commitments[ENTRY_BASIS].present = false;
    assert_fails(VAULT_INVALID, entry_check(&entry, NULL));
    entry = a_release();
    entry.count = 1;
    assert_fails(VAULT_INVALID, entry_check(&entry, NULL));
    entry.count = UINT64_MAX;
    entry.event = ENTRY_ERASE;
    assert_fails(VAULT_INVALID, entry_check(&entry, NULL));
    entry = a_release();
    entry.policy_version = UINT64_MAX;
    assert_fails(VAULT_INVALID, entry_check(&entry, NULL));
    entry = a_release();
    entry.below = 1;
    assert_fails(VAULT_INVALID, entry_check(&entry, NULL));
    entry = a_release();
    entry.event = ENTRY_ADMIN;
    assert_fails(VAULT_INVALID, entry_check(&entry, NULL));
    entry.event = ENTRY_EVENT_COUNT;
    assert_fails(VAULT_INVALID, entry_check(&entry, NULL));
}

static void test_bytes_that_are_no_text_are_refused(void **state)
{
    (void)state;
    struct entry entry;
    char text[sizeof RELEASE];
    for (size_t i = 0; i < sizeof RELEASE - 1; i++) {
        memcpy(text, RELEASE, sizeof text);
        text[i] = (char)0x80;
        assert_fails(VAULT_INVALID, entry_parse((struct bytes){(uint8_t *)text, sizeof RELEASE - 1},
                                                &entry, NULL));
        text[i] = 0;
        assert_fails(VAULT_INVALID, entry_parse((struct bytes){(uint8_t *)text, sizeof RELEASE - 1},
                                                &entry, NULL));
    }
    static uint8_t huge[ENTRY_MAX_BYTES + 1];
    memcpy(huge, RELEASE, sizeof RELEASE);
    assert_fails(VAULT_INVALID, entry_parse((struct bytes){huge, sizeof huge}, &entry, NULL));
}

int main(void)
{
    return TEST_RUN(test_a_release_is_written_as_the_contract_shows_it,
                    test_an_event_of_no_citizen_is_all_dashes, test_what_is_written_is_read_back,
                    test_the_longest_entry_is_within_the_limit, test_names_go_both_ways,
                    test_ids_are_those_of_the_contract, test_no_line_can_be_missing,
                    test_no_text_that_is_cut_is_an_entry, test_a_second_spelling_is_refused,
                    test_optional_lines_may_be_dashes, test_events_of_no_citizen_say_nothing_of_one,
                    test_counts_stand_where_they_must_and_nowhere_else,
                    test_the_last_lines_of_prune_are_read_in_either_order,
                    test_a_caller_cannot_enter_what_could_not_be_read,
                    test_bytes_that_are_no_text_are_refused);
}
