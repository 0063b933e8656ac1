/*
 * vault-audit witness and witness-key: a C2SP tlog-witness that an auditor runs on a machine of
 * their own, and its key.
 *
 * The folder --state holds the list of the logs it looks after ("logs", one verifier key a line,
 * to which --log adds) and the last checkpoint that it cosigned for each.
 *
 * With --certificate and --certificate-key, PEM files that are read at the start, it speaks TLS 1.3
 * and nothing else; without them HTTP, for a proxy on the same machine.
 *
 * It is in a sandbox (base/sandbox.h) as soon as it has read its keys: the state's folder is all
 * that it opens then, and its own port all that it binds.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "audit.h"
#include "audit_witness.h"
#include "vault/base/file.h"
#include "vault/base/sandbox.h"

#define KEY_FILE_MAX_BYTES  1024U
#define PEM_MAX_BYTES       (256U * 1024)
#define LOGS_FILE_MAX_BYTES (WITNESS_LOGS_MAX * NOTE_KEY_CHARS_MAX)
#define WATCH_EACH_S        1

/* --- Keys ----------------------------------------------------------------------------------- */

static enum vault_code make_key(const char *name, const char *path, struct vault_error *err)
{
    VAULT_AUTO(secret_free) struct secret *seed = NULL;
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(KEY_FILE_MAX_BYTES);
    char vkey[NOTE_KEY_CHARS_MAX];
    VAULT_TRY(secret_random(SIGN_SEED_BYTES, &seed, err));
    VAULT_TRY(note_signer_make(bytes_of_text(name), NOTE_COSIGNATURE, seed, &signer, err));
    VAULT_TRY(note_signer_print(&signer, seed, &text, err));
    buf_byte(&text, '\n');
    VAULT_TRY(buf_check(&text, err));
    VAULT_TRY(file_create(path, buf_view(&text), 0600, err));
    note_key_print(&signer.key, vkey);
    puts(vkey);
    return VAULT_OK;
}

int audit_witness_key(int argc, char **argv)
{
    struct vault_error err;
    const char *names[2];
    const int usage = audit_read_arguments(argc, argv, NULL, 0, names, 2);
    if (usage)
        return usage;
    const enum vault_code code = make_key(names[0], names[1], &err);
    if (code == VAULT_INVALID)
        return audit_usage(err.text);
    return code ? audit_failed(code, &err) : 0;
}

/* Take the next line without its end. */
static bool take_line(struct bytes *rest, struct bytes *line)
{
    if (rest->size == 0)
        return false;
    const uint8_t *end = memchr(rest->data, '\n', rest->size);
    *line = (struct bytes){rest->data, end ? (size_t)(end - rest->data) : rest->size};
    *rest = end ? (struct bytes){end + 1, rest->size - line->size - 1} : (struct bytes){0};
    return true;
}

static enum vault_code read_signer(const char *path, struct note_signer *out,
                                   struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(KEY_FILE_MAX_BYTES);
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    struct bytes rest = {0};
    struct bytes line = {0};
    struct stat status;
    VAULT_TRY(audit_read_file(path, &text, err));
    if (stat(path, &status) != 0 || status.st_mode & 077)
        return vault_fail(err, VAULT_INVALID, "%s can be read by others: chmod 600", path);
    rest = buf_view(&text);
    if (!take_line(&rest, &line) || rest.size ||
        note_signer_parse(line, &signer, NULL) != VAULT_OK || signer.key.kind != NOTE_COSIGNATURE)
        return vault_fail(err, VAULT_INVALID, "%s is no witness's key; witness-key makes one",
                          path);
    *out = signer;
    signer = (struct note_signer){0};
    return VAULT_OK;
}

/* --- The logs it looks after ---------------------------------------------------------------- */

struct logs {
    struct note_key keys[WITNESS_LOGS_MAX];
    size_t count;
};

static bool is_listed(const struct logs *logs, const struct note_key *key)
{
    for (size_t i = 0; i < logs->count; i++) {
        if (memcmp(&logs->keys[i].public_key, key->public_key, sizeof key->public_key) == 0 &&
            strcmp(logs->keys[i].name, key->name) == 0)
            return true;
    }
    return false;
}

