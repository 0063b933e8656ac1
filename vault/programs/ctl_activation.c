/*
 * vaultctl citizen activation-code: a code for each citizen that is named, by which they set their
 * first password. Printed as a table to work on, or as letters to send, a page each.
 */
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "vault/base/clock.h"
#include "vault/base/file.h"

#define REQUEST_BYTES_MAX 4096

static enum vault_code ask(int fd, const json_t *reference, json_t **result,
                           struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(REQUEST_BYTES_MAX);
    buf_text(&request, "{\"command\":\"citizen activation-code\",\"reference\":");
    json_write_value(&request, reference);
    buf_byte(&request, '}');
    VAULT_TRY(buf_check(&request, err));
    return ctl_ask(fd, &request, result, err);
}

static const char *text_of(const json_t *result, const char *name)
{
    const char *text = json_string_value(json_object_get(result, name));
    return text ? text : "";
}

static void print_line(const char *reference, const json_t *result)
{
    printf("%s\t%s\t%s\t%s\t%s\n", reference, text_of(result, "login"), text_of(result, "code"),
           text_of(result, "expires"), text_of(result, "address"));
}

/* To each in both languages, since nobody is asked before; a form feed ends the page. */
static void print_letter(const char *reference, const json_t *result)
{
    const char *const address = text_of(result, "address");
    const char *const login = text_of(result, "login");
    const char *const code = text_of(result, "code");
    const char *const expires = text_of(result, "expires");
    printf("%s\n\n"
           "Votre coffre citoyen\n\n"
           "Ouvrez cette adresse et choisissez votre mot de passe :\n\n"
           "    %s\n\n"
           "    Identifiant :         %s\n"
           "    Code d’activation :   %s\n\n"
           "Le code sert une seule fois, jusqu’au %s. Ne le donnez à personne.\n\n\n"
           "Your citizen vault\n\n"
           "Open this address and choose your password:\n\n"
           "    %s\n\n"
           "    Login:                %s\n"
           "    Activation code:      %s\n\n"
           "The code works once, until %s. Give it to nobody.\n\f",
           reference, address, login, code, expires, address, login, code, expires);
}

static enum vault_code print_all(const struct ctl *ctl, const json_t *references, bool letter,
                                 struct vault_error *err)
{
    VAULT_AUTO(file_close) int fd = -1;
    VAULT_TRY(ctl_connect(ctl, &fd, err));
    for (size_t i = 0; i < json_array_size(references); i++) {
        const json_t *reference = json_array_get(references, i);
        VAULT_AUTO(json_free) json_t *result = NULL;
        const enum vault_code code = ask(fd, reference, &result, err);
        if (code) {
            vault_error_context(err, "line %zu", i + 1);
            return code;
        }
        if (letter)
            print_letter(json_string_value(reference), result);
        else
            print_line(json_string_value(reference), result);
    }
    return VAULT_OK;
}

int ctl_citizen_activation_code(const struct ctl *ctl, int argc, char **argv)
{
    struct vault_error err;
    VAULT_AUTO(json_free) json_t *references = NULL;
    const bool letter = argc == 2 && strcmp(argv[1], "--letter") == 0;
    if (argc != 1 && !letter)
        return ctl_usage("citizen activation-code takes --letter, and references on standard "
                         "input");
    enum vault_code code = ctl_read_references(&references, &err);
    if (code == VAULT_OK)
        code = print_all(ctl, references, letter, &err);
    return code ? ctl_failed(code, &err) : 0;
}
