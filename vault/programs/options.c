#include "options.h"

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

enum vault_code program_start(bool allow_swap, struct vault_error *err)
{
    const struct rlimit none = {0, 0};
    umask(077);
    if (prctl(PR_SET_DUMPABLE, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0)
        return vault_fail_errno(err, "turning core dumps off");
    json_start();
    return crypto_start(allow_swap, err);
}
