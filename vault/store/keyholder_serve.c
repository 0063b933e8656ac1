/* The keyholder's process: one thread, one socket, and a table of what it answers. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "keyholder_wire.h"
#include "vault/base/clock.h"
#include "vault/ledger/checkpoint.h"
#include "vault/ledger/receipt_check.h"
#include "vault/store/keyholder.h"

#define MINUTE_MS  60000
#define TEXT_CHARS 160

/* The head of the log that was signed last, by whichever of its keys. */
struct last_head {
    bool is_known;
    uint64_t size;
    struct tree_hash root;
};

struct service {
    const struct keyholder_options *options;
    struct keyring *keyring; /* NULL: closed */
    struct keyholder_figures figures;
    struct note_signer signers[KEYRING_LOG_KEYS]; /* without a pair: not needed so far */
    struct last_head last;

    /* Unwraps that may still be made, in MINUTE_MS parts of one; and when that was so. */
    uint64_t allowed;
    int64_t allowed_ms;

    /* What the last line said. */
    int64_t told_ms;
    struct keyholder_figures told;
};

/* What goes back. */
struct reply {
    struct buf plain;
    struct secret *secret; /* NULL: none; of secret_bytes */
    size_t secret_bytes;
};

static void tell(const struct service *service, bool is_trouble, const char *text)
{
    if (service->options->tell)
        service->options->tell(is_trouble, text);
}

/* --- Opening, and what changes the keyring -------------------------------------------------- */

static enum vault_code need_open(const struct service *service, struct vault_error *err)
{
    return service->keyring ? VAULT_OK
                            : vault_fail(err, VAULT_UNAVAILABLE,
                                         "the keyholder has no keyring open: the vault "
                                         "is sealed");
}

/* The provider as configured, with the secret of the message, or of the file that has it. */
static enum vault_code provider_of(const struct service *service, const struct keyholder_in *in,
                                   struct secret **secret, struct keyring_provider *out,
                                   struct vault_error *err)
{
    const struct keyholder_options *options = service->options;
    if (in->secret.size)
        VAULT_TRY(secret_copy(in->secret, secret, err));
    else if (options->read_secret)
        VAULT_TRY(options->read_secret(options->context, secret, err));
    *out = options->provider;
    out->secret = *secret;
    return VAULT_OK;
}

static void write_roots(const struct keyring *keyring, struct buf *out)
{
    buf_append(out, keyring_vault(keyring), KEYRING_OWNER_BYTES);
    buf_u32(out, keyring_root_version(keyring));
    buf_u32(out, (uint32_t)keyring_root_count(keyring));
}

static enum vault_code write_log_keys(const struct service *service, struct buf *out,
                                      struct vault_error *err)
{
    for (uint32_t i = 1; i <= KEYRING_LOG_KEYS; i++) {
        VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
        VAULT_TRY(keyring_log_signer(service->keyring, service->options->origin, i, &signer, err));
        buf_append(out, signer.key.public_key, sizeof signer.key.public_key);
    }
    return buf_check(out, err);
}

/* The key of the next label in the message, into its place. */
static enum vault_code derive_next(const struct service *service, struct cursor *labels,
                                   struct reply *reply, struct vault_error *err)
{
    char label[UINT8_MAX + 1] = "";
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    const uint8_t chars = cursor_u8(labels);
    cursor_copy(labels, label, chars);
    if (labels->truncated || reply->secret_bytes == KEYHOLDER_SECRET_MAX_BYTES)
        return vault_fail(err, VAULT_INVALID, "the labels of keys are not in their form");
    const struct bytes text = bytes_of_text(label);
    if (bytes_begin_with(text, KEYRING_LABEL_LOG) || bytes_begin_with(text, KEYRING_LABEL_OWN))
        return vault_fail(err, VAULT_DENIED, "a key was asked for that the keyholder keeps");
    VAULT_TRY(keyring_derive(service->keyring, label, SECRET_KEY_BYTES, &key, err));
    memcpy(secret_data(reply->secret) + reply->secret_bytes, secret_view(key).data,
           SECRET_KEY_BYTES);
    reply->secret_bytes += SECRET_KEY_BYTES;
    return VAULT_OK;
}

static enum vault_code give_keys(struct service *service, struct cursor labels, struct reply *reply,
                                 struct vault_error *err)
{
    VAULT_TRY(secret_new(KEYHOLDER_SECRET_MAX_BYTES, &reply->secret, err));
    while (labels.left)
        VAULT_TRY(derive_next(service, &labels, reply, err));
    write_roots(service->keyring, &reply->plain);
    return write_log_keys(service, &reply->plain, err);
}

