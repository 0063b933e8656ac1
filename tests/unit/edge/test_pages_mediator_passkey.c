/* Mediators' passkeys over HTTP: signing in, having them, and where the city wants one. */
#include "passkey_page.h"

#include "vault/vault/mediator.h"

#define PASSWORD_E "une%20longue%20phrase"
#define SECURITY   "/mediator/security"
#define AGAIN      SECURITY "/again"
#define ADDED      SECURITY "/passkeys"
#define DOOR       "/mediator/sign-in"

static void begin(bool needs_passkey)
{
    make_vault_with_mediators(&test);
    test.options.mediators_need_passkey = needs_passkey;
    if (needs_passkey)
        reopen_test_vault(&test);
    browser_open(&browser, test.vault);
    authenticator_open(&key, AUTHENTICATOR_ES256);
    offer_at = "/mediator/passkey";
}

static void end(void)
{
    authenticator_close(&key);
    browser_close(&browser);
    vault_close(&test.vault);
}

/* From here on the city wants a passkey of mediators. */
static void need_passkeys(void)
{
    test.options.mediators_need_passkey = true;
    reopen_test_vault(&test);
    browser.pages.vault = test.vault;
}

static void enter(const char *login, const char *password)
{
    char fields[200];
    snprintf(fields, sizeof fields, "login=%s&password=%s", login, password);
    look_at(DOOR);
    send(DOOR, fields);
}

static void add_key(const char *label)
{
    char challenge[BROWSER_VALUE_CHARS];
    char fields[64];
    look_at(SECURITY);
    ask_challenge("add", challenge);
    authenticator_create(&key, challenge);
    snprintf(fields, sizeof fields, "label=%s", label);
    send_answer(ADDED, fields);
}

static void enter_by_key(const char *door)
{
    char challenge[BROWSER_VALUE_CHARS];
    char passkey_door[64];
    look_at(door);
    ask_challenge("login", challenge);
    authenticator_sign(&key, challenge);
    snprintf(passkey_door, sizeof passkey_door, "%s/passkey", door);
    send_answer(passkey_door, "next=%2F");
}

static void leave(void)
{
    look_at(SECURITY);
    send("/mediator/sign-out", "");
    assert_location(&browser, DOOR);
}

static void assert_next(const char *address)
{
    char next[BROWSER_VALUE_CHARS];
    member_of_answer("next", next);
    assert_string_equal(next, address);
}

static void test_one_is_added_signs_in_is_told_and_removed(void **state)
{
    (void)state;
    char text[BROWSER_VALUE_CHARS];
    char fields[BROWSER_VALUE_CHARS + 64];
    begin(false);
    enter("ada", PASSWORD_E);
    assert_location(&browser, "/mediator");
    browser_follow(&browser);
    assert_hides(&browser, "Vos clés d’accès ont changé");
    look_at(SECURITY);
    ask_challenge("add", text);
    member_of_answer("name", text);
    assert_string_equal(text, "ada – A digital hub");
    add_key("Bureau");
    assert_next(SECURITY);
    look_at(SECURITY);
    assert_shows(&browser, "<h3>Bureau</h3>");
    assert_shows(&browser, "href=\"/mediator/password\"");
    browser_get(&browser, "/mediator");
    assert_shows(&browser, "Vos clés d’accès ont changé pour la dernière fois le 8 mars");
    leave();
    enter_by_key(DOOR);
    assert_next("/mediator");
    browser_get(&browser, "/mediator");
    assert_status(&browser, 200);
    look_at(SECURITY);
    browser_hidden(&browser, "credential", text);
    snprintf(fields, sizeof fields, "credential=%s&label=Accueil", text);
    send(ADDED "/rename", fields);
    assert_location(&browser, SECURITY);
    look_at(SECURITY);
    assert_shows(&browser, "<h3>Accueil</h3>");
    send(ADDED "/remove", fields);
    assert_location(&browser, SECURITY);
    look_at(SECURITY);
    assert_hides(&browser, "<h3>");
    leave();
    enter_by_key(DOOR);
    assert_status(&browser, 422);
    end();
}

