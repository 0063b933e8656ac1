/*
 * vault-audit witness and witness-key: a C2SP tlog-witness that an auditor runs on a machine of
 * their own, and its key.
 *
 * The folder --state holds the list of the logs it looks after ("logs", one verifier key a line,
 * to which --log adds) and the last checkpoint that it cosigned for each.
 *
 *     POST /add-checkpoint                        cosign (witness.h)
 *     GET  /HEX(SHA-256(ORIGIN))/checkpoint       the last one cosigned, for monitors; or HEAD
 *
 * With --certificate and --certificate-key, PEM files that are read at the start, it speaks TLS 1.3
 * and nothing else; without them HTTP, for a proxy on the same machine.
 *
 * Limits: 64 connections, 16 from one address, 10 s without a byte, a body of a checkpoint's size.
 */
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "audit.h"
#include "vault/base/file.h"
#include "vault/base/log.h"
#include "vault/ledger/witness.h"

#define KEY_FILE_MAX_BYTES 1024U
#define PEM_MAX_BYTES      (256U * 1024)
#define TLS_PRIORITIES                                                                             \
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1" /* the vault's */
#define LOGS_FILE_MAX_BYTES (WITNESS_LOGS_MAX * NOTE_KEY_CHARS_MAX)
#define CONNECTIONS_MAX     64U
#define PER_ADDRESS_MAX     16U
#define IDLE_S              10U
#define CONNECTION_BYTES    (32UL * 1024)
#define HOST_CHARS          128
#define ADD_PATH            "/add-checkpoint"

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

/* --- HTTP ----------------------------------------------------------------------------------- */

struct server {
    struct witness *witness;
    struct MHD_Daemon *daemon;
};

static const char *const content_types[] = {"text/plain; charset=utf-8", WITNESS_SIZE_TYPE};

/* Answer, with one more header if it is named. */
static enum MHD_Result answer_with(struct MHD_Connection *connection, unsigned status,
                                   const char *type, struct bytes body, const char *header,
                                   const char *value)
{
    /* The library takes a body that is not const, and copies it. */
    void *copied = (void *)(uintptr_t)body.data;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        body.size, body.size ? copied : NULL, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    enum MHD_Result queued = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (queued == MHD_YES && header)
        queued = MHD_add_response_header(response, header, value);
    if (queued == MHD_YES)
        queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type,
                              struct bytes body)
{
    return answer_with(connection, status, type, body, NULL, NULL);
}

static enum MHD_Result say(struct MHD_Connection *connection, unsigned status, const char *text)
{
    return answer(connection, status, content_types[0], bytes_of_text(text));
}

static enum MHD_Result add_checkpoint(struct server *server, struct MHD_Connection *connection,
                                      struct bytes body)
{
    struct vault_error why = {0};
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(WITNESS_ANSWER_MAX_BYTES);
    const unsigned status = witness_add_checkpoint(server->witness, body, &text, &why);
    if (status >= 422)
        log_event(status == 422 ? LOG_WARNING : LOG_ERROR, "witness", "%u: %s", status, why.text);
    if (status == 200 || status == 409)
        return answer(connection, status, content_types[status == 409], buf_view(&text));
    buf_format(&text, "%s\n", status == 500 ? "the witness cannot write" : why.text);
    return answer(connection, status, content_types[0], buf_view(&text));
}

static enum MHD_Result get_checkpoint(struct server *server, struct MHD_Connection *connection,
                                      const char *path)
{
    static const char suffix[] = "/checkpoint";
    const size_t size = strlen(path);
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    if (size < sizeof suffix || strcmp(path + size + 1 - sizeof suffix, suffix) != 0 ||
        witness_last(server->witness,
                     (struct bytes){(const uint8_t *)path + 1, size - sizeof suffix}, &note,
                     NULL) != VAULT_OK)
        return say(connection, 404, "there is nothing here\n");
    return answer(connection, 200, content_types[0], buf_view(&note));
}

/* Whether the client says that more will come than is read. */
static bool announces_too_much(struct MHD_Connection *connection)
{
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
    return length && strtoull(length, NULL, 10) > WITNESS_REQUEST_MAX_BYTES;
}

