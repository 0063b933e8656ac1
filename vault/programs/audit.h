/*
 * audit - what the commands of vault-audit share.
 *
 * A command is given its arguments without its name. Options may stand anywhere among the names,
 * as "--option VALUE" or "--option=VALUE"; after "--" everything is a name.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/crypto/note.h"
#include "vault/ledger/checkpoint.h"
#include "vault/ledger/proof.h"
#include "vault/ledger/tile.h"
#include "vault/ledger/verify.h"

#define AUDIT_EXIT_USAGE 64
#define AUDIT_EXIT_IO    74
#define AUDIT_REPEAT_MAX 100 /* how often --known may be given */

/* An option of a command, and where its values go. */
struct audit_option {
    const char *name;    /* "--key" */
    const char **values; /* of values_max; NULL: a switch without a value */
    size_t values_max;
    size_t count; /* how often it was given */
};

/* Sort the arguments into options and names. On failure the words have been said; the code is 64.
 */
int audit_read_arguments(int argc, char **argv, struct audit_option *options, size_t option_count,
                         const char **names, size_t name_count);

/* Say what is wrong and return the exit code: 64, 74, or 40 for what is invalid. */
int audit_usage(const char *what);
int audit_failed(enum vault_code code, const struct vault_error *err);

/* Read the log's verifier key; --key may not be missing. */
int audit_read_key(const char *text, struct note_key *out);

/* Append a file that was named. One that is no regular file, and might never end, is VAULT_IO. */
enum vault_code audit_read_file(const char *path, struct buf *out, struct vault_error *err)
    VAULT_MUST_CHECK;

/* Read a number in its one spelling. */
int audit_read_number(const char *text, const char *what, uint64_t *out);

/* A log in a folder: its checkpoint, and the nodes of its tree. */
struct audit_log {
    const char *dir;
    struct buf note;
    struct checkpoint checkpoint;
    struct tile_source *tiles;
};

int audit_open_log(const char *dir, struct audit_log *out);
void audit_close_log(struct audit_log *log);

/* Check that the tiles of a size lead on to the checkpoint: *root is what the log had at the size,
 * and *consistency the proof of it; for its own size that is the checkpoint's word. A tile that is
 * missing is 20, one that is wrong 40. */
int audit_root_at(struct audit_log *log, uint64_t size, struct tree_hash *root,
                  struct tree_proof *consistency);

/* Print a text that was made, and flush. */
int audit_print(const struct buf *text);

/* The commands. */
int audit_verify(int argc, char **argv);
int audit_root(int argc, char **argv);
int audit_prove(int argc, char **argv);
int audit_consistency(int argc, char **argv);
int audit_check_proof(int argc, char **argv);
int audit_check_receipt(int argc, char **argv);
int audit_check_export(int argc, char **argv);
int audit_diff(int argc, char **argv);
int audit_witness(int argc, char **argv);
int audit_witness_key(int argc, char **argv);
