#include "vault/ledger/verify.h"

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "vault/base/file.h"
#include "vault/base/folder.h"
#include "vault/ledger/checkpoint.h"
#include "vault/ledger/proof.h"
#include "vault/ledger/tile.h"
#include "verdict.h"
#include "verify_openings.h"
#include "verify_tree.h"

struct audit {
    const struct verify_options *options;
    struct verify_report *report;
    struct tile_source *tiles; /* the log's nodes, for sizes and leaves that were kept */
    uint64_t agreeing;         /* things from outside that the log agrees with */
    uint64_t unclear;          /* receipts that cannot be checked any more */
};

/* What was not looked at, and why, before anything is. */
static void begin(struct verify_report *report, const struct verify_options *options)
{
    *report = (struct verify_report){.first_time_ms = -1, .last_time_ms = -1};
    for (unsigned i = 0; i < VERIFY_CHECK_COUNT; i++)
        verdict_skip(report, (enum verify_check)i, "the checkpoint cannot be read");
    if (options->known_count == 0)
        verdict_skip(report, VERIFY_APPEND_ONLY, "no kept checkpoint was given (--known)");
    if (!options->receipts_dir)
        verdict_skip(report, VERIFY_RECEIPTS, "no receipts were given (--receipts)");
    if (!options->policy) {
        verdict_skip(report, VERIFY_WITNESSES, "no policy was given (--policy)");
        verdict_skip(report, VERIFY_FRESHNESS, "no policy was given (--policy)");
    }
    if (!options->openings_path) {
        verdict_skip(report, VERIFY_OPENINGS, "no openings were given (--openings)");
        verdict_skip(report, VERIFY_WITHDRAWALS, "no openings were given (--openings)");
    }
}

static enum vault_code read_checkpoint(const struct verify_options *options, struct buf *note,
                                       struct checkpoint *out, struct verify_report *report,
                                       struct vault_error *err)
{
    char path[PATH_MAX];
    struct vault_error why;
    VAULT_TRY(file_join(path, sizeof path, options->dir, "checkpoint", err));
    const enum vault_code code = file_read_regular(path, note, &why);
    if (code && code != VAULT_TOO_LARGE && code != VAULT_CORRUPT)
        return vault_fail(err, code, "%s", why.text);
    if (code || checkpoint_parse(buf_view(note), out, &why) != VAULT_OK) {
        verdict_fail(report, VERIFY_FORMAT, VERIFY_EXIT_INVALID, "%.200s", why.text);
        return VAULT_OK;
    }
    report->has_checkpoint = true;
    report->head = (struct ledger_head){out->size, out->root};
    const size_t size =
        out->origin.size < NOTE_NAME_CHARS_MAX ? out->origin.size : NOTE_NAME_CHARS_MAX;
    memcpy(report->origin, out->origin.data, size);
    if (checkpoint_verify(out, options->key, &why) == VAULT_OK)
        verdict_pass(report, VERIFY_SIGNATURE, "the log's key signed the checkpoint");
    else
        verdict_fail(report, VERIFY_SIGNATURE, VERIFY_EXIT_INVALID, "%.200s", why.text);
    return VAULT_OK;
}

/* The root that the log had at a size. VAULT_NOT_FOUND if what is left does not tell. */
static enum vault_code root_at(struct audit *audit, uint64_t size, struct tree_hash *out,
                               struct vault_error *err)
{
    const struct tree_source nodes = tile_source_nodes(audit->tiles);
    const enum vault_code code = tree_root(&nodes, size, out, err);
    return code == VAULT_CORRUPT ? VAULT_NOT_FOUND : code;
}

/* Whether the log goes on from a head that was kept. VAULT_NOT_FOUND if that cannot be told. */
static enum vault_code compare_head(struct audit *audit, enum verify_check check, const char *name,
                                    const struct ledger_head *head, bool *agrees,
                                    struct vault_error *err)
{
    struct verify_report *report = audit->report;
    struct tree_hash root;
    *agrees = false;
    if (head->size > report->head.size) {
        verdict_fail(report, check, VERIFY_EXIT_DIFFERS,
                     "%.80s: the log had %" PRIu64 " entries, and has %" PRIu64 " now", name,
                     head->size, report->head.size);
        return VAULT_OK;
    }
    if (head->size == report->head.size)
        root = report->head.root; /* no tile is needed to tell two roots apart */
    else
        VAULT_TRY(root_at(audit, head->size, &root, err));
    if (tree_hash_equal(&root, &head->root))
        *agrees = true;
    else
        verdict_fail(report, check, VERIFY_EXIT_DIFFERS,
                     "%.80s: the first %" PRIu64 " entries are others than those kept", name,
                     head->size);
    return VAULT_OK;
}

