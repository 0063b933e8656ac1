#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vault/base/file.h"
#include "vault/base/folder.h"
#include "vault/base/sandbox.h"

#define DIES      1000 /* the process is ended by SIGSYS */
#define BROKEN    1001 /* the sandbox was not entered */
#define RIGHTS_RW (SANDBOX_READ | SANDBOX_WRITE)

static const char *here; /* the folder that the tests have */
static char inside[PATH_MAX];
static char readable[PATH_MAX];
static char outside[PATH_MAX];

/* What a child may do: inside is its own, readable is to be read. Ports: those given. */
static struct sandbox_options options_of(enum sandbox_profile profile)
{
    static struct sandbox_rule rules[2];
    rules[0] = (struct sandbox_rule){inside, RIGHTS_RW | SANDBOX_SOCKETS};
    rules[1] = (struct sandbox_rule){readable, SANDBOX_READ};
    return (struct sandbox_options){.profile = profile, .rules = rules, .rule_count = 2};
}

/* Enter in a child and try: 0 or the errno of what was tried, DIES, BROKEN. */
static int in_sandbox(const struct sandbox_options *options, int (*attempt)(const void *context),
                      const void *context)
{
    const pid_t child = fork();
    if (child == 0) {
        struct sandbox_state state = {0};
        struct vault_error err = {0};
        if (sandbox_enter(options, &state, &err) || !state.is_entered) {
            fprintf(stderr, "not entered: %s\n", err.text);
            _exit(255);
        }
        _exit(attempt(context));
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGSYS ? DIES : BROKEN;
    return WEXITSTATUS(status) == 255 ? BROKEN : WEXITSTATUS(status);
}

static int failed(bool has_failed)
{
    return has_failed ? errno : 0;
}

/* --- Calls that end the process ------------------------------------------------------------- */

struct call {
    const char *name;
    long number;
};

static int make_call(const void *context)
{
    const struct call *call = context;
    return failed(syscall(call->number, 0, 0, 0, 0, 0, 0) < 0);
}

static const struct call deadly[] = {
    {"execve", SYS_execve},
    {"execveat", SYS_execveat},
    {"process_vm_readv", SYS_process_vm_readv},
    {"process_vm_writev", SYS_process_vm_writev},
    {"pidfd_getfd", SYS_pidfd_getfd},
    {"kcmp", SYS_kcmp},
    {"setuid", SYS_setuid},
    {"setgid", SYS_setgid},
    {"setreuid", SYS_setreuid},
    {"setregid", SYS_setregid},
    {"setresuid", SYS_setresuid},
    {"setresgid", SYS_setresgid},
    {"setfsuid", SYS_setfsuid},
    {"setfsgid", SYS_setfsgid},
    {"setgroups", SYS_setgroups},
    {"capset", SYS_capset},
    {"chroot", SYS_chroot},
    {"pivot_root", SYS_pivot_root},
    {"mount", SYS_mount},
    {"umount2", SYS_umount2},
    {"move_mount", SYS_move_mount},
    {"open_tree", SYS_open_tree},
    {"fsopen", SYS_fsopen},
    {"open_by_handle_at", SYS_open_by_handle_at},
    {"unshare", SYS_unshare},
    {"setns", SYS_setns},
    {"keyctl", SYS_keyctl},
    {"add_key", SYS_add_key},
    {"request_key", SYS_request_key},
    {"bpf", SYS_bpf},
    {"userfaultfd", SYS_userfaultfd},
    {"perf_event_open", SYS_perf_event_open},
    {"io_uring_setup", SYS_io_uring_setup},
    {"io_uring_enter", SYS_io_uring_enter},
    {"io_uring_register", SYS_io_uring_register},
    {"init_module", SYS_init_module},
    {"finit_module", SYS_finit_module},
    {"delete_module", SYS_delete_module},
    {"kexec_load", SYS_kexec_load},
    {"reboot", SYS_reboot},
    {"personality", SYS_personality},
    {"mknodat", SYS_mknodat},
    {"settimeofday", SYS_settimeofday},
    {"clock_settime", SYS_clock_settime},
    {"sethostname", SYS_sethostname},
    {"swapon", SYS_swapon},
    {"syslog", SYS_syslog},
    {"quotactl", SYS_quotactl},
    {"acct", SYS_acct},
#ifdef __x86_64__
    {"iopl", SYS_iopl},
    {"modify_ldt", SYS_modify_ldt},
    {"getpid of x32", 0x40000000L + SYS_getpid},
#endif
};

static void test_what_only_an_intruder_wants_ends_the_process(void **state)
{
    (void)state;
    for (int profile = SANDBOX_WORKER; profile <= SANDBOX_KEYHOLDER; profile++) {
        const struct sandbox_options options = options_of((enum sandbox_profile)profile);
        for (size_t i = 0; i < sizeof deadly / sizeof deadly[0]; i++) {
            const int got = in_sandbox(&options, make_call, &deadly[i]);
            if (got != DIES)
                fail_msg("%s in profile %d: %d", deadly[i].name, profile, got);
        }
    }
}

static int trace_parent(const void *context)
{
    (void)context;
    return failed(syscall(SYS_ptrace, 16 /* PTRACE_ATTACH */, getppid(), 0, 0) < 0);
}

static void test_nobody_is_traced(void **state)
{
    (void)state;
    const struct sandbox_options options = options_of(SANDBOX_WORKER);
    /* The sanitizers search their own process so: then it is Landlock that refuses. */
    assert_int_equal(in_sandbox(&options, trace_parent, NULL), sandbox_is_relaxed() ? EPERM : DIES);
}

/* --- Calls that are refused, and calls that are let through --------------------------------- */

static int open_socket(int family, int kind, int protocol)
{
    const int fd = socket(family, kind, protocol);
    return failed(fd < 0);
}

static int socket_inet(const void *context)
{
    (void)context;
    return open_socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static int socket_inet6_datagram(const void *context)
{
    (void)context;
    return open_socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static int socket_unix(const void *context)
{
    (void)context;
    return open_socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int socket_raw(const void *context)
{
    (void)context;
    return open_socket(AF_INET, SOCK_RAW, IPPROTO_TCP);
}

static int socket_packet(const void *context)
{
    (void)context;
    return open_socket(AF_PACKET, SOCK_RAW, 0);
}

static int socket_netfilter(const void *context)
{
    (void)context;
    return open_socket(AF_NETLINK, SOCK_RAW, 12);
}

static int socket_of_the_kernels_keys(const void *context)
{
    (void)context;
    return open_socket(AF_ALG, SOCK_SEQPACKET, 0);
}

static int map_executable(const void *context)
{
    (void)context;
    return failed(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                  MAP_FAILED);
}

static int make_executable(const void *context)
{
    (void)context;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? errno : failed(mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0);
}

static int make_readable(const void *context)
{
    (void)context;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? errno : failed(mprotect(page, 4096, PROT_READ) != 0);
}

static int fork_once(const void *context)
{
    (void)context;
    const pid_t child = fork();
    if (child == 0)
        _exit(0);
    return failed(child < 0);
}

static int fork_into_namespace(const void *context)
{
    (void)context;
    const long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (child == 0)
        _exit(0);
    return failed(child < 0);
}

/* Of users, whom the threads of a process share by the kernel's own rule: a thread that came to be
 * here would go on with this one's stack. */
static int thread_in_namespace(const void *context)
{
    const unsigned long thread = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM;
    (void)context;
    return failed(syscall(SYS_clone, thread | CLONE_NEWUSER, 0, 0, 0, 0) < 0);
}

static void *no_work(void *context)
{
    return context;
}

static int start_thread(const void *context)
{
    pthread_t thread;
    (void)context;
    const int code = pthread_create(&thread, NULL, no_work, NULL);
    return code ? code : pthread_join(thread, NULL);
}

static void *leave(void *context)
{
    pthread_exit(context);
}

static int leave_thread(const void *context)
{
    pthread_t thread;
    (void)context;
    const int code = pthread_create(&thread, NULL, leave, NULL);
    return code ? code : pthread_join(thread, NULL);
}

static int signal_parent(const void *context)
{
    (void)context;
    return failed(syscall(SYS_kill, getppid(), 0) != 0);
}

static int signal_thread_of_parent(const void *context)
{
    (void)context;
    return failed(syscall(SYS_tgkill, getppid(), getppid(), SIGCONT) != 0);
}

static int become_dumpable(const void *context)
{
    (void)context;
    return failed(prctl(PR_SET_DUMPABLE, 1) != 0);
}

static int name_thread(const void *context)
{
    (void)context;
    return failed(prctl(PR_SET_NAME, "named") != 0);
}

static int raise_limit(const void *context)
{
    const struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    (void)context;
    return failed(setrlimit(RLIMIT_CORE, &limit) != 0);
}

static int look_at_limit(const void *context)
{
    struct rlimit limit;
    (void)context;
    return failed(getrlimit(RLIMIT_NOFILE, &limit) != 0);
}

static int type_for_terminal(const void *context)
{
    (void)context;
    return failed(ioctl(0, TIOCSTI, "x") != 0);
}

static int make_hard_link(const void *context)
{
    (void)context;
    return failed(link("/etc/hostname", "linked") != 0);
}

static int send_signals_of_a_descriptor(const void *context)
{
    (void)context;
    return failed(fcntl(0, F_SETOWN, getppid()) != 0);
}

static int choose_the_signal(const void *context)
{
    (void)context;
    return failed(fcntl(0, F_SETSIG, SIGKILL) != 0);
}

static int look_at_flags(const void *context)
{
    (void)context;
    return failed(fcntl(1, F_GETFL) < 0);
}

static int unknown_call(const void *context)
{
    (void)context;
    return failed(syscall(100000) < 0);
}

static int write_pipe(const void *context)
{
    int ends[2];
    (void)context;
    return failed(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || write(ends[0], "x", 1) != 1);
}

static int draw_random(const void *context)
{
    uint8_t bytes[16];
    (void)context;
    return failed(syscall(SYS_getrandom, bytes, sizeof bytes, 0) != sizeof bytes);
}

static int lock_memory(const void *context)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)context;
    return failed(syscall(SYS_mlock, page, 4096) != 0 || syscall(SYS_munlock, page, 4096) != 0);
}

/* Where the build has no sanitizers, all three are ENOSYS. */
#define RELAXED     (-1) /* let through where it has */
#define BY_KERNEL   (-2) /* let through there, and refused by the kernel itself */
#define BY_LANDLOCK (-3) /* let through there, and refused where Landlock knows of signals */

static const struct {
    const char *name;
    int (*attempt)(const void *context);
    int worker;
    int keyholder;
} rows[] = {
    {"a TCP socket", socket_inet, 0, ENOSYS},
    {"a UDP socket", socket_inet6_datagram, 0, ENOSYS},
    {"a UNIX socket", socket_unix, 0, ENOSYS},
    {"a raw socket", socket_raw, ENOSYS, ENOSYS},
    {"a packet socket", socket_packet, ENOSYS, ENOSYS},
    {"a netlink socket but for addresses", socket_netfilter, ENOSYS, ENOSYS},
    {"a socket of the kernel's ciphers", socket_of_the_kernels_keys, ENOSYS, ENOSYS},
    {"memory that is executed", map_executable, EACCES, EACCES},
    {"memory made executable", make_executable, EACCES, EACCES},
    {"memory made read-only", make_readable, 0, 0},
    {"a process", fork_once, RELAXED, RELAXED},
    {"a process in a namespace", fork_into_namespace, RELAXED, RELAXED},
    {"a thread in a namespace", thread_in_namespace, BY_KERNEL, BY_KERNEL},
    {"a thread", start_thread, 0, RELAXED},
    {"a thread that leaves by pthread_exit", leave_thread, 0, RELAXED},
    {"a signal to another process", signal_parent, ENOSYS, ENOSYS},
    {"a signal to another's thread", signal_thread_of_parent, BY_LANDLOCK, BY_LANDLOCK},
    {"a core dump of itself", become_dumpable, RELAXED, RELAXED},
    {"a name for a thread", name_thread, 0, 0},
    {"a higher limit", raise_limit, ENOSYS, ENOSYS},
    {"a look at a limit", look_at_limit, 0, ENOSYS},
    {"a letter typed for the terminal", type_for_terminal, ENOSYS, ENOSYS},
    {"a hard link", make_hard_link, ENOSYS, ENOSYS},
    {"whom a descriptor signals", send_signals_of_a_descriptor, ENOSYS, ENOSYS},
    {"by which signal", choose_the_signal, ENOSYS, ENOSYS},
    {"a descriptor's flags", look_at_flags, 0, 0},
    {"a call that there is not", unknown_call, ENOSYS, ENOSYS},
    {"a pair of sockets", write_pipe, 0, ENOSYS},
    {"random bytes", draw_random, 0, 0},
    {"memory that is locked", lock_memory, 0, 0},
};

static bool is_expected(int wanted, int got)
{
    if (wanted >= 0)
        return got == wanted;
    if (!sandbox_is_relaxed())
        return got == ENOSYS;
    if (wanted == BY_KERNEL)
        return got == EINVAL;
    return wanted == RELAXED ? got == 0 : got == EPERM || got == 0;
}

static void test_each_call_is_refused_or_let_through_by_its_arguments(void **state)
{
    (void)state;
    for (int profile = SANDBOX_WORKER; profile <= SANDBOX_KEYHOLDER; profile++) {
        const struct sandbox_options options = options_of((enum sandbox_profile)profile);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            const int wanted = profile == SANDBOX_WORKER ? rows[i].worker : rows[i].keyholder;
            const int got = in_sandbox(&options, rows[i].attempt, NULL);
            if (!is_expected(wanted, got))
                fail_msg("%s in profile %d: %d, not %d", rows[i].name, profile, got, wanted);
        }
    }
}

/* --- Files ---------------------------------------------------------------------------------- */

struct file_row {
    const char *name;
    int (*attempt)(const void *context);
    const char *path; /* below the tests' folder, or absolute */
    int wanted;
    int least; /* ABI that refuses it; below, it is let through */
};

static const char *path_of(const char *path)
{
    static char full[PATH_MAX];
    if (path[0] == '/')
        return path;
    snprintf(full, sizeof full, "%s/%s", here, path);
    return full;
}

static int open_as(const char *path, int flags)
{
    return failed(open(path_of(path), flags | O_CLOEXEC, 0600) < 0);
}

static int file_to_read(const void *path)
{
    return open_as(path, O_RDONLY);
}

static int file_to_write(const void *path)
{
    return open_as(path, O_WRONLY);
}

static int file_to_make(const void *path)
{
    return open_as(path, O_WRONLY | O_CREAT | O_EXCL);
}

static int folder_to_list(const void *path)
{
    return open_as(path, O_RDONLY | O_DIRECTORY);
}

static int folder_to_make(const void *path)
{
    return failed(mkdir(path_of(path), 0700) != 0);
}

static int file_to_remove(const void *path)
{
    return failed(unlink(path_of(path)) != 0);
}

static int file_to_truncate(const void *path)
{
    return failed(truncate(path_of(path), 0) != 0);
}

static int link_to_make(const void *path)
{
    return failed(symlink("/etc/passwd", path_of(path)) != 0);
}

static int pipe_to_make(const void *path)
{
    return failed(syscall(SYS_mknodat, AT_FDCWD, path_of(path), S_IFIFO | 0600, 0) != 0);
}

static int move_out(const void *path)
{
    char from[PATH_MAX];
    snprintf(from, sizeof from, "%s/inside/moved", here);
    const int fd = open(from, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    return fd < 0 ? errno : failed(rename(from, path_of(path)) != 0);
}

static int move_within(const void *path)
{
    return move_out(path);
}

static int socket_to_make(const void *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path_of(path));
    return failed(fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0);
}

static const struct file_row file_rows[] = {
    {"read its own", file_to_read, "inside/file", 0, 0},
    {"write its own", file_to_write, "inside/file", 0, 0},
    {"make its own", file_to_make, "inside/new", 0, 0},
    {"remove its own", file_to_remove, "inside/file", 0, 0},
    {"truncate its own", file_to_truncate, "inside/file", 0, 0},
    {"list its own", folder_to_list, "inside", 0, 0},
    {"make a folder of its own", folder_to_make, "inside/folder", 0, 0},
    {"move within its own", move_within, "inside/below/moved", 0, 0},
    {"make a socket of its own", socket_to_make, "inside/socket", 0, 0},
    {"make a link of its own", link_to_make, "inside/link", ENOSYS, 0},
    {"make a pipe of its own", pipe_to_make, "inside/pipe", DIES, 0},
    {"read what is readable", file_to_read, "readable/file", 0, 0},
    {"list what is readable", folder_to_list, "readable", 0, 0},
    {"write what is readable", file_to_write, "readable/file", EACCES, 0},
    {"make in what is readable", file_to_make, "readable/new", EACCES, 0},
    {"remove what is readable", file_to_remove, "readable/file", EACCES, 0},
    {"truncate what is readable", file_to_truncate, "readable/file", EACCES, 3},
    {"make a socket in what is readable", socket_to_make, "readable/socket", EACCES, 0},
    {"move to what is readable", move_out, "readable/moved", EACCES, 0},
    {"read outside", file_to_read, "outside/file", EACCES, 0},
    {"write outside", file_to_write, "outside/file", EACCES, 0},
    {"make outside", file_to_make, "outside/new", EACCES, 0},
    {"make a folder outside", folder_to_make, "outside/folder", EACCES, 0},
    {"remove outside", file_to_remove, "outside/file", EACCES, 0},
    {"list outside", folder_to_list, "outside", EACCES, 0},
    {"move outside", move_out, "outside/moved", EACCES, 0},
    {"read by a link that leads outside", file_to_read, "inside/way_out", EACCES, 0},
    {"read above its own", file_to_read, "inside/../outside/file", EACCES, 0},
    {"read the machine's passwords", file_to_read, "/etc/passwd", EACCES, 0},
    {"read another process", file_to_read, "/proc/1/environ", EACCES, 0},
    {"list the root", folder_to_list, "/", EACCES, 0},
};

static void put(const char *name)
{
    char path[PATH_MAX];
    assert_done(folder_create_for(here, name, &test_error));
    assert_done(file_join(path, sizeof path, here, name, &test_error));
    assert_done(file_replace(path, bytes_of_text("text"), 0600, &test_error));
}

static void make_folders(void)
{
    static const char *const names[] = {"inside", "readable", "outside"};
    char path[PATH_MAX];
    for (size_t i = 0; i < 3; i++) {
        assert_done(file_join(path, sizeof path, here, names[i], &test_error));
        assert_done(folder_remove(path, &test_error));
    }
    put("inside/file");
    put("inside/below/file");
    put("readable/file");
    put("outside/file");
    snprintf(path, sizeof path, "%s/inside/way_out", here);
    assert_int_equal(symlink("../outside/file", path), 0);
}

/* What a keyholder does: reads a key, answers over a socket that it has, rotates its file. */
static int keep_keys(const void *context)
{
    const int *ends = context;
    char file[PATH_MAX];
    uint8_t bytes[4] = {0};
    struct timespec short_time = {.tv_nsec = 1000};
    struct pollfd waiting = {.fd = ends[0], .events = POLLIN};
    struct iovec part = {bytes, sizeof bytes};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(64);
    snprintf(file, sizeof file, "%s/file", readable);
    if (file_read(file, &text, NULL) || sendmsg(ends[1], &message, MSG_NOSIGNAL) != 4 ||
        poll(&waiting, 1, 1000) != 1 || recvmsg(ends[0], &message, MSG_CMSG_CLOEXEC) != 4)
        return 1;
    snprintf(file, sizeof file, "%s/keyring.json", inside);
    if (file_replace(file, BYTES("rotated"), 0600, NULL) ||
        file_replace(file, BYTES("rotated again"), 0600, NULL))
        return 2;
    void *page = malloc(1 << 20);
    free(page);
    return page && clock_nanosleep(CLOCK_MONOTONIC, 0, &short_time, NULL) == 0 ? 0 : 3;
}

static void test_a_keyholder_can_do_its_work(void **state)
{
    (void)state;
    int ends[2];
    make_folders();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    const struct sandbox_options options = options_of(SANDBOX_KEYHOLDER);
    assert_int_equal(in_sandbox(&options, keep_keys, ends), 0);
    close(ends[0]);
    close(ends[1]);
}

/* Every ABI up to the kernel's is gone by in its turn. */
static void test_files_are_those_that_were_named(void **state)
{
    (void)state;
    const int newest = sandbox_landlock_abi();
    assert_true(newest >= SANDBOX_LANDLOCK_LEAST);
    for (int abi = SANDBOX_LANDLOCK_LEAST; abi <= newest; abi++) {
        struct sandbox_options options = options_of(SANDBOX_WORKER);
        options.landlock_most = abi;
        for (size_t i = 0; i < sizeof file_rows / sizeof file_rows[0]; i++) {
            make_folders();
            const struct file_row *row = &file_rows[i];
            const int wanted = abi < row->least ? 0 : row->wanted;
            const int got = in_sandbox(&options, row->attempt, row->path);
            if (got != wanted)
                fail_msg("%s by ABI %d: %d, not %d", row->name, abi, got, wanted);
        }
    }
}

static int file_that_was_open(const void *context)
{
    char text[4];
    return failed(read(*(const int *)context, text, sizeof text) != sizeof text);
}

static void test_what_is_open_stays_usable(void **state)
{
    (void)state;
    make_folders();
    VAULT_AUTO(file_close) int fd = open(path_of("outside/file"), O_RDONLY | O_CLOEXEC);
    const struct sandbox_options options = options_of(SANDBOX_WORKER);
    assert_true(fd >= 0);
    assert_int_equal(in_sandbox(&options, file_that_was_open, &fd), 0);
}

static void test_a_path_that_is_not_there_is_passed_over(void **state)
{
    (void)state;
    make_folders();
    const struct sandbox_rule rules[] = {
        {"", RIGHTS_RW}, {"/nowhere/at/all", RIGHTS_RW}, {inside, SANDBOX_READ}};
    const struct sandbox_options options = {
        .profile = SANDBOX_KEYHOLDER, .rules = rules, .rule_count = 3};
    assert_int_equal(in_sandbox(&options, file_to_read, "inside/file"), 0);
    assert_int_equal(in_sandbox(&options, file_to_write, "inside/file"), EACCES);
}

static int thread_reads(const void *path)
{
    return open_as(path, O_RDONLY);
}

static void *read_in_thread(void *context)
{
    *(int *)context = thread_reads("outside/file");
    return NULL;
}

static int read_by_thread(const void *context)
{
    pthread_t thread;
    int got = 0;
    (void)context;
    if (pthread_create(&thread, NULL, read_in_thread, &got) != 0)
        return EAGAIN;
    pthread_join(thread, NULL);
    return got;
}

static void test_it_holds_in_threads_that_are_started_later(void **state)
{
    (void)state;
    make_folders();
    const struct sandbox_options options = options_of(SANDBOX_WORKER);
    assert_int_equal(in_sandbox(&options, read_by_thread, NULL), EACCES);
}

/* --- Ports ---------------------------------------------------------------------------------- */

/* A socket that listens; its port. */
static int listen_anywhere(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static struct sockaddr_in address_of(const uint16_t *port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(*port)};
}

static int connect_to(const void *port)
{
    const struct sockaddr_in address = address_of(port);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return failed(connect(fd, (const struct sockaddr *)&address, sizeof address) != 0);
}

static int bind_to(const void *port)
{
    const struct sockaddr_in address = address_of(port);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return failed(bind(fd, (const struct sockaddr *)&address, sizeof address) != 0);
}

static void test_ports_are_those_that_were_named(void **state)
{
    (void)state;
    uint16_t first = 0;
    uint16_t second = 0;
    const uint16_t any = 0;
    VAULT_AUTO(file_close) int one = listen_anywhere(&first);
    VAULT_AUTO(file_close) int other = listen_anywhere(&second);
    assert_true(sandbox_landlock_abi() >= 4);
    struct sandbox_options options = options_of(SANDBOX_WORKER);
    assert_int_equal(in_sandbox(&options, connect_to, &first), EACCES);
    assert_int_equal(in_sandbox(&options, bind_to, &any), EACCES);
    options.connect_ports = &first;
    options.connect_count = 1;
    options.bind_ports = &any;
    options.bind_count = 1;
    assert_int_equal(in_sandbox(&options, connect_to, &first), 0);
    assert_int_equal(in_sandbox(&options, connect_to, &second), EACCES);
    assert_int_equal(in_sandbox(&options, bind_to, &any), 0);
    assert_int_equal(in_sandbox(&options, bind_to, &first), EACCES);
    options.landlock_most = 3; /* knows of no port */
    assert_int_equal(in_sandbox(&options, connect_to, &second), 0);
}

static int connect_abstract(const void *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const size_t size = strlen(name);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path + 1, name, size);
    return failed(connect(fd, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + size)) != 0);
}