static enum vault_code add_log(struct logs *logs, struct bytes vkey, struct vault_error *err)
{
    struct note_key key;
    if (note_key_parse(vkey, &key, NULL) != VAULT_OK || key.kind != NOTE_ED25519)
        return vault_fail(err, VAULT_INVALID, "a log's verifier key is name+hex+base64");
    if (is_listed(logs, &key))
        return VAULT_OK;
    if (logs->count == WITNESS_LOGS_MAX)
        return vault_fail(err, VAULT_INVALID, "a witness looks after at most %u logs",
                          WITNESS_LOGS_MAX);
    logs->keys[logs->count++] = key;
    return VAULT_OK;
}

static enum vault_code read_logs(const char *path, struct logs *logs, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(LOGS_FILE_MAX_BYTES);
    if (file_is_missing(path))
        return VAULT_OK;
    VAULT_TRY(audit_read_file(path, &text, err));
    struct bytes rest = buf_view(&text);
    struct bytes line;
    for (size_t number = 1; take_line(&rest, &line); number++) {
        if (line.size == 0 || line.data[0] == '#')
            continue;
        const enum vault_code code = add_log(logs, line, err);
        if (code) {
            vault_error_context(err, "%s, line %zu", path, number);
            return code;
        }
    }
    return VAULT_OK;
}

static enum vault_code write_logs(const char *path, const struct logs *logs,
                                  struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(LOGS_FILE_MAX_BYTES);
    for (size_t i = 0; i < logs->count; i++) {
        char vkey[NOTE_KEY_CHARS_MAX];
        note_key_print(&logs->keys[i], vkey);
        buf_text(&text, vkey);
        buf_byte(&text, '\n');
    }
    VAULT_TRY(buf_check(&text, err));
    return file_replace(path, buf_view(&text), 0600, err);
}

/* --- The command ---------------------------------------------------------------------------- */

struct request {
    const char *listen;
    const char *key;
    const char *state;
    const char *certificate;
    const char *certificate_key;
    const char *sandbox;
    const char *logs[WITNESS_LOGS_MAX];
    size_t log_count;
};

static int read_request(int argc, char **argv, struct request *request)
{
    struct audit_option options[] = {
        {"--listen", &request->listen, 1, 0},
        {"--key", &request->key, 1, 0},
        {"--state", &request->state, 1, 0},
        {"--certificate", &request->certificate, 1, 0},
        {"--certificate-key", &request->certificate_key, 1, 0},
        {"--sandbox", &request->sandbox, 1, 0},
        {"--log", request->logs, WITNESS_LOGS_MAX, 0},
    };
    const int code =
        audit_read_arguments(argc, argv, options, sizeof options / sizeof options[0], NULL, 0);
    request->log_count = options[6].count;
    if (code == 0 && (!request->listen || !request->key || !request->state))
        return audit_usage("witness needs --listen, --key and --state");
    if (code == 0 && !request->certificate != !request->certificate_key)
        return audit_usage("--certificate and --certificate-key go together");
    if (code == 0 && strcmp(request->sandbox, "on") != 0 &&
        strcmp(request->sandbox, "required") != 0 && strcmp(request->sandbox, "off") != 0)
        return audit_usage("--sandbox is on, required or off");
    return code;
}

static void pair_finish(struct witness_pair *pair)
{
    buf_finish(&pair->certificate);
    buf_finish(&pair->key);
}

static enum vault_code read_pair(const char *certificate, const char *key, struct witness_pair *out,
                                 struct vault_error *err)
{
    struct stat status;
    VAULT_TRY(audit_read_file(certificate, &out->certificate, err));
    VAULT_TRY(audit_read_file(key, &out->key, err));
    if (stat(key, &status) != 0 || status.st_mode & 077)
        return vault_fail(err, VAULT_INVALID, "%s can be read by others: chmod 600", key);
    if (!buf_string(&out->certificate) || !buf_string(&out->key))
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    return VAULT_OK;
}

