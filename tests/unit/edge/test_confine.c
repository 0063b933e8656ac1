#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vault/base/file.h"
#include "vault/base/folder.h"
#include "vault/edge/confine.h"

static const char *here;

static const char *at(const char *name)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", here, name);
    return path;
}

static void put(const char *name)
{
    assert_done(folder_create_for(here, name, &test_error));
    assert_done(file_replace(at(name), BYTES("text"), 0600, &test_error));
}

#define SET(member, name) snprintf(config->member, sizeof config->member, "%s", at(name))

/* A vault whose log is elsewhere by a link, and whose certificate is one, too. */
static struct config *make_config(void)
{
    static struct config room;
    struct config *config = &room;
    *config = (struct config){.open_citizens = 8};
    put("data/keyring.json");
    put("disk/log/checkpoint");
    put("etc/vaultd.json");
    put("etc/live/server.pem");
    put("etc/archive/server1.pem");
    put("etc/archive/server2.pem");
    put("ca/ca.pem");
    put("keep/known");
    put("run/other");
    put("outside/file");
    (void)!unlink(at("data/log"));
    (void)!unlink(at("etc/live/linked.pem"));
    char target[PATH_MAX];
    snprintf(target, sizeof target, "%s", at("disk/log"));
    assert_int_equal(symlink(target, at("data/log")), 0);
    assert_int_equal(symlink("../archive/server1.pem", at("etc/live/linked.pem")), 0);
    SET(path, "etc/vaultd.json");
    SET(data, "data");
    SET(services.certificate, "etc/live/linked.pem");
    SET(services.clients_ca, "ca/ca.pem");
    SET(log.keep, "keep");
    SET(admin_socket, "run/admin.sock");
    snprintf(config->sandbox, sizeof config->sandbox, "on");
    return config;
}

/* The two processes' ways in. */
typedef bool confines(const struct config *config);

static bool worker(const struct config *config)
{
    struct sandbox_state state = {0};
    return confine_enter(config, &state, NULL) == VAULT_OK && state.is_entered;
}

static bool keyholder(const struct config *config)
{
    return confine_keyholder(config, NULL) == VAULT_OK;
}

/* In a child that is confined: the errno of opening, 0, or 255 if it could not be confined. */
static int opens_in(confines *confine, const struct config *config, const char *path, int flags)
{
    const pid_t child = fork();
    if (child == 0) {
        if (!confine(config))
            _exit(255);
        _exit(open(path[0] == '/' ? path : at(path), flags | O_CLOEXEC, 0600) < 0 ? errno : 0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static int opens(const struct config *config, const char *path, int flags)
{
    return opens_in(worker, config, path, flags);
}

static int connects(const struct config *config, uint16_t port)
{
    const pid_t child = fork();
    if (child == 0) {
        struct sandbox_state state = {0};
        const struct sockaddr_in address = {.sin_family = AF_INET,
                                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                            .sin_port = htons(port)};
        if (confine_enter(config, &state, NULL) || !state.is_entered)
            _exit(255);
        const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        _exit(connect(fd, (const struct sockaddr *)&address, sizeof address) ? errno : 0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static void test_what_the_configuration_names_is_open_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int flags;
        int wanted;
    } rows[] = {
        {"data/keyring.json", O_RDWR, 0},
        {"data/made", O_WRONLY | O_CREAT, 0},
        {"data/log/checkpoint", O_RDWR, 0},
        {"data/log/made", O_WRONLY | O_CREAT, 0},
        {"keep/made", O_WRONLY | O_CREAT, 0},
        {"etc/vaultd.json", O_RDONLY, 0},
        {"etc/vaultd.json", O_WRONLY, EACCES},
        {"etc/live/server.pem", O_RDONLY, 0},
        {"etc/live/linked.pem", O_RDONLY, 0},
        {"etc/archive/server2.pem", O_RDONLY, 0}, /* where the link may lead next */
        {"etc/archive/server2.pem", O_WRONLY, EACCES},
        {"ca/ca.pem", O_RDONLY, 0},
        {"run/other", O_RDONLY, EACCES}, /* sockets alone */
        {"outside/file", O_RDONLY, EACCES},
        {"outside/made", O_WRONLY | O_CREAT, EACCES},
        {"disk/made", O_WRONLY | O_CREAT, EACCES},
        {"/etc/passwd", O_RDONLY, EACCES},
        {"/proc/self/status", O_RDONLY, 0},
        {"/proc/1/status", O_RDONLY, EACCES},
    };
    const struct config *config = make_config();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int got = opens(config, rows[i].path, rows[i].flags);
        if (got != rows[i].wanted)
            fail_msg("%s: %d, not %d", rows[i].path, got, rows[i].wanted);
    }
}

/* What opens the keyring is the keyholder's alone, and nothing else of the machine is. */
static void test_the_key_and_the_pin_are_the_keyholders(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int flags;
        int by_worker;
        int by_keyholder;
    } rows[] = {
        {"key/root.key", O_RDONLY, EACCES, 0},
        {"key/root.key", O_WRONLY, EACCES, EACCES},
        {"pin/pin", O_RDONLY, EACCES, 0},
        {"data/keyring.json", O_RDWR, 0, 0},
        {"etc/live/server.pem", O_RDONLY, 0, EACCES},
        {"keep/known", O_RDONLY, 0, EACCES},
        {"outside/file", O_RDONLY, EACCES, EACCES},
        {"/etc/passwd", O_RDONLY, EACCES, EACCES},
    };
    struct config *config = make_config();
    put("key/root.key");
    put("pin/pin");
    SET(keyring.key_file, "key/root.key");
    SET(keyring.pin_file, "pin/pin");
    snprintf(config->sandbox, sizeof config->sandbox, "required");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int by_worker = opens_in(worker, config, rows[i].path, rows[i].flags);
        const int by_keyholder = opens_in(keyholder, config, rows[i].path, rows[i].flags);
        if (by_worker != rows[i].by_worker || by_keyholder != rows[i].by_keyholder)
            fail_msg("%s: %d and %d", rows[i].path, by_worker, by_keyholder);
    }
}

static void
test_a_key_that_the_worker_may_read_is_told_and_refused_where_it_must_not_be(void **state)
{
    (void)state;
    static const char *const places[] = {"data/root.key", "data/log/root.key",
                                         "etc/root.key",  "etc/archive/root.key",
                                         "ca/root.key",   "keep/root.key"};
    struct sandbox_state entered = {0};
    struct config *config = make_config();
    put("outside/root.key");
    SET(keyring.key_file, "outside/root.key");
    assert_done(confine_check_apart(config, &test_error));
    SET(keyring.key_file, "nowhere/root.key"); /* for others to say */
    assert_done(confine_check_apart(config, &test_error));
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        put(places[i]);
        SET(keyring.key_file, places[i]);
        assert_fails(VAULT_DENIED, confine_check_apart(config, &test_error));
        assert_true(strstr(test_error.text, "worker may read") != NULL);
    }
    assert_int_equal(opens(config, "outside/file", O_RDONLY), EACCES);
    snprintf(config->sandbox, sizeof config->sandbox, "required");
    assert_fails(VAULT_DENIED, confine_enter(config, &entered, &test_error));
    assert_false(entered.is_entered);
    assert_true(strstr(test_error.text, "\"sandbox\" is \"required\"") != NULL);
}

