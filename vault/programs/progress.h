/*
 * progress - a bar for what takes longer than a second, where there is somebody to see it.
 *
 * It is drawn on standard error, and only if that is a terminal which can go back to the begin of a
 * line: not "dumb" (TERM), and not a file or a pipe. There are no colours and no escape codes, so
 * that NO_COLOR has nothing to switch off and no terminal anything to misread; a line is as long as
 * the terminal is wide at the most. One at a time, and from one thread.
 */
#pragma once

#include <stdint.h>

#include "vault/base/error.h"

#define PROGRESS_AFTER_MS 1000
#define PROGRESS_EACH_MS  100

/* The work begins now. */
void progress_begin(void);

/* So much of all is done (all 0: nobody knows how much there is), with a few words behind. */
void progress_show(uint64_t done, uint64_t all, const char *format, ...) VAULT_PRINTF(3, 4);

/* Nothing is drawn any more: before anything else is written to the terminal, and at the end. */
void progress_clear(void);