static enum vault_code open_witness(const struct request *request, const struct note_signer *signer,
                                    struct witness **out, struct vault_error *err)
{
    char path[4096];
    struct logs logs = {.count = 0};
    VAULT_TRY(folder_create(request->state, err));
    VAULT_TRY(file_join(path, sizeof path, request->state, "logs", err));
    VAULT_TRY(read_logs(path, &logs, err));
    const size_t before = logs.count;
    for (size_t i = 0; i < request->log_count; i++)
        VAULT_TRY(add_log(&logs, bytes_of_text(request->logs[i]), err));
    if (logs.count == 0)
        return vault_fail(err, VAULT_INVALID,
                          "no log to look after: give --log VKEY once, or write %s", path);
    const struct witness_options options = {.dir = request->state,
                                            .signer = signer,
                                            .clock = clock_system,
                                            .logs = logs.keys,
                                            .log_count = logs.count};
    VAULT_TRY(witness_open(&options, out, err));
    return logs.count > before ? write_logs(path, &logs, err) : VAULT_OK;
}

static void serve_until_the_end(struct witness_server *server)
{
    const struct timespec pause = {.tv_sec = WATCH_EACH_S};
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    while (sigtimedwait(&signals, NULL, &pause) < 0)
        witness_server_watch(server);
}

/* Signals are taken by this thread only, and not before everything runs. */
static void block_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* What is needed from here on; the keys are read. */
static enum vault_code confine(const struct request *request, struct vault_error *err)
{
    struct sandbox_state state;
    const bool is_required = strcmp(request->sandbox, "required") == 0;
    const struct sandbox_rule rules[] = {{request->state, SANDBOX_READ | SANDBOX_WRITE},
                                         {"/dev/urandom", SANDBOX_READ},
                                         {"/proc/self", SANDBOX_READ},
                                         {"/etc/localtime", SANDBOX_READ},
                                         {"/usr/share/zoneinfo", SANDBOX_READ}};
    const uint16_t port = witness_address_port(request->listen);
    const struct sandbox_options options = {
        .profile = SANDBOX_WORKER,
        .needs_landlock = is_required,
        .rules = rules,
        .rule_count = sizeof rules / sizeof rules[0],
        .bind_ports = &port,
        .bind_count = 1,
    };
    return strcmp(request->sandbox, "off") == 0 ? VAULT_OK : sandbox_enter(&options, &state, err);
}

static enum vault_code serve(const struct request *request, struct vault_error *err)
{
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    VAULT_AUTO(witness_close) struct witness *witness = NULL;
    VAULT_AUTO(witness_server_stop) struct witness_server *server = NULL;
    VAULT_AUTO(pair_finish)
    struct witness_pair pair = {buf_limited(PEM_MAX_BYTES), buf_limited(PEM_MAX_BYTES)};
    char vkey[NOTE_KEY_CHARS_MAX];
    prctl(PR_SET_DUMPABLE, 0);
    VAULT_TRY(read_signer(request->key, &signer, err));
    if (request->certificate)
        VAULT_TRY(read_pair(request->certificate, request->certificate_key, &pair, err));
    VAULT_TRY(open_witness(request, &signer, &witness, err));
    VAULT_TRY(confine(request, err));
    block_signals();
    VAULT_TRY(witness_server_start(witness, request->listen, &pair, &server, err));
    note_key_print(&signer.key, vkey);
    printf("%s\nlistening on %.*s:%u\n", vkey,
           (int)(strrchr(request->listen, ':') - request->listen), request->listen,
           witness_server_port(server));
    fflush(stdout);
    serve_until_the_end(server);
    witness_server_stop(&server); /* before what it answers from */
    return VAULT_OK;
}

int audit_witness(int argc, char **argv)
{
    struct vault_error err;
    struct request request = {.sandbox = "on"};
    const int usage = read_request(argc, argv, &request);
    if (usage)
        return usage;
    const enum vault_code code = serve(&request, &err);
    if (code == VAULT_INVALID)
        return audit_usage(err.text);
    return code ? audit_failed(code, &err) : 0;
}