static void test_neither_sides_opens_the_other(void **state)
{
    (void)state;
    begin(false);
    enter("ada", PASSWORD_E);
    add_key("Bureau");
    leave();
    offer_at = "/passkey";
    enter_by_key("/sign-in");
    assert_status(&browser, 422);
    assert_string_equal(browser_cookie(&browser, "__Host-sid"), "");
    browser_sign_in(&browser);
    look_at("/security");
    assert_hides(&browser, "Bureau");
    end();
    begin(false);
    browser_sign_in(&browser);
    char challenge[BROWSER_VALUE_CHARS];
    offer_at = "/passkey";
    look_at("/security");
    ask_challenge("add", challenge);
    authenticator_create(&key, challenge);
    send_answer("/security/passkeys", "label=x");
    assert_next("/security");
    look_at("/security");
    send("/sign-out", "");
    offer_at = "/mediator/passkey";
    enter_by_key(DOOR);
    assert_status(&browser, 422);
    assert_string_equal(browser_cookie(&browser, "__Host-mid"), "");
    end();
}

static void test_adding_and_removing_want_the_person_again_after_a_while(void **state)
{
    (void)state;
    char text[BROWSER_VALUE_CHARS];
    begin(false);
    enter("ada", PASSWORD_E);
    add_key("Bureau");
    test.now_ms += (SIGN_IN_FRESH_S + 1) * 1000LL;
    look_at(SECURITY);
    send(offer_at, "use=add");
    assert_next(AGAIN);
    send_answer(ADDED, "label=x");
    assert_next(AGAIN);
    send(ADDED "/remove", "credential=AAAA");
    assert_location(&browser, AGAIN);
    look_at(AGAIN);
    send(AGAIN, "password=");
    assert_status(&browser, 422);
    assert_shows(&browser, "Le mot de passe n’est pas le bon.");
    look_at(AGAIN);
    ask_challenge("again", text);
    authenticator_sign(&key, text);
    send_answer(AGAIN "/passkey", "");
    assert_next(SECURITY);
    look_at(SECURITY);
    ask_challenge("add", text);
    test.now_ms += (SIGN_IN_FRESH_S + 1) * 1000LL;
    look_at(AGAIN);
    send(AGAIN, "password=" PASSWORD_E);
    assert_location(&browser, SECURITY);
    look_at(SECURITY);
    ask_challenge("add", text);
    end();
}

static void test_all_other_sessions_can_be_ended(void **state)
{
    (void)state;
    char elsewhere[ACTOR_TOKEN_CHARS + 1];
    struct mediator_seat seat;
    begin(false);
    assert_done(mediator_sign_in(test.vault, BYTES("ada"), BYTES(MEDIATOR_PASSWORD), elsewhere,
                                 &test_error));
    enter("ada", PASSWORD_E);
    test.now_ms += (SIGN_IN_FRESH_S + 1) * 1000LL;
    look_at(SECURITY);
    send(SECURITY "/others", "");
    assert_location(&browser, AGAIN);
    assert_done(mediator_check(test.vault, bytes_of_text(elsewhere), &seat, &test_error));
    look_at(AGAIN);
    send(AGAIN, "password=" PASSWORD_E);
    look_at(SECURITY);
    assert_shows(&browser, "Se déconnecter partout ailleurs");
    send(SECURITY "/others", "");
    assert_location(&browser, SECURITY);
    browser_follow(&browser);
    assert_shows(&browser, "toutes les autres sessions sont finies");
    assert_fails(VAULT_DENIED,
                 mediator_check(test.vault, bytes_of_text(elsewhere), &seat, &test_error));
    end();
}

static void test_nothing_is_asked_without_a_session_but_signing_in(void **state)
{
    (void)state;
    static const char *const pages[] = {SECURITY, AGAIN};
    begin(false);
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        browser_get(&browser, pages[i]);
        assert_location(&browser, DOOR);
    }
    look_at(DOOR);
    assert_shows(&browser, "<script src=\"/passkey.js?v=");
    assert_hides(&browser, "la ville demande une clé d’accès");
    send(offer_at, "use=add");
    assert_status(&browser, 422);
    send(DOOR "/passkey", "credential=%21");
    assert_status(&browser, 422);
    browser.site = "cross-site";
    send(offer_at, "use=login");
    assert_status(&browser, 403);
    end();
}

