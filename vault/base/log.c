#include "vault/base/log.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vault/base/buf.h"
#include "vault/base/clock.h"
#include "vault/base/json.h"

/* The longest text, every character of it escaped as \u00xx, and what stands around it. */
#define LINE_BYTES (VAULT_ERROR_TEXT_BYTES * 2 * 6 + 512)

static const char *const level_names[] = {
    [LOG_ERROR] = "error", [LOG_WARNING] = "warning", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};

static _Thread_local const char *request_id;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static enum log_level level_limit = LOG_INFO;
static int64_t second;
static unsigned lines_in_second;
static unsigned left_out;

void log_set_request(const char *id)
{
    request_id = id;
}

void log_set_level(enum log_level level)
{
    pthread_mutex_lock(&mutex);
    level_limit = level;
    pthread_mutex_unlock(&mutex);
}

static void write_line(enum log_level level, const char *event, const char *request,
                       const char *text)
{
    char now[INSTANT_CHARS + 1];
    instant_format(now, clock_now_s(&clock_system));
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(LINE_BYTES);
    buf_format(&line, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\",", now,
               level_names[level], event);
    if (request)
        buf_format(&line, "\"request\":\"%s\",", request);
    buf_text(&line, "\"text\":");
    json_write_string(&line, bytes_of_text(text));
    buf_text(&line, "}\n");
    /* A log that cannot be written has nowhere to say so. */
    if (!line.problem && write(STDERR_FILENO, line.data, line.size) < 0)
        return;
}

/* Whether there is room for a line in this second; a new second first says what was left out. */
static bool admit(void)
{
    const int64_t now = clock_monotonic_ms() / 1000;
    if (now != second) {
        second = now;
        lines_in_second = 0;
        if (left_out) {
            char text[64];
            snprintf(text, sizeof text, "%u lines were left out", left_out);
            left_out = 0;
            write_line(LOG_WARNING, "log", NULL, text);
        }
    }
    if (lines_in_second >= LOG_LINES_PER_SECOND) {
        left_out++;
        return false;
    }
    lines_in_second++;
    return true;
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
    char text[VAULT_ERROR_TEXT_BYTES * 2];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    pthread_mutex_lock(&mutex);
    if (level <= level_limit && admit())
        write_line(level, event, request_id, text);
    pthread_mutex_unlock(&mutex);
}
