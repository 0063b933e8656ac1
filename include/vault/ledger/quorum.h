/*
 * quorum - which witnesses must have seen a checkpoint: C2SP tlog-policy.
 *
 *     log VKEY [URL]
 *     witness NAME VKEY [URL]
 *     group NAME all|any|K MEMBER…       K of the members, witnesses or groups
 *     quorum NAME|none
 *
 * Names are defined before they are used, each is a member of one group at most, and no public key
 * stands for two logs or two witnesses, so that nobody counts twice. Logs have keys of kind 0x01,
 * witnesses of kind 0x04.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/crypto/note.h"
#include "vault/ledger/checkpoint.h"

#define QUORUM_FILE_MAX_BYTES (64UL * 1024)
#define QUORUM_LOGS_MAX       32U
#define QUORUM_NAMES_MAX      128U /* witnesses and groups */
#define QUORUM_URL_MAX_CHARS  255

struct quorum;

/* Read a policy. VAULT_INVALID, naming the line, if it is none. */
enum vault_code quorum_parse(struct bytes text, struct quorum **out, struct vault_error *err)
    VAULT_MUST_CHECK;
void quorum_free(struct quorum **quorum);

/* Whether the policy is for the log of this key: it names no log, or this one. */
bool quorum_is_for(const struct quorum *quorum, const struct note_key *log);

/* Whether it asks for any witness at all; false for "quorum none". */
bool quorum_needs_witnesses(const struct quorum *quorum);

/* The witnesses, in the order of their lines, and where to reach them ("" if the line has no URL).
 */
size_t quorum_witness_count(const struct quorum *quorum);
const struct note_key *quorum_witness_key(const struct quorum *quorum, size_t number);
const char *quorum_witness_url(const struct quorum *quorum, size_t number);

struct quorum_outcome {
    bool is_met;
    size_t cosigned;  /* witnesses whose cosignature is there and holds */
    int64_t newest_s; /* the newest cosignature of a witness that the quorum names; -1: none */
    int64_t ahead_s;  /* of those left out of that as too late, the newest; -1: none */
};

/* Hold a checkpoint against the policy. Cosignatures from after latest_s are not newest_s: they
 * tell of a wrong clock, not of an age. VAULT_DENIED if a cosignature under the name and id of one
 * of the witnesses does not hold. */
enum vault_code quorum_check(const struct quorum *quorum, const struct checkpoint *checkpoint,
                             int64_t latest_s, struct quorum_outcome *out, struct vault_error *err)
    VAULT_MUST_CHECK;
