/*
 * vaultctl backup: asked of the daemon, and followed until it is done.
 * vaultctl verify-backup, restore: on the folders themselves, with no daemon needed.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"
#include "ctl_provider.h"
#include "edge/place_channel.h"
#include "options.h"
#include "progress.h"
#include "vault/base/clock.h"
#include "vault/base/file.h"
#include "vault/vault/backup.h"

#define REQUEST_BYTES_MAX (64UL * 1024)
#define LOOK_EACH_MS      100

/* --- backup --------------------------------------------------------------------------------- */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* The daemon knows no working folder of ours. */
static enum vault_code absolute_path(const char *path, char out[PATH_MAX], struct vault_error *err)
{
    char folder[PATH_MAX];
    if (path[0] == '/') {
        snprintf(out, PATH_MAX, "%s", path);
    } else {
        if (!getcwd(folder, sizeof folder))
            return vault_fail_errno(err, "finding the working folder");
        VAULT_TRY(file_join(out, PATH_MAX, folder, path, err));
    }
    for (size_t size = strlen(out); size > 1 && out[size - 1] == '/'; size--)
        out[size - 1] = 0;
    return VAULT_OK;
}

static enum vault_code ask_command(int fd, const char *command, json_t **result,
                                   struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(REQUEST_BYTES_MAX);
    buf_format(&request, "{\"command\":\"%s\"}", command);
    return ctl_ask(fd, &request, result, err);
}

/* --- The files, which the daemon asks us to make -------------------------------------------- */

/* What is served, and the thread that does; started: it is to be joined. */
struct maker {
    struct backup_folder folder;
    struct backup_place place;
    int served; /* our end */
    int handed; /* the daemon's */
    pthread_t thread;
    bool started;
};

static void *make_files(void *context)
{
    struct maker *maker = context;
    place_channel_serve(maker->served, &maker->place);
    return NULL;
}

/* The daemon's end goes first, so that the thread ends once the daemon has let go of it. */
static void maker_finish(struct maker *maker)
{
    file_close(&maker->handed);
    if (maker->started)
        pthread_join(maker->thread, NULL);
    file_close(&maker->served);
}

/* What root makes for the daemon is the daemon's. */
static void give_to_daemon(int daemon, struct backup_folder *folder)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (geteuid() == 0 && getsockopt(daemon, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
        peer.uid != 0) {
        folder->owner = peer.uid;
        folder->group = peer.gid;
    }
}

static enum vault_code maker_start(struct maker *maker, int daemon, const char *path,
                                   struct vault_error *err)
{
    int ends[2];
    VAULT_TRY(backup_folder_at(path, &maker->folder, &maker->place, err));
    give_to_daemon(daemon, &maker->folder);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return vault_fail_errno(err, "making a pair of sockets");
    maker->served = ends[0];
    maker->handed = ends[1];
    if (pthread_create(&maker->thread, NULL, make_files, maker) != 0)
        return vault_fail(err, VAULT_NO_MEMORY, "cannot start a thread");
    maker->started = true;
    return VAULT_OK;
}

static enum vault_code ask_backup(int fd, const char *folder, int given, struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *result = NULL;
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(REQUEST_BYTES_MAX);
    buf_text(&request, "{\"command\":\"backup\",\"folder\":");
    json_write_string(&request, bytes_of_text(folder));
    buf_byte(&request, '}');
    return ctl_ask_with(fd, &request, given, &result, err);
}

static long long number_of(const json_t *answer, const char *name)
{
    return (long long)json_integer_value(json_object_get(answer, name));
}

static void draw(const json_t *status)
{
    const char *step = json_string_value(json_object_get(status, "step"));
    progress_show((uint64_t)number_of(status, "citizens_done"),
                  (uint64_t)number_of(status, "citizens"), "%s, %lld MB", step ? step : "",
                  number_of(status, "bytes") / 1000000);
}

