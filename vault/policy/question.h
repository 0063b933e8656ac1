/*
 * question - a request as JSON: a line for "decide", or a case in a bundle's tests.
 *
 *     {"id": …, "now": …, "service": {"id", "classes", "purposes"}, "purpose": …, "fields": {…},
 *      "atoms"?, "consents"?, "objections"?, "values"?, "unmet"?}
 *
 * Section 4 of the contract shows one. A name that the bundle does not know is no fault where the
 * contract gives it a meaning (a field, a form, a class, a purpose): it is decided, and denied. An
 * unknown member, atom or obligation makes the question invalid.
 */
#pragma once

#include <jansson.h>

#include "model.h"
#include "reader.h"
#include "vault/policy/decide.h"

struct question {
    const char *id;
    struct policy_request request;
    struct policy_stance stance;
    const char **names; /* of the fields asked, sorted; one for each of request.asks */
    bool has_values;
    const struct bytes *values; /* of each field of the catalogue: JSON text; data NULL: none */
};

#define QUESTION_BYTES_MAX (1024UL * 1024)

/* Read the tree where the reader stands. Everything in out lies in the arena. */
enum vault_code question_read(const struct policy *policy, struct reader *reader,
                              const json_t *root, struct arena *arena, struct question *out)
    VAULT_MUST_CHECK;

/* The same for a question that was made for another bundle: atoms that this one does not know are
 * left aside. */
enum vault_code question_read_known(const struct policy *policy, struct reader *reader,
                                    const json_t *root, struct arena *arena, struct question *out)
    VAULT_MUST_CHECK;

/* Set an atom to what a request gives as its value; what is malformed makes it unknown. */
void question_set_atom(const struct policy *policy, struct policy_atom_word atoms[], uint16_t atom,
                       const json_t *value);

/* Decide, and compute the values if the question gives some. outcomes has request.ask_count places;
 * values too (JSON text in the arena; data NULL where nothing is released), or is NULL. */
enum vault_code question_decide(const struct policy *policy, const struct question *question,
                                struct arena *arena, struct policy_outcome outcomes[],
                                struct bytes values[], struct vault_error *err) VAULT_MUST_CHECK;

/* Append {"fields":{…},"id":…} with every key sorted. */
void answer_write(const struct policy *policy, const struct question *question,
                  const struct policy_outcome outcomes[], const struct bytes values[],
                  struct buf *out);

/* Append what one field came to: {"by":[…],"form":…,"must":{…},"outcome":…,"value":…}. */
void answer_write_field(const struct policy *policy, const struct question *question, size_t ask,
                        const struct policy_outcome *outcome, struct bytes value, struct buf *out);