static enum vault_code check_known(struct audit *audit, struct vault_error *err)
{
    const struct verify_options *options = audit->options;
    size_t agreeing = 0;
    for (size_t i = 0; i < options->known_count; i++) {
        bool agrees = false;
        const enum vault_code code = compare_head(audit, VERIFY_APPEND_ONLY, options->known[i].name,
                                                  &options->known[i].head, &agrees, err);
        if (code && code != VAULT_NOT_FOUND)
            return code;
        agreeing += agrees;
    }
    audit->agreeing += agreeing;
    if (agreeing == options->known_count && agreeing > 0)
        verdict_pass(audit->report, VERIFY_APPEND_ONLY,
                     "the log goes on from all %zu checkpoints that were kept", agreeing);
    else if (options->known_count > 0)
        verdict_skip(
            audit->report, VERIFY_APPEND_ONLY,
            "only %zu of %zu kept checkpoints can be compared with what is left of the log",
            agreeing, options->known_count);
    return VAULT_OK;
}

/* Whether the receipt's path leads from the log's own entry to the receipt's checkpoint. */
static enum vault_code check_path(struct audit *audit, const char *name, const struct proof *proof,
                                  const struct checkpoint *checkpoint, struct vault_error *err)
{
    const struct tree_source nodes = tile_source_nodes(audit->tiles);
    struct tree_hash leaf;
    VAULT_TRY(nodes.node(nodes.context, 0, proof->index, &leaf, err));
    if (tree_check_inclusion(&proof->path, proof->index, checkpoint->size, &leaf, &checkpoint->root,
                             NULL) == VAULT_OK)
        audit->agreeing++;
    else
        verdict_fail(audit->report, VERIFY_RECEIPTS, VERIFY_EXIT_DIFFERS,
                     "%.80s: the proof does not lead from entry %" PRIu64
                     ", as the log has it, to its checkpoint",
                     name, proof->index);
    return VAULT_OK;
}

static enum vault_code hold_receipt(struct audit *audit, const char *name, struct bytes text,
                                    struct vault_error *err)
{
    struct proof proof;
    struct checkpoint checkpoint;
    struct vault_error why;
    bool agrees = false;
    const struct verify_options *options = audit->options;
    const struct checkpoint_keys keys = {options->key, options->former, options->former_count};
    const enum vault_code parsed = proof_parse(text, &proof, &why);
    if (parsed == VAULT_NO_MEMORY)
        return vault_fail(err, parsed, "%s", why.text);
    if (parsed != VAULT_OK || checkpoint_parse(proof.checkpoint, &checkpoint, &why) != VAULT_OK ||
        checkpoint_verify_any(&checkpoint, &keys, &why) != VAULT_OK) {
        verdict_fail(audit->report, VERIFY_RECEIPTS, VERIFY_EXIT_INVALID, "%.80s: %.120s", name,
                     why.text);
        return VAULT_OK;
    }
    if (proof.index >= checkpoint.size) {
        verdict_fail(audit->report, VERIFY_RECEIPTS, VERIFY_EXIT_DIFFERS,
                     "%.80s: entry %" PRIu64 " is past the end of its checkpoint, %" PRIu64, name,
                     proof.index, checkpoint.size);
        return VAULT_OK;
    }
    const struct ledger_head head = {checkpoint.size, checkpoint.root};
    VAULT_TRY(compare_head(audit, VERIFY_RECEIPTS, name, &head, &agrees, err));
    return agrees ? check_path(audit, name, &proof, &checkpoint, err) : VAULT_OK;
}

static bool is_receipt(const char *name)
{
    static const char end[] = ".tlog-proof";
    const size_t size = strlen(name);
    return size > strlen(end) && strcmp(name + size - strlen(end), end) == 0;
}

static enum vault_code check_receipt_file(struct audit *audit, const char *name,
                                          struct vault_error *err)
{
    char path[PATH_MAX];
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(PROOF_MAX_BYTES);
    VAULT_TRY(file_join(path, sizeof path, audit->options->receipts_dir, name, err));
    struct vault_error why;
    enum vault_code code = file_read_regular(path, &text, &why);
    if (code == VAULT_CORRUPT || code == VAULT_TOO_LARGE) { /* that is no proof */
        verdict_fail(audit->report, VERIFY_RECEIPTS, VERIFY_EXIT_INVALID, "%.200s", why.text);
        return VAULT_OK;
    }
    if (code == VAULT_OK)
        code = hold_receipt(audit, name, buf_view(&text), &why);
    else
        return vault_fail(err, code, "%s", why.text);
    if (code == VAULT_NOT_FOUND || code == VAULT_CORRUPT)
        audit->unclear++;
    else if (code)
        return vault_fail(err, code, "%s", why.text);
    return VAULT_OK;
}

static enum vault_code check_receipts(struct audit *audit, struct vault_error *err)
{
    const char *dir = audit->options->receipts_dir;
    const uint64_t before = audit->agreeing;
    uint64_t count = 0;
    if (!dir)
        return VAULT_OK;
    VAULT_AUTO(folder_close) DIR *folder = opendir(dir);
    if (!folder)
        return vault_fail_errno(err, "opening %s", dir);
    const struct dirent *item = NULL;
    for (;;) {
        VAULT_TRY(folder_next(folder, dir, &item, err));
        if (!item)
            break;
        if (!is_receipt(item->d_name))
            continue;
        count++;
        VAULT_TRY(check_receipt_file(audit, item->d_name, err));
    }
    if (count == 0)
        verdict_skip(audit->report, VERIFY_RECEIPTS, "there is no .tlog-proof in the folder given");
    else if (audit->unclear)
        verdict_skip(audit->report, VERIFY_RECEIPTS,
                     "%" PRIu64 " of %" PRIu64 " receipts are about entries that are not there",
                     audit->unclear, count);
    else
        verdict_pass(audit->report, VERIFY_RECEIPTS, "the log holds all %" PRIu64 " receipts",
                     audit->agreeing - before);
    return VAULT_OK;
}

