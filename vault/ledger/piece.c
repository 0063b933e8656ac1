#include "piece.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS_MAX 8U
#define SLOTS       (4U * THREADS_MAX)
#define FEW_PIECES  16U /* not worth a thread */

/* Where a thread reads files to. */
struct room {
    struct tile_content entries;
    struct tile_content hashes;
};

struct slot {
    struct piece piece;
    bool is_busy;  /* a thread is at it */
    bool is_ready; /* it holds a whole piece */
};

struct worker {
    pthread_t thread;
    struct pieces *pieces;
    struct room *room; /* owned */
};

struct pieces {
    const char *dir;
    uint64_t size;
    uint64_t count; /* of pieces */
    struct slot *slots;

    pthread_mutex_t mutex;
    pthread_cond_t ready; /* a slot is */
    pthread_cond_t space; /* a slot has become free */
    uint64_t next;        /* the piece that the next thread takes */
    uint64_t wanted;      /* the caller is at this one; those before it are done with */
    bool is_closing;
    struct worker workers[THREADS_MAX];
    unsigned thread_count; /* 0: the caller does it all, in the room of the first worker */
};

static void read_entry(struct piece *piece, unsigned number, struct bytes text)
{
    struct entry entry;
    struct piece_entry *out = &piece->entries[number];
    const bool is_first_wrong = piece->wrong_at == TILE_WIDTH;
    out->is_entry = entry_parse(text, &entry, is_first_wrong ? &piece->wrong : NULL) == VAULT_OK;
    if (out->is_entry) {
        out->event = (uint8_t)entry.event;
        out->time_ms = entry.time_ms;
        out->count = entry.count;
        out->below = entry.below;
    } else if (is_first_wrong) {
        piece->wrong_at = number;
    }
}

static void read_entries(struct piece *piece, const struct tile_content *content)
{
    struct cursor cursor = cursor_over((struct bytes){content->data, content->size});
    struct bytes text;
    for (unsigned i = 0; i < piece->tile.width && tile_bundle_next(&cursor, &text); i++) {
        piece->leaves[i] = tree_leaf(text);
        read_entry(piece, i, text);
    }
}

static void compare(struct piece *piece, const struct tile_content *content)
{
    for (unsigned i = 0; i < piece->tile.width && !piece->differs; i++) {
        piece->differs = memcmp(content->data + (size_t)i * TREE_HASH_BYTES, piece->leaves[i].bytes,
                                TREE_HASH_BYTES) != 0;
        piece->differs_at = i;
    }
}

static void read_piece(const struct pieces *pieces, uint64_t index, struct room *room,
                       struct piece *piece)
{
    piece->tile = tile_of(pieces->size, 0, index);
    struct tile_name bundle = piece->tile;
    bundle.level = TILE_ENTRIES;
    piece->wrong_at = TILE_WIDTH;
    piece->differs = false;
    piece->entries_code = tile_load(pieces->dir, bundle, &room->entries, &piece->entries_error);
    piece->hashes_code = tile_load(pieces->dir, piece->tile, &room->hashes, &piece->hashes_error);
    if (piece->entries_code == VAULT_OK) {
        read_entries(piece, &room->entries);
        if (piece->hashes_code == VAULT_OK)
            compare(piece, &room->hashes);
    } else if (piece->hashes_code == VAULT_OK) {
        memcpy(piece->leaves, room->hashes.data, room->hashes.size);
    }
    if (piece->tile.width == TILE_WIDTH)
        piece->root = tree_fold(piece->leaves, TILE_HEIGHT);
}

static struct slot *slot_of(struct pieces *pieces, uint64_t index)
{
    return &pieces->slots[index % SLOTS];
}

static bool may_take(struct pieces *pieces)
{
    return pieces->next < pieces->count && pieces->next < pieces->wanted + SLOTS &&
           !slot_of(pieces, pieces->next)->is_busy;
}