/* The same words for a right password of one's own and for a wrong one. */
static void test_where_one_is_needed_a_password_lets_nobody_in(void **state)
{
    (void)state;
    static const char *const tried[][2] = {
        {"ada", PASSWORD_E}, {"bob", PASSWORD_E}, {"bob", "wrong"}, {"nobody", PASSWORD_E}};
    begin(false);
    enter("ada", PASSWORD_E);
    add_key("Bureau");
    need_passkeys();
    browser_get(&browser, "/mediator");
    assert_location(&browser, DOOR); /* a password began it */
    for (size_t i = 0; i < sizeof tried / sizeof tried[0]; i++) {
        browser_close(&browser);
        browser_open(&browser, test.vault);
        enter(tried[i][0], tried[i][1]);
        assert_status(&browser, 422);
        assert_shows(&browser, "Ici, la ville demande une clé d’accès.");
        assert_shows(&browser, "identifiant ou le mot de passe");
        assert_string_equal(browser_cookie(&browser, "__Host-mid"), "");
    }
    enter_by_key(DOOR);
    assert_next("/mediator");
    browser_get(&browser, "/mediator");
    assert_hides(&browser, "/mediator/password");
    browser_get(&browser, "/mediator/password");
    assert_location(&browser, SECURITY);
    look_at(SECURITY);
    assert_shows(&browser, "<h3>Bureau</h3>");
    assert_hides(&browser, "Retirer «"); /* their only one */
    send("/mediator/password", "password=" PASSWORD_E "&new_password=une%20autre%20phrase");
    assert_status(&browser, 404);
    look_at(AGAIN);
    assert_hides(&browser, "type=\"password\"");
    end();
}

static void test_a_first_password_opens_only_where_a_passkey_takes_its_place(void **state)
{
    (void)state;
    static const char *const others[] = {"/mediator", "/mediator/aaaa", "/mediator/password",
                                         "/mediator/securityx"};
    struct mediator_first first;
    begin(true);
    assert_done(mediator_register(test.vault, "hub", "eve", "Eve", &first, &test_error));
    enter("eve", first.password);
    assert_location(&browser, "/mediator");
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        browser_get(&browser, others[i]);
        assert_location(&browser, SECURITY);
    }
    look_at(SECURITY);
    assert_shows(&browser, "premier mot de passe, que quelqu’un d’autre a vu");
    test.now_ms += (SIGN_IN_FRESH_S + 1) * 1000LL;
    send(offer_at, "use=add");
    assert_next(AGAIN);
    look_at(AGAIN);
    char fields[64];
    snprintf(fields, sizeof fields, "password=%s", first.password);
    send(AGAIN, fields);
    assert_location(&browser, SECURITY);
    add_key("Bureau");
    assert_next(SECURITY);
    browser_get(&browser, "/mediator");
    assert_status(&browser, 200);
    leave();
    enter("eve", first.password);
    assert_status(&browser, 422);
    enter_by_key(DOOR);
    assert_next("/mediator");
    end();
}

static void test_tries_are_told_where_no_password_is_right(void **state)
{
    (void)state;
    begin(false);
    enter("ada", PASSWORD_E);
    add_key("Bureau");
    leave();
    need_passkeys();
    for (int i = 0; i < SIGN_IN_TOLD_TRIES; i++) {
        enter("ada", PASSWORD_E);
        assert_status(&browser, 422);
    }
    enter_by_key(DOOR);
    browser_get(&browser, "/mediator");
    assert_shows(&browser, "essayé des mots de passe pour votre compte");
    assert_shows(&browser, "Aucun n’ouvre rien ici");
    test.now_ms += 31 * 86400000LL;
    enter_by_key(DOOR);
    browser_get(&browser, "/mediator");
    assert_status(&browser, 200);
    assert_hides(&browser, "essayé des mots de passe");
    end();
}

int main(void)
{
    json_start();
    if (crypto_start(true, NULL))
        return 1;
    return TEST_RUN(test_one_is_added_signs_in_is_told_and_removed,
                    test_neither_sides_opens_the_other,
                    test_adding_and_removing_want_the_person_again_after_a_while,
                    test_all_other_sessions_can_be_ended,
                    test_nothing_is_asked_without_a_session_but_signing_in,
                    test_where_one_is_needed_a_password_lets_nobody_in,
                    test_a_first_password_opens_only_where_a_passkey_takes_its_place,
                    test_tries_are_told_where_no_password_is_right);
}
