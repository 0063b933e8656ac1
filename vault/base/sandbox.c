#include "vault/base/sandbox.h"

#include <dirent.h>
#include <dlfcn.h>
#include <limits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox_parts.h"
#include "vault/base/folder.h"

#define LANDLOCK_VERSION 1U /* LANDLOCK_CREATE_RULESET_VERSION */
#define FIRST_OTHER      3  /* descriptor */

bool sandbox_is_relaxed(void)
{
    return SANDBOX_RELAXED;
}

int sandbox_landlock_abi(void)
{
    const long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_VERSION);
    return abi > 0 && abi < INT_MAX ? (int)abi : 0;
}

void sandbox_close_inherited(void)
{
    closefrom(FIRST_OTHER);
}

/* Landlock holds in the thread that enters and in those that it starts, in no other. Without /proc
 * nobody can count; ThreadSanitizer has a thread of its own. */
static enum vault_code check_alone(struct vault_error *err)
{
    size_t threads = 0;
#ifndef __SANITIZE_THREAD__
    VAULT_AUTO(folder_close) DIR *tasks = opendir("/proc/self/task");
    const struct dirent *item = NULL;
    while (tasks) {
        VAULT_TRY(folder_next(tasks, "/proc/self/task", &item, err));
        if (!item)
            break;
        threads += item->d_name[0] != '.';
    }
#endif
    if (threads > 1)
        return vault_fail(err, VAULT_CONFLICT, "the sandbox is entered before threads are started");
    return VAULT_OK;
}

/* Which ABI to go by; 0: none. */
static enum vault_code choose_abi(const struct sandbox_options *options, int *out,
                                  struct vault_error *err)
{
    int abi = options->with_module ? 0 : sandbox_landlock_abi();
    if (options->landlock_most && abi > options->landlock_most)
        abi = options->landlock_most;
    *out = abi >= SANDBOX_LANDLOCK_LEAST ? abi : 0;
    if (options->needs_landlock && !*out)
        return vault_fail(
            err, VAULT_UNAVAILABLE, "%s",
            options->with_module
                ? "Landlock is required, and does not go with a PKCS #11 module: what "
                  "that opens is not known"
                : "Landlock is required, and this kernel has none: Linux 5.19 or newer "
                  "with \"landlock\" in its parameter lsm=");
    return VAULT_OK;
}

/* glibc loads what unwinds a thread when one first leaves by pthread_exit(3), as those of Argon2
 * do, and ends the program if it cannot: then nothing may be mapped to be executed any more. */
static void load_unwinder(void)
{
    (void)dlopen("libgcc_s.so.1", RTLD_NOW);
}

enum vault_code sandbox_enter(const struct sandbox_options *options, struct sandbox_state *out,
                              struct vault_error *err)
{
    int abi = 0;
    VAULT_TRY(check_alone(err));
    VAULT_TRY(choose_abi(options, &abi, err));
    load_unwinder();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return vault_fail_errno(err, "giving up new privileges");
    if (abi)
        VAULT_TRY(sandbox_restrict_files(options, abi, err));
    VAULT_TRY(sandbox_restrict_calls(options, err));
    *out = (struct sandbox_state){.is_entered = true, .landlock = abi};
    return VAULT_OK;
}
