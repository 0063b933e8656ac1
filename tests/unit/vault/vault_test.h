/*
 * vault_test - a vault of its own for a test: the tests' policy, signed by a key made on the spot,
 * a clock that stands still until it is moved, two services, and one citizen.
 */
#pragma once

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "test.h"
#include "vault/base/clock.h"
#include "vault/base/file.h"
#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/ledger/entry.h"
#include "vault/policy/signature.h"
#include "vault/vault/access_request.h"
#include "vault/vault/active_policy.h"
#include "vault/vault/consent.h"
#include "vault/vault/people.h"
#include "vault/vault/release.h"
#include "vault/vault/service.h"
#include "vault/vault/sign_in.h"
#include "vault/vault/subject.h"

#define START_MS   1804500000000 /* 2027-03-08T10:00:00Z */

#define CASEWORKER "employment-plan"
#define LIBRARY    "library"
#define SUPPORT    "employment.support"
#define LENDING    "library.lending"

struct vault_test {
    char dir[PATH_MAX];
    char key_file[PATH_MAX];
    char bundle[PATH_MAX];
    uint8_t seed[SIGN_SEED_BYTES]; /* of the key that signs the policy: made for the test */
    char vkey[NOTE_KEY_CHARS_MAX];
    const char *trust[1];
    struct vault_options options;
    _Atomic int64_t now_ms;
    struct vault *vault;
    struct citizen_id citizen; /* born 1990-05-17 */
};

/* The keys by which the two services are known. */
extern const uint8_t caseworker_key[SHA256_BYTES];
extern const uint8_t library_key[SHA256_BYTES];

/* Make an empty vault and open it; only its policy is there, signed, in test->bundle. */
void make_test_vault(struct vault_test *test);

/* A mediator who has set that password in the place of their first one. */
void register_mediator(struct vault_test *test, const char *structure, const char *login,
                       const char *name, const char *password);

/* Whoever has this login set their password themselves: it has no end. */
void own_password(struct vault_test *test, const char *login);

/* The policy, two services with a key each, and one citizen with a login. */
void fill_test_vault(struct vault_test *test);

/* A vault that is made and filled by the program's first call, and copied by that and all others:
 * activating a bundle compares ten thousand decisions, and each password takes as long as it is
 * meant to. */
struct kept_vault {
    struct vault_test filled;
    const char *folder; /* NULL: not made yet */
};
void make_kept_vault(struct vault_test *test, struct kept_vault *kept,
                     void (*fill)(struct vault_test *test));

/* So, by fill_test_vault(); and with the mediators ada, of the structure hub, and bob, of centre.
 */
#define MEDIATOR_PASSWORD "une longue phrase"
void make_filled_vault(struct vault_test *test);
void make_vault_with_mediators(struct vault_test *test);

/* Sign the bundle, as it stands now, under a new manifest of that version. */
void sign_again(struct vault_test *test, uint64_t version);

/* Put another text in the place of a file of the bundle, and sign that as the version. */
void change_test_bundle(struct vault_test *test, const char *file, const char *text,
                        uint64_t version);

void open_test_vault(struct vault_test *test);

/* Stop and start again, as after a clean stop. */
void reopen_test_vault(struct vault_test *test);

/* The folder of the vault's own copy of the bundle that an entry names by version and the first
 * bytes of its hash. False if there is none. */
bool find_copied_bundle(const struct vault_test *test, uint64_t version,
                        const uint8_t hash[ENTRY_POLICY_BYTES], char out[PATH_MAX]);

/* Where the largest of the citizens' files is: of whom most has happened, the decoy having nothing.
 */
void find_largest_file(const struct vault_test *test, char out[PATH_MAX]);

/* Damage the first page of one, or put it right again; the vault is closed. */
void flip_first_page(const char *file);

void import_one(struct vault_test *test, const char *row);
struct service_hold hold_service(struct vault_test *test, const uint8_t *key);

/* Give the caseworker the birth year and the status, for 30 days. */
void give_consent(struct vault_test *test, int64_t uses);

/* Ask as the caseworker for the birth date, the status and the name; the answer is the caller's. */
json_t *ask_release(struct vault_test *test, const char *subject);

void subject_of_citizen(struct vault_test *test, char out[SUBJECT_CHARS + 1]);

/* How many fields came, of a release's answer, which is freed. */
size_t count_released(json_t *answer);
