/*
 * load - what reading the catalogue, the rules, the tests and the manifest have in common.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "files.h"
#include "model.h"
#include "reader.h"

/* How an id is written. A plain one is [a-z][a-z0-9_.-]*, a field's name has at least two parts. */
enum id_grammar { ID_PLAIN, ID_FIELD };

bool id_is_valid(struct bytes id, enum id_grammar grammar);

/* The member as an id, borrowed; it has been checked to be a string. */
enum vault_code load_id(struct reader *reader, const json_t *object, const char *member,
                        enum id_grammar grammar, struct bytes *out) VAULT_MUST_CHECK;

/* The member as an instant; what stands for none if it is missing. */
enum vault_code load_instant(struct reader *reader, const json_t *object, const char *member,
                             int64_t none_s, int64_t *out_s) VAULT_MUST_CHECK;

/* The member as words in each language; it has been checked to be an object. Empty ones are none.
 */
enum vault_code load_words(struct reader *reader, struct arena *arena, const json_t *object,
                           const char *member, struct words *out) VAULT_MUST_CHECK;

/* A list of bands; the walk is at it. */
enum vault_code load_bands(struct reader *reader, struct arena *arena, const json_t *list,
                           struct bands *out) VAULT_MUST_CHECK;

enum vault_code load_no_memory(struct reader *reader);

/* catalogue.json into the policy. */
enum vault_code catalogue_load(struct policy *policy, struct reader *reader, const json_t *root)
    VAULT_MUST_CHECK;

/* Append a derivation as JSON, so that two have the same text if they compute the same in the same
 * way: what has no order is sorted. */
void derivation_write(const struct policy *policy, const struct derivation *derivation,
                      struct buf *out);

/* The "derive" of a field; sources are resolved, their types are not looked at yet. */
enum vault_code derivation_load(struct policy *policy, struct reader *reader, const json_t *derive,
                                uint16_t field) VAULT_MUST_CHECK;

/* Once all fields are known: do sources and results fit, is there no cycle, is the cost bounded. */
enum vault_code derivation_check(struct policy *policy, struct reader *reader, const json_t *derive,
                                 uint16_t field) VAULT_MUST_CHECK;

/* All rules of the bundle into the policy, sorted by id. */
enum vault_code rules_load(struct policy *policy, const struct bundle *bundle,
                           struct policy_fault *fault, struct vault_error *err) VAULT_MUST_CHECK;

/* A reader that stands at a loaded rule, to refuse it for what only all rules together show. */
struct reader rule_reader(const struct bundle *bundle, const struct rule *rule,
                          struct policy_fault *fault, struct vault_error *err);

/* Whether a file of tests is well-formed; the tests are run elsewhere. */
enum vault_code cases_check(const struct policy *policy, const struct bundle_file *file,
                            struct policy_fault *fault, struct vault_error *err) VAULT_MUST_CHECK;
