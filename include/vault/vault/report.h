/*
 * report - a citizen reports a service to the city's data-protection officer (DPO).
 *
 * A report is the citizen's own words and the lines of their log that they chose: where each stands
 * in the log, when, what happened, and which fields in which form; no value. It is a record in the
 * citizen's file and an entry of the log. The vault sends nothing: the citizen takes the report
 * along, to whomever they like, and the DPO finds it here.
 *
 * The operator's list says that there are reports, about which service and since when; it names
 * nobody and has no words. Whoever opens one reads whose it is and all of it: that they did is an
 * entry in the citizen's log before they do, and the citizen was told on the page. Closing one is a
 * record and an entry too.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/store/citizen.h"
#include "vault/store/open_case.h"
#include "vault/vault/vault.h"

#define REPORT_ID_CHARS    OPEN_CASE_ID_CHARS
#define REPORT_WORDS_CHARS 2000 /* characters of UTF-8 */
#define REPORT_LINES_MAX   20
#define REPORT_BYTES_MAX   (48UL * 1024) /* of a report's JSON */
#define REPORT_LIST_MAX    500           /* open ones, in one answer to the operator */

/* Borrowed. */
struct report_wish {
    const char *service;
    struct bytes words;
    const uint64_t *lines; /* the citizen's own numbers of events (history.h) */
    size_t line_count;     /* 0 to REPORT_LINES_MAX */
};

/* Store it; durable and in the log on return.
 * VAULT_NOT_FOUND  there is no such citizen, no such service, or no such line of the citizen's
 * VAULT_INVALID    there are no words, too many or none that are text, too many lines, or a line is
 *                  about another service
 * VAULT_TOO_LARGE  the lines say more than a report can hold
 * VAULT_LIMITED    OPEN_CASES_MAX reports are open, or the citizen has too many records */
enum vault_code report_make(struct vault *vault, const struct citizen_id *citizen,
                            const struct report_wish *wish, char id[REPORT_ID_CHARS + 1],
                            struct vault_error *err) VAULT_MUST_CHECK;

/* A report as it was stored; borrowed for the call. */
struct report {
    const char *id;
    const char *service;
    struct bytes json; /* {"id","event":"made","service","at","words","lines":[{"n","index",
                          "time":MS,"event","purpose"?,"what"}]} */
    int64_t made_s;
    bool open;
    int64_t closed_s; /* of one that is not open */
};

typedef enum vault_code report_each(void *context, const struct report *report,
                                    struct vault_error *err);

/* The citizen's own, the oldest first; or that one alone (NULL: all). VAULT_NOT_FOUND if there
 * is no such one. */
enum vault_code report_list(struct vault *vault, const struct citizen_id *id, const char *report,
                            report_each *each, void *context, struct vault_error *err)
    VAULT_MUST_CHECK;

/* --- For the DPO ---------------------------------------------------------------------------- */

/* Append [{"id","service","made":INSTANT,"lines":N}…], the oldest first; an entry of the log. */
enum vault_code report_open_list(struct vault *vault, struct buf *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Append {"reference":"…","report":JSON as above}; the citizen's log has that it was read.
 * VAULT_NOT_FOUND: there is none that is open. */
enum vault_code report_show(struct vault *vault, const char *id, struct buf *out,
                            struct vault_error *err) VAULT_MUST_CHECK;

enum vault_code report_close(struct vault *vault, const char *id, struct vault_error *err)
    VAULT_MUST_CHECK;
