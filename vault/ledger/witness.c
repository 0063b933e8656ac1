#include "vault/ledger/witness.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "number.h"
#include "vault/base/codec.h"
#include "vault/base/file.h"

enum {
    OK = 200,
    BAD = 400,
    FORBIDDEN = 403,
    UNKNOWN = 404,
    CONFLICT = 409,
    WRONG = 422,
    OWN = 500
};

/* A log that the witness looks after, and what it saw of it last. */
struct witnessed {
    struct note_key key;
    char name[HEX_CHARS(SHA256_BYTES) + 1]; /* SHA-256 of the origin */
    size_t first;                           /* number of the first log of this origin */
    uint64_t size;                          /* of the first one only; 0: nothing yet */
    struct tree_hash root;
};

struct witness {
    char dir[PATH_MAX];
    const struct note_signer *signer;
    struct clock clock;
    struct witnessed logs[WITNESS_LOGS_MAX];
    size_t log_count;
    int lock;
};

/* --- The messages --------------------------------------------------------------------------- */

void witness_request_write(const struct witness_request *request, struct buf *out)
{
    assert(request->proof.count <= WITNESS_PROOF_MAX);
    buf_format(out, "old %" PRIu64 "\n", request->old_size);
    for (size_t i = 0; i < request->proof.count; i++) {
        base64_encode(out, (struct bytes){request->proof.hashes[i].bytes, TREE_HASH_BYTES});
        buf_byte(out, '\n');
    }
    buf_byte(out, '\n');
    buf_bytes(out, request->checkpoint);
}

static bool take_line(struct bytes *rest, struct bytes *line)
{
    const uint8_t *end = rest->size ? memchr(rest->data, '\n', rest->size) : NULL;
    if (!end)
        return false;
    *line = (struct bytes){rest->data, (size_t)(end - rest->data)};
    *rest = (struct bytes){end + 1, rest->size - line->size - 1};
    return true;
}

static bool read_old(struct bytes line, uint64_t *out)
{
    return line.size > 4 && memcmp(line.data, "old ", 4) == 0 &&
           number_read((struct bytes){line.data + 4, line.size - 4}, TREE_MAX_SIZE, out);
}

enum vault_code witness_request_parse(struct bytes body, struct witness_request *out,
                                      struct vault_error *err)
{
    struct witness_request request = {0};
    struct bytes line = {0};
    if (!take_line(&body, &line) || !read_old(line, &request.old_size))
        return vault_fail(err, VAULT_INVALID, "the first line is not \"old SIZE\"");
    for (;;) {
        if (!take_line(&body, &line))
            return vault_fail(err, VAULT_INVALID, "there is no empty line before the checkpoint");
        if (line.size == 0)
            break;
        if (request.proof.count == WITNESS_PROOF_MAX ||
            base64_decode_exact(request.proof.hashes[request.proof.count++].bytes, TREE_HASH_BYTES,
                                line, NULL) != VAULT_OK)
            return vault_fail(err, VAULT_INVALID,
                              "the proof is not at most %u hashes in base64, one a line",
                              WITNESS_PROOF_MAX);
    }
    request.checkpoint = body;
    *out = request;
    return VAULT_OK;
}

enum vault_code witness_size_parse(struct bytes body, uint64_t *out, struct vault_error *err)
{
    struct bytes line = {0};
    if (!take_line(&body, &line) || body.size || !number_read(line, TREE_MAX_SIZE, out))
        return vault_fail(err, VAULT_INVALID, "the body of a 409 is not a size");
    return VAULT_OK;
}

/* --- The memory ----------------------------------------------------------------------------- */

static enum vault_code path_of(const struct witness *witness, const char *name, char out[PATH_MAX],
                               struct vault_error *err)
{
    char file[HEX_CHARS(SHA256_BYTES) + sizeof ".checkpoint"];
    snprintf(file, sizeof file, "%s.checkpoint", name);
    return file_join(out, PATH_MAX, witness->dir, file, err);
}

