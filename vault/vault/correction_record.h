/*
 * correction_record - a correction as it stands among a citizen's records; for the modules of this
 * floor alone.
 *
 * The value itself is in citizen_value. The record carries what the entry in the log needs, so that
 * a crash between the two leaves the entry to be made (citizen_record.h).
 */
#pragma once

#include "event.h"
#include "vault/vault/correction.h"
#include "vault/vault/ulid.h"

#define CORRECTION_RECORD_KIND "correction"
#define CORRECTION_BASIS       "correction"

enum correction_event { CORRECTION_MADE, CORRECTION_ASKED, CORRECTION_ENDED, CORRECTION_EVENTS };

struct correction_record {
    enum correction_event event;
    char id[ULID_CHARS + 1]; /* of what was asked; of a made one its own */
    char field[CITIZEN_FIELD_CHARS + 1];
    char source[CITIZEN_SOURCE_CHARS + 1];
    char
        service[CITIZEN_SOURCE_CHARS + 1]; /* the source, if it is a registered service; or empty */
    int64_t version;                       /* of the value that was wrong */
    int64_t at_s;
};

void correction_record_write(struct buf *out, const struct correction_record *record);
enum vault_code correction_record_read(struct bytes json, struct correction_record *out,
                                       struct vault_error *err) VAULT_MUST_CHECK;

/* Enter the record's event for the held citizen. VAULT_CORRUPT if it cannot be read. */
enum vault_code correction_record_enter(struct vault *vault, const struct citizen *citizen,
                                        struct event_chain *chain, struct bytes json,
                                        struct ledger_ticket *ticket, struct vault_error *err)
    VAULT_MUST_CHECK;

/* How things stand with what was asked of a field: the newest record decides, and whether the value
 * that counts is still the one that was wrong. */
enum vault_code correction_state_read(struct citizen *citizen,
                                      const struct correction_record *asked,
                                      const struct correction_record *newest,
                                      enum correction_state *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* The newest record of what was asked of a field, and the newest of any kind about it; found is
 * false if nothing ever was. */
struct correction_search {
    const char *field; /* NULL: look for the id */
    const char *id;
    bool found;
    struct correction_record asked;
    struct correction_record newest;
};
enum vault_code correction_search(struct citizen *citizen, struct correction_search *search,
                                  struct vault_error *err) VAULT_MUST_CHECK;
