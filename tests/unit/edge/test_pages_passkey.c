/* Passkeys and codes over HTTP: what the script sends, and what is refused. */
#include "passkey_page.h"

#include "vault/vault/mediator.h"
#include "vault/vault/sign_in_code.h"

static void begin(void)
{
    make_filled_vault(&test);
    browser_open(&browser, test.vault);
    authenticator_open(&key, AUTHENTICATOR_ES256);
}

static void end(void)
{
    authenticator_close(&key);
    browser_close(&browser);
    vault_close(&test.vault);
}

static void add_key(void)
{
    char challenge[BROWSER_VALUE_CHARS];
    look_at("/security");
    ask_challenge("add", challenge);
    authenticator_create(&key, challenge);
    send_answer("/security/passkeys", "label=Mon%20t%C3%A9l%C3%A9phone");
}

static void sign_out_here(void)
{
    look_at("/security");
    send("/sign-out", "");
    assert_status(&browser, 303);
}

static void test_a_passkey_is_added_signs_in_and_is_removed(void **state)
{
    (void)state;
    char text[BROWSER_VALUE_CHARS];
    begin();
    browser_sign_in(&browser);
    add_key();
    member_of_answer("next", text);
    assert_string_equal(text, "/security");
    look_at("/security");
    assert_shows(&browser, "Mon téléphone");
    assert_shows(&browser, "Pas encore utilisée.");
    sign_out_here();
    look_at("/sign-in?next=%2Fdata");
    ask_challenge("login", text);
    authenticator_sign(&key, text);
    send_answer("/sign-in/passkey", "next=%2Fdata");
    member_of_answer("next", text);
    assert_string_equal(text, "/data");
    browser_get(&browser, "/accesses");
    assert_shows(&browser, "avec une clé d’accès.");
    assert_shows(&browser, "Vous avez ajouté une clé d’accès.");
    look_at("/security");
    browser_hidden(&browser, "credential", text);
    char fields[BROWSER_VALUE_CHARS + 64];
    snprintf(fields, sizeof fields, "credential=%s&label=%%3Cb%%3E", text);
    send("/security/passkeys/rename", fields);
    assert_location(&browser, "/security");
    look_at("/security");
    assert_shows(&browser, "<h3>&lt;b&gt;</h3>");
    send("/security/passkeys/remove", fields);
    assert_location(&browser, "/security");
    send("/security/passkeys/remove", fields);
    assert_status(&browser, 404);
    look_at("/security");
    assert_hides(&browser, "<h3>");
    end();
}

static void test_what_comes_from_elsewhere_or_without_the_token_is_refused(void **state)
{
    (void)state;
    begin();
    look_at("/sign-in");
    browser.site = "cross-site";
    send("/passkey", "use=login");
    assert_status(&browser, 403);
    browser.site = "same-origin";
    snprintf(form_token, sizeof form_token, "wrong");
    send("/passkey", "use=login");
    assert_status(&browser, 403);
    send("/sign-in/passkey", "");
    assert_status(&browser, 403);
    browser_get(&browser, "/passkey");
    assert_status(&browser, 405);
    look_at("/sign-in");
    send("/passkey", "use=add");
    assert_status(&browser, 422);
    send("/passkey", "use=");
    assert_status(&browser, 422);
    send("/security/passkeys", "");
    assert_status(&browser, 303);
    end();
}

