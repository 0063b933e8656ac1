/*
 * new_password - which passwords may be set: long enough, and none that somebody would try first.
 *
 * Refused are, beside the short ones, those that libpasswdqc finds too simple or made of a common
 * word or a row of keys; a short piece over and over; those of which little is left without the
 * vault's own words; and those in a filter of passwords that leaked elsewhere, where the operator
 * names one. The vault's own words are the table in new_password.c, the parts of the log's name,
 * the operator's file, and the login. Any characters may be used, and none must be. Nobody is told
 * which of these it was.
 */
#pragma once

#include "vault/base/buf.h"
#include "vault/vault/vault.h"

#define NEW_PASSWORD_WORD_LEAST 4 /* bytes: shorter words are in too many passwords by chance */
#define NEW_PASSWORD_WORD_MOST  64
#define NEW_PASSWORD_WORDS_MAX  512
#define NEW_PASSWORD_LEFT       6 /* characters that are no word of ours, and no space, at least */

struct new_password;

/* VAULT_INVALID if the file of words has a line that cannot be one, or too many, or the filter is
 * none; VAULT_NOT_FOUND. */
enum vault_code new_password_open(const struct vault_options *options, struct new_password **out,
                                  struct vault_error *err) VAULT_MUST_CHECK;
void new_password_close(struct new_password **known);

/* Whether whoever has this login (NULL: not known yet) may set that password.
 * VAULT_INVALID   it is too short
 * VAULT_CONFLICT  it would be guessed
 * VAULT_IO        the filter could not be read */
enum vault_code new_password_check(const struct new_password *known, struct bytes password,
                                   const char *login, struct vault_error *err) VAULT_MUST_CHECK;
