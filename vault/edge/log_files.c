#include "log_files.h"

#include <limits.h>
#include <string.h>

#include "vault/base/file.h"
#include "vault/base/log.h"
#include "vault/edge/problem.h"
#include "vault/ledger/tile.h"

#define CHECKPOINT           "checkpoint"
#define CHECKPOINT_BYTES_MAX (64U * 1024)

static enum vault_code read_checkpoint(const char *folder, struct buf *out, struct vault_error *err)
{
    char path[PATH_MAX];
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CHECKPOINT_BYTES_MAX);
    VAULT_TRY(file_join(path, sizeof path, folder, CHECKPOINT, err));
    VAULT_TRY(file_read(path, &text, err));
    buf_bytes(out, buf_view(&text));
    return buf_check(out, err);
}

static enum vault_code read_named(const char *folder, const char *name, struct http_answer *answer,
                                  struct vault_error *err)
{
    struct tile_name tile;
    if (strcmp(name, CHECKPOINT) == 0) {
        answer->content_type = "text/plain; charset=utf-8";
        http_answer_header(answer, "Cache-Control", "no-cache");
        return read_checkpoint(folder, &answer->body, err);
    }
    if (!tile_path_parse(bytes_of_text(name), &tile))
        return vault_fail(err, VAULT_NOT_FOUND, "not a name of tlog-tiles");
    answer->content_type = "application/octet-stream";
    http_answer_header(answer, "Cache-Control", "public, max-age=31536000, immutable");
    return tile_read(folder, tile, &answer->body, err);
}

void log_files_send(const char *folder, const struct http_request *request,
                    struct http_answer *answer)
{
    struct vault_error err;
    if (request->method != HTTP_GET && request->method != HTTP_HEAD) {
        problem_write(answer, 405, "the log is only read", request->path);
        http_answer_header(answer, "Allow", "GET, HEAD");
        return;
    }
    const enum vault_code code =
        read_named(folder, request->path + strlen(LOG_FILES_PREFIX), answer, &err);
    if (code == VAULT_OK)
        return;
    answer->header_count = 0; /* an error may not be kept */
    if (code == VAULT_NOT_FOUND) {
        problem_write(answer, 404, "the log has no such file", request->path);
    } else {
        log_event(LOG_ERROR, "log-files", "%s: %s", vault_code_name(code), err.text);
        problem_write(answer, 503, "the log cannot be read now", request->path);
    }
}