static void test_answers_that_are_none_sign_nobody_in(void **state)
{
    (void)state;
    char challenge[BROWSER_VALUE_CHARS];
    begin();
    browser_sign_in(&browser);
    add_key();
    sign_out_here();
    look_at("/sign-in");
    send("/sign-in/passkey", "");
    assert_status(&browser, 422);
    send("/sign-in/passkey", "credential=%21&client_data=%7B&signature==");
    assert_status(&browser, 422);
    ask_challenge("login", challenge);
    key.origin = "https://vault.example.elsewhere.example";
    authenticator_sign(&key, challenge);
    send_answer("/sign-in/passkey", "next=%2F");
    assert_status(&browser, 422);
    assert_string_equal(browser_cookie(&browser, "__Host-sid"), "");
    key.origin = BROWSER_BASE;
    authenticator_sign(&key, challenge);
    browser_set_cookie(&browser, "__Host-pre", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    look_at("/sign-in");
    send_answer("/sign-in/passkey", "next=%2F");
    assert_status(&browser, 422); /* another browser's challenge */
    end();
}

static void test_adding_wants_the_person_again_after_a_while(void **state)
{
    (void)state;
    char text[BROWSER_VALUE_CHARS];
    begin();
    browser_sign_in(&browser);
    add_key();
    test.now_ms += (SIGN_IN_FRESH_S + 1) * 1000LL;
    look_at("/security");
    send("/passkey", "use=add");
    member_of_answer("next", text);
    assert_string_equal(text, "/again?next=%2Fsecurity");
    send_answer("/security/passkeys", "label=x");
    member_of_answer("next", text);
    assert_string_equal(text, "/again?next=%2Fsecurity");
    look_at(text);
    assert_shows(&browser, "data-passkey=\"again\"");
    ask_challenge("again", text);
    authenticator_sign(&key, text);
    send_answer("/again/passkey", "next=%2Fsecurity");
    member_of_answer("next", text);
    assert_string_equal(text, "/security");
    look_at("/security");
    send("/passkey", "use=add");
    member_of_answer("challenge", text);
    end();
}

/* One browser, in which a mediator is signed in too: what is the citizen's is asked of the citizen.
 */
static void test_a_mediator_in_the_same_browser_is_not_taken_for_the_citizen(void **state)
{
    (void)state;
    struct mediator_seat seat;
    struct sign_in_passkey_owner owner;
    char token[ACTOR_TOKEN_CHARS + 1];
    char user[BROWSER_VALUE_CHARS];
    make_vault_with_mediators(&test);
    browser_open(&browser, test.vault);
    authenticator_open(&key, AUTHENTICATOR_ES256);
    assert_done(
        mediator_sign_in(test.vault, BYTES("ada"), BYTES(MEDIATOR_PASSWORD), token, &test_error));
    assert_done(mediator_check(test.vault, bytes_of_text(token), &seat, &test_error));
    browser_sign_in(&browser);
    browser_set_cookie(&browser, "__Host-mid", token);
    assert_done(sign_in_passkey_owner(test.vault, MEDIATOR(seat), &owner, &test_error));
    look_at("/security");
    send("/passkey", "use=add");
    member_of_answer("user", user);
    assert_string_not_equal(user, owner.user);
    add_key();
    look_at("/security");
    assert_shows(&browser, "<h3>Mon téléphone</h3>");
    browser_get(&browser, "/mediator/security");
    assert_hides(&browser, "<h3>");
    end();
}

static void test_only_pages_with_passkeys_allow_the_script(void **state)
{
    (void)state;
    begin();
    look_at("/sign-in");
    assert_shows(&browser, "<script src=\"/passkey.js?v=");
    assert_non_null(strstr(browser_header(&browser, "Content-Security-Policy"),
                           "script-src 'self'; connect-src 'self'"));
    assert_null(strstr(browser_header(&browser, "Permissions-Policy"), "publickey"));
    browser_get(&browser, "/activate");
    assert_hides(&browser, "<script");
    assert_null(strstr(browser_header(&browser, "Content-Security-Policy"), "script"));
    assert_non_null(
        strstr(browser_header(&browser, "Permissions-Policy"), "publickey-credentials-create=()"));
    browser_get(&browser, "/passkey.js");
    assert_status(&browser, 200);
    assert_string_equal(browser.answer.content_type, "text/javascript; charset=utf-8");
    browser_get(&browser, "/.well-known/change-password");
    assert_location(&browser, "/security");
    end();
}

static void test_recovery_codes_are_shown_once_and_sign_in(void **state)
{
    (void)state;
    char fields[128];
    char code[SIGN_IN_CODE_CHARS + 1];
    begin();
    browser_sign_in(&browser);
    look_at("/security");
    assert_hides(&browser, "Codes qui vous restent");
    send("/security/recovery", "");
    assert_status(&browser, 200);
    const char *first = strstr(browser_page(&browser), "<code>");
    assert_non_null(first);
    snprintf(code, sizeof code, "%s", first + 6);
    assert_string_equal(browser_header(&browser, "Cache-Control"), "no-store");
    look_at("/security");
    assert_shows(&browser, "Codes qui vous restent\u00a0: 10.");
    assert_hides(&browser, code);
    sign_out_here();
    look_at("/sign-in");
    snprintf(fields, sizeof fields, "next=%%2F&login=testine&password=%s", code);
    send("/sign-in", fields);
    assert_location(&browser, "/");
    browser_get(&browser, "/accesses");
    assert_shows(&browser, "Il en reste\u00a0: 9.");
    test.now_ms += (SIGN_IN_FRESH_S + 1) * 1000LL;
    look_at("/security");
    send("/security/recovery", "");
    assert_location(&browser, "/again?next=%2Fsecurity");
    end();
}

static void test_an_activation_code_opens_an_account_once(void **state)
{
    (void)state;
    struct sign_in_activation sent;
    char fields[256];
    begin();
    assert_done(sign_in_activation_make(test.vault, "T-1", &sent, &test_error));
    look_at("/activate");
    send("/activate", "activation=7KQM-2XWR-BBCD-9TTH-M4PZ&new_password=une%20phrase%20longue");
    assert_status(&browser, 422);
    assert_shows(&browser, "Ce code n’est pas le bon.");
    assert_shows(&browser, "value=\"7KQM-2XWR-BBCD-9TTH-M4PZ\"");
    snprintf(fields, sizeof fields, "activation=%s&new_password=motdepasse123", sent.code);
    send("/activate", fields);
    assert_status(&browser, 422);
    assert_shows(&browser, "Ce mot de passe serait deviné");
    assert_hides(&browser, "motdepasse123");
    snprintf(fields, sizeof fields, "activation=%s&new_password=court", sent.code);
    send("/activate", fields);
    assert_status(&browser, 422);
    assert_shows(&browser, "12 caractères");
    snprintf(fields, sizeof fields, "activation=%s&new_password=une%%20phrase%%20longue",
             sent.code);
    send("/activate", fields);
    assert_location(&browser, "/security");
    browser_follow(&browser);
    assert_shows(&browser, "votre compte est activé");
    browser_get(&browser, "/accesses");
    assert_shows(&browser, "La ville vous a préparé un code d’activation.");
    end();
}

int main(void)
{
    json_start();
    if (crypto_start(true, NULL))
        return 1;
    return TEST_RUN(test_a_passkey_is_added_signs_in_and_is_removed,
                    test_what_comes_from_elsewhere_or_without_the_token_is_refused,
                    test_answers_that_are_none_sign_nobody_in,
                    test_adding_wants_the_person_again_after_a_while,
                    test_a_mediator_in_the_same_browser_is_not_taken_for_the_citizen,
                    test_only_pages_with_passkeys_allow_the_script,
                    test_recovery_codes_are_shown_once_and_sign_in,
                    test_an_activation_code_opens_an_account_once);
}
