/*
 * log - what happens to the program, for the people who run it.
 *
 * One JSON object per line on standard error: time, level, event, text, and request where a request
 * is being answered, with the id that its answer has. Only the edge and the
 * programs log; everything below returns errors. A line names ids of services, routes, files and
 * codes, never a value, a subject, a citizen, a key or bytes of a request.
 *
 * This is not the access log. That one is data, lives on the ledger floor, and a release that
 * cannot be entered there does not happen.
 *
 * Nobody from outside can flood the log, nor hide one thing behind much of another: past
 * LOG_LINES_OF_AN_EVENT of one event in a second, or LOG_LINES_PER_SECOND of all, further lines are
 * counted, and the next second begins with how many were left out. Safe from any thread.
 */
#pragma once

#include "vault/base/error.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

#define LOG_LINES_PER_SECOND  200
#define LOG_LINES_OF_AN_EVENT 10

/* Lines above this level are not written. LOG_INFO until told otherwise. */
void log_set_level(enum log_level level);

/* What this thread logs from now on is about the request with that id, which is borrowed and plain;
 * NULL: about none. */
void log_set_request(const char *id);

/* event is a short word in the code, such as "start"; the text is printf's. */
void log_event(enum log_level level, const char *event, const char *format, ...) VAULT_PRINTF(3, 4);
