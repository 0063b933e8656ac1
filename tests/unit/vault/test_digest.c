/* Who is told by e-mail that something is new: only who asked, at an address they read. */
#include "vault_test.h"

#include "vault/pace.h"
#include "vault/parts.h"
#include "vault/vault/digest.h"
#include "vault/vault/erase.h"
#include "vault/vault/people.h"

#define ADDRESS "testine@exemple.example"

static struct vault_test test;
static char code[DIGEST_CODE_CHARS + 1];

static struct digest_wish wish_of(const char *address, int64_t every_s)
{
    struct digest_wish wish = {.language = "fr", .every_s = every_s};
    snprintf(wish.address, sizeof wish.address, "%s", address);
    return wish;
}

static enum vault_code ask_for(const char *address, int64_t every_s)
{
    const struct digest_wish wish = wish_of(address, every_s);
    return digest_ask(test.vault, &test.citizen, &wish, code, &test_error);
}

static enum vault_code confirm(const char *typed)
{
    return digest_confirm(test.vault, &test.citizen, bytes_of_text(typed), &test_error);
}

static void begin(void)
{
    make_filled_vault(&test);
    assert_done(ask_for(ADDRESS, DIGEST_WEEK_S));
}

static void begin_confirmed(void)
{
    begin();
    assert_done(confirm(code));
}

static void end(void)
{
    vault_close(&test.vault);
}

static void later(int64_t seconds)
{
    test.now_ms += seconds * 1000;
}

/* Minutes go by for what is paced, too, without waiting for them. */
static void forget_pace(void)
{
    pace_free(&test.vault->codes);
    assert_done(pace_new(16, &test.vault->codes, &test_error));
}

static struct digest_letter letters[DIGEST_TAKE_MAX];

static size_t take(void)
{
    size_t count = 9;
    bool more = true;
    assert_done(digest_take(test.vault, letters, DIGEST_TAKE_MAX, &count, &more, &test_error));
    assert_false(more);
    return count;
}

static size_t take_and_send(void)
{
    const size_t count = take();
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(letters[i].to.address, ADDRESS);
        assert_string_equal(letters[i].to.language, "fr");
        assert_int_equal(strlen(letters[i].stop), DIGEST_STOP_CHARS);
        assert_done(digest_sent(test.vault, &letters[i], &test_error));
    }
    return count;
}

static void somebody_looks(void)
{
    char subject[SUBJECT_CHARS + 1];
    subject_of_citizen(&test, subject);
    json_decref(ask_release(&test, subject));
}

