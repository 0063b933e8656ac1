/*
 * An auditor's witness as it runs: the list of the logs that it looks after, up to a line of
 * dashes, and what somebody sends over one connection after that. The HTTP library is the real one;
 * it is run by this file, in the place of its own thread and port (--wrap in CMakeLists.txt).
 *
 * Whatever comes, no answer is a 500, and what is remembered is a checkpoint; a list that is none
 * stops the start with one line, in which it is not said.
 */
#include "fuzz_tools.h"
#include "log_fuzz.h"

#include <dirent.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "programs/audit.h"
#include "vault/base/log.h"

#define INPUT_BYTES_MAX (64UL * 1024)
#define TURNS_MAX       200

struct MHD_Daemon *__wrap_MHD_start_daemon(unsigned flags, uint16_t port,
                                           MHD_AcceptPolicyCallback accept, void *accept_context,
                                           MHD_AccessHandlerCallback handler, void *context, ...);
int __wrap_sigtimedwait(const sigset_t *signals, siginfo_t *got, const struct timespec *timeout);
int __wrap_pthread_sigmask(int how, const sigset_t *set, sigset_t *before);
int __wrap_prctl(int option, ...);
int __wrap_audit_usage(const char *what);
int __wrap_audit_failed(enum vault_code code, const struct vault_error *err);

static char state[PATH_MAX];
static char key[PATH_MAX];
static char state_option[PATH_MAX + 16];
static char key_option[PATH_MAX + 16];
static struct MHD_Daemon *http;
static struct bytes sent;
static bool was_run;

/* --- A connection ---------------------------------------------------------------------------- */

/* Statuses that this witness or the library answers with. */
static void check_answer(const char *answer)
{
    unsigned status = 0;
    REQUIRE(strncmp(answer, "HTTP/1.", 7) == 0 && sscanf(answer + 8, " %u", &status) == 1);
    REQUIRE(status >= 100 && status < 600 && status != 500);
}

static void converse(int client)
{
    static char taken[128 * 1024];
    size_t size = 0;
    ssize_t got = 1;
    for (size_t turn = 0; turn < TURNS_MAX && got != 0; turn++) {
        const ssize_t put = sent.size ? send(client, sent.data, sent.size, MSG_NOSIGNAL) : 0;
        sent.data += put > 0 ? put : 0;
        sent.size -= put > 0 ? (size_t)put : 0;
        if (turn > 2 && sent.size == 0)
            shutdown(client, SHUT_WR);
        REQUIRE(MHD_run(http) == MHD_YES);
        got = recv(client, taken + size, sizeof taken - 1 - size, 0);
        size += got > 0 ? (size_t)got : 0;
    }
    taken[size] = 0;
    if (size > 12)
        check_answer(taken);
}

/* --- In the place of the port, the signals and the terminal ---------------------------------- */

struct MHD_Daemon *__wrap_MHD_start_daemon(unsigned flags, uint16_t port,
                                           MHD_AcceptPolicyCallback accept, void *accept_context,
                                           MHD_AccessHandlerCallback handler, void *context, ...)
{
    va_list options;
    (void)flags;
    va_start(options, context);
    http = MHD_start_daemon_va(MHD_USE_NO_LISTEN_SOCKET, port, accept, accept_context, handler,
                               context, options);
    va_end(options);
    return http;
}

/* A witness that is waiting for its end answers until then. */
int __wrap_sigtimedwait(const sigset_t *signals, siginfo_t *got, const struct timespec *timeout)
{
    static const struct sockaddr_in client = {.sin_family = AF_INET};
    int ends[2];
    (void)signals;
    (void)got;
    (void)timeout;
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    REQUIRE(MHD_add_connection(http, ends[1], (const struct sockaddr *)&client, sizeof client) ==
            MHD_YES);
    converse(ends[0]);
    close(ends[0]);
    was_run = true;
    return SIGTERM;
}