static void test_ports_are_those_of_the_witnesses_and_time_stamps(void **state)
{
    (void)state;
    struct config *config = make_config();
    assert_int_equal(connects(config, 9), EACCES);
    assert_int_equal(connects(config, 53), EACCES);
    snprintf(config->log.timestamps, sizeof config->log.timestamps, "http://127.0.0.1:9/stamp");
    assert_int_equal(connects(config, 9), ECONNREFUSED);
    assert_int_equal(connects(config, 10), EACCES);
    /* Whom it calls is looked up by what the machine says. */
    assert_int_equal(opens(config, "/etc/passwd", O_RDONLY), 0);
    assert_int_equal(opens(config, "outside/file", O_RDONLY), EACCES);
}

static void test_the_mail_relay_is_called_and_its_authorities_are_read(void **state)
{
    (void)state;
    struct config *config = make_config();
    put("relay/ca.pem");
    assert_int_equal(opens(config, "relay/ca.pem", O_RDONLY), EACCES);
    snprintf(config->mail.relay, sizeof config->mail.relay, "smtp://127.0.0.1:10");
    SET(mail.ca, "relay/ca.pem");
    assert_int_equal(connects(config, 10), ECONNREFUSED);
    assert_int_equal(connects(config, 9), EACCES);
    assert_int_equal(opens(config, "relay/ca.pem", O_RDONLY), 0);
    assert_int_equal(opens(config, "/etc/passwd", O_RDONLY), 0);
    snprintf(config->mail.relay, sizeof config->mail.relay, "smtps://127.0.0.1");
    assert_int_equal(connects(config, 465), ECONNREFUSED);
}

static void test_off_is_off_and_required_is_required(void **state)
{
    (void)state;
    struct config *config = make_config();
    struct sandbox_state entered = {0};
    snprintf(config->sandbox, sizeof config->sandbox, "off");
    assert_done(confine_enter(config, &entered, &test_error));
    assert_false(entered.is_entered);
    /* A module's files are not known: then the keyholder, which loads it, has no Landlock to be
     * required. The other process never does. */
    snprintf(config->keyring.module, sizeof config->keyring.module, "/usr/lib/module.so");
    snprintf(config->sandbox, sizeof config->sandbox, "on");
    assert_int_equal(opens(config, "outside/file", O_RDONLY), EACCES);
    snprintf(config->sandbox, sizeof config->sandbox, "required");
    assert_fails(VAULT_UNAVAILABLE, confine_keyholder(config, &test_error));
    assert_true(strstr(test_error.text, "PKCS #11") != NULL);
}

static void test_what_holds_is_said_in_words(void **state)
{
    (void)state;
    static const struct {
        struct sandbox_state state;
        const char *words;
    } rows[] = {
        {{.is_entered = false}, "no sandbox"},
        {{.is_entered = true, .landlock = 4}, "ABI 4"},
        {{.is_entered = true}, "no Landlock"},
    };
    char text[CONFINE_TEXT_CHARS + 1];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        confine_describe(&rows[i].state, text);
        assert_true(strstr(text, rows[i].words) != NULL);
    }
}

int main(void)
{
    here = test_folder();
    return TEST_RUN(test_what_the_configuration_names_is_open_and_nothing_else,
                    test_the_key_and_the_pin_are_the_keyholders,
                    test_a_key_that_the_worker_may_read_is_told_and_refused_where_it_must_not_be,
                    test_ports_are_those_of_the_witnesses_and_time_stamps,
                    test_the_mail_relay_is_called_and_its_authorities_are_read,
                    test_off_is_off_and_required_is_required, test_what_holds_is_said_in_words);
}
