/*
 * The operator's socket: who may connect, how many at once, and what a line is. What the commands
 * do is in test_admin.c.
 */
#include "admin_test.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

static struct admin *admin;
static char socket_path[PATH_MAX];

static void begin(void)
{
    make_test_vault(&test);
    begin_asking();
    snprintf(socket_path, sizeof socket_path, "%s.socket", test.key_file);
}

static void begin_serving(void)
{
    begin();
    assert_done(admin_start(socket_path, &context, &admin, &test_error));
}

static void stop_serving(void)
{
    admin_stop(&admin);
    end();
}

static int connect_now(void)
{
    int fd = -1;
    assert_done(admin_connect(socket_path, &fd, &test_error));
    return fd;
}

static enum vault_code ask_over(int fd, const char *text)
{
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(ADMIN_LINE_BYTES_MAX);
    buf_text(&line, text);
    json_free(&answer);
    return admin_ask(fd, &line, &answer, &test_error);
}

static void assert_serves(int fd)
{
    assert_done(ask_over(fd, "{\"command\":\"status\"}"));
    assert_true(json_is_true(json_object_get(answer, "ok")));
}

static void test_one_connection_carries_many_requests(void **state)
{
    (void)state;
    begin_serving();
    VAULT_AUTO(file_close) int fd = connect_now();
    assert_serves(fd);
    assert_done(ask_over(fd, "nonsense"));
    assert_true(json_is_false(json_object_get(answer, "ok")));
    assert_serves(fd);
    stop_serving();
}

/* All that is answered to these bytes, until the connection is closed. */
static const char *answered_to(const char *bytes, struct buf *out)
{
    uint8_t piece[4096];
    ssize_t size = 0;
    VAULT_AUTO(file_close) int fd = connect_now();
    buf_clear(out);
    assert_int_equal(send(fd, bytes, strlen(bytes), MSG_NOSIGNAL), strlen(bytes));
    shutdown(fd, SHUT_WR);
    while ((size = recv(fd, piece, sizeof piece, 0)) > 0)
        buf_append(out, piece, (size_t)size);
    assert_int_equal(size, 0);
    const char *text = buf_string(out);
    return text ? text : "";
}

static void test_the_figures_are_answered_in_http_and_nothing_else_is(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(1 << 20);
    begin_serving();
    const char *text = answered_to("GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n", &out);
    assert_int_equal(
        strncmp(text, "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4", 55), 0);
    assert_non_null(strstr(text, "\r\nConnection: close\r\n\r\n# HELP "));
    assert_non_null(strstr(text, "\nvault_sealed 0\n"));
    text = answered_to("GET /metrics HTTP/1.0\n\n", &out);
    assert_int_equal(strncmp(text, "HTTP/1.1 200 OK\r\n", 17), 0);
    text = answered_to("GET / HTTP/1.1\r\n\r\n", &out);
    assert_int_equal(strncmp(text, "HTTP/1.1 404 Not Found\r\n", 24), 0);
    assert_null(strstr(text, "vault_"));
    text = answered_to("POST /metrics HTTP/1.1\r\n\r\n", &out);
    assert_int_equal(strncmp(text, "{\"ok\":false", 11), 0);
    stop_serving();
}

static void test_a_request_in_http_that_never_ends_is_not_answered(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(1 << 20);
    VAULT_AUTO(buf_finish) struct buf request = buf_limited(1 << 16);
    begin_serving();
    assert_string_equal(answered_to("GET /metrics HTTP/1.1\r\nHost: x\r\n", &out), "");
    buf_text(&request, "GET /metrics HTTP/1.1\r\n");
    for (int i = 0; i < 100; i++)
        buf_format(&request, "X-%d: y\r\n", i);
    buf_text(&request, "\r\n");
    assert_string_equal(answered_to(buf_string(&request), &out), "");
    VAULT_AUTO(file_close) int fd = connect_now();
    assert_serves(fd);
    stop_serving();
}

