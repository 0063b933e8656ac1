/*
 * database_copy - a copy of a database while it is used, and a look at such a copy.
 *
 * A copy is taken some pages at a time, between which whoever else uses the connection goes on:
 * what they change goes into what is copied already, too, so that the copy is the database as it is
 * at the last step. It is under the same key. Nothing is synced.
 */
#pragma once

#include "database.h"

/* Begin; *to is the new file's connection, to be closed after database_copy_stop(). VAULT_CONFLICT
 * if there is a file, or from is being copied already. */
enum vault_code database_copy_begin(struct database *from, const struct database_place *place,
                                    const struct secret *key, struct database **to,
                                    struct vault_error *err) VAULT_MUST_CHECK;

/* Copy so many pages more (-1: all). *remaining is how many are left; with 0 the copy is whole.
 * VAULT_UNAVAILABLE if the connection was closed since the beginning: the copy is worth nothing. */
enum vault_code database_copy_step(struct database *from, int pages, int *remaining,
                                   struct vault_error *err) VAULT_MUST_CHECK;

/* No more. Fine when nothing is copied. */
void database_copy_stop(struct database *from);

/* Open a file that nobody has open and that is not to be changed: nothing is written or made beside
 * it. Codes as database_open(). */
enum vault_code database_open_frozen(const struct database_place *place, const struct secret *key,
                                     const struct database_kind *kind, struct database **out,
                                     struct vault_error *err) VAULT_MUST_CHECK;

/* The same for whoever reads its tables: VAULT_CONFLICT if they are older than this program's. What
 * a log or journal beside the file holds is not seen. */
enum vault_code database_look(const struct database_place *place, const struct secret *key,
                              const struct database_kind *kind, struct database **out,
                              struct vault_error *err) VAULT_MUST_CHECK;

/* VAULT_CORRUPT unless every page holds its HMAC. */
enum vault_code database_check_pages(struct database *database, struct vault_error *err)
    VAULT_MUST_CHECK;
