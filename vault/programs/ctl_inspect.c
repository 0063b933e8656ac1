/*
 * vaultctl metrics, service show, citizen add, list and show, auditor remove.
 */
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "vault/base/file.h"

#define REQUEST_BYTES_MAX (1024U * 1024)
#define ROW_BYTES_MAX     (256U * 1024)

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "-";
}

static enum vault_code print_json(const json_t *result, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(REQUEST_BYTES_MAX);
    json_write_value(&text, result);
    VAULT_TRY(buf_check(&text, err));
    puts(buf_string(&text));
    return VAULT_OK;
}

/* Ask, with one text if member is not NULL, and print what comes: as JSON, or by print. */
static int ask_with(const struct ctl *ctl, const char *command, const char *member,
                    const char *text, void (*print)(const json_t *result))
{
    struct vault_error err;
    VAULT_AUTO(file_close) int fd = -1;
    VAULT_AUTO(json_free) json_t *result = NULL;
    const struct ctl_member members[] = {{member, text}, {NULL, NULL}};
    enum vault_code code = ctl_connect(ctl, &fd, &err);
    if (code == VAULT_OK)
        code = ctl_ask_texts(fd, command, members, &result, &err);
    if (code == VAULT_OK && ctl->json)
        code = print_json(result, &err);
    else if (code == VAULT_OK)
        print(result);
    return code ? ctl_failed(code, &err) : 0;
}

/* --- Figures -------------------------------------------------------------------------------- */

static void print_metrics(const json_t *result)
{
    fputs(text_of(result, "text"), stdout);
}

int ctl_metrics(const struct ctl *ctl, int argc, char **argv)
{
    (void)argv;
    return argc == 1 ? ask_with(ctl, "metrics", NULL, NULL, print_metrics)
                     : ctl_usage("metrics takes no arguments");
}

/* --- Services and auditors ------------------------------------------------------------------ */

static void print_names(const char *what, const json_t *names)
{
    if (!json_array_size(names))
        return;
    printf("%-10s", what);
    for (size_t i = 0; i < json_array_size(names); i++)
        printf("%s%s", i ? ", " : " ", json_string_value(json_array_get(names, i)));
    puts("");
}

static void print_service(const json_t *result)
{
    const json_t *service = json_object_get(result, "service");
    const json_t *certificates = json_object_get(result, "certificates");
    const json_t *quota = json_object_get(service, "quota");
    printf("id         %s\nname       %s\ncontact    %s\nstate      %s\n", text_of(service, "id"),
           text_of(service, "name"), text_of(service, "contact"), text_of(result, "state"));
    print_names("classes", json_object_get(service, "classes"));
    print_names("purposes", json_object_get(service, "purposes"));
    print_names("atoms", json_object_get(service, "atoms"));
    if (quota)
        printf("quota      %lld a minute\n", (long long)json_integer_value(quota));
    for (size_t i = 0; i < json_array_size(certificates); i++) {
        const json_t *one = json_array_get(certificates, i);
        printf("key        %s  %s, until %s\n", text_of(one, "key"), text_of(one, "state"),
               text_of(one, "expires"));
    }
}

int ctl_service_show(const struct ctl *ctl, int argc, char **argv)
{
    return argc == 2 ? ask_with(ctl, "service show", "id", argv[1], print_service)
                     : ctl_usage("service show takes ID");
}

static void print_removed(const json_t *result)
{
    (void)result;
    puts("the auditor's certificates count no more");
}

int ctl_auditor_remove(const struct ctl *ctl, int argc, char **argv)
{
    return argc == 2 ? ask_with(ctl, "auditor remove", "id", argv[1], print_removed)
                     : ctl_usage("auditor remove takes NAME");
}

/* --- Citizens ------------------------------------------------------------------------------- */

static enum vault_code show_one(const struct ctl *ctl, int fd, const json_t *reference,
                                struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *result = NULL;
    const struct ctl_member members[] = {{"reference", json_string_value(reference)}, {NULL, NULL}};
    VAULT_TRY(ctl_ask_texts(fd, "citizen show", members, &result, err));
    if (ctl->json)
        return print_json(result, err);
    printf("%s\tsince %s\tlogin %s\t%s, %lld passkeys\n", text_of(result, "reference"),
           text_of(result, "since"), text_of(result, "login"),
           json_is_true(json_object_get(result, "password")) ? "a password" : "no password",
           (long long)json_integer_value(json_object_get(result, "passkeys")));
    return VAULT_OK;
}

