#include "vault/base/log.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vault/base/buf.h"
#include "vault/base/clock.h"
#include "vault/base/json.h"

/* The longest text, every character of it escaped as \u00xx, and what stands around it. */
#define LINE_BYTES  (VAULT_ERROR_TEXT_BYTES * 2 * 6 + 512)

#define EVENT_CHARS 24
#define EVENTS_MAX  32

static const char *const level_names[] = {
    [LOG_ERROR] = "error", [LOG_WARNING] = "warning", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};

static _Thread_local const char *request_id;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static enum log_level level_limit = LOG_INFO;
static int64_t second;
static unsigned lines_in_second;
static unsigned left_out; /* of events that have no place below */

/* The events of this second. */
static struct event {
    char name[EVENT_CHARS];
    unsigned lines;
    unsigned left_out;
} events[EVENTS_MAX];
static size_t event_count;

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

static void tell_left_out(const char *event, unsigned count)
{
    char text[64];
    if (!count)
        return;
    snprintf(text, sizeof text, "%s%s%u lines were left out", event, *event ? ": " : "", count);
    write_line(LOG_WARNING, "log", NULL, text);
}

/* A new second says what the one before left out. */
static void begin_second(int64_t now)
{
    for (size_t i = 0; i < event_count; i++)
        tell_left_out(events[i].name, events[i].left_out);
    tell_left_out("", left_out);
    second = now;
    lines_in_second = 0;
    left_out = 0;
    event_count = 0;
}

/* NULL when there are too many of them. */
static struct event *event_of(const char *name)
{
    for (size_t i = 0; i < event_count; i++) {
        if (strncmp(events[i].name, name, EVENT_CHARS - 1) == 0)
            return &events[i];
    }
    if (event_count == EVENTS_MAX)
        return NULL;
    struct event *event = &events[event_count++];
    *event = (struct event){.lines = 0};
    snprintf(event->name, sizeof event->name, "%s", name);
    return event;
}

/* Whether there is room for a line of this event in this second. */
static bool admit(const char *name)
{
    const int64_t now = clock_monotonic_ms() / 1000;
    if (now != second)
        begin_second(now);
    struct event *event = event_of(name);
    if (lines_in_second < LOG_LINES_PER_SECOND &&
        (!event || event->lines < LOG_LINES_OF_AN_EVENT)) {
        lines_in_second++;
        if (event)
            event->lines++;
        return true;
    }
    ++*(event ? &event->left_out : &left_out);
    return false;
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
    char text[VAULT_ERROR_TEXT_BYTES * 2];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    pthread_mutex_lock(&mutex);
    if (level <= level_limit && admit(event))
        write_line(level, event, request_id, text);
    pthread_mutex_unlock(&mutex);
}
