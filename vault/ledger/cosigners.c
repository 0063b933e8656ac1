#include "vault/ledger/cosigners.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "vault/base/codec.h"
#include "vault/ledger/checkpoint.h"
#include "vault/ledger/witness.h"

#define COSIGNATURE_BYTES (8 + SIGN_SIGNATURE_BYTES)
#define WORD              "witness "

struct known {
    struct cosigner shown;
    const struct note_key *key;
    uint64_t from;       /* where the next proof begins: by its word, which is not verified */
    uint64_t asked_from; /* the old size of the request under way */
    int64_t not_before_ms;
    struct ledger_head signed_head; /* what the cosignature below is of */
    uint8_t cosignature[COSIGNATURE_BYTES];
    bool has_signed;
    int64_t at_s; /* when that was: its time, or ours if its clock is ahead */
};

struct cosigners {
    const struct quorum *policy;
    struct known known[COSIGNERS_MAX];
    size_t count;
};

static bool same_head(const struct ledger_head *a, const struct ledger_head *b)
{
    return a->size == b->size && tree_hash_equal(&a->root, &b->root);
}

enum vault_code cosigners_new(const struct quorum *policy, struct cosigners **out,
                              struct vault_error *err)
{
    VAULT_AUTO(cosigners_free) struct cosigners *cosigners = calloc(1, sizeof *cosigners);
    if (!cosigners)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    cosigners->policy = policy;
    for (size_t i = 0; i < quorum_witness_count(policy); i++) {
        const char *url = quorum_witness_url(policy, i);
        if (!*url)
            continue;
        if (cosigners->count == COSIGNERS_MAX)
            return vault_fail(err, VAULT_INVALID, "more than %u witnesses to ask", COSIGNERS_MAX);
        struct known *known = &cosigners->known[cosigners->count++];
        known->key = quorum_witness_key(policy, i);
        known->shown = (struct cosigner){.name = known->key->name, .url = url, .cosigned_s = -1};
        known->shown.seen.root = tree_empty_root();
    }
    *out = VAULT_TAKE(cosigners);
    return VAULT_OK;
}

void cosigners_free(struct cosigners **cosigners)
{
    free(*cosigners);
    *cosigners = NULL;
}

size_t cosigners_count(const struct cosigners *cosigners)
{
    return cosigners->count;
}

static const struct known *known_of(const struct cosigners *cosigners, size_t number)
{
    assert(number < cosigners->count);
    return &cosigners->known[number];
}

static struct known *known_at(struct cosigners *cosigners, size_t number)
{
    assert(number < cosigners->count);
    return &cosigners->known[number];
}

const struct cosigner *cosigners_get(const struct cosigners *cosigners, size_t number)
{
    return &known_of(cosigners, number)->shown;
}

/* --- As text -------------------------------------------------------------------------------- */

void cosigners_write(const struct cosigners *cosigners, struct buf *out)
{
    for (size_t i = 0; i < cosigners->count; i++) {
        const struct known *known = &cosigners->known[i];
        char vkey[NOTE_KEY_CHARS_MAX];
        note_key_print(known->key, vkey);
        buf_format(out, WORD "%s %" PRIu64 " ", vkey, known->shown.seen.size);
        base64_encode(out, (struct bytes){known->shown.seen.root.bytes, TREE_HASH_BYTES});
        buf_byte(out, '\n');
    }
}

/* Take what comes before the next such character, which must be there. */
static bool take_until(struct bytes *rest, uint8_t end, struct bytes *out)
{
    const uint8_t *at = rest->size ? memchr(rest->data, end, rest->size) : NULL;
    if (!at)
        return false;
    *out = (struct bytes){rest->data, (size_t)(at - rest->data)};
    *rest = (struct bytes){at + 1, rest->size - out->size - 1};
    return true;
}

static bool read_line(struct bytes line, struct note_key *key, struct ledger_head *seen)
{
    struct bytes word;
    struct bytes vkey;
    struct bytes size;
    return take_until(&line, ' ', &word) && bytes_equal(word, bytes_of_text("witness")) &&
           take_until(&line, ' ', &vkey) && note_key_parse(vkey, key, NULL) == VAULT_OK &&
           take_until(&line, ' ', &size) && number_read(size, TREE_MAX_SIZE, &seen->size) &&
           base64_decode_exact(seen->root.bytes, TREE_HASH_BYTES, line, NULL) == VAULT_OK;
}

