/*
 * cosigners - what a log knows of its witnesses: what to ask each, and what their answers mean.
 *
 * The witnesses are those of a C2SP tlog-policy (quorum.h) that have a URL. For each it is known
 * what size it cosigned last, so that the proof in the next request begins there; if that is not
 * so, the witness says 409 and where it stands, and is asked again. Nothing here speaks to a
 * network: the caller carries the texts.
 *
 *     for each witness    cosigners_ask()      the request, unless it is left alone for now
 *     (send them all)
 *     for each answer     cosigners_take()     perhaps: ask once more
 *     cosigners_conclude()                     the lines to publish, and whether the quorum is met
 *
 * An answer is worth nothing before it is verified. A cosignature that does not hold, is by another
 * key, is older than COSIGNERS_SKEW_S (an old answer played again) or further ahead (its clock or
 * ours is wrong) is dropped. A witness that failed is left alone for a while.
 *
 * One answer is grave: a witness has cosigned more entries than the log has, or says that the log
 * did not grow out of what it cosigned. Then this log was set back or forked, or the witness lies.
 * Which of the two, people must find out; nothing may be released until they have.
 *
 * One thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/ledger/ledger.h"
#include "vault/ledger/quorum.h"

#define COSIGNERS_MAX           32U
#define COSIGNERS_SKEW_S        300
#define COSIGNERS_PROBLEM_CHARS 160

struct cosigners;

/* The policy is borrowed. VAULT_INVALID if more than COSIGNERS_MAX witnesses have a URL. */
enum vault_code cosigners_new(const struct quorum *policy, struct cosigners **out,
                              struct vault_error *err) VAULT_MUST_CHECK;
void cosigners_free(struct cosigners **cosigners);

size_t cosigners_count(const struct cosigners *cosigners);

struct cosigner {
    const char *name; /* of its key */
    const char *url;
    struct ledger_head seen; /* the last that it cosigned, verified; size 0: nothing */
    int64_t cosigned_s;      /* when, by its own word; -1: not since the start */
    bool is_failing;
    char problem[COSIGNERS_PROBLEM_CHARS]; /* of the last failure */
};

const struct cosigner *cosigners_get(const struct cosigners *cosigners, size_t number);

/* What is known of them as text, "witness VKEY SIZE ROOT" a line, and back. Lines about others are
 * left aside. VAULT_INVALID if it is no such text, and nothing is taken from it. */
void cosigners_write(const struct cosigners *cosigners, struct buf *out);
enum vault_code cosigners_read(struct cosigners *cosigners, struct bytes text,
                               struct vault_error *err) VAULT_MUST_CHECK;

/* Whether this one is to be asked now, at a monotonic time. */
bool cosigners_is_due(const struct cosigners *cosigners, size_t number, int64_t monotonic_ms);

/* Append the request to this witness (witness.h). VAULT_CONFLICT: it is known to have cosigned more
 * than is presented (grave, as below); otherwise what proving says. */
enum vault_code cosigners_ask(struct cosigners *cosigners, size_t number,
                              const struct ledger_presented *presented, struct buf *body,
                              struct vault_error *err) VAULT_MUST_CHECK;

struct cosigner_answer {
    unsigned status; /* of HTTP; 0: none came, and problem says why */
    struct bytes body;
    const char *problem;
    int64_t now_s;
};

enum cosigner_result {
    COSIGNER_SIGNED,
    COSIGNER_AGAIN,      /* it stands at another size: ask once more */
    COSIGNER_FAILED,     /* why is in its problem and in err */
    COSIGNER_CONTRADICTS /* grave; err says what */
};

enum cosigner_result cosigners_take(struct cosigners *cosigners, size_t number,
                                    const struct ledger_presented *presented,
                                    const struct cosigner_answer *answer, struct vault_error *err);

/* It could not be used: leave it alone until this monotonic time. Done that a second ask in one
 * round was answered with COSIGNER_AGAIN, too. */
void cosigners_leave_alone(struct cosigners *cosigners, size_t number, const char *problem,
                           int64_t until_ms);

/* Append the lines of all who cosigned what is presented, now or when it was presented before.
 * *reached_s is since when those that stand there are the policy's quorum: the latest time such
 * that the cosignatures of that time and after it are enough. -1: they are not, or the policy asks
 * for no witness. */
enum vault_code cosigners_conclude(const struct cosigners *cosigners,
                                   const struct ledger_presented *presented, struct buf *lines,
                                   int64_t *reached_s, struct vault_error *err) VAULT_MUST_CHECK;