int __wrap_pthread_sigmask(int how, const sigset_t *set, sigset_t *before)
{
    (void)how;
    (void)set;
    (void)before;
    return 0;
}

/* LeakSanitizer looks into this process. */
int __wrap_prctl(int option, ...)
{
    (void)option;
    return 0;
}

int __wrap_audit_usage(const char *what)
{
    REQUIRE(what[0] && !strchr(what, '\n') && !strstr(what, FUZZ_VALUE));
    return AUDIT_EXIT_USAGE;
}

int __wrap_audit_failed(enum vault_code code, const struct vault_error *err)
{
    require_silent(err);
    REQUIRE(code != VAULT_OK);
    return AUDIT_EXIT_IO;
}

/* --- A witness for each input ---------------------------------------------------------------- */

static void write_key(void)
{
    uint8_t raw[SIGN_SEED_BYTES];
    VAULT_AUTO(secret_free) struct secret *seed = NULL;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(1024);
    VAULT_AUTO(note_signer_finish)
    struct note_signer signer = log_fuzz_signer("witness.example/a", NOTE_COSIGNATURE, 2);
    memset(raw, 2, sizeof raw);
    REQUIRE(secret_copy((struct bytes){raw, sizeof raw}, &seed, NULL) == VAULT_OK);
    REQUIRE(note_signer_print(&signer, seed, &text, NULL) == VAULT_OK);
    REQUIRE(file_create(key, buf_view(&text), 0600, NULL) == VAULT_OK);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    log_fuzz_start();
    scratch_start();
    scratch_path(state, "state");
    scratch_path(key, "key");
    snprintf(state_option, sizeof state_option, "--state=%s", state);
    snprintf(key_option, sizeof key_option, "--key=%s", key);
    write_key();
    log_set_level(LOG_ERROR);
    return 0;
}

/* "\n---\n" ends the list of logs. */
static struct bytes cut_list(struct bytes *input)
{
    static const char line[] = "---\n";
    const uint8_t *at = input->size ? memmem(input->data, input->size, line, strlen(line)) : NULL;
    struct bytes list = {input->data, at ? (size_t)(at - input->data) : input->size};
    const size_t used = list.size + (at ? strlen(line) : 0);
    *input = (struct bytes){input->data + used, input->size - used};
    return list;
}

/* What it remembers is of a log that it looks after, and cosigned by it. */
static void check_memory(void)
{
    char path[PATH_MAX];
    struct checkpoint checkpoint;
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    DIR *dir = opendir(state);
    REQUIRE(dir);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        const char *suffix = strrchr(entry->d_name, '.');
        if (!suffix || strcmp(suffix, ".checkpoint") != 0)
            continue;
        buf_clear(&note);
        REQUIRE(file_join(path, sizeof path, state, entry->d_name, NULL) == VAULT_OK);
        REQUIRE(file_read(path, &note, NULL) == VAULT_OK);
        REQUIRE(checkpoint_parse(buf_view(&note), &checkpoint, NULL) == VAULT_OK);
    }
    closedir(dir);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char listen[] = "--listen=127.0.0.1:0";
    static char sandbox[] = "--sandbox=off"; /* this process is not to be shut in */
    char *arguments[] = {listen, key_option, state_option, sandbox, NULL};
    struct bytes input = {data, size};
    FILE *terminal = stdout;
    if (size == 0 || size > INPUT_BYTES_MAX)
        return 0;
    REQUIRE(mkdir(state, 0700) == 0);
    const struct bytes list = cut_list(&input);
    scratch_put("state/logs", list);
    sent = input;
    was_run = false;
    stdout = fopen("/dev/null", "we");
    REQUIRE(stdout);
    const int code = audit_witness(4, arguments);
    REQUIRE(fclose(stdout) == 0);
    stdout = terminal;
    REQUIRE((code == 0) == was_run);
    check_memory();
    REQUIRE(folder_remove(state, NULL) == VAULT_OK);
    return 0;
}
