/* fuzz_tools - what the targets outside the log share: errors that must be silent, parts of an
 * input, and a folder for parsers that read files. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/base/file.h"
#include "vault/base/folder.h"

/* Stands in the values of the corpora, and in no text of the vault's: no error may say it. */
#define FUZZ_VALUE "zq7x"

/* OpenSSL's random generators have their state on its secure heap, where LeakSanitizer does not
 * look for what they point to. A target may have more to leave out: FUZZ_LEAKS_ELSEWHERE. */
#ifndef FUZZ_LEAKS_ELSEWHERE
#define FUZZ_LEAKS_ELSEWHERE ""
#endif
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:CRYPTO_zalloc\n" FUZZ_LEAKS_ELSEWHERE;
}

/* One line that says something, and nothing of the input. */
static inline void require_silent(const struct vault_error *err)
{
    REQUIRE(err->text[0]);
    REQUIRE(!strchr(err->text, '\n'));
    REQUIRE(!strstr(err->text, FUZZ_VALUE));
}

/* The input up to the separator, or all of it; *rest is what is behind. */
static inline struct bytes take_part(struct bytes *rest, char separator)
{
    const uint8_t *end = rest->size ? memchr(rest->data, separator, rest->size) : NULL;
    const struct bytes part = {rest->data, end ? (size_t)(end - rest->data) : rest->size};
    const size_t used = part.size + (end != NULL);
    *rest = (struct bytes){rest->data + used, rest->size - used};
    return part;
}

/* --- A folder of this process's own, gone when it ends --------------------------------------- */

/* In memory, where there is that: much of what is tested here waits for the disk. */
static char scratch_dir[40];

static inline void scratch_path(char out[PATH_MAX], const char *name)
{
    REQUIRE(file_join(out, PATH_MAX, scratch_dir, name, NULL) == VAULT_OK);
}

static inline void scratch_remove(void)
{
    (void)!folder_remove(scratch_dir, NULL);
}

static inline void scratch_start(void)
{
    snprintf(scratch_dir, sizeof scratch_dir, "%s/fuzz-scratch-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    REQUIRE(mkdtemp(scratch_dir));
    atexit(scratch_remove);
}

static inline void scratch_put(const char *name, struct bytes content)
{
    char path[PATH_MAX];
    scratch_path(path, name);
    FILE *file = fopen(path, "w");
    REQUIRE(file);
    REQUIRE(!content.size || fwrite(content.data, 1, content.size, file) == content.size);
    REQUIRE(fclose(file) == 0);
}