static void test_abstract_sockets_of_others_are_out_of_reach(void **state)
{
    (void)state;
    char name[64];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(name, sizeof name, "vault-sandbox-test-%d", (int)getpid());
    memcpy(address.sun_path + 1, name, strlen(name));
    VAULT_AUTO(file_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name))),
                     0);
    assert_int_equal(listen(fd, 1), 0);
    assert_true(sandbox_landlock_abi() >= 6);
    struct sandbox_options options = options_of(SANDBOX_WORKER);
    assert_int_equal(in_sandbox(&options, connect_abstract, name), EPERM);
    options.landlock_most = 5;
    assert_int_equal(in_sandbox(&options, connect_abstract, name), 0);
    options.landlock_most = 0;
    options.needs_abstract_sockets = true;
    assert_int_equal(in_sandbox(&options, connect_abstract, name), 0);
}

/* --- Entering ------------------------------------------------------------------------------- */

static int read_status(const void *context)
{
    char line[128];
    int no_new = 0;
    int mode = 0;
    (void)context;
    FILE *status = fopen("/proc/self/status", "re");
    while (status && fgets(line, sizeof line, status)) {
        no_new += strcmp(line, "NoNewPrivs:\t1\n") == 0;
        mode += strcmp(line, "Seccomp:\t2\n") == 0;
    }
    return no_new == 1 && mode == 1 ? 0 : 1;
}

