#include "vault/edge/admin.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin_line.h"
#include "admin_metrics.h"
#include "vault/base/file.h"
#include "vault/base/log.h"

#define ACCEPT_WAIT_MS   200
#define CLIENT_WAIT_S    600
#define ANSWER_DEPTH_MAX 16

struct admin {
    const struct admin_context *context;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    int fd;
    pthread_t thread;
    bool running;
    atomic_bool stopping;
    pthread_mutex_t mutex;
    pthread_cond_t ended;
    int open[ADMIN_CONNECTIONS_MAX]; /* -1: free */
    unsigned open_count;
};

struct client {
    struct admin *admin;
    size_t slot;
    int fd;
};

static enum vault_code address_of(const char *path, struct sockaddr_un *out,
                                  struct vault_error *err)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof out->sun_path)
        return vault_fail(err, VAULT_INVALID, "the path of the admin socket is too long: %s", path);
    memcpy(out->sun_path, path, strlen(path) + 1);
    return VAULT_OK;
}

static bool peer_may(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

static void set_wait(int fd, time_t seconds)
{
    const struct timeval wait = {.tv_sec = seconds};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
}

/* --- The daemon's side ---------------------------------------------------------------------- */

static void serve(struct admin *admin, int fd)
{
    struct vault_error err;
    VAULT_AUTO(admin_reader_finish)
    struct admin_reader reader = admin_reader_of(fd, ADMIN_LINE_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(ADMIN_LINE_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf answer = buf_limited(ADMIN_LINE_BYTES_MAX);
    while (!atomic_load(&admin->stopping) && admin_read_line(&reader, &line, &err) == VAULT_OK) {
        if (admin_is_http(buf_view(&line))) {
            admin_answer_http(admin->context, &reader, buf_view(&line));
            break;
        }
        buf_clear(&answer);
        admin_answer_with(admin->context, buf_view(&line), &reader.given, &answer);
        file_close(&reader.given);
        if (admin_write_line(fd, &answer, &err))
            break;
    }
}

static void *serve_client(void *context)
{
    struct client client = *(struct client *)context;
    struct admin *admin = client.admin;
    free(context);
    serve(admin, client.fd);
    pthread_mutex_lock(&admin->mutex);
    close(client.fd);
    admin->open[client.slot] = -1;
    admin->open_count--;
    pthread_cond_broadcast(&admin->ended);
    pthread_mutex_unlock(&admin->mutex);
    return NULL;
}

/* A place among the open connections; false if all are taken. */
static bool take_slot(struct admin *admin, struct client *client)
{
    bool found = false;
    pthread_mutex_lock(&admin->mutex);
    for (size_t i = 0; i < ADMIN_CONNECTIONS_MAX && !found; i++) {
        if (admin->open[i] >= 0)
            continue;
        admin->open[i] = client->fd;
        admin->open_count++;
        client->slot = i;
        found = true;
    }
    pthread_mutex_unlock(&admin->mutex);
    return found;
}

static void give_slot_back(const struct client *client)
{
    pthread_mutex_lock(&client->admin->mutex);
    client->admin->open[client->slot] = -1;
    client->admin->open_count--;
    pthread_mutex_unlock(&client->admin->mutex);
}

static void start_client(struct admin *admin, int fd)
{
    struct client *client = calloc(1, sizeof *client);
    pthread_t thread;
    if (client)
        *client = (struct client){.admin = admin, .fd = fd};
    if (!client || !peer_may(fd) || !take_slot(admin, client)) {
        close(fd);
        free(client);
        return;
    }
    set_wait(fd, ADMIN_IDLE_S);
    if (pthread_create(&thread, NULL, serve_client, client) != 0) {
        give_slot_back(client);
        close(fd);
        free(client);
        return;
    }
    pthread_detach(thread);
}

static void *accept_clients(void *context)
{
    struct admin *admin = context;
    struct pollfd waiting = {.fd = admin->fd, .events = POLLIN};
    while (!atomic_load(&admin->stopping)) {
        if (poll(&waiting, 1, ACCEPT_WAIT_MS) <= 0)
            continue;
        const int fd = accept4(admin->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            start_client(admin, fd);
    }
    return NULL;
}

/* A socket that nobody listens on is what a killed process left. Nothing else is removed. */
static enum vault_code clear_path(const char *path, struct vault_error *err)
{
    struct stat status;
    int fd = -1;
    if (lstat(path, &status) != 0)
        return errno == ENOENT ? VAULT_OK : vault_fail_errno(err, "looking at %s", path);
    if (!S_ISSOCK(status.st_mode))
        return vault_fail(err, VAULT_CONFLICT,
                          "%s is there and is no socket; name another admin.socket", path);
    if (admin_connect(path, &fd, NULL) == VAULT_OK || errno != ECONNREFUSED) {
        file_close(&fd);
        return vault_fail(err, VAULT_CONFLICT, "another vaultd answers at %s", path);
    }
    if (unlink(path) != 0)
        return vault_fail_errno(err, "removing %s", path);
    return VAULT_OK;
}

static enum vault_code listen_at(struct admin *admin, const char *path, struct vault_error *err)
{
    struct sockaddr_un address;
    VAULT_TRY(address_of(path, &address, err));
    VAULT_TRY(clear_path(path, err));
    admin->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (admin->fd < 0 || bind(admin->fd, (struct sockaddr *)&address, sizeof address) != 0)
        return vault_fail_errno(err, "listening at %s", path);
    memcpy(admin->path, address.sun_path, sizeof admin->path);
    if (chmod(path, 0600) != 0 || listen(admin->fd, ADMIN_CONNECTIONS_MAX) != 0)
        return vault_fail_errno(err, "listening at %s", path);
    return VAULT_OK;
}

enum vault_code admin_start(const char *path, const struct admin_context *context,
                            struct admin **out, struct vault_error *err)
{
    VAULT_AUTO(admin_stop) struct admin *admin = calloc(1, sizeof *admin);
    if (!admin)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    admin->context = context;
    admin->fd = -1;
    for (size_t i = 0; i < ADMIN_CONNECTIONS_MAX; i++)
        admin->open[i] = -1;
    pthread_mutex_init(&admin->mutex, NULL);
    pthread_cond_init(&admin->ended, NULL);
    VAULT_TRY(listen_at(admin, path, err));
    if (pthread_create(&admin->thread, NULL, accept_clients, admin) != 0)
        return vault_fail(err, VAULT_NO_MEMORY, "cannot start a thread");
    admin->running = true;
    *out = VAULT_TAKE(admin);
    return VAULT_OK;
}

static void end_clients(struct admin *admin)
{
    pthread_mutex_lock(&admin->mutex);
    for (size_t i = 0; i < ADMIN_CONNECTIONS_MAX; i++) {
        if (admin->open[i] >= 0)
            shutdown(admin->open[i], SHUT_RD); /* what is being answered still is */
    }
    while (admin->open_count)
        pthread_cond_wait(&admin->ended, &admin->mutex);
    pthread_mutex_unlock(&admin->mutex);
}

void admin_stop(struct admin **admin)
{
    struct admin *gone = VAULT_TAKE(*admin);
    if (!gone)
        return;
    atomic_store(&gone->stopping, true);
    if (gone->running)
        pthread_join(gone->thread, NULL);
    end_clients(gone);
    file_close(&gone->fd);
    if (gone->path[0])
        unlink(gone->path);
    pthread_cond_destroy(&gone->ended);
    pthread_mutex_destroy(&gone->mutex);
    free(gone);
}

/* --- The client's side ---------------------------------------------------------------------- */

enum vault_code admin_connect(const char *path, int *fd, struct vault_error *err)
{
    struct sockaddr_un address;
    VAULT_TRY(address_of(path, &address, err));
    VAULT_AUTO(file_close) int made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (made < 0)
        return vault_fail_errno(err, "making a socket");
    if (connect(made, (struct sockaddr *)&address, sizeof address) != 0) {
        const int why = errno;
        vault_fail(err, why == EACCES || why == EPERM ? VAULT_DENIED : VAULT_UNAVAILABLE,
                   "no vaultd answers at %s: %s", path, strerrordesc_np(why));
        close(made);
        made = -1;
        errno = why; /* whoever finds a socket there wants to know */
        return why == EACCES || why == EPERM ? VAULT_DENIED : VAULT_UNAVAILABLE;
    }
    set_wait(made, CLIENT_WAIT_S);
    *fd = made;
    made = -1;
    return VAULT_OK;
}

enum vault_code admin_ask(int fd, const struct buf *line, json_t **answer, struct vault_error *err)
{
    return admin_ask_with(fd, line, -1, answer, err);
}

enum vault_code admin_ask_with(int fd, const struct buf *line, int given, json_t **answer,
                               struct vault_error *err)
{
    VAULT_AUTO(admin_reader_finish)
    struct admin_reader reader = admin_reader_of(fd, ADMIN_LINE_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(ADMIN_LINE_BYTES_MAX);
    VAULT_TRY(buf_check(line, err));
    VAULT_TRY(admin_write_line_with(fd, line, given, err));
    const enum vault_code code = admin_read_line(&reader, &text, err);
    if (code == VAULT_NOT_FOUND)
        return vault_fail(err, VAULT_UNAVAILABLE,
                          "vaultd closed the connection: is this its user, or root?");
    if (code)
        return code;
    return json_parse(buf_view(&text), ANSWER_DEPTH_MAX, answer, NULL, err);
}