/* What stands in the file must be this witness's own cosigned checkpoint of that log. */
static bool is_own_memory(const struct witness *witness, const struct witnessed *log,
                          const struct checkpoint *checkpoint)
{
    int64_t when_s = -1;
    return bytes_equal(checkpoint->origin, bytes_of_text(log->key.name)) &&
           checkpoint_cosigned(checkpoint, &witness->signer->key, &when_s, NULL) == VAULT_OK &&
           when_s >= 0;
}

static enum vault_code recall(const struct witness *witness, struct witnessed *log,
                              struct vault_error *err)
{
    char path[PATH_MAX];
    struct checkpoint checkpoint;
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    log->root = tree_empty_root();
    VAULT_TRY(path_of(witness, log->name, path, err));
    if (file_is_missing(path))
        return VAULT_OK;
    VAULT_TRY(file_read(path, &note, err));
    if (checkpoint_parse(buf_view(&note), &checkpoint, NULL) != VAULT_OK ||
        !is_own_memory(witness, log, &checkpoint))
        return vault_fail(err, VAULT_CORRUPT,
                          "%s is not a checkpoint that this witness cosigned: put back what it "
                          "wrote",
                          path);
    log->size = checkpoint.size;
    log->root = checkpoint.root;
    return VAULT_OK;
}

/* The lines by which the log's key signed the checkpoint, and no others. */
static enum vault_code copy_signatures(const struct checkpoint *checkpoint,
                                       const struct note_key *key, struct buf *out,
                                       struct vault_error *err)
{
    size_t from = 0;
    const struct note_signature *line;
    while ((line = note_next_signature(&checkpoint->note, key, &from))) {
        uint8_t signature[SIGN_SIGNATURE_BYTES];
        VAULT_TRY(note_signature_read(line, signature, sizeof signature, err));
        note_signature_write(out, key, (struct bytes){signature, sizeof signature});
    }
    return VAULT_OK;
}

static enum vault_code remember(const struct witness *witness, const struct witnessed *log,
                                const struct checkpoint *checkpoint, struct bytes cosignature,
                                struct vault_error *err)
{
    char path[PATH_MAX];
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    VAULT_TRY(path_of(witness, log->name, path, err));
    buf_bytes(&note, checkpoint->note.text);
    buf_byte(&note, '\n');
    VAULT_TRY(copy_signatures(checkpoint, &log->key, &note, err));
    buf_bytes(&note, cosignature);
    VAULT_TRY(buf_check(&note, err));
    return file_replace(path, buf_view(&note), 0600, err);
}

/* --- The witness ---------------------------------------------------------------------------- */

static enum vault_code take_lock(struct witness *witness, struct vault_error *err)
{
    char path[PATH_MAX];
    VAULT_TRY(file_join(path, sizeof path, witness->dir, "lock", err));
    witness->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (witness->lock < 0)
        return vault_fail_errno(err, "opening %s", path);
    if (flock(witness->lock, LOCK_EX | LOCK_NB) != 0)
        return vault_fail(err, VAULT_CONFLICT, "another witness works with %s", witness->dir);
    return VAULT_OK;
}

static enum vault_code take_logs(struct witness *witness, const struct witness_options *options,
                                 struct vault_error *err)
{
    if (options->log_count == 0 || options->log_count > WITNESS_LOGS_MAX)
        return vault_fail(err, VAULT_INVALID, "a witness looks after 1 to %u logs",
                          WITNESS_LOGS_MAX);
    for (size_t i = 0; i < options->log_count; i++) {
        struct witnessed *log = &witness->logs[i];
        uint8_t hash[SHA256_BYTES];
        log->key = options->logs[i];
        sha256_of(hash, bytes_of_text(log->key.name));
        hex_string(log->name, hash, sizeof hash);
        while (strcmp(witness->logs[log->first].name, log->name) != 0)
            log->first++;
        if (log->first == i)
            VAULT_TRY(recall(witness, log, err));
        witness->log_count++;
    }
    return VAULT_OK;
}