static enum vault_code answer_open(struct service *service, const struct keyholder_in *in,
                                   struct reply *reply, struct vault_error *err)
{
    struct keyring_provider provider;
    VAULT_AUTO(secret_free) struct secret *secret = NULL;
    if (service->keyring)
        return vault_fail(err, VAULT_CONFLICT, "the keyholder has its keyring open already");
    VAULT_TRY(provider_of(service, in, &secret, &provider, err));
    VAULT_TRY(keyring_open(service->options->dir, &provider, &service->keyring, err));
    const enum vault_code code = give_keys(service, cursor_over(in->plain), reply, err);
    if (code)
        keyring_close(&service->keyring);
    else
        tell(service, false, "the keyring is open");
    return code;
}

/* What was signed stays known: opening again is no way to sign another log. */
static void close_keyring(struct service *service)
{
    for (size_t i = 0; i < KEYRING_LOG_KEYS; i++)
        note_signer_finish(&service->signers[i]);
    keyring_close(&service->keyring);
}

static enum vault_code answer_close(struct service *service, const struct keyholder_in *in,
                                    struct reply *reply, struct vault_error *err)
{
    (void)in;
    (void)reply;
    (void)err;
    if (service->keyring)
        tell(service, false, "the keyring is closed, and its keys are wiped");
    close_keyring(service);
    return VAULT_OK;
}

static enum vault_code answer_rotate(struct service *service, const struct keyholder_in *in,
                                     struct reply *reply, struct vault_error *err)
{
    struct keyring_provider provider;
    VAULT_AUTO(secret_free) struct secret *secret = NULL;
    VAULT_TRY(need_open(service, err));
    VAULT_TRY(provider_of(service, in, &secret, &provider, err));
    VAULT_TRY(keyring_rotate(service->keyring, service->options->dir, &provider, err));
    write_roots(service->keyring, &reply->plain);
    tell(service, false, "there is a new root key");
    return VAULT_OK;
}

static enum vault_code answer_drop_former(struct service *service, const struct keyholder_in *in,
                                          struct reply *reply, struct vault_error *err)
{
    (void)in;
    VAULT_TRY(need_open(service, err));
    VAULT_TRY(keyring_drop_former(service->keyring, service->options->dir, err));
    write_roots(service->keyring, &reply->plain);
    tell(service, false, "former root keys are dropped");
    return VAULT_OK;
}

/* --- While the vault serves ----------------------------------------------------------------- */

/* The seed is wrapped like a citizen's key; it is nobody's to unwrap. */
static enum vault_code read_binding(struct cursor *cursor, struct keyring_binding *out,
                                    char use[KEYHOLDER_USE_CHARS + 1], struct vault_error *err)
{
    keyholder_read_binding(cursor, out, use);
    if (cursor->truncated || out->version < 1)
        return vault_fail(err, VAULT_INVALID, "a message to the keyholder is not in its form");
    if (strcmp(use, KEYRING_USE_CITIZEN) != 0)
        return vault_fail(err, VAULT_DENIED,
                          "the keyholder wraps and unwraps citizens' keys alone");
    return VAULT_OK;
}

/* As many at once as may be in a minute; half of them to who gives way. */
static bool may_unwrap(struct service *service, bool gives_way)
{
    const uint64_t most = (uint64_t)service->options->unwraps_per_minute * MINUTE_MS;
    const int64_t now_ms = clock_monotonic_ms();
    const int64_t passed_ms = now_ms - service->allowed_ms;
    const uint64_t more =
        passed_ms < MINUTE_MS ? (uint64_t)passed_ms * service->options->unwraps_per_minute : most;
    service->allowed_ms = now_ms;
    service->allowed = service->allowed + more < most ? service->allowed + more : most;
    if (service->allowed < MINUTE_MS + (gives_way ? most / 2 : 0))
        return false;
    service->allowed -= MINUTE_MS;
    return true;
}

