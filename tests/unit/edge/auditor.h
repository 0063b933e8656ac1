/*
 * auditor - an auditor at the door of a test's vault.
 */
#pragma once

#include "caller.h"
#include "vault/edge/auditor_api.h"
#include "vault_test.h"

extern const uint8_t auditor_key[SHA256_BYTES];

/* A filled vault, in which the auditor of that name is registered, and who calls as them. */
void auditor_open(struct vault_test *test, const char *name, struct auditor_api *api,
                  struct caller *caller);

/* Ask for the test citizen's fields so many times, and wait until all of it is published. */
void auditor_releases(struct vault_test *test, size_t times, char subject[SUBJECT_CHARS + 1]);
