/*
 * entry - one event of the access log, as text.
 *
 * An entry says that something happened: when, by which service, for which purpose, under which
 * policy. Whom it concerned and what was answered stand in it only as commitments (opening.h): no
 * value, name, address or citizen id is ever in an entry. The text is what is hashed into the tree,
 * byte for byte, and is never written a second time from a parsed form:
 *
 *     vault-access-log/1
 *     event release
 *     time 1795295592123
 *     service plie-rennes
 *     client 9f86d081884c7d65
 *     purpose employment.support
 *     policy 12 4f2a9c01b7e35d68
 *     subject ZkK0…=
 *     actor -
 *     basis 3q2+…=
 *     what 7wQz…=
 *     answer mN1c…=
 *
 * "-" stands where there is nothing to say. subject, basis and what are "-" exactly in events that
 * concern no citizen (entry_event_has_subject), and policy is "-" in those too. Entries of erase,
 * prune and recover end with "count N"; prune has "below M" before it.
 *
 * Borrowed: a struct entry points at the bytes it was parsed from or filled with.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"

#define ENTRY_MAX_BYTES        1024
#define ENTRY_ID_MAX_CHARS     64 /* services and purposes: [a-z][a-z0-9_.-]{0,63} */
#define ENTRY_CLIENT_BYTES     8  /* of the SHA-256 of the client's SPKI */
#define ENTRY_POLICY_BYTES     8  /* of the SHA-256 of the bundle's manifest */
#define ENTRY_COMMITMENT_BYTES 32
#define ENTRY_NUMBER_MAX       INT64_MAX       /* versions, counts, indexes */
#define ENTRY_TIME_MAX_MS      253402300799999 /* the end of the year 9999 */

enum entry_event {
    ENTRY_RELEASE,
    ENTRY_DENY,
    ENTRY_CONSENT,
    ENTRY_REFUSE,
    ENTRY_WITHDRAW,
    ENTRY_OBJECT,
    ENTRY_SUSPEND,
    ENTRY_RESUME,
    ENTRY_REQUEST,
    ENTRY_DEPOSIT,
    ENTRY_ERASE,
    ENTRY_EXPORT,
    ENTRY_LOGIN,
    ENTRY_MANDATE,
    ENTRY_LOG_READ,
    ENTRY_ADMIN,
    ENTRY_POLICY,
    ENTRY_KEY,
    ENTRY_CLOCK_STEP,
    ENTRY_RECOVER,
    ENTRY_PRUNE,
    ENTRY_EVENT_COUNT
};

/* The five things an entry commits to, in the order of its lines. */
enum entry_key {
    ENTRY_SUBJECT, /* citizen, their own counter, the hash of their previous entry */
    ENTRY_ACTOR,   /* the person who acted */
    ENTRY_BASIS,   /* consent id and version, or the lawful basis */
    ENTRY_WHAT,    /* names of fields, forms, outcomes */
    ENTRY_ANSWER,  /* SHA-256 of the answer's body */
    ENTRY_KEY_COUNT
};

struct entry_commitment {
    bool present; /* false: "-" */
    uint8_t hash[ENTRY_COMMITMENT_BYTES];
};

struct entry {
    enum entry_event event;
    int64_t time_ms;      /* since 1970; the ledger sets it when the entry is enqueued */
    struct bytes service; /* empty: "-" */
    bool has_client;
    uint8_t client[ENTRY_CLIENT_BYTES];
    struct bytes purpose; /* empty: "-" */
    bool has_policy;
    uint64_t policy_version;
    uint8_t policy_hash[ENTRY_POLICY_BYTES];
    struct entry_commitment commitments[ENTRY_KEY_COUNT]; /* by enum entry_key */
    uint64_t count; /* erase, prune, recover: how many openings or entries; others: 0 */
    uint64_t below; /* prune: the first index that is kept; others: 0 */
};

/* "release", "clock-step", …; and back: ENTRY_EVENT_COUNT if there is no such event. */
const char *entry_event_name(enum entry_event event);
enum entry_event entry_event_of(struct bytes name);

/* "subject", "actor", …; and back: ENTRY_KEY_COUNT if there is no such key. */
const char *entry_key_name(enum entry_key key);
enum entry_key entry_key_of(struct bytes name);

/* Whether an event concerns a citizen; whether its entry ends with a count. */
bool entry_event_has_subject(enum entry_event event);
bool entry_event_has_count(enum entry_event event);

/* Whether the text is a service's or purpose's id. */
bool entry_id_is_valid(struct bytes id);

/* VAULT_INVALID, with the line at fault, unless the entry keeps the rules above. The time is not
 * looked at: it is not the caller's to set. */
enum vault_code entry_check(const struct entry *entry, struct vault_error *err) VAULT_MUST_CHECK;

/* Write a checked entry's text; returns its size, at most ENTRY_MAX_BYTES. Allocates nothing. */
size_t entry_write(const struct entry *entry, uint8_t out[static ENTRY_MAX_BYTES]);

/* Read an entry's text; out borrows from it. VAULT_INVALID, naming the line, unless the text is
 * exactly one that entry_write() could write (a prune entry's last two lines in either order). */
enum vault_code entry_parse(struct bytes text, struct entry *out, struct vault_error *err)
    VAULT_MUST_CHECK;
