/* Structures and mediators: registered by the operator, signed in by password. */
#include "vault_test.h"

#include "vault/event.h"
#include "vault/ledger/ledger.h"
#include "vault/parts.h"
#include "vault/vault/mediator.h"

#define PASSWORD "une longue phrase"

static struct vault_test test;

static void begin(void)
{
    make_filled_vault(&test);
    assert_done(mediator_register_structure(test.vault, "hub", "A digital hub", &test_error));
    register_mediator(&test, "hub", " Ada ", "Ada Inventée", PASSWORD);
}

static void end(void)
{
    vault_close(&test.vault);
}

static enum vault_code sign_in_with(const char *password, char token[ACTOR_TOKEN_CHARS + 1])
{
    return mediator_sign_in(test.vault, BYTES("ADA"), bytes_of_text(password), token, &test_error);
}

static enum vault_code check(const char *token)
{
    struct mediator_seat seat;
    return mediator_check(test.vault, bytes_of_text(token), &seat, &test_error);
}

static void test_a_mediator_signs_in_and_out(void **state)
{
    (void)state;
    char token[ACTOR_TOKEN_CHARS + 1];
    struct mediator_seat seat;
    begin();
    assert_done(sign_in_with(PASSWORD, token));
    assert_done(mediator_check(test.vault, bytes_of_text(token), &seat, &test_error));
    assert_string_equal(seat.login, "ada");
    assert_string_equal(seat.name, "Ada Inventée");
    assert_string_equal(seat.structure.id, "hub");
    assert_int_equal(strlen(seat.form_token), ACTOR_TOKEN_CHARS);
    assert_string_not_equal(seat.form_token, token);
    assert_done(mediator_sign_out(test.vault, &seat, &test_error));
    assert_fails(VAULT_DENIED, check(token));
    end();
}

static void test_a_session_of_one_kind_is_none_of_the_other(void **state)
{
    (void)state;
    char token[ACTOR_TOKEN_CHARS + 1];
    char own[SIGN_IN_TOKEN_CHARS + 1];
    struct signed_in session;
    begin();
    assert_done(sign_in_with(PASSWORD, token));
    assert_fails(VAULT_DENIED,
                 sign_in_check(test.vault, bytes_of_text(token), &session, &test_error));
    assert_done(sign_in(test.vault, BYTES("testine"), BYTES("un mot de passe"), own, &test_error));
    assert_fails(VAULT_DENIED, check(own));
    assert_fails(VAULT_DENIED, mediator_sign_in(test.vault, BYTES("testine"),
                                                BYTES("un mot de passe"), token, &test_error));
    assert_fails(VAULT_DENIED,
                 sign_in(test.vault, BYTES("ada"), BYTES(PASSWORD), own, &test_error));
    end();
}

static void test_a_session_ends_by_idling_and_by_age(void **state)
{
    (void)state;
    char token[ACTOR_TOKEN_CHARS + 1];
    begin();
    assert_done(sign_in_with(PASSWORD, token));
    test.now_ms += (MEDIATOR_IDLE_S - 1) * 1000LL;
    assert_done(check(token));
    test.now_ms += MEDIATOR_IDLE_S * 1000LL;
    assert_fails(VAULT_DENIED, check(token));
    assert_done(sign_in_with(PASSWORD, token));
    for (int64_t passed_s = 0; passed_s < MEDIATOR_LONGEST_S; passed_s += 600) {
        assert_done(check(token));
        test.now_ms += 600 * 1000LL;
    }
    assert_fails(VAULT_DENIED, check(token));
    end();
}

static void test_wrong_tries_make_wait_and_then_even_the_right_one(void **state)
{
    (void)state;
    char token[ACTOR_TOKEN_CHARS + 1];
    begin();
    assert_fails(VAULT_DENIED, mediator_sign_in(test.vault, BYTES("nobody"), BYTES(PASSWORD), token,
                                                &test_error));
    for (int i = 0; i < SIGN_IN_FREE_TRIES; i++)
        assert_fails(VAULT_DENIED, sign_in_with("wrong", token));
    assert_fails(VAULT_DENIED, sign_in_with(PASSWORD, token));
    test.now_ms += SIGN_IN_WAIT_MAX_S * 1000LL;
    assert_done(sign_in_with(PASSWORD, token));
    end();
}

/* Bob has a first password, and is signed in with it. */
static struct mediator_first make_bob(char token[ACTOR_TOKEN_CHARS + 1], struct mediator_seat *seat)
{
    struct mediator_first first;
    begin();
    assert_done(mediator_register(test.vault, "hub", "bob", "Bob", &first, &test_error));
    assert_done(mediator_sign_in(test.vault, BYTES("bob"), bytes_of_text(first.password), token,
                                 &test_error));
    assert_done(mediator_check(test.vault, bytes_of_text(token), seat, &test_error));
    return first;
}

