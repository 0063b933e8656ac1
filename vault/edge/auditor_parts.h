/*
 * auditor_parts - what answers an auditor, for the table in auditor_api.c, and what these share.
 * Each takes the visit and what {id} stood for in its path.
 */
#pragma once

#include "auditor_filter.h"
#include "auditor_visit.h"
#include "vault/edge/route.h"

/* auditor_api.c: every route of the listener but the log's files, for who wants to try each. */
extern const struct route auditor_routes[];
extern const size_t auditor_route_count;

/* auditor_entries.c */
void auditor_entries_send(struct auditor_visit *visitor, const char *id);
void auditor_entries_show(struct auditor_visit *visitor, const char *id);
void auditor_entry_send(struct auditor_visit *visitor, const char *id);
void auditor_proof_send(struct auditor_visit *visitor, const char *id);

/* auditor_export.c */
void auditor_export_send(struct auditor_visit *visitor, const char *id);

/* auditor_figures.c */
void auditor_figures_send(struct auditor_visit *visitor, const char *id);
void auditor_figures_show(struct auditor_visit *visitor, const char *id);

/* auditor_state.c */
void auditor_state_send(struct auditor_visit *visitor, const char *id);
void auditor_state_show(struct auditor_visit *visitor, const char *id);

/* auditor_looks.c */
void auditor_looks_show(struct auditor_visit *visitor, const char *id);
void auditor_look_ask(struct auditor_visit *visitor, const char *id);
void auditor_look_confirm(struct auditor_visit *visitor, const char *id);
void auditor_look_do(struct auditor_visit *visitor, const char *id);
void auditor_look_show(struct auditor_visit *visitor, const char *id);
void auditor_looks_send(struct auditor_visit *visitor, const char *id);
void auditor_look_make(struct auditor_visit *visitor, const char *id);
void auditor_look_send(struct auditor_visit *visitor, const char *id);
void auditor_openings_send(struct auditor_visit *visitor, const char *id);

/* --- Shared, of auditor_entries.c ----------------------------------------------------------- */

/* The index that a path or a form names. False if it is none. */
bool auditor_index(const char *id, uint64_t *out);

/* The name in the catalogue of an event and of an outcome. */
const char *auditor_event_text(enum entry_event event);
const char *auditor_outcome_text(enum log_outcome outcome);

/* Put what the form of a filter shows: what there is to choose from, and what was chosen. */
void auditor_put_filter(struct auditor_visit *visitor, const struct auditor_filter *filter);

/* Append an entry as JSON: all that the log says in clear. */
void auditor_write_entry(struct buf *out, const struct log_line *line);