static enum vault_code answer_unwrap(struct service *service, const struct keyholder_in *in,
                                     struct reply *reply, struct vault_error *err)
{
    char use[KEYHOLDER_USE_CHARS + 1];
    struct keyring_binding binding;
    struct cursor cursor = cursor_over(in->plain);
    const bool gives_way = cursor_u8(&cursor) == 1;
    VAULT_TRY(need_open(service, err));
    VAULT_TRY(read_binding(&cursor, &binding, use, err));
    const bool may = may_unwrap(service, gives_way);
    if (!may && gives_way)
        return vault_fail(err, VAULT_LIMITED, "there is no key to spare now");
    if (!may) {
        service->figures.refused++;
        return vault_fail(err, VAULT_UNAVAILABLE,
                          "more citizens' keys were asked for than keyring.unwraps_per_minute, "
                          "which is %" PRIu32,
                          service->options->unwraps_per_minute);
    }
    const struct bytes wrapped = cursor_take(&cursor, cursor.left);
    VAULT_TRY(keyring_unwrap(service->keyring, &binding, wrapped, &reply->secret, err));
    reply->secret_bytes = SECRET_KEY_BYTES;
    service->figures.unwrapped++;
    return VAULT_OK;
}

static enum vault_code answer_wrap(struct service *service, const struct keyholder_in *in,
                                   struct reply *reply, struct vault_error *err)
{
    char use[KEYHOLDER_USE_CHARS + 1];
    struct keyring_binding binding;
    VAULT_AUTO(secret_free) struct secret *key = NULL;
    struct cursor cursor = cursor_over(in->plain);
    VAULT_TRY(need_open(service, err));
    VAULT_TRY(read_binding(&cursor, &binding, use, err));
    const struct bytes wrapped = cursor_take(&cursor, cursor.left);
    if (in->secret.size != (wrapped.size ? 0 : SECRET_KEY_BYTES))
        return vault_fail(err, VAULT_INVALID, "a message to the keyholder is not in its form");
    service->figures.wrapped++;
    if (wrapped.size)
        return keyring_rewrap(service->keyring, &binding, wrapped, &reply->plain, err);
    VAULT_TRY(secret_copy(in->secret, &key, err));
    return keyring_wrap(service->keyring, &binding, key, &reply->plain, err);
}

/* The log only grows, whichever of its keys is asked: one that was never used yet signs no other.
 */
static enum vault_code check_growth(struct service *service, uint64_t size,
                                    const struct tree_hash *root, struct vault_error *err)
{
    const struct last_head *last = &service->last;
    const bool is_same = size == last->size && tree_hash_equal(root, &last->root);
    if (last->is_known && size <= last->size && !is_same) {
        service->figures.refused++;
        tell(service, true, "a head of the log was not signed: it would be shorter, or forked");
        return vault_fail(
            err, VAULT_CONFLICT,
            "the keyholder does not sign a log that is shorter than it was, or other");
    }
    return VAULT_OK;
}

static enum vault_code make_signer(const struct service *service, uint32_t generation,
                                   struct note_signer *signer, struct vault_error *err)
{
    return signer->pair ? VAULT_OK
                        : keyring_log_signer(service->keyring, service->options->origin, generation,
                                             signer, err);
}

/* A head of the log that has only grown, or a receipt. */
static enum vault_code check_text(struct service *service, const struct note_signer *signer,
                                  struct bytes text, struct vault_error *err)
{
    uint64_t size = 0;
    struct tree_hash root;
    if (receipt_text_check(text, &signer->key, NULL) == VAULT_OK)
        return VAULT_OK;
    VAULT_TRY(checkpoint_read_text(text, service->options->origin, &size, &root, err));
    VAULT_TRY(check_growth(service, size, &root, err));
    service->last = (struct last_head){true, size, root};
    return VAULT_OK;
}

static enum vault_code answer_sign(struct service *service, const struct keyholder_in *in,
                                   struct reply *reply, struct vault_error *err)
{
    uint8_t signature[SIGN_SIGNATURE_BYTES];
    struct cursor cursor = cursor_over(in->plain);
    const uint32_t generation = cursor_u32(&cursor);
    const struct bytes text = cursor_take(&cursor, cursor.left);
    VAULT_TRY(need_open(service, err));
    if (generation < 1 || generation > KEYRING_LOG_KEYS)
        return vault_fail(err, VAULT_INVALID, "the log has no such key");
    struct note_signer *signer = &service->signers[generation - 1];
    VAULT_TRY(make_signer(service, generation, signer, err));
    VAULT_TRY(check_text(service, signer, text, err));
    VAULT_TRY(sign_message(signer->pair, text, signature, err));
    buf_append(&reply->plain, signature, sizeof signature);
    service->figures.signatures++;
    return VAULT_OK;
}

static enum vault_code answer_status(struct service *service, const struct keyholder_in *in,
                                     struct reply *reply, struct vault_error *err)
{
    (void)in;
    (void)err;
    buf_u64(&reply->plain, service->figures.unwrapped);
    buf_u64(&reply->plain, service->figures.wrapped);
    buf_u64(&reply->plain, service->figures.signatures);
    buf_u64(&reply->plain, service->figures.refused);
    return VAULT_OK;
}