enum vault_code cosigners_read(struct cosigners *cosigners, struct bytes text,
                               struct vault_error *err)
{
    struct ledger_head seen[COSIGNERS_MAX];
    for (size_t i = 0; i < cosigners->count; i++)
        seen[i] = cosigners->known[i].shown.seen;
    while (text.size) {
        struct bytes line;
        struct note_key key;
        struct ledger_head head;
        if (!take_until(&text, '\n', &line) || !read_line(line, &key, &head))
            return vault_fail(err, VAULT_INVALID, "what was kept of the witnesses is damaged");
        for (size_t i = 0; i < cosigners->count; i++) {
            const struct note_key *known = cosigners->known[i].key;
            if (memcmp(known->public_key, key.public_key, sizeof key.public_key) == 0)
                seen[i] = head;
        }
    }
    for (size_t i = 0; i < cosigners->count; i++) {
        cosigners->known[i].shown.seen = seen[i];
        cosigners->known[i].from = seen[i].size;
    }
    return VAULT_OK;
}

/* --- Asking --------------------------------------------------------------------------------- */

bool cosigners_is_due(const struct cosigners *cosigners, size_t number, int64_t monotonic_ms)
{
    return known_of(cosigners, number)->not_before_ms <= monotonic_ms;
}

static enum vault_code contradicts(const struct known *known, uint64_t seen,
                                   const struct ledger_presented *presented,
                                   struct vault_error *err)
{
    return vault_fail(err, VAULT_CONFLICT,
                      "the witness %s has cosigned %" PRIu64 " entries of this log, which has "
                      "%" PRIu64 ": the log was set back or forked",
                      known->shown.name, seen, presented->head.size);
}

enum vault_code cosigners_ask(struct cosigners *cosigners, size_t number,
                              const struct ledger_presented *presented, struct buf *body,
                              struct vault_error *err)
{
    struct known *known = known_at(cosigners, number);
    const uint64_t from = known->from;
    struct witness_request request = {.old_size = from, .checkpoint = presented->checkpoint};
    if (from > presented->head.size)
        return contradicts(known, from, presented, err);
    struct tree_hash root;
    VAULT_TRY(ledger_prove_growth(presented, from, &request.proof, &root, err));
    known->asked_from = from;
    witness_request_write(&request, body);
    return buf_check(body, err);
}

/* --- Answers -------------------------------------------------------------------------------- */

void cosigners_leave_alone(struct cosigners *cosigners, size_t number, const char *problem,
                           int64_t until_ms)
{
    struct known *known = known_at(cosigners, number);
    known->not_before_ms = until_ms;
    known->shown.is_failing = true;
    snprintf(known->shown.problem, sizeof known->shown.problem, "%s", problem);
}

/* The newest of the witness's own cosignatures, all of which hold. */
static bool take_newest(const struct checkpoint *checkpoint, struct known *known, int64_t newest_s)
{
    size_t from = 0;
    const struct note_signature *line;
    while ((line = note_next_signature(&checkpoint->note, known->key, &from))) {
        uint8_t raw[COSIGNATURE_BYTES];
        if (note_signature_read(line, raw, sizeof raw, NULL) != VAULT_OK)
            return false;
        struct cursor cursor = cursor_over((struct bytes){raw, sizeof raw});
        if (cursor_u64(&cursor) == (uint64_t)newest_s)
            memcpy(known->cosignature, raw, sizeof raw);
    }
    return true;
}

/* What is wrong with the lines of a 200, or NULL. The answer must leave the text as it was: lines
 * that hold an empty one would move its end. */
static const char *take_lines(struct known *known, const struct ledger_presented *presented,
                              const struct cosigner_answer *answer)
{
    struct checkpoint ours;
    struct checkpoint whole;
    int64_t newest_s = -1;
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    buf_bytes(&note, presented->checkpoint);
    buf_bytes(&note, answer->body);
    if (note.problem || checkpoint_parse(presented->checkpoint, &ours, NULL) != VAULT_OK ||
        checkpoint_parse(buf_view(&note), &whole, NULL) != VAULT_OK ||
        whole.note.text.size != ours.note.text.size)
        return "its answer is not lines of signatures";
    if (checkpoint_cosigned(&whole, known->key, &newest_s, NULL) != VAULT_OK)
        return "its cosignature does not hold";
    if (newest_s < 0)
        return "its key, as the policy has it, did not cosign";
    if (newest_s < answer->now_s - COSIGNERS_SKEW_S)
        return "its cosignature is old: its clock is slow, or an answer was played again";
    if (newest_s > answer->now_s + COSIGNERS_SKEW_S)
        return "its cosignature is from the future: its clock is fast, or ours is slow";
    if (!take_newest(&whole, known, newest_s))
        return "its answer is not lines of signatures";
    known->shown.cosigned_s = newest_s;
    return NULL;
}

