/* Structures and mediators: registered by the operator, signed in by password. */
#include "vault_test.h"

#include "vault/ledger/ledger.h"
#include "vault/parts.h"
#include "vault/vault/mediator.h"

#define PASSWORD "une longue phrase"

static struct vault_test test;

static void begin(void)
{
    make_filled_vault(&test);
    assert_done(mediator_register_structure(test.vault, "hub", "A digital hub", &test_error));
    assert_done(mediator_register(test.vault, "hub", " Ada ", "Ada Inventée", BYTES(PASSWORD),
                                  &test_error));
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

static void test_what_cannot_be_registered_is_refused(void **state)
{
    (void)state;
    begin();
    assert_fails(VAULT_CONFLICT,
                 mediator_register_structure(test.vault, "hub", "Again", &test_error));
    assert_fails(VAULT_INVALID,
                 mediator_register_structure(test.vault, "No Spaces", "A name", &test_error));
    assert_fails(VAULT_INVALID,
                 mediator_register_structure(test.vault, "two", "two\nlines", &test_error));
    assert_fails(VAULT_INVALID, mediator_register_structure(test.vault, "two", "", &test_error));
    assert_fails(VAULT_INVALID, mediator_register(test.vault, "hub", "eve", "Eve\nA bank",
                                                  BYTES(PASSWORD), &test_error));
    assert_fails(VAULT_INVALID,
                 mediator_register(test.vault, "hub", "eve", "Eve", BYTES("short"), &test_error));
    assert_fails(VAULT_INVALID,
                 mediator_register(test.vault, "hub", "", "Eve", BYTES(PASSWORD), &test_error));
    assert_fails(VAULT_CONFLICT,
                 mediator_register(test.vault, "hub", "ADA", "Eve", BYTES(PASSWORD), &test_error));
    assert_fails(VAULT_NOT_FOUND, mediator_register(test.vault, "nowhere", "eve", "Eve",
                                                    BYTES(PASSWORD), &test_error));
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
    assert_done(
        mediator_register(test.vault, "centre", "bob", "Bob", BYTES(PASSWORD), &test_error));
    assert_done(mediator_write_list(test.vault, &list, &test_error));
    assert_string_equal(
        buf_string(&list),
        "[{\"id\":\"centre\",\"name\":\"A \\\"centre\\\"\",\"mediators\":[{\"login\":\"bob\","
        "\"name\":\"Bob\"}]},{\"id\":\"hub\",\"name\":\"A digital hub\",\"mediators\":[{\"login\":"
        "\"ada\",\"name\":\"Ada Inventée\"}]}]");
    assert_done(sign_in_with(PASSWORD, token));
    assert_done(mediator_unregister(test.vault, "ada", &test_error));
    assert_fails(VAULT_DENIED, check(token));
    assert_done(mediator_remove_structure(test.vault, "centre", &test_error));
    assert_true(ledger_head(test.vault->ledger).size >= before + 4);
    end();
}

int main(void)
{
    return TEST_RUN(test_a_mediator_signs_in_and_out,
                    test_a_session_of_one_kind_is_none_of_the_other,
                    test_a_session_ends_by_idling_and_by_age,
                    test_wrong_tries_make_wait_and_then_even_the_right_one,
                    test_what_cannot_be_registered_is_refused,
                    test_every_change_is_an_entry_and_the_list_tells_who_there_is);
}
