#include "export_log.h"

#include "parts.h"
#include "vault/base/json.h"
#include "vault/ledger/proof.h"
#include "vault/vault/history.h"
#include "vault/vault/receipt.h"

#define AT_A_TIME         32
#define PIECE_BYTES_MAX   (1024UL * 1024)
#define MEMBERS_BYTES_MAX (ENTRY_MAX_BYTES * 6 + 20UL * 1024)

enum vault_code export_receipts(struct vault *vault, const struct citizen_id *citizen,
                                const int64_t seqs[], size_t count, size_t max_bytes, bool *all,
                                struct buf *out, struct vault_error *err)
{
    bool first = true;
    *all = true;
    buf_byte(out, '[');
    for (size_t i = count; i > 0 && *all; i--) {
        VAULT_AUTO(buf_finish) struct buf receipt = buf_limited(RECEIPT_BYTES_MAX);
        const enum vault_code code = receipt_write(vault, citizen, seqs[i - 1], &receipt, err);
        if (code == VAULT_NOT_FOUND)
            continue;
        VAULT_TRY(code);
        receipt.size -= 1; /* its line end: an export is one line */
        *all = out->size + receipt.size <= max_bytes;
        if (!*all)
            break;
        buf_text(out, first ? "" : ",");
        buf_join(out, &receipt);
        first = false;
    }
    buf_byte(out, ']');
    return buf_check(out, err);
}

/* --- Entries -------------------------------------------------------------------------------- */

/* One event: all of its members but the proof. */
struct piece {
    uint64_t n;
    uint64_t index;
    struct buf members;
};

struct pieces {
    struct piece list[AT_A_TIME];
    size_t count;
};

static void pieces_finish(struct pieces *pieces)
{
    while (pieces->count)
        buf_finish(&pieces->list[--pieces->count].members);
}

static enum vault_code take(void *context, const struct history_event *event,
                            struct vault_error *err)
{
    struct pieces *pieces = context;
    struct piece *piece = &pieces->list[pieces->count++];
    *piece = (struct piece){event->n, event->index, buf_limited(MEMBERS_BYTES_MAX)};
    buf_format(&piece->members,
               "\"n\":%llu,\"index\":%llu,\"entry\":", (unsigned long long)event->n,
               (unsigned long long)event->index);
    json_write_string(&piece->members, event->entry_text);
    buf_text(&piece->members, ",\"opening\":");
    buf_bytes(&piece->members, event->opening_text);
    return buf_check(&piece->members, err);
}

/* How far the list has come. */
struct writing {
    struct vault *vault;
    size_t max_bytes;
    uint64_t last_n; /* of the last entry written; 0: none yet */
    bool full;
    struct buf *out;
};

static enum vault_code write_piece(struct writing *writing, const struct piece *piece,
                                   struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf proof = buf_limited(PROOF_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(PIECE_BYTES_MAX);
    VAULT_TRY(ledger_prove(writing->vault->ledger, piece->index, &proof, err));
    buf_text(&text, writing->last_n ? ",{" : "{");
    buf_join(&text, &piece->members);
    buf_text(&text, ",\"proof\":");
    json_write_string(&text, buf_view(&proof));
    buf_byte(&text, '}');
    VAULT_TRY(buf_check(&text, err));
    writing->full = writing->out->size + text.size > writing->max_bytes;
    if (writing->full)
        return VAULT_OK;
    buf_bytes(writing->out, buf_view(&text));
    writing->last_n = piece->n;
    return buf_check(writing->out, err);
}

/* An event that is missing ends the list: what is there stands. */
static enum vault_code write_entries(struct writing *writing, const struct citizen_id *citizen,
                                     struct vault_error *err)
{
    size_t count;
    do {
        VAULT_AUTO(pieces_finish) struct pieces pieces = {0};
        const enum vault_code code =
            history_list(writing->vault, citizen, writing->last_n, AT_A_TIME, take, &pieces, err);
        if (code && code != VAULT_CORRUPT)
            return code;
        count = code ? 0 : pieces.count;
        for (size_t i = 0; i < pieces.count && !writing->full; i++)
            VAULT_TRY(write_piece(writing, &pieces.list[i], err));
    } while (count == AT_A_TIME && !writing->full);
    return VAULT_OK;
}

enum vault_code export_log(struct vault *vault, const struct citizen_id *citizen, size_t max_bytes,
                           struct buf *out, struct vault_error *err)
{
    struct writing writing = {.vault = vault, .max_bytes = max_bytes, .out = out};
    buf_text(out, "{\"origin\":");
    json_write_string(out, bytes_of_text(vault->options.origin));
    buf_text(out, ",\"entries\":[");
    VAULT_TRY(write_entries(&writing, citizen, err));
    buf_format(out, "],\"complete\":%s}", writing.last_n == 1 ? "true" : "false");
    return buf_check(out, err);
}