static void check_freshness(struct audit *audit, const struct quorum_outcome *outcome)
{
    const struct verify_options *options = audit->options;
    struct verify_report *report = audit->report;
    const int64_t age_s = options->now_s - outcome->newest_s;
    if (!quorum_needs_witnesses(options->policy))
        verdict_skip(report, VERIFY_FRESHNESS, "the policy asks for no witness");
    else if (!outcome->is_met)
        verdict_skip(report, VERIFY_FRESHNESS, "the quorum is not met");
    else if (outcome->newest_s < 0)
        verdict_fail(report, VERIFY_FRESHNESS, VERIFY_EXIT_STALE,
                     "the cosignature is from %" PRId64
                     " s after this clock, which tells no age: at most %u are allowed",
                     outcome->ahead_s - options->now_s, VERIFY_AHEAD_MAX_S);
    else if (age_s > options->max_age_s)
        verdict_fail(report, VERIFY_FRESHNESS, VERIFY_EXIT_STALE,
                     "the newest cosignature is %" PRId64 " s old; %" PRId64 " are allowed", age_s,
                     options->max_age_s);
    else
        verdict_pass(report, VERIFY_FRESHNESS, "the newest cosignature is %" PRId64 " s old",
                     age_s);
}

static void check_witnesses(struct audit *audit, const struct checkpoint *checkpoint)
{
    const struct quorum *policy = audit->options->policy;
    struct verify_report *report = audit->report;
    struct quorum_outcome outcome;
    struct vault_error why;
    if (!policy)
        return;
    if (quorum_check(policy, checkpoint, audit->options->now_s + VERIFY_AHEAD_MAX_S, &outcome,
                     &why) != VAULT_OK) {
        verdict_fail(report, VERIFY_WITNESSES, VERIFY_EXIT_INVALID, "%.200s", why.text);
        verdict_skip(report, VERIFY_FRESHNESS, "a cosignature does not hold");
        return;
    }
    const size_t count = quorum_witness_count(policy);
    if (!outcome.is_met)
        verdict_fail(report, VERIFY_WITNESSES, VERIFY_EXIT_WITNESSES,
                     "%zu of the policy's %zu witnesses cosigned, which is not its quorum",
                     outcome.cosigned, count);
    else if (outcome.cosigned == 0)
        verdict_skip(report, VERIFY_WITNESSES, "the policy asks for no witness, and none cosigned");
    else if (!quorum_needs_witnesses(policy))
        verdict_pass(report, VERIFY_WITNESSES,
                     "%zu of the policy's %zu witnesses cosigned, of whom it asks for none",
                     outcome.cosigned, count);
    else
        verdict_pass(report, VERIFY_WITNESSES,
                     "%zu of the policy's %zu witnesses cosigned, which is its quorum",
                     outcome.cosigned, count);
    if (outcome.is_met)
        audit->agreeing += outcome.cosigned;
    check_freshness(audit, &outcome);
}

static void conclude(struct audit *audit)
{
    int worst = 0;
    for (unsigned i = 0; i < VERIFY_CHECK_COUNT; i++) {
        const struct verify_verdict *verdict = &audit->report->verdicts[i];
        if (verdict->state == VERIFY_FAIL && verdict->exit_code > worst)
            worst = verdict->exit_code;
    }
    if (worst == 0 && audit->agreeing == 0)
        worst = VERIFY_EXIT_ALONE;
    audit->report->exit_code = worst;
}

enum vault_code verify_run(const struct verify_options *options, struct verify_report *report,
                           struct vault_error *err)
{
    struct audit audit = {.options = options, .report = report};
    struct checkpoint checkpoint;
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    VAULT_AUTO(tile_source_free) struct tile_source *tiles = NULL;
    if (options->policy && !quorum_is_for(options->policy, options->key))
        return vault_fail(err, VAULT_INVALID, "the policy is for other logs than this one");
    begin(report, options);
    VAULT_TRY(read_checkpoint(options, &note, &checkpoint, report, err));
    if (report->has_checkpoint) {
        VAULT_TRY(tile_source_new(options->dir, report->head.size, &tiles, err));
        tile_source_compute_missing(tiles);
        audit.tiles = tiles;
        VAULT_TRY(verify_tree(options, report, err));
        VAULT_TRY(check_known(&audit, err));
        VAULT_TRY(check_receipts(&audit, err));
        check_witnesses(&audit, &checkpoint);
        if (options->openings_path)
            VAULT_TRY(verify_openings(options, report, err));
    }
    conclude(&audit);
    return VAULT_OK;
}
