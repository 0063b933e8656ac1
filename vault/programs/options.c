#include "options.h"

#include <malloc.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "vault/base/json.h"
#include "vault/crypto/crypto.h"

int program_failed(const char *program, enum vault_code code, const struct vault_error *err)
{
    fprintf(stderr, "%s: %s\n", program, err->text);
    return vault_code_exit(code);
}

int program_usage(const char *program, const char *what)
{
    fprintf(stderr, "%s: %s; try %s --help\n", program, what, program);
    return EXIT_USAGE;
}

#define ARENAS      2
#define MAPPED_FROM (128 * 1024)

/* Of themselves, glibc's arenas are eight to a processor, each keeps what was freed in it, and a
 * buffer that is freed raises the size below which the next ones are cut from them: a vaultd that
 * had 80 MB in use held 280. */
static void keep_memory_small(void)
{
    mallopt(M_ARENA_MAX, ARENAS);
    mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
    mallopt(M_TRIM_THRESHOLD, MAPPED_FROM);
}

enum vault_code program_start(bool allow_swap, struct vault_error *err)
{
    const struct rlimit none = {0, 0};
    umask(077);
    keep_memory_small();
    if (prctl(PR_SET_DUMPABLE, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0)
        return vault_fail_errno(err, "turning core dumps off");
    json_start();
    return crypto_start(allow_swap, err);
}