static void test_the_socket_is_for_the_vaults_own_user(void **state)
{
    (void)state;
    struct stat status;
    begin_serving();
    assert_int_equal(lstat(socket_path, &status), 0);
    assert_true(S_ISSOCK(status.st_mode));
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(status.st_uid, geteuid());
    stop_serving();
    assert_int_equal(lstat(socket_path, &status), -1);
}

/* --- Who asks ------------------------------------------------------------------------------- */

#define STRANGER_UID 65534

enum asked { ANSWERED, TURNED_AWAY, NO_WAY_IN };

static void send_raw(int fd, const char *text, size_t size)
{
    while (size) {
        const ssize_t put = send(fd, text, size, MSG_NOSIGNAL);
        if (put <= 0)
            return; /* the other end has had enough */
        text += put;
        size -= (size_t)put;
    }
}

/* As that user, in a process of its own; nothing in it allocates, since this one has threads. */
static enum asked ask_as(uid_t uid)
{
    static const char line[] = "{\"command\":\"status\"}\n";
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int fd = -1;
        char first = 0;
        if (setresuid(uid, uid, uid) != 0 || admin_connect(socket_path, &fd, NULL) != VAULT_OK)
            _exit(NO_WAY_IN);
        send_raw(fd, line, sizeof line - 1);
        _exit(recv(fd, &first, 1, 0) == 1 ? ANSWERED : TURNED_AWAY);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return (enum asked)WEXITSTATUS(status);
}

/* Let everybody come as far as the socket, as one whose mode was changed would. */
static void open_the_way(void)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", socket_path);
    *strrchr(folder, '/') = 0;
    assert_int_equal(chmod(folder, 0711), 0);
    assert_int_equal(chmod(socket_path, 0666), 0);
}

/* The mode of the file lets nobody in, and the kernel's word of who connects lets nobody stay:
 * without the first, the second holds. Only root can ask as somebody else: for another user, who
 * runs the tests, what they are themselves is answered, and the rest is left out. */
static void test_another_user_is_turned_away_also_by_a_socket_that_is_open(void **state)
{
    (void)state;
    begin_serving();
    assert_int_equal(ask_as(geteuid()), ANSWERED);
    if (geteuid() == 0) {
        assert_int_equal(ask_as(STRANGER_UID), NO_WAY_IN);
        open_the_way();
        assert_int_equal(ask_as(STRANGER_UID), TURNED_AWAY);
        assert_int_equal(ask_as(0), ANSWERED);
    }
    VAULT_AUTO(file_close) int fd = connect_now();
    assert_serves(fd);
    stop_serving();
}

/* --- The file ------------------------------------------------------------------------------- */

/* A socket file as a killed process leaves it: bound once, and nobody behind it. */
static void leave_socket(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
}

static void test_a_socket_that_a_dead_process_left_is_replaced(void **state)
{
    (void)state;
    int fd = -1;
    begin();
    leave_socket();
    assert_fails(VAULT_UNAVAILABLE, admin_connect(socket_path, &fd, &test_error));
    assert_done(admin_start(socket_path, &context, &admin, &test_error));
    fd = connect_now();
    assert_serves(fd);
    close(fd);
    stop_serving();
}

static void test_a_socket_that_answers_is_left_alone(void **state)
{
    (void)state;
    struct admin *other = NULL;
    begin_serving();
    assert_fails(VAULT_CONFLICT, admin_start(socket_path, &context, &other, &test_error));
    assert_non_null(strstr(test_error.text, socket_path));
    assert_null(other);
    VAULT_AUTO(file_close) int fd = connect_now();
    assert_serves(fd);
    stop_serving();
}

static void test_what_is_no_socket_is_left_alone(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf content = buf_limited(100);
    struct stat status;
    begin();
    assert_done(file_create(socket_path, BYTES("somebody's own"), 0600, &test_error));
    assert_fails(VAULT_CONFLICT, admin_start(socket_path, &context, &admin, &test_error));
    assert_done(file_read(socket_path, &content, &test_error));
    assert_true(bytes_equal(buf_view(&content), BYTES("somebody's own")));
    assert_int_equal(unlink(socket_path), 0);
    assert_int_equal(mkdir(socket_path, 0700), 0);
    assert_fails(VAULT_CONFLICT, admin_start(socket_path, &context, &admin, &test_error));
    assert_int_equal(rmdir(socket_path), 0);
    assert_int_equal(symlink("/dev/null", socket_path), 0);
    assert_fails(VAULT_CONFLICT, admin_start(socket_path, &context, &admin, &test_error));
    assert_int_equal(lstat(socket_path, &status), 0);
    assert_null(admin);
    stop_serving();
}

