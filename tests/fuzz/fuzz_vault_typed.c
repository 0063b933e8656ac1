/*
 * What people type and services send as a name: codes, logins, the recovery secret from paper, the
 * subject of a citizen, the address of the pages. The first byte says which. What is read is one
 * thing however it was typed, is what is written for it, and no error has it.
 */
#include "fuzz_tools.h"

#include <ctype.h>

#include "store/recovery.h"
#include "vault/code.h"
#include "vault/crypto/crypto.h"
#include "vault/vault/sign_in.h"
#include "vault/vault/sign_in_passkey.h"
#include "vault/vault/subject.h"

#define TYPED_BYTES_MAX 1024U

static struct service service;

static void forget_key(void)
{
    secret_free(&service.subject_key);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    REQUIRE(crypto_start(true, NULL) == VAULT_OK);
    REQUIRE(secret_random(SECRET_KEY_BYTES, &service.subject_key, NULL) == VAULT_OK);
    atexit(forget_key);
    return 0;
}

/* The letters are the same in small ones, with spaces between. */
static void check_code(struct bytes input, size_t letters)
{
    uint8_t read[CODE_LETTERS_MAX];
    uint8_t again[CODE_LETTERS_MAX];
    VAULT_AUTO(buf_finish) struct buf typed = buf_limited(4 * CODE_LETTERS_MAX);
    if (!code_read(input, letters, read))
        return;
    REQUIRE(input.size >= letters);
    for (size_t i = 0; i < letters; i++) {
        REQUIRE(isupper(read[i]) || isdigit(read[i]));
        buf_byte(&typed, (uint8_t)tolower(read[i]));
        buf_byte(&typed, ' ');
    }
    REQUIRE(code_read(buf_view(&typed), letters, again) && memcmp(read, again, letters) == 0);
}

static void check_recovery(struct bytes input)
{
    char text[RECOVERY_CHARS + 1];
    struct vault_error err = {.text = ""};
    VAULT_AUTO(secret_free) struct secret *read = NULL;
    VAULT_AUTO(secret_free) struct secret *again = NULL;
    if (recovery_read(input, &read, &err) != VAULT_OK) {
        require_silent(&err);
        REQUIRE(!read);
        return;
    }
    recovery_write(text, secret_view(read).data);
    REQUIRE(recovery_read(bytes_of_text(text), &again, NULL) == VAULT_OK);
    REQUIRE(secret_equal(secret_view(read), secret_view(again)));
}

static void check_login(struct bytes input)
{
    char login[SIGN_IN_LOGIN_CHARS + 1] = "";
    char again[SIGN_IN_LOGIN_CHARS + 1] = "";
    struct vault_error err = {.text = ""};
    if (sign_in_login(input, login, &err) != VAULT_OK) {
        require_silent(&err);
        return;
    }
    REQUIRE(login[0] && strlen(login) <= input.size);
    REQUIRE(sign_in_login(bytes_of_text(login), again, NULL) == VAULT_OK);
    REQUIRE(strcmp(login, again) == 0);
    for (const char *c = login; *c; c++)
        REQUIRE((unsigned char)*c >= 0x20 && *c != 0x7f && !(*c >= 'A' && *c <= 'Z'));
}

/* Whatever has the shape is somebody, perhaps nobody; what is written for one is read as them. */
static void check_subject(struct bytes input)
{
    char text[SUBJECT_CHARS + 1];
    struct citizen_id citizen;
    struct citizen_id again;
    struct vault_error err = {.text = ""};
    if (subject_read(&service, input, &citizen, &err) != VAULT_OK) {
        require_silent(&err);
        return;
    }
    REQUIRE(input.size == SUBJECT_CHARS);
    REQUIRE(subject_write(&service, &citizen, text, NULL) == VAULT_OK);
    REQUIRE(subject_read(&service, bytes_of_text(text), &again, NULL) == VAULT_OK);
    REQUIRE(citizen_id_equal(&citizen, &again));
}

static void check_site(struct bytes input)
{
    char base[TYPED_BYTES_MAX + 1];
    struct passkey_site site;
    struct passkey_site same;
    struct vault_error err = {.text = ""};
    snprintf(base, sizeof base, "%.*s", (int)input.size, (const char *)input.data);
    if (passkey_site_of(base, &site, &err) != VAULT_OK) {
        require_silent(&err);
        return;
    }
    REQUIRE(strncmp(site.origin, "https://", 8) == 0);
    REQUIRE(site.rp_id[0] && strncmp(site.origin + 8, site.rp_id, strlen(site.rp_id)) == 0);
    REQUIRE(!strpbrk(site.rp_id, "/:"));
    REQUIRE(passkey_site_of(site.origin, &same, NULL) == VAULT_OK);
    REQUIRE(strcmp(site.origin, same.origin) == 0 && strcmp(site.rp_id, same.rp_id) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > TYPED_BYTES_MAX)
        return 0;
    const struct bytes input = {data + 1, size - 1};
    const unsigned which = data[0] % 6;
    if (which < 2)
        check_code(input, which ? 8 : 12);
    else if (which == 2)
        check_recovery(input);
    else if (which == 3)
        check_login(input);
    else if (which == 4)
        check_subject(input);
    else
        check_site(input);
    return 0;
}
