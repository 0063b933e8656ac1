/*
 * guardian_law - what the law of guardian.h asks and allows, of a citizen who is held; for the
 * modules of this floor alone.
 */
#pragma once

#include "actor_check.h"
#include "guardian_record.h"

/* Whether a consent of the held citizen's needs a guardian's half beside their own: they are under
 * 15, or have a guardian and no birth date that can be read. */
enum vault_code guardian_law_both(struct vault *vault, struct citizen *citizen,
                                  const struct person *person, bool *both, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Whether the guardianship stands, and both sides are there. */
enum vault_code guardian_law_stands(struct vault *vault, const struct guardianship *one,
                                    bool *stands, struct vault_error *err) VAULT_MUST_CHECK;

/* How many of that side stand so; of those as a guardian only minors who are not of age. */
enum vault_code guardian_law_count(struct vault *vault, const struct person *person, bool is_minor,
                                   size_t *count, struct vault_error *err) VAULT_MUST_CHECK;

/* VAULT_DENIED unless the guardian decides with the held citizen today, and may do that. */
enum vault_code guardian_law_check(struct vault *vault, struct citizen *citizen,
                                   const struct person *person, const struct guardian_seat *seat,
                                   enum consent_event event, struct vault_error *err)
    VAULT_MUST_CHECK;
