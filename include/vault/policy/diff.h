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
 * A form that only one of two ladders has is a loss or a gain of who asks for it by its name and of
 * a citizen's consent to it; one that has other bands, or another rounding, is weaker or stricter
 * for whoever gets it or can ask for it, and the witness has a value on which that shows. In a
 * witness's answers a bundle leaves aside the atoms that it does not know; "decide" would refuse
 * the line.
 *
 * What the contract's kinds of change have no word for stands beside them: in JSON a further list,
 * "besides", which is there if it is not empty. "derive" and "type" make other values of the same
 * request, so that the bundles are not "same" then; the others leave every answer as it was. Kinds:
 *
 *     deposit               somebody may write a field, or no longer; exact as above, with witness
 *     derive                a derived field is computed otherwise: the same name, another answer
 *     type, sensitivity     a field has another type, or is "art9" on one side only
 *     form                  a step of a ladder has come or gone, or has other parameters
 *     consent_at_most_days  consents for a purpose may last longer, or less long
 *     expires               the bundle as a whole ends at another time
 *
 * A computation is told once, for the field whose own "derive" is another, and not again for those
 * that are computed from it. Each says whether it "widens": it gives more, or it cannot be told. A
 * derived field computed from other sources cannot be; bands that are joined give less, all other
 * new bands count as more. A form is told here once more, for the type and not for who receives it.
 *
 * Not compared: texts, and "not_before", which has passed when a bundle is activated.
 */
#pragma once

#include <stdbool.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/policy/policy.h"

/* At most so many changes, and differences besides, are listed; then the list ends, and says so. */
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

/* How many changes of a kind there are, and differences besides; whether
 * every request is answered alike, values included; whether any of all these gives more than
 * before: a field gained, a weaker form, an obligation given up or relaxed, and what "widens"
 * besides. */
size_t policy_diff_count(const struct policy_diff *diff, enum policy_change_kind kind);
size_t policy_diff_besides(const struct policy_diff *diff);
bool policy_diff_is_same(const struct policy_diff *diff);
bool policy_diff_widens(const struct policy_diff *diff);

/* The kind's word in that JSON, "gains". */
const char *policy_change_name(enum policy_change_kind kind);

/* Append sentences for people, each with its witness, or the JSON of the contract's section 8. */
void policy_diff_write(const struct policy_diff *diff, enum policy_language language,
                       struct buf *out);
void policy_diff_write_json(const struct policy_diff *diff, struct buf *out);