static bool is_get(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static enum MHD_Result begin(struct MHD_Connection *connection, const char *path,
                             const char *method, void **context)
{
    const bool is_add = strcmp(path, ADD_PATH) == 0;
    if (is_add ? strcmp(method, "POST") != 0 : !is_get(method) && strcmp(method, "POST") != 0)
        return answer_with(connection, 405, content_types[0], bytes_of_text("not by this method\n"),
                           MHD_HTTP_HEADER_ALLOW, is_add ? "POST" : "GET, HEAD");
    if (announces_too_much(connection))
        return say(connection, 413, "too large\n");
    struct buf *body = malloc(sizeof *body);
    if (!body)
        return MHD_NO;
    *body = buf_limited(WITNESS_REQUEST_MAX_BYTES);
    *context = body;
    return MHD_YES;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *data, size_t *size, void **request)
{
    (void)version;
    struct server *server = context;
    struct buf *body = *request;
    if (!body)
        return begin(connection, path, method, request);
    if (*size) {
        buf_append(body, data, *size);
        *size = 0;
        return body->problem ? MHD_NO : MHD_YES; /* too large, without a word of warning */
    }
    if (is_get(method))
        return get_checkpoint(server, connection, path);
    return strcmp(path, ADD_PATH) == 0 ? add_checkpoint(server, connection, buf_view(body))
                                       : say(connection, 404, "there is nothing here\n");
}

static void on_completed(void *context, struct MHD_Connection *connection, void **request,
                         enum MHD_RequestTerminationCode why)
{
    (void)context;
    (void)connection;
    (void)why;
    struct buf *body = VAULT_TAKE(*request);
    if (body)
        buf_finish(body);
    free(body);
}

/* "HOST:PORT" or "[HOST]:PORT", both as numbers. */
static bool read_address(const char *text, struct sockaddr_storage *out)
{
    char host[HOST_CHARS];
    const char *colon = strrchr(text, ':');
    const size_t size = colon ? (size_t)(colon - text) : 0;
    const bool brackets = size > 2 && text[0] == '[' && text[size - 1] == ']';
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (size == 0 || size >= sizeof host || !colon[1])
        return false;
    snprintf(host, sizeof host, "%.*s", (int)(size - (brackets ? 2 : 0)), text + brackets);
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
        return false;
    memcpy(out, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return true;
}

/* The certificate with its chain, and its key; empty: no TLS. */
struct pair {
    struct buf certificate;
    struct buf key;
};

static void pair_finish(struct pair *pair)
{
    buf_finish(&pair->certificate);
    buf_finish(&pair->key);
}

static enum vault_code read_pair(const char *certificate, const char *key, struct pair *out,
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

/* The texts are the library's to read until the daemon ends. */
static enum vault_code listen_at(struct server *server, const char *address, struct pair *pair,
                                 struct vault_error *err)
{
    struct sockaddr_storage at = {0};
    const bool has_tls = pair->certificate.size > 0;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, pair->certificate.data},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, pair->key.data},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };
    if (!read_address(address, &at))
        return vault_fail(err, VAULT_INVALID, "--listen is ADDRESS:PORT, in numbers");
    const unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
                           (has_tls ? (unsigned)MHD_USE_TLS : 0U) |
                           (at.ss_family == AF_INET6 ? (unsigned)MHD_USE_IPv6 : 0U);
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, server, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&at,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_CONNECTION_LIMIT,
        CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT, PER_ADDRESS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_BYTES, MHD_OPTION_ARRAY, has_tls ? tls : &tls[3], MHD_OPTION_END);
    if (!server->daemon)
        return vault_fail_errno(err, "listening on %s%s", address,
                                has_tls ? ", with that certificate and key" : "");
    return VAULT_OK;
}

static unsigned port_of(const struct server *server)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}

/* --- The command ---------------------------------------------------------------------------- */

struct request {
    const char *listen;
    const char *key;
    const char *state;
    const char *certificate;
    const char *certificate_key;
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
        {"--log", request->logs, WITNESS_LOGS_MAX, 0},
    };
    const int code =
        audit_read_arguments(argc, argv, options, sizeof options / sizeof options[0], NULL, 0);
    request->log_count = options[5].count;
    if (code == 0 && (!request->listen || !request->key || !request->state))
        return audit_usage("witness needs --listen, --key and --state");
    if (code == 0 && !request->certificate != !request->certificate_key)
        return audit_usage("--certificate and --certificate-key go together");
    return code;
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

static void wait_for_the_end(void)
{
    sigset_t signals;
    int got = 0;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigwait(&signals, &got);
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

static enum vault_code serve(const struct request *request, struct vault_error *err)
{
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    VAULT_AUTO(witness_close) struct witness *witness = NULL;
    VAULT_AUTO(pair_finish)
    struct pair pair = {buf_limited(PEM_MAX_BYTES), buf_limited(PEM_MAX_BYTES)};
    char vkey[NOTE_KEY_CHARS_MAX];
    prctl(PR_SET_DUMPABLE, 0);
    VAULT_TRY(read_signer(request->key, &signer, err));
    if (request->certificate)
        VAULT_TRY(read_pair(request->certificate, request->certificate_key, &pair, err));
    VAULT_TRY(open_witness(request, &signer, &witness, err));
    struct server server = {.witness = witness};
    block_signals();
    VAULT_TRY(listen_at(&server, request->listen, &pair, err));
    note_key_print(&signer.key, vkey);
    printf("%s\nlistening on %.*s:%u\n", vkey,
           (int)(strrchr(request->listen, ':') - request->listen), request->listen,
           port_of(&server));
    fflush(stdout);
    wait_for_the_end();
    MHD_stop_daemon(server.daemon);
    return VAULT_OK;
}

int audit_witness(int argc, char **argv)
{
    struct vault_error err;
    struct request request = {0};
    const int usage = read_request(argc, argv, &request);
    if (usage)
        return usage;
    const enum vault_code code = serve(&request, &err);
    if (code == VAULT_INVALID)
        return audit_usage(err.text);
    return code ? audit_failed(code, &err) : 0;
}
