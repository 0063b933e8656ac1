/*
 * seccomp: which system calls a profile may make. The tables were measured with strace over all
 * integration tests, and hold besides what newer versions of the C library call instead.
 *
 * Calls are named as the kernel does; a name that libseccomp does not know yet is passed over, and
 * the call then is ENOSYS like all that is not listed.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox_parts.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41 /* names of memory, which newer C libraries give */
#endif

#define NEW_NAMESPACES                                                                             \
    (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |     \
     CLONE_NEWCGROUP)
#define SOCKET_KIND      0xfU /* without SOCK_CLOEXEC, SOCK_NONBLOCK */
#define API_KILL_PROCESS 3
#define SPEED_TREE       2 /* SCMP_FLTATR_CTL_OPTIMIZE: look a call up in a tree */

/* What both profiles do. */
static const char *const basic[] = {
    /* memory */
    "brk", "madvise", "mlock", "mlock2", "mremap", "mseal", "munlock", "munmap",
    /* time, chance, itself */
    "clock_getres", "clock_gettime", "clock_nanosleep", "getegid", "geteuid", "getgid", "getpid",
    "getrandom", "gettid", "gettimeofday", "getuid", "nanosleep", "sched_getaffinity",
    "sched_yield", "time",
    /* waiting, signals, the end */
    "exit", "exit_group", "futex", "futex_waitv", "poll", "ppoll", "restart_syscall", "rseq",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "set_robust_list", "sigaltstack",
    /* descriptors that are open, files that may be opened */
    "close", "close_range", "fchmod", "fdatasync", "flock", "fstat", "fsync", "ftruncate", "getcwd",
    "getdents64", "lseek", "lstat", "newfstatat", "open", "openat", "pread64", "pwrite64", "read",
    "readlink", "readlinkat", "readv", "recvfrom", "recvmsg", "rename", "renameat", "renameat2",
    "sendmsg", "sendto", "shutdown", "stat", "statx", "unlink", "unlinkat", "write", "writev"};

/* What threads, listeners and a store do besides. */
static const char *const of_worker[] = {
    /* files */
    "access", "chmod", "faccessat", "faccessat2", "fadvise64", "fallocate", "fchmodat", "fchmodat2",
    "fchown", "fstatfs", "mkdir", "mkdirat", "openat2", "rmdir", "statfs", "sync_file_range",
    "syncfs", "truncate", "umask",
    /* sockets and waiting */
    "accept", "accept4", "bind", "connect", "dup", "epoll_create1", "epoll_ctl", "epoll_pwait",
    "epoll_pwait2", "epoll_wait", "eventfd2", "getpeername", "getsockname", "getsockopt", "listen",
    "pipe2", "pselect6", "recvmmsg", "rt_sigtimedwait", "select", "sendfile", "sendmmsg",
    "setsockopt",
    /* threads and figures */
    "getcpu", "getppid", "getrusage", "membarrier", "mincore", "rt_sigpending", "sched_getparam",
    "sched_getscheduler", "set_tid_address", "sysinfo", "times", "uname",
    /* whether the keyholder is there */
    "wait4"};

/* What only somebody who has taken over the process would want. */
static const char *const deadly[] = {
    /* other programs, other processes */
    "execve", "execveat", "kcmp", "pidfd_getfd", "process_madvise", "process_vm_readv",
    "process_vm_writev", "ptrace",
    /* other rights */
    "capset", "setfsgid", "setfsuid", "setgid", "setgroups", "setregid", "setresgid", "setresuid",
    "setreuid", "setuid",
    /* another view of the machine */
    "chroot", "fsconfig", "fsmount", "fsopen", "fspick", "mount", "mount_setattr", "move_mount",
    "open_by_handle_at", "open_tree", "pivot_root", "setns", "umount", "umount2", "unshare",
    /* the kernel's own affairs */
    "acct", "add_key", "bpf", "clock_adjtime", "clock_settime", "delete_module", "fanotify_init",
    "finit_module", "init_module", "io_uring_enter", "io_uring_register", "io_uring_setup",
    "ioperm", "iopl", "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie", "mknod",
    "mknodat", "modify_ldt", "perf_event_open", "personality", "quotactl", "quotactl_fd", "reboot",
    "request_key", "sethostname", "setdomainname", "settimeofday", "swapoff", "swapon", "syslog",
    "userfaultfd"};

/* What the sanitizers' search for leaks does at the end. */
static const char *const of_sanitizers[] = {"clone", "getdents", "ptrace", "wait4",
                                            "prctl", "getppid",  "tgkill"};