enum vault_code witness_open(const struct witness_options *options, struct witness **out,
                             struct vault_error *err)
{
    assert(options->signer->key.kind == NOTE_COSIGNATURE);
    VAULT_AUTO(witness_close) struct witness *witness = calloc(1, sizeof *witness);
    if (!witness)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    witness->lock = -1;
    witness->signer = options->signer;
    witness->clock = options->clock;
    if (strlen(options->dir) >= sizeof witness->dir)
        return vault_fail(err, VAULT_TOO_LARGE, "the path of the witness's folder is too long");
    memcpy(witness->dir, options->dir, strlen(options->dir));
    VAULT_TRY(folder_create(witness->dir, err));
    VAULT_TRY(take_lock(witness, err));
    VAULT_TRY(take_logs(witness, options, err));
    *out = VAULT_TAKE(witness);
    return VAULT_OK;
}

void witness_close(struct witness **witness)
{
    if (*witness)
        file_close(&(*witness)->lock);
    free(*witness);
    *witness = NULL;
}

static unsigned refuse(struct vault_error *err, unsigned status, const char *why)
{
    (void)vault_fail(err, VAULT_DENIED, "%s", why);
    return status;
}

/* The log of this origin whose key signed the checkpoint. *status is 404 or 403 if there is none.
 */
static struct witnessed *find_signer(struct witness *witness, const struct checkpoint *checkpoint,
                                     unsigned *status, struct vault_error *err)
{
    *status = refuse(err, UNKNOWN, "the log is not one that this witness looks after");
    for (size_t i = 0; i < witness->log_count; i++) {
        struct witnessed *log = &witness->logs[i];
        if (!bytes_equal(checkpoint->origin, bytes_of_text(log->key.name)))
            continue;
        if (checkpoint_verify(checkpoint, &log->key, NULL) == VAULT_OK)
            return log;
        *status = refuse(err, FORBIDDEN, "no key of that log signed the checkpoint");
    }
    return NULL;
}

/* 200 if the checkpoint goes on from what was seen last. */
static unsigned judge(const struct witnessed *seen, const struct witness_request *request,
                      const struct checkpoint *checkpoint, struct buf *answer,
                      struct vault_error *err)
{
    if (request->old_size > checkpoint->size)
        return refuse(err, BAD, "the old size is past the checkpoint");
    if (request->old_size != seen->size) {
        buf_format(answer, "%" PRIu64 "\n", seen->size);
        return refuse(err, CONFLICT, "the old size is not the one that was cosigned last");
    }
    if (tree_check_consistency(&request->proof, seen->size, checkpoint->size, &seen->root,
                               &checkpoint->root, NULL) != VAULT_OK)
        return refuse(err, WRONG, "the log did not grow out of what was cosigned last");
    return OK;
}

unsigned witness_add_checkpoint(struct witness *witness, struct bytes body, struct buf *answer,
                                struct vault_error *err)
{
    struct witness_request request;
    struct checkpoint checkpoint;
    unsigned status = OK;
    VAULT_AUTO(buf_finish) struct buf cosignature = buf_limited(WITNESS_ANSWER_MAX_BYTES);
    if (witness_request_parse(body, &request, err) != VAULT_OK ||
        checkpoint_parse(request.checkpoint, &checkpoint, err) != VAULT_OK)
        return BAD;
    const struct witnessed *log = find_signer(witness, &checkpoint, &status, err);
    if (!log)
        return status;
    struct witnessed *seen = &witness->logs[log->first];
    status = judge(seen, &request, &checkpoint, answer, err);
    if (status != OK)
        return status;
    if (checkpoint_cosign(checkpoint.note.text, witness->signer, clock_now_s(&witness->clock),
                          &cosignature, err) != VAULT_OK ||
        remember(witness, log, &checkpoint, buf_view(&cosignature), err) != VAULT_OK)
        return OWN;
    seen->size = checkpoint.size;
    seen->root = checkpoint.root;
    buf_bytes(answer, buf_view(&cosignature));
    return OK;
}

enum vault_code witness_last(const struct witness *witness, struct bytes hash, struct buf *out,
                             struct vault_error *err)
{
    for (size_t i = 0; i < witness->log_count; i++) {
        char path[PATH_MAX];
        if (!bytes_equal(hash, bytes_of_text(witness->logs[i].name)))
            continue;
        VAULT_TRY(path_of(witness, witness->logs[i].name, path, err));
        return file_read(path, out, err);
    }
    return vault_fail(err, VAULT_NOT_FOUND, "the log is not one that this witness looks after");
}
