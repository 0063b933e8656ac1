/*
 * folder - folders with all that is in them: gone through, removed, put in another's place.
 *
 * Links are never followed, and nothing but regular files and folders is expected. Names are
 * relative to the folder, with '/' between. Depth and length have limits; how many files there are
 * has none, and memory does not grow with it.
 */
#pragma once

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>

#include "vault/base/error.h"

#define FOLDER_DEPTH_MAX  16
#define FOLDER_NAME_CHARS 1023

/* For VAULT_AUTO, behind opendir(3). */
void folder_close(DIR **folder);

/* The next name of a folder that was opened, borrowed; NULL: there is no more. A folder that could
 * not be read to its end is an error, and not a shorter folder. The path is for the words. */
enum vault_code folder_next(DIR *folder, const char *path, const struct dirent **item,
                            struct vault_error *err) VAULT_MUST_CHECK;

/* Told of one file: its name, and how many bytes of what can be read from fd (which stands at its
 * beginning, and is borrowed) belong to it. A code other than VAULT_OK ends the walk, which then
 * returns it. */
typedef enum vault_code file_taker(void *context, const char *name, int fd, uint64_t size_bytes,
                                   struct vault_error *err);

/* Give every regular file below the folder to take, in no order. The names begin with prefix.
 * VAULT_NOT_FOUND if there is no such folder; VAULT_INVALID for a link, a device or the like. */
enum vault_code folder_walk(const char *path, const char *prefix, file_taker *take, void *context,
                            struct vault_error *err) VAULT_MUST_CHECK;

/* Give one file to take under that name. VAULT_NOT_FOUND if it is not there. */
enum vault_code folder_give(const char *path, const char *name, file_taker *take, void *context,
                            struct vault_error *err) VAULT_MUST_CHECK;

/* Remove the folder with all that is in it; one that is not there is fine. */
enum vault_code folder_remove(const char *path, struct vault_error *err) VAULT_MUST_CHECK;

/* Whether there is nothing at the path, or a folder with nothing in it. */
bool folder_is_free(const char *path);

/* Make the folders that lead to the file of that name below path. */
enum vault_code folder_create_for(const char *path, const char *name, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Whether a name, read from elsewhere, stays below the folder it is joined to: no empty part, no
 * "." or "..", not absolute, not too long. */
bool folder_name_is_safe(const char *name);

/* Make all of a folder last, and give it its name: the file system of from is synced, from becomes
 * to, which must be free (folder_is_free), and the folder they are in is synced.
 * VAULT_CONFLICT if to is not free. */
enum vault_code folder_finish(const char *from, const char *to, struct vault_error *err)
    VAULT_MUST_CHECK;
