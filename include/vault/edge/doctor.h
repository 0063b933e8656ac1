/*
 * doctor - whether a vault's surroundings are as they should be: its configuration and the files it
 * names, who may open them, certificates, room on the disks, the clock, and the limits of the
 * process that serves. The vault itself is checkup.h's.
 *
 * Nothing is changed. The checks are a table in doctor.c; each tells what is wrong in words, and
 * what to do.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/edge/config.h"
#include "vault/edge/mailer.h"
#include "vault/vault/checkup.h"

/* What is looked at. Borrowed. */
struct doctor {
    const char *config_path;
    const struct config *config;
    int64_t now_s;
    struct checkup out;
};

void doctor_run(const struct doctor *doctor);

/* What the kernel lets the process that serves have. */
struct doctor_limits {
    uint64_t locked_bytes; /* UINT64_MAX: as much as it likes */
    uint64_t descriptors;
    bool has_swap;
};

/* This process's. */
struct doctor_limits doctor_limits_here(void);

/* Whether they are enough for what is configured. */
void doctor_judge_limits(const struct doctor_limits *limits, const struct config *config,
                         const struct checkup *out);

/* Whether letters are sent, by what the post room counted. */
void doctor_judge_mail(const struct mailer_figures *figures, const struct checkup *out);

/* Room on a disk, and whether it is enough; where names it. For doctor_run() and its tests. */
struct doctor_room {
    uint64_t free_bytes;
    uint64_t total_bytes;
    uint64_t free_files; /* UINT64_MAX: as many as it likes */
};

void doctor_judge_room(const struct doctor_room *room, const char *where,
                       const struct checkup *out);

/* Whether the clock can be right: after the configuration was written, and by the kernel's word. */
struct doctor_clock {
    int64_t now_s;
    int64_t config_written_s;
    bool is_synchronised;
};

void doctor_judge_clock(const struct doctor_clock *clock, const struct checkup *out);
