/*
 * family - a minor of 14 with two adults who can be made their guardians, a stranger of age, and
 * what a library asks of the minor, in the tests' vault.
 */
#pragma once

#include "vault/vault/guardian.h"
#include "vault_test.h"

#define FAMILY_PASSWORD "un mot de passe"
#define MINOR_NAME      "Minou Inventé"
#define MAX_NAME        "Max Inventé"
#define LOU_NAME        "Lou Inventée"

/* The minor was born on 2012-05-17: 14 at START_MS. */
#define MINOR_15_MS     1810512000000LL /* 2027-05-17T00:00:00Z */
#define MINOR_18_MS     1905206400000LL /* 2030-05-17T00:00:00Z */

struct family {
    struct citizen_id minor;         /* F-1, login minou */
    struct citizen_id max;           /* F-2, login max; of age, as the other two */
    struct citizen_id lou;           /* F-3, login lou */
    struct citizen_id other;         /* F-4, login other */
    char subject[SUBJECT_CHARS + 1]; /* the minor, to the library */
};

/* A filled vault with them (make_kept_vault); nobody is anybody's guardian yet. */
void make_vault_with_family(struct vault_test *test, struct family *out);

/* The library asks the minor for their reader's number, for 90 days. */
struct access_receipt ask_minor(struct vault_test *test);

/* How many fields the library gets of the minor: 0 or 1. */
size_t release_of_minor(struct vault_test *test, const struct family *family);

/* What the library is told of its request, by its state. */
void assert_told(struct vault_test *test, const char *request, const char *state);

/* How many changes the library's feed has. */
size_t feed_size(struct vault_test *test);