static enum cosigner_result failed(struct known *known, const char *problem,
                                   struct vault_error *err)
{
    (void)vault_fail(err, VAULT_UNAVAILABLE, "the witness %s: %s", known->shown.name, problem);
    return COSIGNER_FAILED;
}

static enum cosigner_result take_signed(struct known *known,
                                        const struct ledger_presented *presented,
                                        const struct cosigner_answer *answer,
                                        struct vault_error *err)
{
    const char *problem = take_lines(known, presented, answer);
    if (problem)
        return failed(known, problem, err);
    known->has_signed = true;
    known->at_s = known->shown.cosigned_s < answer->now_s ? known->shown.cosigned_s : answer->now_s;
    known->signed_head = known->shown.seen = presented->head;
    known->from = presented->head.size;
    known->not_before_ms = 0;
    known->shown.is_failing = false;
    return COSIGNER_SIGNED;
}

static enum cosigner_result take_conflict(struct known *known,
                                          const struct ledger_presented *presented,
                                          const struct cosigner_answer *answer,
                                          struct vault_error *err)
{
    uint64_t size = 0;
    if (witness_size_parse(answer->body, &size, NULL) != VAULT_OK)
        return failed(known, "409 without the size where it stands", err);
    /* The size it was asked from, and yet not right: some say so when the root is another. */
    if (size > presented->head.size ||
        (size == known->asked_from && size == presented->head.size)) {
        (void)contradicts(known, size, presented, err);
        return COSIGNER_CONTRADICTS;
    }
    if (size == known->asked_from)
        return failed(known, "409 for the very size that it names", err);
    known->from = size;
    return COSIGNER_AGAIN;
}

enum cosigner_result cosigners_take(struct cosigners *cosigners, size_t number,
                                    const struct ledger_presented *presented,
                                    const struct cosigner_answer *answer, struct vault_error *err)
{
    struct known *known = known_at(cosigners, number);
    char other[64];
    switch (answer->status) {
    case 0:
        return failed(known, answer->problem, err);
    case 200:
        return take_signed(known, presented, answer, err);
    case 409:
        return take_conflict(known, presented, answer, err);
    case 422:
        if (known->asked_from == 0)
            return failed(known, "422 for a log that it has not seen", err);
        (void)contradicts(known, known->asked_from, presented, err);
        vault_error_context(err, "the root of what it cosigned is another");
        return COSIGNER_CONTRADICTS;
    default:
        snprintf(other, sizeof other, "it answered %u%s", answer->status,
                 answer->status == 404   ? ": it does not look after this log"
                 : answer->status == 403 ? ": it knows another key of this log"
                                         : "");
        return failed(known, other, err);
    }
}

/* --- The end of a round --------------------------------------------------------------------- */

static bool has_signed(const struct known *known, const struct ledger_presented *presented)
{
    return known->has_signed && same_head(&known->signed_head, &presented->head);
}

/* The lines of those who cosigned what is presented, at that time or after it. */
static void write_lines(const struct cosigners *cosigners, const struct ledger_presented *presented,
                        int64_t from_s, struct buf *out)
{
    for (size_t i = 0; i < cosigners->count; i++) {
        const struct known *known = &cosigners->known[i];
        if (has_signed(known, presented) && known->at_s >= from_s)
            note_signature_write(out, known->key,
                                 (struct bytes){known->cosignature, sizeof known->cosignature});
    }
}

static bool is_met_since(const struct cosigners *cosigners,
                         const struct ledger_presented *presented, int64_t from_s)
{
    struct checkpoint checkpoint;
    struct quorum_outcome outcome;
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    buf_bytes(&note, presented->checkpoint);
    write_lines(cosigners, presented, from_s, &note);
    return !note.problem && checkpoint_parse(buf_view(&note), &checkpoint, NULL) == VAULT_OK &&
           quorum_check(cosigners->policy, &checkpoint, INT64_MAX, &outcome, NULL) == VAULT_OK &&
           outcome.is_met;
}

enum vault_code cosigners_conclude(const struct cosigners *cosigners,
                                   const struct ledger_presented *presented, struct buf *lines,
                                   int64_t *reached_s, struct vault_error *err)
{
    int64_t reached = -1;
    write_lines(cosigners, presented, INT64_MIN, lines);
    VAULT_TRY(buf_check(lines, err));
    for (size_t i = 0; quorum_needs_witnesses(cosigners->policy) && i < cosigners->count; i++) {
        const struct known *known = &cosigners->known[i];
        if (has_signed(known, presented) && known->at_s > reached &&
            is_met_since(cosigners, presented, known->at_s))
            reached = known->at_s;
    }
    *reached_s = reached;
    return VAULT_OK;
}
