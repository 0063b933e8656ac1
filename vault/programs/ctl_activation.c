/*
 * vaultctl citizen activation-code: a code for each citizen that is named, by which they set their
 * first password. Printed as a table to work on, or as letters to send, a
 * sheet each.
 */
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "programs/letters.h"
#include "vault/base/clock.h"
#include "vault/base/codec.h"
#include "vault/base/file.h"
#include "vault/edge/qr.h"
#include "vault/edge/template.h"

#define REQUEST_BYTES_MAX 4096
#define LETTER_BYTES_MAX  (512U * 1024)

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

/* One object a line. */
static enum vault_code print_object(const char *reference, const json_t *result,
                                    struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(REQUEST_BYTES_MAX);
    VAULT_AUTO(json_free) json_t *data = json_copy((json_t *)(uintptr_t)result);
    if (!data || json_object_set_new(data, "reference", json_string(reference)) != 0)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    json_write_value(&text, data);
    VAULT_TRY(buf_check(&text, err));
    puts(buf_string(&text));
    return VAULT_OK;
}

static void print_line(const char *reference, const json_t *result)
{
    printf("%s\t%s\t%s\t%s\t%s\n", reference, text_of(result, "login"), text_of(result, "code"),
           text_of(result, "expires"), text_of(result, "address"));
}

/* --- Letters: one HTML page to print, a sheet for each, in both languages ------------------- */

static const char *template_of(void *context, const char *name)
{
    (void)context;
    for (size_t i = 0; i < letters_count; i++) {
        if (strcmp(letters[i].name, name) == 0)
            return letters[i].text;
    }
    return NULL;
}

static const char *no_text(void *context, const char *language, const char *name)
{
    (void)context;
    (void)language;
    (void)name;
    return NULL;
}

static enum vault_code print_part(const char *name, const json_t *data, struct vault_error *err)
{
    const struct template_source source = {template_of, no_text, NULL};
    VAULT_AUTO(buf_finish) struct buf page = buf_limited(LETTER_BYTES_MAX);
    VAULT_TRY(template_render(&source, name, "fr", data, &page, err));
    fputs(buf_string(&page), stdout);
    return VAULT_OK;
}

/* The square has the address alone: what opens the account is typed. */
static enum vault_code print_letter(const char *reference, const json_t *result,
                                    struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf svg = buf_limited(QR_SVG_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf square = buf_limited(QR_SVG_BYTES_MAX);
    VAULT_TRY(qr_write_svg(bytes_of_text(text_of(result, "address")), &svg, err));
    base64_encode(&square, buf_view(&svg));
    VAULT_TRY(buf_check(&square, err));
    VAULT_AUTO(json_free) json_t *data = json_copy((json_t *)(uintptr_t)result);
    if (!data || json_object_set_new(data, "reference", json_string(reference)) != 0 ||
        json_object_set_new(data, "qr", json_string(buf_string(&square))) != 0)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    return print_part("letter.html", data, err);
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
            VAULT_TRY(print_letter(json_string_value(reference), result, err));
        else if (ctl->json)
            VAULT_TRY(print_object(json_string_value(reference), result, err));
        else
            print_line(json_string_value(reference), result);
    }
    return VAULT_OK;
}

static enum vault_code print_letters(const struct ctl *ctl, const json_t *references,
                                     struct vault_error *err)
{
    VAULT_TRY(print_part("head.html", NULL, err));
    VAULT_TRY(print_all(ctl, references, true, err));
    return print_part("foot.html", NULL, err);
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
        code =
            letter ? print_letters(ctl, references, &err) : print_all(ctl, references, false, &err);
    return code ? ctl_failed(code, &err) : 0;
}