/* A daemon that answers is not one that cannot be reached. */
static enum vault_code failed_with(const json_t *status, struct vault_error *err)
{
    const enum vault_code code = ctl_said(status, "the backup failed", err);
    return code == VAULT_UNAVAILABLE ? VAULT_CONFLICT : code;
}

static enum vault_code follow(int fd, json_t **status, struct vault_error *err)
{
    const struct timespec pause = {.tv_nsec = LOOK_EACH_MS * 1000000L};
    bool told = false;
    progress_begin();
    for (;;) {
        json_free(status);
        if (interrupted && !told) {
            VAULT_AUTO(json_free) json_t *result = NULL;
            VAULT_TRY(ask_command(fd, "backup cancel", &result, err));
            told = true;
        }
        VAULT_TRY(ask_command(fd, "backup status", status, err));
        const char *state = json_string_value(json_object_get(*status, "state"));
        if (!state || strcmp(state, "running") != 0)
            break;
        draw(*status);
        nanosleep(&pause, NULL);
    }
    progress_clear();
    const char *state = json_string_value(json_object_get(*status, "state"));
    return state && strcmp(state, "done") == 0 ? VAULT_OK : failed_with(*status, err);
}

static enum vault_code cancel(const struct ctl *ctl, struct vault_error *err)
{
    VAULT_AUTO(file_close) int fd = -1;
    VAULT_AUTO(json_free) json_t *result = NULL;
    VAULT_TRY(ctl_connect(ctl, &fd, err));
    return ask_command(fd, "backup cancel", &result, err);
}

static enum vault_code backup(const struct ctl *ctl, const char *path, json_t **status,
                              struct vault_error *err)
{
    char folder[PATH_MAX];
    VAULT_AUTO(file_close) int fd = -1;
    VAULT_TRY(absolute_path(path, folder, err));
    VAULT_AUTO(maker_finish) struct maker maker = {.served = -1, .handed = -1};
    VAULT_TRY(ctl_connect(ctl, &fd, err));
    VAULT_TRY(maker_start(&maker, fd, folder, err));
    signal(SIGINT, on_interrupt);
    signal(SIGTERM, on_interrupt);
    const enum vault_code code = ask_backup(fd, folder, maker.handed, err);
    file_close(&maker.handed); /* the daemon has its own, or has refused it */
    VAULT_TRY(code);
    return follow(fd, status, err);
}

int ctl_backup(const struct ctl *ctl, int argc, char **argv)
{
    struct vault_error err = {0};
    VAULT_AUTO(json_free) json_t *status = NULL;
    if (argc != 2)
        return ctl_usage("backup takes one folder, or --cancel");
    if (strcmp(argv[1], "--cancel") == 0) {
        const enum vault_code code = cancel(ctl, &err);
        if (code)
            return ctl_failed(code, &err);
        puts(ctl->json ? "{}" : "a backup that is being made is given up");
        return 0;
    }
    if (argv[1][0] == '-')
        return ctl_usage("backup takes one folder, or --cancel");
    const enum vault_code code = backup(ctl, argv[1], &status, &err);
    if (code)
        return ctl_failed(code, &err);
    printf(ctl->json ? "{\"files\":%lld,\"bytes\":%lld,\"log\":%lld}\n"
                     : "%lld files, %lld bytes; the log in it has %lld entries.\n",
           number_of(status, "files"), number_of(status, "bytes"), number_of(status, "log"));
    return 0;
}

/* --- What opens a backup -------------------------------------------------------------------- */

bool ctl_opener_option(int argc, char **argv, int *i, struct ctl_opener *opener)
{
    if (strcmp(argv[*i], "--recovery") == 0) {
        opener->by_recovery = true;
        return true;
    }
    if (!ctl_provider_option(argc, argv, i, &opener->keyring))
        return false;
    opener->is_given = true;
    return true;
}