static void test_paths_that_no_socket_can_have_are_refused(void **state)
{
    (void)state;
    char path[512];
    int fd = -1;
    begin();
    snprintf(path, sizeof path, "/tmp/%0200d", 7);
    assert_fails(VAULT_INVALID, admin_start(path, &context, &admin, &test_error));
    assert_fails(VAULT_INVALID, admin_connect(path, &fd, &test_error));
    snprintf(path, sizeof path, "%s/not/there", test.dir);
    assert_true(admin_start(path, &context, &admin, &test_error) != VAULT_OK);
    assert_fails(VAULT_UNAVAILABLE, admin_connect(path, &fd, &test_error));
    assert_non_null(strstr(test_error.text, path));
    assert_int_equal(fd, -1);
    assert_null(admin);
    stop_serving();
}

static void *ask_often(void *counter)
{
    int fd = -1;
    struct vault_error err;
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(ADMIN_LINE_BYTES_MAX);
    buf_text(&line, "{\"command\":\"status\"}");
    if (admin_connect(socket_path, &fd, &err))
        return NULL;
    for (int i = 0; i < 10; i++) {
        VAULT_AUTO(json_free) json_t *mine = NULL;
        if (admin_ask(fd, &line, &mine, &err) == VAULT_OK)
            atomic_fetch_add((atomic_uint *)counter, json_is_true(json_object_get(mine, "ok")));
    }
    close(fd);
    return NULL;
}

static void test_several_clients_are_answered_at_once(void **state)
{
    (void)state;
    pthread_t threads[ADMIN_CONNECTIONS_MAX];
    atomic_uint answered = 0;
    begin_serving();
    for (size_t i = 0; i < ADMIN_CONNECTIONS_MAX; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &answered), 0);
    for (size_t i = 0; i < ADMIN_CONNECTIONS_MAX; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&answered), ADMIN_CONNECTIONS_MAX * 10);
    stop_serving();
}

static void test_one_client_too_many_is_turned_away(void **state)
{
    (void)state;
    int fds[ADMIN_CONNECTIONS_MAX];
    begin_serving();
    for (size_t i = 0; i < ADMIN_CONNECTIONS_MAX; i++) {
        fds[i] = connect_now();
        assert_serves(fds[i]);
    }
    const int extra = connect_now();
    assert_fails(VAULT_UNAVAILABLE, ask_over(extra, "{\"command\":\"status\"}"));
    close(extra);
    assert_serves(fds[0]);
    for (size_t i = 0; i < ADMIN_CONNECTIONS_MAX; i++)
        close(fds[i]);
    stop_serving();
}

/* Bytes until a line ends; the count. */
static size_t read_line(int fd, char *out, size_t room)
{
    size_t size = 0;
    while (size < room && recv(fd, out + size, 1, 0) == 1) {
        if (out[size] == '\n')
            break;
        size++;
    }
    return size;
}

static void test_lines_may_come_in_pieces_or_together(void **state)
{
    (void)state;
    static const char two[] = "{\"command\":\"a\"}\n{\"command\":\"b\"}\n";
    char line[4096];
    begin_serving();
    VAULT_AUTO(file_close) int fd = connect_now();
    send_raw(fd, two, sizeof two - 1);
    assert_true(read_line(fd, line, sizeof line) > 0);
    assert_true(read_line(fd, line, sizeof line) > 0);
    for (size_t i = 0; i < sizeof two - 1; i++)
        send_raw(fd, two + i, 1);
    assert_true(read_line(fd, line, sizeof line) > 0);
    assert_true(read_line(fd, line, sizeof line) > 0);
    stop_serving();
}