typedef enum vault_code answer_of_kind(struct service *service, const struct keyholder_in *in,
                                       struct reply *reply, struct vault_error *err);

static answer_of_kind *const answers[KEYHOLDER_KIND_COUNT] = {
    [KEYHOLDER_OPEN] = answer_open,     [KEYHOLDER_CLOSE] = answer_close,
    [KEYHOLDER_ROTATE] = answer_rotate, [KEYHOLDER_DROP_FORMER] = answer_drop_former,
    [KEYHOLDER_UNWRAP] = answer_unwrap, [KEYHOLDER_WRAP] = answer_wrap,
    [KEYHOLDER_SIGN] = answer_sign,     [KEYHOLDER_STATUS] = answer_status,
};

/* --- The loop ------------------------------------------------------------------------------- */

static enum vault_code answer(struct service *service, const struct keyholder_in *in,
                              struct reply *reply, struct vault_error *err)
{
    if (in->kind >= KEYHOLDER_KIND_COUNT || !answers[in->kind])
        return vault_fail(err, VAULT_INVALID, "a message of no kind that the keyholder knows");
    VAULT_TRY(answers[in->kind](service, in, reply, err));
    return buf_check(&reply->plain, err);
}

static enum vault_code answer_one(struct service *service, int socket,
                                  struct keyholder_frame *frame, struct vault_error *err)
{
    struct keyholder_in in;
    struct vault_error why = {0};
    VAULT_TRY(keyholder_receive(socket, frame, &in, err));
    struct reply reply = {.plain = buf_limited(KEYHOLDER_PLAIN_MAX_BYTES)};
    const enum vault_code answered = answer(service, &in, &reply, &why);
    struct keyholder_out out = {.kind = (uint8_t)answered};
    if (answered) {
        out.plain = bytes_of_text(why.text);
    } else {
        out.plain = buf_view(&reply.plain);
        if (reply.secret)
            out.secret = (struct bytes){secret_view(reply.secret).data, reply.secret_bytes};
    }
    const enum vault_code code = keyholder_send(socket, &out, err);
    keyholder_frame_wipe(frame);
    secret_free(&reply.secret);
    buf_finish(&reply.plain);
    return code;
}

/* A line for each minute in which there was something; a warning where it was near the limit, which
 * who goes through all citizens stays below. */
static void tell_figures(struct service *service)
{
    const uint32_t most = service->options->unwraps_per_minute;
    char text[TEXT_CHARS];
    const uint64_t given = service->figures.unwrapped - service->told.unwrapped;
    const uint64_t refused = service->figures.refused - service->told.refused;
    snprintf(text, sizeof text,
             "citizens' keys unwrapped in the last minute: %" PRIu64 " of at most %" PRIu32
             "; asked for and refused: %" PRIu64,
             given, most, refused);
    if (given || refused)
        tell(service, refused > 0 || given > most / 2, text);
    service->told = service->figures;
    service->told_ms = clock_monotonic_ms();
}

/* Wait for a message, or for the minute's line. */
static enum vault_code wait_for_message(struct service *service, int socket,
                                        struct vault_error *err)
{
    struct pollfd ready = {.fd = socket, .events = POLLIN};
    for (;;) {
        const int64_t left_ms = service->told_ms + MINUTE_MS - clock_monotonic_ms();
        const int count = left_ms > 0 ? poll(&ready, 1, (int)left_ms) : 0;
        if (count > 0)
            return VAULT_OK;
        if (count < 0 && errno != EINTR)
            return vault_fail_errno(err, "waiting for the keyholder's socket");
        if (count == 0)
            tell_figures(service);
    }
}

enum vault_code keyholder_serve(int socket, const struct keyholder_options *options,
                                struct vault_error *err)
{
    enum vault_code code = VAULT_OK;
    VAULT_AUTO(keyholder_frame_finish) struct keyholder_frame frame = {0};
    struct service service = {.options = options,
                              .allowed = (uint64_t)options->unwraps_per_minute * MINUTE_MS,
                              .allowed_ms = clock_monotonic_ms(),
                              .told_ms = clock_monotonic_ms()};
    VAULT_TRY(keyholder_frame_make(&frame, err));
    while (code == VAULT_OK) {
        code = wait_for_message(&service, socket, err);
        if (code == VAULT_OK)
            code = answer_one(&service, socket, &frame, err);
    }
    tell_figures(&service);
    close_keyring(&service);
    return code == VAULT_NOT_FOUND ? VAULT_OK : code;
}
