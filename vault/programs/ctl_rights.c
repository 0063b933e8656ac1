/*
 * vaultctl correction …: what citizens asked a source to correct.
 * vaultctl report …: what citizens reported to the data-protection officer.
 */
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "vault/base/clock.h"
#include "vault/base/file.h"

#define REQUEST_BYTES_MAX 1024
#define ANSWER_BYTES_MAX  (8UL * 1024 * 1024)

/* Ask about one case, or with id NULL about all. */
static enum vault_code ask(const struct ctl *ctl, const char *command, const char *id,
                           json_t **result, struct vault_error *err)
{
    VAULT_AUTO(file_close) int fd = -1;
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(REQUEST_BYTES_MAX);
    buf_format(&request, "{\"command\":\"%s\"", command);
    if (id) {
        buf_text(&request, ",\"id\":");
        json_write_string(&request, bytes_of_text(id));
    }
    buf_byte(&request, '}');
    VAULT_TRY(buf_check(&request, err));
    VAULT_TRY(ctl_connect(ctl, &fd, err));
    return ctl_ask(fd, &request, result, err);
}

static int print_json(const json_t *result)
{
    struct vault_error err;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(ANSWER_BYTES_MAX);
    json_write_value(&text, result);
    const enum vault_code code = buf_check(&text, &err);
    if (code)
        return ctl_failed(code, &err);
    puts(buf_string(&text));
    return 0;
}

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text ? text : "";
}

static int close_one(const struct ctl *ctl, const char *command, const char *id)
{
    struct vault_error err;
    VAULT_AUTO(json_free) json_t *result = NULL;
    const enum vault_code code = ask(ctl, command, id, &result, &err);
    if (code)
        return ctl_failed(code, &err);
    puts(ctl->json ? "{}" : "it is closed, and the citizen is told");
    return 0;
}

int ctl_correction_list(const struct ctl *ctl, int argc, char **argv)
{
    (void)argv;
    struct vault_error err;
    VAULT_AUTO(json_free) json_t *result = NULL;
    if (argc != 1)
        return ctl_usage("correction list takes no arguments");
    const enum vault_code code = ask(ctl, "correction list", NULL, &result, &err);
    if (code)
        return ctl_failed(code, &err);
    if (ctl->json)
        return print_json(result);
    static const struct ctl_column columns[] = {
        {"id", 0}, {"asked", DATE_CHARS}, {"reference", 0}, {"field", 0}, {"source", 0}};
    ctl_print_table(result, columns, sizeof columns / sizeof *columns);
    return 0;
}

int ctl_correction_close(const struct ctl *ctl, int argc, char **argv)
{
    if (argc != 2)
        return ctl_usage("correction close takes ID");
    return close_one(ctl, "correction close", argv[1]);
}

int ctl_report_list(const struct ctl *ctl, int argc, char **argv)
{
    (void)argv;
    struct vault_error err;
    VAULT_AUTO(json_free) json_t *result = NULL;
    if (argc != 1)
        return ctl_usage("report list takes no arguments");
    const enum vault_code code = ask(ctl, "report list", NULL, &result, &err);
    if (code)
        return ctl_failed(code, &err);
    if (ctl->json)
        return print_json(result);
    static const struct ctl_column columns[] = {
        {"id", 0}, {"made", DATE_CHARS}, {"service", 0}, {"lines", 0}};
    ctl_print_table(result, columns, sizeof columns / sizeof *columns);
    return 0;
}

/* A line of the log; what stands in it has a line for each field. */
static void print_line(const json_t *line)
{
    char instant[INSTANT_CHARS + 1];
    instant_format(instant, json_integer_value(json_object_get(line, "time")) / 1000);
    printf("\nentry %" JSON_INTEGER_FORMAT ", %s, %s %s\n%s\n",
           json_integer_value(json_object_get(line, "index")), instant, text_of(line, "event"),
           text_of(line, "purpose"), text_of(line, "what"));
}

/* The citizen's words are theirs: what a terminal would take for a command is not printed. */
static void print_words(const char *words)
{
    for (; *words; words++) {
        const unsigned char byte = (unsigned char)*words;
        if (byte >= 0x20 || byte == '\n')
            putchar(byte);
    }
    putchar('\n');
}

int ctl_report_show(const struct ctl *ctl, int argc, char **argv)
{
    size_t i;
    json_t *line;
    struct vault_error err;
    VAULT_AUTO(json_free) json_t *result = NULL;
    if (argc != 2)
        return ctl_usage("report show takes ID");
    const enum vault_code code = ask(ctl, "report show", argv[1], &result, &err);
    if (code)
        return ctl_failed(code, &err);
    if (ctl->json)
        return print_json(result);
    const json_t *report = json_object_get(result, "report");
    printf("%s, about %s\n\n", text_of(result, "reference"), text_of(report, "service"));
    print_words(text_of(report, "words"));
    json_array_foreach(json_object_get(report, "lines"), i, line) print_line(line);
    return 0;
}

int ctl_report_close(const struct ctl *ctl, int argc, char **argv)
{
    if (argc != 2)
        return ctl_usage("report close takes ID");
    return close_one(ctl, "report close", argv[1]);
}
