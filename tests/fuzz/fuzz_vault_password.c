/*
 * Which passwords may be set. An input is 'W' with the operator's file of words, up to a line of
 * dashes, and a password; or 'F' with a filter of breached passwords, which passwdqc's library
 * reads. What the library says of a password takes long, and is left out where there is no filter
 * (--wrap in CMakeLists.txt).
 *
 * A file is read or refused with one line that has nothing of it. A password that may be set is as
 * long as it must be, and one of nothing but a word of the file may not.
 */
#include "fuzz_tools.h"

#include <passwdqc.h>

#include "vault/new_password.h"
#include "vault/vault/sign_in.h"

#define PASSWORD_BYTES 128
#define PASSWORD       "correct zq7x horse battery staple"

const char *__wrap_passwdqc_check(const passwdqc_params_qc_t *params, const char *new_password,
                                  const char *old_password, const struct passwd *about);
const char *__real_passwdqc_check(const passwdqc_params_qc_t *params, const char *new_password,
                                  const char *old_password, const struct passwd *about);

static char path[PATH_MAX];

const char *__wrap_passwdqc_check(const passwdqc_params_qc_t *params, const char *new_password,
                                  const char *old_password, const struct passwd *about)
{
    return params->filter ? __real_passwdqc_check(params, new_password, old_password, about) : NULL;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    scratch_start();
    scratch_path(path, "file");
    return 0;
}

/* Up to "---\n". */
static struct bytes cut_words(struct bytes *input)
{
    static const char line[] = "---\n";
    const uint8_t *at = input->size ? memmem(input->data, input->size, line, strlen(line)) : NULL;
    const struct bytes words = {input->data, at ? (size_t)(at - input->data) : input->size};
    const size_t used = words.size + (at ? strlen(line) : 0);
    *input = (struct bytes){input->data + used, input->size - used};
    return words;
}

/* The first word, over and over, is no password. */
static void check_word(const struct new_password *known, struct bytes words)
{
    VAULT_AUTO(buf_finish) struct buf password = buf_limited(PASSWORD_BYTES);
    const struct bytes word = take_part(&words, '\n');
    if (word.size < NEW_PASSWORD_WORD_LEAST || word.data[0] == '#')
        return;
    while (password.size < PASSWORD_BYTES - word.size - 1) {
        buf_bytes(&password, word);
        buf_byte(&password, ' ');
    }
    REQUIRE(new_password_check(known, buf_view(&password), NULL, NULL) != VAULT_OK);
}

static void check_password(const struct new_password *known, struct bytes password)
{
    struct vault_error err = {.text = ""};
    const enum vault_code code = new_password_check(known, password, FUZZ_VALUE, &err);
    if (code == VAULT_OK) {
        REQUIRE(password.size >= SIGN_IN_PASSWORD_CHARS);
        return;
    }
    REQUIRE(code == VAULT_INVALID || code == VAULT_CONFLICT || code == VAULT_IO);
    require_silent(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vault_error err = {.text = ""};
    VAULT_AUTO(new_password_close) struct new_password *known = NULL;
    struct vault_options options = {.origin = "vault.example/log"};
    if (size == 0)
        return 0;
    struct bytes rest = {data + 1, size - 1};
    const bool is_filter = data[0] == 'F';
    const struct bytes file = is_filter ? rest : cut_words(&rest);
    scratch_put("file", file);
    options.passwords.breached = is_filter ? path : NULL;
    options.passwords.words = is_filter ? NULL : path;
    if (new_password_open(&options, &known, &err) != VAULT_OK) {
        require_silent(&err);
        return 0;
    }
    check_password(known, is_filter ? bytes_of_text(PASSWORD) : rest);
    if (!is_filter)
        check_word(known, file);
    return 0;
}