int ctl_citizen_show(const struct ctl *ctl, int argc, char **argv)
{
    (void)argv;
    struct vault_error err;
    VAULT_AUTO(file_close) int fd = -1;
    VAULT_AUTO(json_free) json_t *references = NULL;
    if (argc != 1)
        return ctl_usage("citizen show takes references on standard input, one a line");
    enum vault_code code = ctl_read_references(&references, &err);
    if (code == VAULT_OK)
        code = ctl_connect(ctl, &fd, &err);
    for (size_t i = 0; code == VAULT_OK && i < json_array_size(references); i++) {
        code = show_one(ctl, fd, json_array_get(references, i), &err);
        if (code)
            vault_error_context(&err, "line %zu", i + 1);
    }
    return code ? ctl_failed(code, &err) : 0;
}

/* What one question gives, and where the next one begins: empty at the end. */
static enum vault_code list_some(const struct ctl *ctl, int fd, char next[128],
                                 struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *result = NULL;
    const struct ctl_member members[] = {{"after", next}, {NULL, NULL}};
    VAULT_TRY(ctl_ask_texts(fd, "citizen list", members, &result, err));
    const json_t *citizens = json_object_get(result, "citizens");
    const char *behind = json_string_value(json_object_get(result, "next"));
    for (size_t i = 0; i < json_array_size(citizens); i++) {
        const json_t *one = json_array_get(citizens, i);
        if (ctl->json)
            VAULT_TRY(print_json(one, err));
        else
            printf("%s\t%s\n", text_of(one, "reference"), text_of(one, "since"));
    }
    snprintf(next, 128, "%s", behind ? behind : "");
    return VAULT_OK;
}

int ctl_citizen_list(const struct ctl *ctl, int argc, char **argv)
{
    (void)argv;
    char next[128] = "";
    struct vault_error err;
    VAULT_AUTO(file_close) int fd = -1;
    if (argc != 1)
        return ctl_usage("citizen list takes no arguments");
    enum vault_code code = ctl_connect(ctl, &fd, &err);
    while (code == VAULT_OK) {
        code = list_some(ctl, fd, next, &err);
        if (!next[0])
            break;
    }
    return code ? ctl_failed(code, &err) : 0;
}

/* The answer is a list of one: what became of the row. */
static enum vault_code row_code(const json_t *result, struct vault_error *err)
{
    const json_t *one = json_array_get(result, 0);
    const char *code = text_of(one, "code");
    if (strcmp(code, vault_code_name(VAULT_OK)) == 0)
        return VAULT_OK;
    const bool is_there = strcmp(code, vault_code_name(VAULT_CONFLICT)) == 0;
    return vault_fail(err, is_there ? VAULT_CONFLICT : VAULT_INVALID, "%s", text_of(one, "error"));
}

static enum vault_code add_one(const struct ctl *ctl, const struct buf *row,
                               struct vault_error *err)
{
    VAULT_AUTO(file_close) int fd = -1;
    VAULT_AUTO(json_free) json_t *result = NULL;
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(REQUEST_BYTES_MAX);
    buf_text(&request, "{\"command\":\"citizen import\",\"rows\":[");
    json_write_string(&request, buf_view(row));
    buf_text(&request, "]}");
    VAULT_TRY(buf_check(&request, err));
    VAULT_TRY(ctl_connect(ctl, &fd, err));
    VAULT_TRY(ctl_ask(fd, &request, &result, err));
    return row_code(result, err);
}

/* Wiped when it is finished: a row may have a password. */
static enum vault_code read_row(struct buf *row, struct vault_error *err)
{
    char piece[4096];
    size_t size;
    while ((size = fread(piece, 1, sizeof piece, stdin)) > 0)
        buf_append(row, piece, size);
    explicit_bzero(piece, sizeof piece);
    if (ferror(stdin))
        return vault_fail_errno(err, "reading the citizen");
    if (row->size == 0)
        return vault_fail(err, VAULT_INVALID, "no citizen came in on standard input");
    return buf_check(row, err);
}

int ctl_citizen_add(const struct ctl *ctl, int argc, char **argv)
{
    (void)argv;
    struct vault_error err;
    VAULT_AUTO(buf_finish) struct buf row = buf_limited(ROW_BYTES_MAX);
    if (argc != 1)
        return ctl_usage("citizen add takes one citizen on standard input, as a row of an import");
    enum vault_code code = read_row(&row, &err);
    if (code == VAULT_OK)
        code = add_one(ctl, &row, &err);
    if (code)
        return ctl_failed(code, &err);
    puts(ctl->json ? "{}" : "the citizen is in");
    return 0;
}
