/*
 * Landlock, by its system calls: Debian 12 has neither a library for it nor a header that knows of
 * more than ABI 2, so that what is needed of <linux/landlock.h> stands here.
 *
 *     ABI  Linux  what it can refuse besides
 *     2    5.19   opening, making, removing, and moving between folders
 *     3    6.2    truncating
 *     4    6.7    bind and connect of TCP, by port
 *     5    6.10   ioctl of devices
 *     6    6.12   abstract UNIX sockets and signals that leave the sandbox
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox_parts.h"
#include "vault/base/file.h"

#define RULE_PATH              1
#define RULE_PORT              2

#define BIT(n)                 (1ULL << (n))

/* Of files and folders. */
#define EXECUTE                BIT(0)
#define WRITE_FILE             BIT(1)
#define READ_FILE              BIT(2)
#define READ_DIR               BIT(3)
#define REMOVE_DIR             BIT(4)
#define REMOVE_FILE            BIT(5)
#define MAKE_DIR               BIT(7)
#define MAKE_REG               BIT(8)
#define MAKE_SOCK              BIT(9)
#define REFER                  BIT(13)
#define TRUNCATE               BIT(14)
#define IOCTL_DEV              BIT(15)

#define OF_FILES               (EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV)

/* Of TCP. */
#define BIND_TCP               BIT(0)
#define CONNECT_TCP            BIT(1)

/* What stays within. */
#define SCOPE_ABSTRACT_SOCKETS BIT(0)
#define SCOPE_SIGNALS          BIT(1)

/* Each word was added by an ABI; a kernel takes as many as it knows. */
struct ruleset {
    uint64_t files;
    uint64_t ports;
    uint64_t scopes;
};

struct path_rule {
    uint64_t rights;
    int32_t folder;
} __attribute__((packed));

struct port_rule {
    uint64_t rights;
    uint64_t port;
};

/* Everything that the ABI can refuse; *size is how much of the ruleset it knows. */
static struct ruleset all_of(int abi, size_t *size)
{
    struct ruleset all = {.files = BIT(14) - 1};
    *size = abi >= 6   ? sizeof all
            : abi >= 4 ? offsetof(struct ruleset, scopes)
                       : offsetof(struct ruleset, ports);
    if (abi >= 3)
        all.files |= TRUNCATE;
    if (abi >= 4)
        all.ports = BIND_TCP | CONNECT_TCP;
    if (abi >= 5)
        all.files |= IOCTL_DEV;
    if (abi >= 6)
        all.scopes = SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS;
    return all;
}

static uint64_t rights_of(unsigned rights)
{
    uint64_t bits = 0;
    if (rights & SANDBOX_READ)
        bits |= READ_FILE | READ_DIR;
    if (rights & SANDBOX_WRITE)
        bits |= WRITE_FILE | TRUNCATE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | REFER;
    if (rights & SANDBOX_SOCKETS)
        bits |= MAKE_SOCK | REMOVE_FILE;
    return bits;
}

static enum vault_code add_path(int ruleset, const struct ruleset *all,
                                const struct sandbox_rule *rule, struct vault_error *err)
{
    struct stat status;
    VAULT_AUTO(file_close) int fd = rule->path[0] ? open(rule->path, O_PATH | O_CLOEXEC) : -1;
    if (fd < 0 && (!rule->path[0] || errno == ENOENT || errno == ENOTDIR || errno == EACCES))
        return VAULT_OK; /* whoever needs it says so */
    if (fd < 0 || fstat(fd, &status) != 0)
        return vault_fail_errno(err, "looking at %s for the sandbox", rule->path);
    uint64_t rights = rights_of(rule->rights) & all->files;
    if (!S_ISDIR(status.st_mode))
        rights &= OF_FILES;
    const struct path_rule path = {.rights = rights, .folder = fd};
    if (rights && syscall(SYS_landlock_add_rule, ruleset, RULE_PATH, &path, 0U) != 0)
        return vault_fail_errno(err, "letting %s into the sandbox", rule->path);
    return VAULT_OK;
}

static enum vault_code add_ports(int ruleset, uint64_t right, const uint16_t ports[], size_t count,
                                 struct vault_error *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct port_rule rule = {.rights = right, .port = ports[i]};
        if (syscall(SYS_landlock_add_rule, ruleset, RULE_PORT, &rule, 0U) != 0)
            return vault_fail_errno(err, "letting port %u into the sandbox", ports[i]);
    }
    return VAULT_OK;
}

/* What a sanitizer or a count of lines reads and writes besides, for its report. */
static enum vault_code add_for_builds(int ruleset, const struct ruleset *all,
                                      struct vault_error *err)
{
#ifdef VAULT_COVERAGE
    return add_path(ruleset, all,
                    &(struct sandbox_rule){VAULT_COVERAGE, SANDBOX_READ | SANDBOX_WRITE}, err);
#else
    static const struct sandbox_rule rules[] = {
        {"/proc/self", SANDBOX_READ}, {"/proc/self/exe", SANDBOX_READ}, {"/usr/lib", SANDBOX_READ}};
    for (size_t i = 0; SANDBOX_RELAXED && i < sizeof rules / sizeof rules[0]; i++)
        VAULT_TRY(add_path(ruleset, all, &rules[i], err));
    return VAULT_OK;
#endif
}

enum vault_code sandbox_restrict_files(const struct sandbox_options *options, int abi,
                                       struct vault_error *err)
{
    size_t size = 0;
    struct ruleset all = all_of(abi, &size);
    if (options->needs_abstract_sockets)
        all.scopes &= ~SCOPE_ABSTRACT_SOCKETS;
    VAULT_AUTO(file_close)
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, size, 0U);
    if (ruleset < 0)
        return vault_fail_errno(err, "making a Landlock ruleset");
    for (size_t i = 0; i < options->rule_count; i++)
        VAULT_TRY(add_path(ruleset, &all, &options->rules[i], err));
    VAULT_TRY(add_for_builds(ruleset, &all, err));
    if (all.ports) {
        VAULT_TRY(add_ports(ruleset, BIND_TCP, options->bind_ports, options->bind_count, err));
        VAULT_TRY(
            add_ports(ruleset, CONNECT_TCP, options->connect_ports, options->connect_count, err));
    }
    if (syscall(SYS_landlock_restrict_self, ruleset, 0U) != 0)
        return vault_fail_errno(err, "entering the Landlock sandbox");
    return VAULT_OK;
}