static void *work(void *context)
{
    const struct worker *worker = context;
    struct pieces *pieces = worker->pieces;
    pthread_mutex_lock(&pieces->mutex);
    while (!pieces->is_closing) {
        if (!may_take(pieces)) {
            pthread_cond_wait(&pieces->space, &pieces->mutex);
            continue;
        }
        const uint64_t index = pieces->next++;
        struct slot *slot = slot_of(pieces, index);
        slot->is_busy = true;
        slot->is_ready = false;
        pthread_mutex_unlock(&pieces->mutex);
        read_piece(pieces, index, worker->room, &slot->piece);
        pthread_mutex_lock(&pieces->mutex);
        slot->is_busy = false;
        slot->is_ready = true;
        pthread_cond_signal(&pieces->ready);
    }
    pthread_mutex_unlock(&pieces->mutex);
    return NULL;
}

void pieces_close(struct pieces **closing)
{
    struct pieces *pieces = *closing;
    *closing = NULL;
    if (!pieces)
        return;
    pthread_mutex_lock(&pieces->mutex);
    pieces->is_closing = true;
    pthread_cond_broadcast(&pieces->space);
    pthread_mutex_unlock(&pieces->mutex);
    for (unsigned i = 0; i < pieces->thread_count; i++)
        pthread_join(pieces->workers[i].thread, NULL);
    for (unsigned i = 0; i < THREADS_MAX; i++)
        free(pieces->workers[i].room);
    free(pieces->slots);
    free(pieces);
}

/* How many threads are worth it; with one processor or few pieces, none. */
static unsigned threads_for(uint64_t count)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (processors < 2 || count < FEW_PIECES)
        return 0;
    return processors < (long)THREADS_MAX ? (unsigned)processors : THREADS_MAX;
}

static enum vault_code start_workers(struct pieces *pieces, unsigned wanted,
                                     struct vault_error *err)
{
    for (unsigned i = 0; i < wanted || i == 0; i++) {
        struct worker *worker = &pieces->workers[i];
        worker->pieces = pieces;
        worker->room = malloc(sizeof *worker->room);
        if (!worker->room)
            return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
        if (i < wanted && pthread_create(&worker->thread, NULL, work, worker) != 0)
            return vault_fail(err, VAULT_NO_MEMORY, "a thread cannot be started");
        pieces->thread_count += i < wanted;
    }
    return VAULT_OK;
}

enum vault_code pieces_open(const char *dir, uint64_t size, struct pieces **out,
                            struct vault_error *err)
{
    struct pieces *pieces = calloc(1, sizeof *pieces);
    if (!pieces)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    VAULT_AUTO(pieces_close) struct pieces *owned = pieces;
    pthread_mutex_init(&pieces->mutex, NULL);
    pthread_cond_init(&pieces->ready, NULL);
    pthread_cond_init(&pieces->space, NULL);
    pieces->dir = dir;
    pieces->size = size;
    pieces->count = size / TILE_WIDTH + (size % TILE_WIDTH != 0);
    pieces->slots = calloc(SLOTS, sizeof *pieces->slots);
    if (!pieces->slots)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    VAULT_TRY(start_workers(pieces, threads_for(pieces->count), err));
    *out = VAULT_TAKE(owned);
    return VAULT_OK;
}

/*
 * A slot is used again SLOTS pieces later, and no thread takes a piece that far ahead of the wanted
 * one: what the caller holds is left alone. When the caller jumps, what lies between is not read,
 * but for what threads are at already.
 */
const struct piece *pieces_get(struct pieces *pieces, uint64_t index)
{
    struct slot *slot = slot_of(pieces, index);
    assert(index < pieces->count && index >= pieces->wanted);
    if (pieces->thread_count == 0) {
        pieces->wanted = index;
        read_piece(pieces, index, pieces->workers[0].room, &slot->piece);
        return &slot->piece;
    }
    pthread_mutex_lock(&pieces->mutex);
    pieces->wanted = index;
    if (pieces->next < index)
        pieces->next = index;
    pthread_cond_broadcast(&pieces->space);
    while (!slot->is_ready || slot->piece.tile.index != index) {
        pthread_cond_wait(&pieces->ready, &pieces->mutex);
        pthread_cond_broadcast(&pieces->space); /* a slot that was busy may be free now */
    }
    pthread_mutex_unlock(&pieces->mutex);
    return &slot->piece;
}