static void test_addresses_are_told_from_what_is_none(void **state)
{
    (void)state;
    static const char *const good[] = {"a@b.fr", "first.last+vault@mail.exemple.example",
                                       "o'neil&co@exemple.example", "a@1-2.example"};
    static const char *const bad[] = {"",
                                      "a",
                                      "@b.fr",
                                      "a@",
                                      "a@b",
                                      "a@.fr",
                                      "a@b.",
                                      "a b@c.fr",
                                      "a@b.fr\n",
                                      "a@b@c.fr",
                                      "<a@b.fr>",
                                      "é@b.fr",
                                      "a,b@c.fr",
                                      "a@b.fr\r\nTo: c@d.fr",
                                      ".a@b.fr",
                                      "a.@b.fr",
                                      "a..b@c.fr",
                                      "a@b..fr",
                                      "\"a\"@b.fr",
                                      "a(b)@c.fr",
                                      "a@[1.2.3.4]",
                                      "a@b.fr> SIZE=1",
                                      "a@b_c.fr",
                                      "a\\b@c.fr"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(digest_address_is_valid(bytes_of_text(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(digest_address_is_valid(bytes_of_text(bad[i])));
    char longest[DIGEST_ADDRESS_CHARS + 2];
    memset(longest, 'a', sizeof longest);
    memcpy(longest + 1, "@b.", 3);
    assert_true(digest_address_is_valid((struct bytes){(uint8_t *)longest, DIGEST_ADDRESS_CHARS}));
    assert_false(digest_address_is_valid((struct bytes){(uint8_t *)longest, sizeof longest}));
    assert_false(digest_address_is_valid((struct bytes){(const uint8_t *)"a\0b@c.fr", 8}));
}

static void test_what_is_no_wish_is_refused(void **state)
{
    (void)state;
    make_filled_vault(&test);
    assert_fails(VAULT_INVALID, ask_for("nobody", DIGEST_WEEK_S));
    assert_fails(VAULT_INVALID, ask_for(ADDRESS, 60));
    test.citizen = citizen_id_new();
    assert_fails(VAULT_NOT_FOUND, ask_for(ADDRESS, DIGEST_WEEK_S));
    end();
}

static void test_nobody_is_told_before_they_confirmed(void **state)
{
    (void)state;
    begin();
    somebody_looks();
    later(2 * DIGEST_WEEK_S);
    assert_int_equal(take_and_send(), 0);
    end();
}

static void test_who_confirmed_is_told_once_a_week_if_there_is_anything(void **state)
{
    (void)state;
    begin();
    somebody_looks();
    assert_done(confirm(code));
    later(DIGEST_WEEK_S);
    assert_int_equal(take_and_send(), 0); /* that was before */
    somebody_looks();
    assert_int_equal(take_and_send(), 0); /* not yet */
    later(DIGEST_WEEK_S);
    assert_int_equal(take_and_send(), 1);
    assert_int_equal(take_and_send(), 0);
    later(DIGEST_WEEK_S);
    assert_int_equal(take_and_send(), 0); /* nothing new */
    end();
}

static void test_what_one_does_oneself_is_no_news(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(PEOPLE_EXPORT_BYTES_MAX);
    begin_confirmed();
    assert_done(people_export_own(test.vault, &test.citizen, &out, &test_error));
    later(DIGEST_WEEK_S);
    assert_int_equal(take_and_send(), 0);
    buf_clear(&out);
    assert_done(people_export(test.vault, "T-1", &out, &test_error)); /* an operator did it */
    later(DIGEST_WEEK_S);
    assert_int_equal(take_and_send(), 1);
    end();
}

static void test_a_crash_after_taking_makes_no_second_message(void **state)
{
    (void)state;
    begin_confirmed();
    somebody_looks();
    later(DIGEST_WEEK_S);
    assert_int_equal(take(), 1);
    assert_int_equal(take(), 0);
    later(DIGEST_WEEK_S);
    assert_int_equal(take(), 1); /* what nobody said to be sent is told of then */
    end();
}

static void test_what_could_not_be_sent_is_sent_later_and_later(void **state)
{
    (void)state;
    begin_confirmed();
    somebody_looks();
    later(DIGEST_WEEK_S);
    for (int64_t wait_s = DIGEST_AGAIN_S; wait_s < 64LL * DIGEST_AGAIN_S; wait_s *= 2) {
        const int64_t bounded_s = wait_s < DIGEST_DAY_S ? wait_s : DIGEST_DAY_S;
        assert_int_equal(take(), 1);
        assert_done(digest_failed(test.vault, &letters[0], &test_error));
        later(bounded_s - 1);
        assert_int_equal(take(), 0);
        later(1);
    }
    assert_int_equal(take_and_send(), 1);
    later(DIGEST_WEEK_S - 1);
    somebody_looks();
    assert_int_equal(take(), 0);
    later(1);
    assert_int_equal(take(), 1);
    end();
}

static void test_a_wrong_code_confirms_nothing_and_few_are_tried(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < DIGEST_TRIES_MAX; i++)
        assert_fails(VAULT_DENIED, confirm(i % 2 ? "2222-2222" : "no code"));
    assert_fails(VAULT_DENIED, confirm(code));
    end();
}

static void test_a_code_ends_and_the_address_with_it(void **state)
{
    (void)state;
    struct digest_wish found;
    begin();
    assert_done(digest_of(test.vault, &test.citizen, &found, &test_error));
    assert_string_equal(found.address, ADDRESS);
    assert_false(found.confirmed);
    later(DIGEST_CODE_S);
    assert_fails(VAULT_DENIED, confirm(code));
    assert_fails(VAULT_NOT_FOUND, digest_of(test.vault, &test.citizen, &found, &test_error));
    end();
}

static void test_a_code_confirms_once(void **state)
{
    (void)state;
    begin_confirmed();
    assert_fails(VAULT_DENIED, confirm(code));
    end();
}

static void test_codes_are_not_sent_one_after_the_other(void **state)
{
    (void)state;
    begin();
    assert_fails(VAULT_LIMITED, ask_for("autre@exemple.example", DIGEST_WEEK_S));
    assert_done(digest_stop(test.vault, &test.citizen, &test_error));
    assert_fails(VAULT_LIMITED, ask_for(ADDRESS, DIGEST_WEEK_S));
    end();
}

static void test_one_address_gets_few_codes_from_many(void **state)
{
    (void)state;
    struct citizen_id other;
    const struct digest_wish wish = wish_of(ADDRESS, DIGEST_DAY_S);
    begin();
    import_one(&test, "{\"reference\":\"T-2\",\"values\":{}}");
    assert_done(people_find(test.vault, "T-2", &other, &test_error));
    assert_fails(VAULT_LIMITED, digest_ask(test.vault, &other, &wish, code, &test_error));
    end();
}

static void test_how_often_changes_without_a_code_and_the_address_does_not(void **state)
{
    (void)state;
    struct digest_wish found;
    begin_confirmed();
    assert_done(ask_for(ADDRESS, DIGEST_DAY_S));
    assert_string_equal(code, "");
    somebody_looks();
    later(DIGEST_DAY_S);
    assert_int_equal(take_and_send(), 1);
    forget_pace();
    assert_done(ask_for("autre@exemple.example", DIGEST_DAY_S));
    assert_int_equal(strlen(code), DIGEST_CODE_CHARS);
    assert_done(digest_of(test.vault, &test.citizen, &found, &test_error));
    assert_false(found.confirmed);
    somebody_looks();
    later(DIGEST_WEEK_S);
    assert_int_equal(take(), 0);
    end();
}

static void test_who_stopped_is_told_no_more(void **state)
{
    (void)state;
    struct digest_wish found;
    begin_confirmed();
    somebody_looks();
    later(DIGEST_WEEK_S);
    assert_int_equal(take(), 1);
    assert_done(digest_stop(test.vault, &test.citizen, &test_error));
    assert_done(digest_failed(test.vault, &letters[0], &test_error));
    assert_done(digest_sent(test.vault, &letters[0], &test_error));
    later(DIGEST_WEEK_S);
    assert_int_equal(take(), 0);
    assert_fails(VAULT_NOT_FOUND, digest_of(test.vault, &test.citizen, &found, &test_error));
    end();
}

static void test_a_message_ends_them_by_what_it_carries(void **state)
{
    (void)state;
    struct digest_wish found;
    begin_confirmed();
    somebody_looks();
    later(DIGEST_WEEK_S);
    assert_int_equal(take(), 1);
    static const char *const others[] = {"", "x", "AAAAAAAAAAAAAAAAAAAAAA", "AAAA'; DROP TABLE x"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_done(digest_stop_named(test.vault, bytes_of_text(others[i]), &test_error));
    assert_done(digest_of(test.vault, &test.citizen, &found, &test_error));
    assert_done(digest_stop_named(test.vault, bytes_of_text(letters[0].stop), &test_error));
    assert_fails(VAULT_NOT_FOUND, digest_of(test.vault, &test.citizen, &found, &test_error));
    end();
}

/* The address is sealed: what lies in the store is of no use without the citizen's key. */
static void test_the_store_has_no_address_in_clear(void **state)
{
    (void)state;
    struct digest row;
    begin();
    assert_done(digest_get(test.vault->store, &test.citizen, &row, &test_error));
    assert_int_equal(row.address_bytes, strlen(ADDRESS) + SEAL_OVERHEAD_BYTES);
    assert_null(memmem(row.address, row.address_bytes, "testine", 7));
    row.address[20] ^= 1;
    assert_done(digest_put(test.vault->store, &row, &test_error));
    struct digest_wish found;
    assert_fails(VAULT_CORRUPT, digest_of(test.vault, &test.citizen, &found, &test_error));
    end();
}

static void test_whose_row_is_damaged_keeps_nobody_waiting(void **state)
{
    (void)state;
    struct digest row;
    begin_confirmed();
    somebody_looks();
    assert_done(digest_get(test.vault->store, &test.citizen, &row, &test_error));
    row.address[20] ^= 1;
    assert_done(digest_put(test.vault->store, &row, &test_error));
    later(DIGEST_WEEK_S);
    assert_int_equal(take(), 0);
    assert_done(digest_get(test.vault->store, &test.citizen, &row, &test_error));
    assert_true(row.due_s > test.now_ms / 1000);
    end();
}

static void test_an_export_has_the_address_and_an_erasure_leaves_none(void **state)
{
    (void)state;
    struct digest row;
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(PEOPLE_EXPORT_BYTES_MAX);
    begin();
    assert_done(people_export_own(test.vault, &test.citizen, &out, &test_error));
    assert_non_null(strstr(buf_string(&out), "\"messages\":{\"address\":\"" ADDRESS "\","
                                             "\"language\":\"fr\",\"every_days\":7,"
                                             "\"confirmed\":false}"));
    assert_done(digest_stop(test.vault, &test.citizen, &test_error));
    buf_clear(&out);
    assert_done(people_export_own(test.vault, &test.citizen, &out, &test_error));
    assert_non_null(strstr(buf_string(&out), "\"messages\":null"));
    forget_pace();
    assert_done(ask_for(ADDRESS, DIGEST_WEEK_S));
    assert_done(erase_citizen(test.vault, &test.citizen, &test_error));
    assert_fails(VAULT_NOT_FOUND, digest_get(test.vault->store, &test.citizen, &row, &test_error));
    end();
}

int main(void)
{
    return TEST_RUN(
        test_addresses_are_told_from_what_is_none, test_what_is_no_wish_is_refused,
        test_nobody_is_told_before_they_confirmed,
        test_who_confirmed_is_told_once_a_week_if_there_is_anything,
        test_what_one_does_oneself_is_no_news, test_a_crash_after_taking_makes_no_second_message,
        test_what_could_not_be_sent_is_sent_later_and_later,
        test_a_wrong_code_confirms_nothing_and_few_are_tried,
        test_a_code_ends_and_the_address_with_it, test_a_code_confirms_once,
        test_codes_are_not_sent_one_after_the_other, test_one_address_gets_few_codes_from_many,
        test_how_often_changes_without_a_code_and_the_address_does_not,
        test_who_stopped_is_told_no_more, test_a_message_ends_them_by_what_it_carries,
        test_the_store_has_no_address_in_clear, test_whose_row_is_damaged_keeps_nobody_waiting,
        test_an_export_has_the_address_and_an_erasure_leaves_none);
}
