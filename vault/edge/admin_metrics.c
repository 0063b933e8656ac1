#include "admin_metrics.h"

#include <string.h>

#include "admin_parts.h"
#include "vault/edge/metrics.h"

#define HEADERS_MAX 64

static void write_metrics(const struct admin_context *context, struct buf *out)
{
    static const struct metrics none = {0};
    struct vault *vault = sealing_enter(context->sealing);
    metrics_write(context->metrics ? context->metrics : &none, vault, out);
    sealing_leave(context->sealing);
}

enum vault_code admin_run_metrics(const struct command_call *call)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(METRICS_BYTES_MAX);
    write_metrics(call->context, &text);
    VAULT_TRY(buf_check(&text, call->err));
    buf_text(call->result, "{\"content_type\":\"" METRICS_CONTENT_TYPE "\",\"text\":");
    json_write_string(call->result, buf_view(&text));
    buf_byte(call->result, '}');
    return VAULT_OK;
}

/* What is JSON begins with a brace. */
bool admin_is_http(struct bytes line)
{
    return bytes_begin_with(line, "GET ");
}

/* The rest of the request, which nothing depends on: up to an empty line. */
static bool skip_headers(struct admin_reader *reader)
{
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(ADMIN_LINE_BYTES_MAX);
    for (int i = 0; i < HEADERS_MAX; i++) {
        if (admin_read_line(reader, &line, NULL))
            return false;
        if (line.size == 0 || (line.size == 1 && line.data[0] == '\r'))
            return true;
    }
    return false;
}

void admin_answer_http(const struct admin_context *context, struct admin_reader *reader,
                       struct bytes line)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(METRICS_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf answer = buf_limited(METRICS_BYTES_MAX + 512);
    const bool is_metrics = bytes_begin_with(line, "GET /metrics HTTP/1.");
    if (!skip_headers(reader))
        return;
    if (is_metrics)
        write_metrics(context, &text);
    else
        buf_text(&text, "only /metrics is here\n");
    buf_format(&answer,
               "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
               "Connection: close\r\n\r\n",
               is_metrics ? "200 OK" : "404 Not Found",
               is_metrics ? METRICS_CONTENT_TYPE : "text/plain; charset=utf-8", text.size);
    buf_join(&answer, &text);
    if (buf_check(&answer, NULL) == VAULT_OK)
        admin_send(reader->fd, buf_view(&answer));
}
