/*
 * vaultctl citizen import: rows of JSON or of a table, some at a time, each answered by itself.
 * vaultctl citizen export: all of one citizen into a file.
 * vaultctl citizen erase: one after the other, for ever.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "citizen_table.h"
#include "ctl.h"
#include "options.h"
#include "progress.h"
#include "vault/base/file.h"
#include "vault/vault/people.h"

#define BATCH_BYTES_MAX   (4UL * 1024 * 1024)
#define REQUEST_BYTES_MAX (6UL * 1024 * 1024)
#define EXPORT_BYTES_MAX  (PEOPLE_EXPORT_BYTES_MAX * 2) /* written anew, and its line end */
#define EXPORT_DEPTH_MAX  16
#define REFUSED_EXIT      65

struct import {
    FILE *file;
    int fd;
    off_t file_bytes;
    off_t read_bytes;
    size_t row;       /* number of the last row read, from 1 */
    size_t first_row; /* of the batch */
    struct buf request;
    size_t rows;
    size_t imported;
    size_t known;
    size_t refused;
};

static void count_result(struct import *import, const json_t *result, size_t row)
{
    const char *code = json_string_value(json_object_get(result, "code"));
    const char *error = json_string_value(json_object_get(result, "error"));
    if (code && strcmp(code, "ok") == 0) {
        import->imported++;
    } else if (code && strcmp(code, "conflict") == 0) {
        import->known++;
    } else {
        import->refused++;
        progress_clear();
        fprintf(stderr, "row %zu: %s\n", row,
                error && vault_error_may_say(error) ? error : "refused");
    }
}

static void begin_batch(struct import *import)
{
    buf_clear(&import->request);
    buf_text(&import->request, "{\"command\":\"citizen import\",\"rows\":[");
    import->rows = 0;
    import->first_row = import->row + 1;
}

static enum vault_code send_batch(struct import *import, struct vault_error *err)
{
    if (import->rows == 0)
        return VAULT_OK;
    VAULT_AUTO(json_free) json_t *results = NULL;
    buf_text(&import->request, "]}");
    VAULT_TRY(ctl_ask(import->fd, &import->request, &results, err));
    for (size_t i = 0; i < import->rows; i++)
        count_result(import, json_array_get(results, i), import->first_row + i);
    progress_show((uint64_t)import->read_bytes, (uint64_t)import->file_bytes, "%zu rows",
                  import->row);
    begin_batch(import);
    return VAULT_OK;
}

static enum vault_code add_row(struct import *import, const char *line, size_t size,
                               struct vault_error *err)
{
    if (import->rows == PEOPLE_BATCH_MAX || import->request.size + size > BATCH_BYTES_MAX)
        VAULT_TRY(send_batch(import, err));
    buf_text(&import->request, import->rows ? "," : "");
    json_write_string(&import->request, (struct bytes){(const uint8_t *)line, size});
    import->rows++;
    import->row++;
    return buf_check(&import->request, err);
}

static enum vault_code import_lines(struct import *import, struct vault_error *err)
{
    static char line[PEOPLE_ROW_BYTES_MAX + 2];
    while (fgets(line, sizeof line, import->file)) {
        size_t size = strlen(line);
        import->read_bytes += (off_t)size;
        if (size == sizeof line - 1 && line[size - 1] != '\n')
            return vault_fail(err, VAULT_TOO_LARGE, "row %zu is over %u bytes", import->row + 1,
                              PEOPLE_ROW_BYTES_MAX);
        while (size && (line[size - 1] == '\n' || line[size - 1] == '\r'))
            size--;
        VAULT_TRY(add_row(import, line, size, err));
    }
    explicit_bzero(line, sizeof line);
    return ferror(import->file) ? vault_fail_errno(err, "reading the rows") : VAULT_OK;
}

/* A row that is none: said by its number, like one that the daemon refuses. */
static enum vault_code refuse_row(struct import *import, const struct vault_error *why,
                                  struct vault_error *err)
{
    VAULT_TRY(send_batch(import, err));
    import->row++;
    import->refused++;
    progress_clear();
    fprintf(stderr, "row %zu: %s\n", import->row, why->text);
    begin_batch(import);
    return VAULT_OK;
}