static enum vault_code refused(int code, const char *name, struct vault_error *err)
{
    return vault_fail(err, VAULT_IO, "making the list of system calls, at %s: %s", name,
                      strerrordesc_np(-code));
}

static enum vault_code add_all(scmp_filter_ctx filter, uint32_t action, const char *const names[],
                               size_t count, struct vault_error *err)
{
    for (size_t i = 0; i < count; i++) {
        const int number = seccomp_syscall_resolve_name(names[i]);
        const int code =
            number == __NR_SCMP_ERROR ? 0 : seccomp_rule_add(filter, action, number, 0);
        if (code && code != -EDOM) /* a call of another machine's */
            return refused(code, names[i], err);
    }
    return VAULT_OK;
}

/* One rule for a call's arguments. */
struct detail {
    const char *name;
    struct scmp_arg_cmp arguments[3];
    unsigned count; /* of those that are given */
    uint32_t action;
};

static enum vault_code add_details(scmp_filter_ctx filter, const struct detail details[],
                                   size_t count, struct vault_error *err)
{
    for (size_t i = 0; i < count; i++) {
        const int number = seccomp_syscall_resolve_name(details[i].name);
        const int code = seccomp_rule_add_array(filter, details[i].action, number, details[i].count,
                                                details[i].arguments);
        if (code)
            return refused(code, details[i].name, err);
    }
    return VAULT_OK;
}

#define HAS(argument, mask, value)                                                                 \
    {                                                                                              \
        (argument), SCMP_CMP_MASKED_EQ, (mask), (value)                                            \
    }
#define IS(argument, value)                                                                        \
    {                                                                                              \
        (argument), SCMP_CMP_EQ, (value), 0                                                        \
    }
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Memory that is written or mapped is not executed. */
static enum vault_code add_memory(scmp_filter_ctx filter, bool may_execute, struct vault_error *err)
{
    const uint32_t action = may_execute ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EACCES);
    const struct detail details[] = {
        {"mmap", {HAS(2, PROT_EXEC, 0)}, 1, SCMP_ACT_ALLOW},
        {"mprotect", {HAS(2, PROT_EXEC, 0)}, 1, SCMP_ACT_ALLOW},
        {"mmap", {HAS(2, PROT_EXEC, PROT_EXEC)}, 1, action},
        {"mprotect", {HAS(2, PROT_EXEC, PROT_EXEC)}, 1, action},
    };
    return add_details(filter, details, COUNT(details), err);
}

/* What is done with a descriptor: copies, flags and locks of it, and no signals to whoever it names
 * (F_SETOWN, F_SETSIG), nor leases and notifications. */
static enum vault_code add_descriptors(scmp_filter_ctx filter, struct vault_error *err)
{
    static const int commands[] = {F_DUPFD,  F_DUPFD_CLOEXEC, F_GETFD,     F_SETFD,
                                   F_GETFL,  F_SETFL,         F_GETLK,     F_SETLK,
                                   F_SETLKW, F_OFD_GETLK,     F_OFD_SETLK, F_OFD_SETLKW};
    for (size_t i = 0; i < COUNT(commands); i++) {
        const struct detail detail = {
            "fcntl", {IS(1, (scmp_datum_t)commands[i])}, 1, SCMP_ACT_ALLOW};
        VAULT_TRY(add_details(filter, &detail, 1, err));
    }
    return VAULT_OK;
}

/* Signals to itself, as abort() sends; a name for a thread. */
static enum vault_code add_own(scmp_filter_ctx filter, struct vault_error *err)
{
    const struct detail details[] = {
        {"tgkill", {IS(0, (scmp_datum_t)getpid())}, 1, SCMP_ACT_ALLOW},
        {"prctl", {IS(0, PR_SET_NAME)}, 1, SCMP_ACT_ALLOW},
        {"prctl", {IS(0, PR_SET_VMA)}, 1, SCMP_ACT_ALLOW},
    };
    return SANDBOX_RELAXED ? VAULT_OK : add_details(filter, details, COUNT(details), err);
}

/* No processes. clone3 hides what it asks for in memory: refused, and the C library takes clone. */
static enum vault_code add_threads(scmp_filter_ctx filter, struct vault_error *err)
{
    const scmp_datum_t thread = CLONE_THREAD;
    const struct detail details[] = {
        {"clone", {HAS(0, thread | NEW_NAMESPACES, thread)}, 1, SCMP_ACT_ALLOW}};
    return SANDBOX_RELAXED ? VAULT_OK /* of_sanitizers has it */
                           : add_details(filter, details, COUNT(details), err);
}