static void test_the_kernel_says_that_it_holds(void **state)
{
    (void)state;
    const struct sandbox_rule all = {"/proc", SANDBOX_READ};
    const struct sandbox_options options = {.rules = &all, .rule_count = 1};
    assert_int_equal(in_sandbox(&options, read_status, NULL), 0);
}

static void *wait_for_end(void *context)
{
    pthread_mutex_lock(context);
    pthread_mutex_unlock(context);
    return NULL;
}

static void test_it_is_not_entered_beside_other_threads(void **state)
{
    (void)state;
    pthread_t thread;
    pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
    struct sandbox_state entered = {0};
    const struct sandbox_options options = options_of(SANDBOX_WORKER);
    pthread_mutex_lock(&held);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_end, &held), 0);
    assert_fails(VAULT_CONFLICT, sandbox_enter(&options, &entered, &test_error));
    assert_false(entered.is_entered);
    pthread_mutex_unlock(&held);
    pthread_join(thread, NULL);
}

/* Enter in a child; 0 if that failed with the code, and what then holds is as wanted. */
static void assert_enters(const struct sandbox_options *options, enum vault_code wanted, int abi)
{
    const pid_t child = fork();
    if (child == 0) {
        struct vault_error err;
        struct sandbox_state entered = {0};
        const enum vault_code code = sandbox_enter(options, &entered, &err);
        _exit(code == wanted && entered.landlock == abi ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_landlock_is_missed_only_where_it_is_required(void **state)
{
    (void)state;
    struct sandbox_options options = options_of(SANDBOX_WORKER);
    assert_enters(&options, VAULT_OK, sandbox_landlock_abi());
    options.landlock_most = 1; /* no files may be moved: as good as none */
    assert_enters(&options, VAULT_OK, 0);
    options.needs_landlock = true;
    assert_enters(&options, VAULT_UNAVAILABLE, 0);
    options.landlock_most = 2;
    assert_enters(&options, VAULT_OK, 2);
}

static void test_a_module_opens_what_it_likes_and_executes_no_program(void **state)
{
    (void)state;
    make_folders();
    struct sandbox_options options = options_of(SANDBOX_KEYHOLDER);
    options.with_module = true;
    assert_enters(&options, VAULT_OK, 0);
    assert_int_equal(in_sandbox(&options, file_to_read, "outside/file"), 0);
    assert_int_equal(in_sandbox(&options, map_executable, NULL), 0);
    assert_int_equal(in_sandbox(&options, socket_inet, NULL), 0);
    assert_int_equal(in_sandbox(&options, make_call, &deadly[0]), DIES);
    options.needs_landlock = true;
    assert_enters(&options, VAULT_UNAVAILABLE, 0);
}

static int enter_again(const void *context)
{
    struct vault_error err;
    struct sandbox_state entered;
    const struct sandbox_options options = {.rule_count = 0};
    (void)context;
    return sandbox_enter(&options, &entered, &err) == VAULT_OK ? 0 : 1;
}

static void test_it_is_entered_once(void **state)
{
    (void)state;
    const struct sandbox_options options = options_of(SANDBOX_WORKER);
    assert_int_equal(in_sandbox(&options, enter_again, NULL), 1);
}

static void test_what_was_handed_down_is_closed(void **state)
{
    (void)state;
    const pid_t child = fork();
    if (child == 0) {
        const int high = fcntl(0, F_DUPFD, 900);
        sandbox_close_inherited();
        const bool closed = high >= 900 && fcntl(high, F_GETFD) < 0 && fcntl(3, F_GETFD) < 0 &&
                            fcntl(2, F_GETFD) >= 0;
        _exit(closed ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct rlimit none = {0, 0};
    here = test_folder();
    setrlimit(RLIMIT_CORE, &none); /* so many processes are ended here */
    snprintf(inside, sizeof inside, "%s/inside", here);
    snprintf(readable, sizeof readable, "%s/readable", here);
    snprintf(outside, sizeof outside, "%s/outside", here);
    make_folders();
    return TEST_RUN(test_what_only_an_intruder_wants_ends_the_process, test_nobody_is_traced,
                    test_each_call_is_refused_or_let_through_by_its_arguments,
                    test_a_keyholder_can_do_its_work, test_files_are_those_that_were_named,
                    test_what_is_open_stays_usable, test_a_path_that_is_not_there_is_passed_over,
                    test_it_holds_in_threads_that_are_started_later,
                    test_ports_are_those_that_were_named,
                    test_abstract_sockets_of_others_are_out_of_reach,
                    test_the_kernel_says_that_it_holds, test_it_is_not_entered_beside_other_threads,
                    test_landlock_is_missed_only_where_it_is_required,
                    test_a_module_opens_what_it_likes_and_executes_no_program,
                    test_it_is_entered_once, test_what_was_handed_down_is_closed);
}