static enum vault_code enter_bob(const char *password, struct mediator_seat *seat)
{
    char token[ACTOR_TOKEN_CHARS + 1];
    VAULT_TRY(
        mediator_sign_in(test.vault, BYTES("bob"), bytes_of_text(password), token, &test_error));
    return mediator_check(test.vault, bytes_of_text(token), seat, &test_error);
}

static enum vault_code change(const struct mediator_seat *seat, const char *from, const char *to)
{
    return mediator_change_password(test.vault, seat, bytes_of_text(from), bytes_of_text(to),
                                    &test_error);
}

static void test_a_first_password_is_exchanged_for_ones_own(void **state)
{
    (void)state;
    char token[ACTOR_TOKEN_CHARS + 1];
    struct mediator_seat seat;
    struct mediator_seat other = {0};
    const struct mediator_first first = make_bob(token, &seat);
    assert_true(seat.has_first_password);
    assert_done(enter_bob(first.password, &other));
    assert_done(change(&seat, first.password, PASSWORD));
    assert_fails(VAULT_DENIED, enter_bob(first.password, &other));
    assert_done(mediator_check(test.vault, bytes_of_text(token), &seat, &test_error));
    assert_false(seat.has_first_password);
    assert_done(enter_bob(PASSWORD, &other));
    assert_false(other.has_first_password);
    test.now_ms += 400 * 86400000LL;
    assert_done(enter_bob(PASSWORD, &other)); /* one's own has no end */
    end();
}

static void test_a_changed_password_ends_all_other_sessions(void **state)
{
    (void)state;
    char token[ACTOR_TOKEN_CHARS + 1];
    char second[ACTOR_TOKEN_CHARS + 1];
    struct mediator_seat seat;
    begin();
    assert_done(sign_in_with(PASSWORD, token));
    assert_done(sign_in_with(PASSWORD, second));
    assert_done(mediator_check(test.vault, bytes_of_text(token), &seat, &test_error));
    assert_done(change(&seat, PASSWORD, "une autre longue phrase"));
    assert_done(check(token));
    assert_fails(VAULT_DENIED, check(second));
    end();
}

