/*
 * outbox - published files on their way into the log's folder.
 *
 * A file is written in DIR/new first, so that no half of one ever has a published name. A batch of
 * them is synced together, then each gets its name, then the folders are synced: what a checkpoint
 * stands on is on the disk before the checkpoint is.
 */
#pragma once

#include "vault/base/error.h"
#include "vault/ledger/tile.h"

#define OUTBOX_FILES 64U

struct outbox {
    const char *dir; /* the log's; borrowed */
    size_t count;
    struct tile_name names[OUTBOX_FILES];
    int fds[OUTBOX_FILES]; /* owned */
};

struct outbox outbox_of(const char *dir);
void outbox_finish(struct outbox *outbox); /* drops what was not sent */

/* Add a tile or bundle; sends what is there when the box is full. */
enum vault_code outbox_put(struct outbox *outbox, struct tile_name name, struct bytes content,
                           struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code outbox_send(struct outbox *outbox, struct vault_error *err) VAULT_MUST_CHECK;

/* Remove the partial tiles that a full one has taken the place of. What cannot be removed stays. */
void outbox_remove_partials(const char *dir, struct tile_name full);
