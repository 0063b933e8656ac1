/*
 * log_files - the access log as everybody may read it, under /log/ (C2SP tlog-tiles).
 *
 * The checkpoint, the tiles and the entry bundles, and nothing else that may lie in the folder:
 * only a path that is a name of tlog-tiles is looked for. Tiles never change and may be kept for
 * ever; the checkpoint may not be kept.
 */
#pragma once

#include "vault/edge/http.h"

#define LOG_FILES_PREFIX "/log/"

/* Answer a request whose path begins with the prefix, from the log's folder. What is not there, or
 * has another method, is a problem: programs read these, not people. */
void log_files_send(const char *folder, const struct http_request *request,
                    struct http_answer *answer);