static enum vault_code import_table(struct import *import, struct vault_error *err)
{
    VAULT_AUTO(citizen_table_close) struct citizen_table table;
    VAULT_AUTO(buf_finish) struct buf row = buf_limited(PEOPLE_ROW_BYTES_MAX);
    bool found = true;
    VAULT_TRY(citizen_table_open(&table, import->file, err));
    for (;;) {
        struct vault_error why;
        buf_clear(&row);
        const enum vault_code code = citizen_table_next(&table, &row, &found, &why);
        import->read_bytes = ftello(import->file);
        if (code == VAULT_INVALID || code == VAULT_TOO_LARGE)
            VAULT_TRY(refuse_row(import, &why, err));
        else if (code)
            return vault_fail(err, code, "%s", why.text);
        else if (found)
            VAULT_TRY(add_row(import, (const char *)row.data, row.size, err));
        else
            return VAULT_OK;
    }
}

/* What another vault exported: of it only what an import takes goes to the daemon. */
static enum vault_code import_export(struct import *import, const char *path,
                                     struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *root = NULL;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(EXPORT_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf row = buf_limited(PEOPLE_ROW_BYTES_MAX);
    VAULT_TRY(file_read(path, &text, err));
    VAULT_TRY(json_parse(buf_view(&text), EXPORT_DEPTH_MAX, &root, NULL, err));
    if (!bytes_equal(json_text(json_object_get(root, "format")),
                     bytes_of_text(PEOPLE_EXPORT_FORMAT)))
        return vault_fail(err, VAULT_INVALID,
                          "this is no export of the form " PEOPLE_EXPORT_FORMAT);
    buf_text(&row, "{\"format\":\"" PEOPLE_EXPORT_FORMAT "\",\"reference\":");
    json_write_value(&row, json_object_get(root, "reference"));
    buf_text(&row, ",\"values\":");
    json_write_value(&row, json_object_get(root, "values"));
    buf_byte(&row, '}');
    VAULT_TRY(buf_check(&row, err));
    return add_row(import, (const char *)row.data, row.size, err);
}

static bool ends_with(const char *path, const char *suffix)
{
    const char *dot = strrchr(path, '.');
    return dot && strcmp(dot, suffix) == 0;
}

static enum vault_code import_rows(struct import *import, const char *path, struct vault_error *err)
{
    if (ends_with(path, ".csv"))
        return import_table(import, err);
    return ends_with(path, ".json") ? import_export(import, path, err) : import_lines(import, err);
}

static void close_file(FILE **file)
{
    if (*file)
        fclose(*file);
    *file = NULL;
}

static enum vault_code import_file(const struct ctl *ctl, const char *path, struct import *import,
                                   struct vault_error *err)
{
    VAULT_AUTO(close_file) FILE *file = fopen(path, "re");
    VAULT_AUTO(file_close) int fd = -1;
    struct stat status;
    if (!file || fstat(fileno(file), &status) != 0) {
        vault_fail_errno(err, "opening %s", path);
        return VAULT_IO;
    }
    VAULT_TRY(ctl_connect(ctl, &fd, err));
    import->file = file;
    import->fd = fd;
    import->file_bytes = status.st_size;
    progress_begin();
    import->request = buf_limited(REQUEST_BYTES_MAX);
    begin_batch(import);
    enum vault_code code = import_rows(import, path, err);
    if (code == VAULT_OK)
        code = send_batch(import, err);
    buf_finish(&import->request);
    progress_clear();
    return code;
}

int ctl_citizen_import(const struct ctl *ctl, int argc, char **argv)
{
    struct import import = {0};
    struct vault_error err;
    if (argc != 2)
        return ctl_usage("citizen import takes FILE.csv, FILE.jsonl or an export's FILE.json");
    const enum vault_code code = import_file(ctl, argv[1], &import, &err);
    if (ctl->json)
        printf("{\"imported\":%zu,\"known\":%zu,\"refused\":%zu}\n", import.imported, import.known,
               import.refused);
    else
        printf("%zu imported, %zu there already, %zu refused\n", import.imported, import.known,
               import.refused);
    if (code)
        return ctl_failed(code, &err);
    return import.refused ? REFUSED_EXIT : 0;
}

/* The one that is named, or those on standard input. */
static enum vault_code read_named(const char *name, json_t **out, struct vault_error *err)
{
    if (strcmp(name, "-") == 0)
        return ctl_read_references(out, err);
    *out = json_pack("[s]", name);
    return *out ? VAULT_OK : vault_fail(err, VAULT_INVALID, "the reference is not UTF-8");
}

static enum vault_code ask_about(int fd, const char *command, const json_t *reference,
                                 json_t **result, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(REQUEST_BYTES_MAX);
    buf_format(&request, "{\"command\":\"%s\",\"reference\":", command);
    json_write_value(&request, reference);
    buf_byte(&request, '}');
    VAULT_TRY(buf_check(&request, err));
    return ctl_ask(fd, &request, result, err);
}

/* The file is for its owner alone, and is not written over. */
static enum vault_code export_one(const struct ctl *ctl, const char *name, const char *path,
                                  struct vault_error *err)
{
    VAULT_AUTO(file_close) int fd = -1;
    VAULT_AUTO(json_free) json_t *references = NULL;
    VAULT_AUTO(json_free) json_t *result = NULL;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(EXPORT_BYTES_MAX);
    VAULT_TRY(read_named(name, &references, err));
    VAULT_TRY(ctl_connect(ctl, &fd, err));
    VAULT_TRY(ask_about(fd, "citizen export", json_array_get(references, 0), &result, err));
    json_write_value(&text, result);
    buf_byte(&text, '\n');
    VAULT_TRY(buf_check(&text, err));
    return file_create(path, buf_view(&text), 0600, err);
}

int ctl_citizen_export(const struct ctl *ctl, int argc, char **argv)
{
    struct vault_error err;
    if (argc != 4 || strcmp(argv[2], "--out") != 0)
        return ctl_usage("citizen export takes ID --out FILE");
    const enum vault_code code = export_one(ctl, argv[1], argv[3], &err);
    if (code)
        return ctl_failed(code, &err);
    if (ctl->json)
        puts("{}");
    return 0;
}

/* Ask the same about each; *done is how many it was done for. */
static enum vault_code ask_about_all(const struct ctl *ctl, const char *command, const char *shown,
                                     const json_t *references, size_t *done,
                                     struct vault_error *err)
{
    VAULT_AUTO(file_close) int fd = -1;
    VAULT_TRY(ctl_connect(ctl, &fd, err));
    progress_begin();
    for (; *done < json_array_size(references); (*done)++) {
        progress_show(*done, json_array_size(references), "%zu %s", *done, shown);
        VAULT_AUTO(json_free) json_t *result = NULL;
        const enum vault_code code =
            ask_about(fd, command, json_array_get(references, *done), &result, err);
        if (code) {
            vault_error_context(err, "line %zu", *done + 1);
            return code;
        }
    }
    return VAULT_OK;
}

int ctl_citizen_sign_out(const struct ctl *ctl, int argc, char **argv)
{
    (void)argv;
    struct vault_error err;
    VAULT_AUTO(json_free) json_t *references = NULL;
    size_t done = 0;
    if (argc != 1)
        return ctl_usage("citizen sign-out takes references on standard input");
    enum vault_code code = ctl_read_references(&references, &err);
    if (code == VAULT_OK)
        code = ask_about_all(ctl, "citizen sign-out", "signed out", references, &done, &err);
    progress_clear();
    printf(ctl->json ? "{\"signed_out\":%zu}\n" : "%zu signed out\n", done);
    return code ? ctl_failed(code, &err) : 0;
}

int ctl_citizen_erase(const struct ctl *ctl, int argc, char **argv)
{
    struct vault_error err;
    VAULT_AUTO(json_free) json_t *references = NULL;
    const char *name = NULL;
    bool sure = false;
    size_t erased = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--yes") == 0)
            sure = true;
        else if (!name && (argv[i][0] != '-' || argv[i][1] == 0))
            name = argv[i];
        else
            return ctl_usage("citizen erase takes ID --yes");
    }
    if (!name || !sure)
        return ctl_usage("citizen erase takes ID --yes: there is no way back");
    enum vault_code code = read_named(name, &references, &err);
    if (code == VAULT_OK)
        code = ask_about_all(ctl, "citizen erase", "erased", references, &erased, &err);
    progress_clear();
    if (ctl->json)
        printf("{\"erased\":%zu}\n", erased);
    else
        printf("%zu erased\n", erased);
    return code ? ctl_failed(code, &err) : 0;
}