enum vault_code ctl_opener_settle(const struct ctl *ctl, struct ctl_opener *opener, const char *dir,
                                  struct vault_error *err)
{
    bool allow_swap = true;
    if (ctl->config && !opener->is_given) {
        struct config *config = calloc(1, sizeof *config);
        if (!config)
            return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
        const enum vault_code code = config_read(ctl->config, config, err);
        opener->keyring = config->keyring;
        opener->is_given = true;
        allow_swap = config->allow_swap;
        free(config);
        if (code)
            return code == VAULT_NOT_FOUND ? VAULT_IO : code;
    } else if (opener->is_given || dir) {
        VAULT_TRY(ctl_provider_settle(&opener->keyring, dir, err));
        opener->is_given = true;
    }
    if (!opener->is_given && !opener->by_recovery)
        return vault_fail(err, VAULT_INVALID,
                          "what opens it? give --config FILE before the command, or --provider and "
                          "what belongs to it, or --recovery");
    VAULT_TRY(program_start(allow_swap, err));
    if (opener->by_recovery)
        VAULT_TRY(ctl_read_secret("recovery secret", false, &opener->recovery, err));
    return opener->by_recovery && !dir
               ? VAULT_OK
               : ctl_provider_secret(&opener->keyring, opener->by_recovery, &opener->secret, err);
}

void ctl_opener_finish(struct ctl_opener *opener)
{
    secret_free(&opener->secret);
    secret_free(&opener->recovery);
}

void ctl_show(void *context, const char *step, uint64_t done, uint64_t all)
{
    (void)context;
    progress_show(done, all, "%s: %llu", step, (unsigned long long)done);
}

/* --- verify-backup -------------------------------------------------------------------------- */

static enum vault_code open_keyring(const char *dir, const struct ctl_opener *opener,
                                    struct keyring **out, struct vault_error *err)
{
    if (opener->by_recovery)
        return keyring_open_recovery(dir, secret_view(opener->recovery), out, err);
    struct keyring_provider provider = config_provider(&opener->keyring);
    provider.secret = opener->secret;
    return keyring_open(dir, &provider, out, err);
}

static enum vault_code verify(const struct ctl *ctl, const char *dir, struct ctl_opener *opener,
                              struct backup_facts *facts, struct vault_error *err)
{
    VAULT_AUTO(keyring_close) struct keyring *keyring = NULL;
    VAULT_TRY(ctl_opener_settle(ctl, opener, NULL, err));
    VAULT_TRY(open_keyring(dir, opener, &keyring, err));
    return backup_check(dir, keyring, ctl_show, NULL, facts, err);
}

int ctl_verify_backup(const struct ctl *ctl, int argc, char **argv)
{
    struct vault_error err = {0};
    struct backup_facts facts = {0};
    const char *dir = NULL;
    VAULT_AUTO(ctl_opener_finish) struct ctl_opener opener = {.by_recovery = false};
    for (int i = 1; i < argc; i++) {
        if (ctl_opener_option(argc, argv, &i, &opener))
            continue;
        if (dir || argv[i < argc ? i : argc - 1][0] == '-')
            return ctl_usage("verify-backup takes one folder and what opens it");
        dir = argv[i];
    }
    if (!dir)
        return ctl_usage("verify-backup: which folder?");
    progress_begin();
    const enum vault_code code = verify(ctl, dir, &opener, &facts, &err);
    progress_clear();
    if (code)
        return ctl_failed(code, &err);
    char time[INSTANT_CHARS + 1];
    instant_format(time, facts.time_ms / 1000);
    printf(ctl->json ? "{\"time\":\"%s\",\"files\":%llu,\"bytes\":%llu,\"citizens\":%llu,"
                       "\"log\":%llu}\n"
                     : "Whole and genuine: made %s, %llu files, %llu bytes, %llu citizens, a log "
                       "of %llu entries.\n",
           time, (unsigned long long)facts.files, (unsigned long long)facts.bytes,
           (unsigned long long)facts.citizens, (unsigned long long)facts.log_size);
    return 0;
}