static void test_a_first_password_is_typed_as_people_type_codes(void **state)
{
    (void)state;
    char token[ACTOR_TOKEN_CHARS + 1];
    char typed[SIGN_IN_CODE_CHARS + 1];
    struct mediator_seat seat = {0};
    const struct mediator_first first = make_bob(token, &seat);
    for (size_t i = 0; i < sizeof typed; i++) {
        const char c = first.password[i];
        typed[i] = (char)(c == '-' ? ' ' : c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    assert_done(enter_bob(typed, &seat));
    assert_fails(VAULT_DENIED, enter_bob("7KQM-2XWR-BBCD-9TTH-M4PZ", &seat));
    assert_fails(VAULT_DENIED, enter_bob("", &seat));
    end();
}

static void test_a_first_password_lives_for_days(void **state)
{
    (void)state;
    char token[ACTOR_TOKEN_CHARS + 1];
    struct mediator_seat seat;
    const struct mediator_first first = make_bob(token, &seat);
    assert_int_equal(first.until_s, test.now_ms / 1000 + MEDIATOR_FIRST_DAYS * 86400);
    test.now_ms = (first.until_s - 1) * 1000;
    assert_done(enter_bob(first.password, &seat));
    test.now_ms = first.until_s * 1000;
    assert_fails(VAULT_DENIED, change(&seat, first.password, PASSWORD));
    test.now_ms += 3600 * 1000LL;
    assert_fails(VAULT_DENIED, enter_bob(first.password, &seat));
    end();
}

static void test_a_new_password_wants_the_present_one_and_is_none_that_is_guessed(void **state)
{
    (void)state;
    char token[ACTOR_TOKEN_CHARS + 1];
    struct mediator_seat seat;
    begin();
    assert_done(sign_in_with(PASSWORD, token));
    assert_done(mediator_check(test.vault, bytes_of_text(token), &seat, &test_error));
    assert_fails(VAULT_DENIED, change(&seat, "wrong", "une autre longue phrase"));
    assert_fails(VAULT_INVALID, change(&seat, PASSWORD, "court"));
    assert_fails(VAULT_CONFLICT, change(&seat, PASSWORD, "motdepasse123"));
    assert_done(sign_in_with(PASSWORD, token));
    end();
}

static void test_a_reset_ends_the_password_and_every_session(void **state)
{
    (void)state;
    char token[ACTOR_TOKEN_CHARS + 1];
    struct mediator_first first;
    struct mediator_seat seat;
    bool found = false;
    begin();
    assert_done(sign_in_with(PASSWORD, token));
    const uint64_t before = ledger_head(test.vault->ledger).size;
    assert_done(mediator_reset(test.vault, "Ada", &first, &test_error));
    assert_done(
        event_was_entered(test.vault, ENTRY_ADMIN, before, 0, 0, &found, NULL, &test_error));
    assert_true(found);
    assert_fails(VAULT_DENIED, check(token));
    assert_fails(VAULT_DENIED, sign_in_with(PASSWORD, token));
    assert_done(sign_in_with(first.password, token));
    assert_done(mediator_check(test.vault, bytes_of_text(token), &seat, &test_error));
    assert_true(seat.has_first_password);
    end();
}

static void test_what_cannot_be_registered_is_refused(void **state)
{
    (void)state;
    struct mediator_first first;
    begin();
    assert_fails(VAULT_CONFLICT,
                 mediator_register_structure(test.vault, "hub", "Again", &test_error));
    assert_fails(VAULT_INVALID,
                 mediator_register_structure(test.vault, "No Spaces", "A name", &test_error));
    assert_fails(VAULT_INVALID,
                 mediator_register_structure(test.vault, "two", "two\nlines", &test_error));
    assert_fails(VAULT_INVALID, mediator_register_structure(test.vault, "two", "", &test_error));
    assert_fails(VAULT_INVALID,
                 mediator_register(test.vault, "hub", "eve", "Eve\nA bank", &first, &test_error));
    assert_fails(VAULT_INVALID,
                 mediator_register(test.vault, "hub", "", "Eve", &first, &test_error));
    assert_fails(VAULT_CONFLICT,
                 mediator_register(test.vault, "hub", "ADA", "Eve", &first, &test_error));
    assert_fails(VAULT_NOT_FOUND,
                 mediator_register(test.vault, "nowhere", "eve", "Eve", &first, &test_error));
    assert_fails(VAULT_NOT_FOUND, mediator_reset(test.vault, "eve", &first, &test_error));
    assert_fails(VAULT_NOT_FOUND, mediator_unregister(test.vault, "eve", &test_error));
    assert_fails(VAULT_NOT_FOUND, mediator_remove_structure(test.vault, "nowhere", &test_error));
    end();
}

static void test_every_change_is_an_entry_and_the_list_tells_who_there_is(void **state)
{
    (void)state;
    char token[ACTOR_TOKEN_CHARS + 1];
    VAULT_AUTO(buf_finish) struct buf list = buf_limited(4096);
    begin();
    const uint64_t before = ledger_head(test.vault->ledger).size;
    assert_done(mediator_register_structure(test.vault, "centre", "A \"centre\"", &test_error));
    register_mediator(&test, "centre", "bob", "Bob", PASSWORD);
    assert_done(mediator_write_list(test.vault, &list, &test_error));
    assert_string_equal(
        buf_string(&list),
        "[{\"id\":\"centre\",\"name\":\"A \\\"centre\\\"\",\"mediators\":[{\"login\":\"bob\","
        "\"name\":\"Bob\",\"passkeys\":0}]},{\"id\":\"hub\",\"name\":\"A digital hub\","
        "\"mediators\":[{\"login\":\"ada\",\"name\":\"Ada Inventée\",\"passkeys\":0}]}]");
    assert_done(sign_in_with(PASSWORD, token));
    assert_done(mediator_unregister(test.vault, "ada", &test_error));
    assert_fails(VAULT_DENIED, check(token));
    assert_done(mediator_remove_structure(test.vault, "centre", &test_error));
    assert_true(ledger_head(test.vault->ledger).size >= before + 4);
    end();
}

int main(void)
{
    return TEST_RUN(
        test_a_mediator_signs_in_and_out, test_a_session_of_one_kind_is_none_of_the_other,
        test_a_session_ends_by_idling_and_by_age,
        test_wrong_tries_make_wait_and_then_even_the_right_one,
        test_a_first_password_is_exchanged_for_ones_own,
        test_a_changed_password_ends_all_other_sessions,
        test_a_first_password_is_typed_as_people_type_codes, test_a_first_password_lives_for_days,
        test_a_new_password_wants_the_present_one_and_is_none_that_is_guessed,
        test_a_reset_ends_the_password_and_every_session, test_what_cannot_be_registered_is_refused,
        test_every_change_is_an_entry_and_the_list_tells_who_there_is);
}
