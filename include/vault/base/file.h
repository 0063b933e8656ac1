/*
 * file - whole files and folders, read with a limit and written so that a crash leaves the old
 * content or the new, never half of it.
 *
 * Everything the vault writes is for its own user only: files are made with mode 0600 and folders
 * with 0700 unless a caller says otherwise. Links are not followed in the last part of a path.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"

/* Close by attribute: VAULT_AUTO(file_close) int fd = -1; */
void file_close(int *fd);

/* Append the whole file to out; out's ceiling is the limit. VAULT_NOT_FOUND, VAULT_TOO_LARGE. */
enum vault_code file_read(const char *path, struct buf *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Open a regular file to read; never waits, as opening a FIFO would. file_read_regular() is
 * file_read() by it. VAULT_NOT_FOUND; VAULT_CORRUPT if something else is in its place. */
enum vault_code file_open_regular(const char *path, int *out, struct vault_error *err)
    VAULT_MUST_CHECK;
enum vault_code file_read_regular(const char *path, struct buf *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Replace or make the file: written beside it, synced, renamed over it, and the folder synced. */
enum vault_code file_replace(const char *path, struct bytes content, mode_t mode,
                             struct vault_error *err) VAULT_MUST_CHECK;

/* Make the file; VAULT_CONFLICT if there is one. Synced, and the folder too. */
enum vault_code file_create(const char *path, struct bytes content, mode_t mode,
                            struct vault_error *err) VAULT_MUST_CHECK;

/* Write everything, going on after a short write or a signal. */
enum vault_code file_write_all(int fd, struct bytes content, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Make the folder with mode 0700; one that is there already is fine. */
enum vault_code folder_create(const char *path, struct vault_error *err) VAULT_MUST_CHECK;

/* Make what was done to the names in a folder last. */
enum vault_code folder_sync(const char *path, struct vault_error *err) VAULT_MUST_CHECK;

/* Whether there is something at the path, or nothing. A disk that does not say makes both false:
 * who goes on without the file asks whether it is missing, who would overwrite or remove something
 * whether it exists. */
bool file_exists(const char *path);
bool file_is_missing(const char *path);

/* "dir/name" into out, NUL-ended. VAULT_TOO_LARGE if it does not fit. */
enum vault_code file_join(char *out, size_t out_bytes, const char *dir, const char *name,
                          struct vault_error *err) VAULT_MUST_CHECK;
