/*
 * diff - what a new bundle changes for people: "vaultctl policy diff".
 *
 * Not which lines of the files differ, but which requests are answered otherwise: for each (who,
 * purpose, field) whether somebody gains it, loses it, gets it in a weaker or a stricter form, or
 * under other obligations. Reasons and rule ids alone are no difference, nor are two ways of
 * writing the same. The comparison is exact (see contrast.h): a bundle that is said to be the same
 * answers every request in the same way, and each change comes with a request, a line for "decide",
 * on which the two bundles differ in that way.
 *
 * Who is a class, several classes of one service, a service that rules name, or such a service
 * together with a class; always the least that shows the change: what a class gains by itself is
 * not told again of services that have another class besides.
 *
 * Not compared: "deposit" rules, the texts, what a derived field is computed from, and the times
 * from and to which the bundles as a whole may decide.
 */
#pragma once

#include <stdbool.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/policy/policy.h"

/* At most so many changes are listed; then the list ends, and says so. */
#define POLICY_CHANGES_MAX 65536

enum policy_change_kind {
    POLICY_GAINS,
    POLICY_LOSES,
    POLICY_WEAKER,
    POLICY_STRICTER,
    POLICY_OBLIGATIONS,
    POLICY_CHANGE_KINDS
};

struct policy_diff;

/* Compare; both policies are borrowed until policy_diff_free(). */
enum vault_code policy_diff_make(const struct policy *old, const struct policy *new,
                                 struct policy_diff **out, struct vault_error *err)
    VAULT_MUST_CHECK;

void policy_diff_free(struct policy_diff **diff);

/* How many changes of a kind there are, and whether any gives more than before: a field gained, a
 * weaker form, an obligation given up or relaxed. */
size_t policy_diff_count(const struct policy_diff *diff, enum policy_change_kind kind);
bool policy_diff_is_same(const struct policy_diff *diff);
bool policy_diff_widens(const struct policy_diff *diff);

/* The kind's word in that JSON, "gains". */
const char *policy_change_name(enum policy_change_kind kind);

/* Append sentences for people, each with its witness, or the JSON of the contract's section 8. */
void policy_diff_write(const struct policy_diff *diff, enum policy_language language,
                       struct buf *out);
void policy_diff_write_json(const struct policy_diff *diff, struct buf *out);