static void test_a_line_that_is_too_long_ends_the_connection(void **state)
{
    (void)state;
    static char many[65536];
    char byte;
    begin_serving();
    VAULT_AUTO(file_close) int fd = connect_now();
    memset(many, ' ', sizeof many);
    for (size_t sent = 0; sent <= ADMIN_LINE_BYTES_MAX; sent += sizeof many)
        send_raw(fd, many, sizeof many);
    assert_true(recv(fd, &byte, 1, 0) <= 0);
    VAULT_AUTO(file_close) int next = connect_now();
    assert_serves(next);
    stop_serving();
}

static void test_a_line_that_did_not_fit_is_not_sent(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(10);
    begin_serving();
    VAULT_AUTO(file_close) int fd = connect_now();
    buf_text(&line, "{\"command\":\"status\"}");
    assert_fails(VAULT_TOO_LARGE, admin_ask(fd, &line, &answer, &test_error));
    assert_serves(fd);
    stop_serving();
}

static void test_a_client_that_goes_in_the_middle_harms_nobody(void **state)
{
    (void)state;
    static const char half[] = "{\"command\":";
    static const char whole[] = "{\"command\":\"status\"}\n";
    begin_serving();
    for (int i = 0; i < ADMIN_CONNECTIONS_MAX * 2; i++) {
        int fd = -1;
        while (admin_connect(socket_path, &fd, &test_error))
            ;
        send_raw(fd, i % 2 ? half : whole, i % 2 ? sizeof half - 1 : sizeof whole - 1);
        close(fd);
    }
    enum vault_code code = VAULT_UNAVAILABLE;
    for (int i = 0; code && i < 1000; i++) { /* until the places are free again */
        VAULT_AUTO(file_close) int fd = connect_now();
        code = ask_over(fd, "{\"command\":\"status\"}");
    }
    assert_int_equal(code, VAULT_OK);
    stop_serving();
}

static void test_stopping_ends_the_connections_that_are_open(void **state)
{
    (void)state;
    begin_serving();
    VAULT_AUTO(file_close) int idle = connect_now();
    VAULT_AUTO(file_close) int used = connect_now();
    assert_serves(used);
    admin_stop(&admin);
    assert_null(admin);
    assert_fails(VAULT_UNAVAILABLE, ask_over(used, "{\"command\":\"status\"}"));
    assert_fails(VAULT_UNAVAILABLE, ask_over(idle, "{\"command\":\"status\"}"));
    int fd = -1;
    assert_fails(VAULT_UNAVAILABLE, admin_connect(socket_path, &fd, &test_error));
    admin_stop(&admin);
    stop_serving();
}

static void test_it_can_be_started_again_at_the_same_path(void **state)
{
    (void)state;
    begin_serving();
    for (int i = 0; i < 3; i++) {
        VAULT_AUTO(file_close) int fd = connect_now();
        assert_serves(fd);
        admin_stop(&admin);
        assert_done(admin_start(socket_path, &context, &admin, &test_error));
    }
    stop_serving();
}

int main(void)
{
    return TEST_RUN(
        test_one_connection_carries_many_requests,
        test_the_figures_are_answered_in_http_and_nothing_else_is,
        test_a_request_in_http_that_never_ends_is_not_answered,
        test_the_socket_is_for_the_vaults_own_user,
        test_another_user_is_turned_away_also_by_a_socket_that_is_open,
        test_a_socket_that_a_dead_process_left_is_replaced,
        test_a_socket_that_answers_is_left_alone, test_what_is_no_socket_is_left_alone,
        test_paths_that_no_socket_can_have_are_refused, test_several_clients_are_answered_at_once,
        test_one_client_too_many_is_turned_away, test_lines_may_come_in_pieces_or_together,
        test_a_line_that_is_too_long_ends_the_connection, test_a_line_that_did_not_fit_is_not_sent,
        test_a_client_that_goes_in_the_middle_harms_nobody,
        test_stopping_ends_the_connections_that_are_open,
        test_it_can_be_started_again_at_the_same_path);
}