/* Sockets of the Internet, of this machine, and the one by which the C
 * library asks for this machine's addresses; limits that are looked at. */
static enum vault_code add_worker_details(scmp_filter_ctx filter, struct vault_error *err)
{
    const struct detail details[] = {
        {"socket", {IS(0, AF_INET), HAS(1, SOCKET_KIND, SOCK_STREAM)}, 2, SCMP_ACT_ALLOW},
        {"socket", {IS(0, AF_INET), HAS(1, SOCKET_KIND, SOCK_DGRAM)}, 2, SCMP_ACT_ALLOW},
        {"socket", {IS(0, AF_INET6), HAS(1, SOCKET_KIND, SOCK_STREAM)}, 2, SCMP_ACT_ALLOW},
        {"socket", {IS(0, AF_INET6), HAS(1, SOCKET_KIND, SOCK_DGRAM)}, 2, SCMP_ACT_ALLOW},
        {"socket", {IS(0, AF_UNIX)}, 1, SCMP_ACT_ALLOW},
        {"socket", /* NETLINK_ROUTE */
         {IS(0, AF_NETLINK), HAS(1, SOCKET_KIND, SOCK_RAW), IS(2, 0)},
         3,
         SCMP_ACT_ALLOW},
        {"socketpair", {IS(0, AF_UNIX)}, 1, SCMP_ACT_ALLOW},
        {"prlimit64", {IS(0, 0), IS(2, 0)}, 2, SCMP_ACT_ALLOW},
        {"ioctl", {IS(1, FIONBIO)}, 1, SCMP_ACT_ALLOW},
        {"ioctl", {IS(1, FIONREAD)}, 1, SCMP_ACT_ALLOW},
        {"ioctl", {IS(1, TCGETS)}, 1, SCMP_ACT_ALLOW},
    };
    return add_details(filter, details, COUNT(details), err);
}

/* What ends the process; on a kernel from before 4.14 the thread, which brings the program down. */
static uint32_t deadly_action(void)
{
    return seccomp_api_get() >= API_KILL_PROCESS ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_KILL_THREAD;
}

/* Deadly, but for what the sanitizers do. */
static enum vault_code add_deadly(scmp_filter_ctx filter, struct vault_error *err)
{
    for (size_t i = 0; i < COUNT(deadly); i++) {
        if (!SANDBOX_RELAXED || strcmp(deadly[i], "ptrace") != 0)
            VAULT_TRY(add_all(filter, deadly_action(), &deadly[i], 1, err));
    }
    return VAULT_OK;
}

static enum vault_code fill(scmp_filter_ctx filter, const struct sandbox_options *options,
                            struct vault_error *err)
{
    VAULT_TRY(add_all(filter, SCMP_ACT_ALLOW, basic, COUNT(basic), err));
    VAULT_TRY(add_memory(filter, options->with_module, err));
    VAULT_TRY(add_descriptors(filter, err));
    VAULT_TRY(add_own(filter, err));
    const bool works = options->profile == SANDBOX_WORKER || options->with_module;
    if (works || options->with_threads)
        VAULT_TRY(add_threads(filter, err));
    if (works) {
        VAULT_TRY(add_all(filter, SCMP_ACT_ALLOW, of_worker, COUNT(of_worker), err));
        VAULT_TRY(add_worker_details(filter, err));
    }
    if (SANDBOX_RELAXED)
        VAULT_TRY(add_all(filter, SCMP_ACT_ALLOW, of_sanitizers, COUNT(of_sanitizers), err));
    return add_deadly(filter, err);
}

static void release(scmp_filter_ctx *filter)
{
    if (*filter)
        seccomp_release(*filter);
}

enum vault_code sandbox_restrict_calls(const struct sandbox_options *options,
                                       struct vault_error *err)
{
    VAULT_AUTO(release) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    if (!filter)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    VAULT_TRY(fill(filter, options, err));
    /* There is one thread; ThreadSanitizer has another. */
    (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    int code = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, deadly_action());
    code = code ? code : seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, SPEED_TREE);
    code = code ? code : seccomp_load(filter);
    if (code)
        return vault_fail(err, VAULT_UNAVAILABLE,
                          "this kernel does not take the list of system calls (seccomp): %s",
                          strerrordesc_np(-code));
    return VAULT_OK;
}
