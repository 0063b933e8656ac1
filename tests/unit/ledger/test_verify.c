/* What an auditor is told of logs that are right, damaged, cut, forked, pruned, stale. */
#include "vault/ledger/verify.h"

#include <inttypes.h>

#include "keys.h"
#include "published.h"
#include "test.h"
#include "vault/crypto/crypto.h"
#include "vault/ledger/opening.h"
#include "vault/ledger/proof.h"

#define NOW_S 1795300000

static struct note_signer signer;
static struct note_signer witnesses[3];
static struct published a_log; /* what most tests begin with */
static struct verify_report report;

static struct verify_options options_for(const struct published *log)
{
    return (struct verify_options){
        .dir = log->dir, .key = &signer.key, .max_age_s = VERIFY_MAX_AGE_DEFAULT_S, .now_s = NOW_S};
}

static int run(const struct verify_options *options)
{
    assert_done(verify_run(options, &report, &test_error));
    return report.exit_code;
}

static int verify(void)
{
    const struct verify_options options = options_for(&a_log);
    return run(&options);
}

static void start(uint64_t plain)
{
    char dir[PATH_MAX];
    published_finish(&a_log);
    snprintf(dir, sizeof dir, "%s/log", test_folder());
    published_start(&a_log, dir, 200000);
    published_add_plain(&a_log, plain);
}

static void publish(uint64_t plain)
{
    start(plain);
    published_publish(&a_log, &signer);
}

static void assert_state(enum verify_check check, enum verify_state state)
{
    const struct verify_verdict *verdict = &report.verdicts[check];
    if (verdict->state != state)
        fail_msg("%s: %s, not %s: %s", verify_check_name(check), verify_state_name(verdict->state),
                 verify_state_name(state), verdict->detail);
}

static void assert_says(enum verify_check check, const char *words)
{
    if (!strstr(report.verdicts[check].detail, words))
        fail_msg("%s: \"%s\" does not say \"%s\"", verify_check_name(check),
                 report.verdicts[check].detail, words);
}

static void path_of(char out[PATH_MAX], const char *name)
{
    published_path(out, &a_log, name);
}

static void flip(const char *name, long at)
{
    char path[PATH_MAX];
    path_of(path, name);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, at < 0 ? SEEK_END : SEEK_SET), 0);
    const int byte = fgetc(file);
    assert_int_equal(fseek(file, -1, SEEK_CUR), 0);
    assert_int_not_equal(fputc(byte ^ 1, file), EOF);
    assert_int_equal(fclose(file), 0);
}

static void remove_file(const char *name)
{
    char path[PATH_MAX];
    path_of(path, name);
    assert_int_equal(unlink(path), 0);
}

static void test_a_right_log_alone_is_ten(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {0, 1, 2, 255, 256, 257, 600};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        publish(sizes[i]);
        assert_int_equal(verify(), VERIFY_EXIT_ALONE);
        static const enum verify_check passing[] = {
            VERIFY_FORMAT,  VERIFY_SIGNATURE, VERIFY_HASHES,  VERIFY_COMPLETE,
            VERIFY_ENTRIES, VERIFY_TIMES,     VERIFY_PRUNING, VERIFY_ERASURES};
        for (size_t j = 0; j < sizeof passing / sizeof passing[0]; j++)
            assert_state(passing[j], VERIFY_PASS);
        static const enum verify_check not_made[] = {VERIFY_APPEND_ONLY, VERIFY_RECEIPTS,
                                                     VERIFY_WITNESSES,   VERIFY_FRESHNESS,
                                                     VERIFY_OPENINGS,    VERIFY_WITHDRAWALS};
        for (size_t j = 0; j < sizeof not_made / sizeof not_made[0]; j++)
            assert_state(not_made[j], VERIFY_NOT_CHECKED);
        assert_int_equal(report.head.size, sizes[i]);
        assert_int_equal(report.entries_read, sizes[i]);
        assert_string_equal(report.origin, "log.example");
    }
}

static struct verify_known known_at(uint64_t size)
{
    return (struct verify_known){"kept", {size, published_root(&a_log, size)}};
}

static void test_a_log_that_goes_on_from_what_was_kept_is_zero(void **state)
{
    (void)state;
    publish(600);
    static const uint64_t sizes[] = {0, 1, 255, 256, 257, 599, 600};
    struct verify_known known[7];
    for (size_t i = 0; i < 7; i++)
        known[i] = known_at(sizes[i]);
    struct verify_options options = options_for(&a_log);
    options.known = known;
    options.known_count = 7;
    assert_int_equal(run(&options), VERIFY_EXIT_OK);
    assert_state(VERIFY_APPEND_ONLY, VERIFY_PASS);
}

static void test_a_log_shorter_or_other_than_kept_is_thirty(void **state)
{
    (void)state;
    publish(600);
    struct verify_known known[2] = {known_at(300), known_at(600)};
    struct verify_options options = options_for(&a_log);
    options.known = known;
    options.known_count = 2;
    known[1].head.size = 601;
    assert_int_equal(run(&options), VERIFY_EXIT_DIFFERS);
    assert_says(VERIFY_APPEND_ONLY, "601");
    known[1] = known_at(600);
    known[0].head.root.bytes[0] ^= 1;
    assert_int_equal(run(&options), VERIFY_EXIT_DIFFERS);
    assert_says(VERIFY_APPEND_ONLY, "300");
}

/* The operator writes another history and signs it with the log's own key. */
static void test_a_rewritten_log_is_right_by_itself_and_differs_from_what_was_kept(void **state)
{
    (void)state;
    publish(600);
    struct verify_known known = known_at(400);
    const struct entry other = {.event = ENTRY_LOG_READ, .time_ms = 1795295592100};
    uint8_t text[ENTRY_MAX_BYTES];
    buf_clear(&a_log.entries[100]);
    buf_append(&a_log.entries[100], text, entry_write(&other, text));
    published_publish(&a_log, &signer);
    assert_int_equal(verify(), VERIFY_EXIT_ALONE);
    struct verify_options options = options_for(&a_log);
    options.known = &known;
    options.known_count = 1;
    assert_int_equal(run(&options), VERIFY_EXIT_DIFFERS);
    assert_state(VERIFY_HASHES, VERIFY_PASS);
}

static void test_a_flipped_bit_anywhere_is_forty(void **state)
{
    (void)state;
    static const char *const names[] = {
        "tile/entries/000", "tile/entries/001", "tile/entries/002.p/88", "tile/0/000",
        "tile/0/001",       "tile/0/002.p/88",  "tile/1/000.p/2",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        static const long places[] = {0, 40, -1};
        for (size_t j = 0; j < 3; j++) {
            publish(600);
            flip(names[i], places[j]);
            if (verify() != VERIFY_EXIT_INVALID)
                fail_msg("%s at %ld: %d", names[i], places[j], report.exit_code);
        }
    }
}

static void test_the_entry_at_fault_is_named(void **state)
{
    (void)state;
    publish(600);
    flip("tile/0/001", 44 * TREE_HASH_BYTES);
    assert_int_equal(verify(), VERIFY_EXIT_INVALID);
    assert_says(VERIFY_HASHES, "entry 300");
}

static void test_a_checkpoint_that_is_not_the_logs_is_forty(void **state)
{
    (void)state;
    publish(10);
    flip("checkpoint", -10);
    assert_int_equal(verify(), VERIFY_EXIT_INVALID);
    assert_state(VERIFY_SIGNATURE, VERIFY_FAIL);
    assert_state(VERIFY_HASHES, VERIFY_PASS);

    publish(10);
    VAULT_AUTO(note_signer_finish)
    struct note_signer other = test_signer("log.example", NOTE_ED25519, 9);
    struct verify_options options = options_for(&a_log);
    options.key = &other.key;
    assert_int_equal(run(&options), VERIFY_EXIT_INVALID);

    published_write(&a_log, "checkpoint", BYTES("log.example\n10\n"));
    assert_int_equal(verify(), VERIFY_EXIT_INVALID);
    assert_state(VERIFY_FORMAT, VERIFY_FAIL);
    assert_state(VERIFY_HASHES, VERIFY_NOT_CHECKED);
}

static void test_a_log_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    publish(10);
    remove_file("checkpoint");
    const struct verify_options options = options_for(&a_log);
    assert_fails(VAULT_NOT_FOUND, verify_run(&options, &report, &test_error));
}

static void test_what_is_missing_is_twenty(void **state)
{
    (void)state;
    static const char *const names[] = {"tile/entries/000", "tile/entries/002.p/88", "tile/0/001",
                                        "tile/0/002.p/88", "tile/1/000.p/2"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        publish(600);
        remove_file(names[i]);
        assert_int_equal(verify(), VERIFY_EXIT_MISSING);
        assert_state(VERIFY_HASHES, VERIFY_PASS);
        assert_says(VERIFY_COMPLETE, names[i]);
    }
}

static void test_missing_entries_with_their_hashes_are_stepped_over(void **state)
{
    (void)state;
    publish(600);
    remove_file("tile/entries/000");
    remove_file("tile/0/000");
    assert_int_equal(verify(), VERIFY_EXIT_MISSING);
    assert_state(VERIFY_HASHES, VERIFY_PASS);
    assert_int_equal(report.entries_read, 344);
    publish(600);
    remove_file("tile/entries/002.p/88");
    remove_file("tile/0/002.p/88");
    assert_int_equal(verify(), VERIFY_EXIT_MISSING);
    assert_state(VERIFY_HASHES, VERIFY_NOT_CHECKED);
}

static void test_names_and_sizes_must_be_those_of_tlog_tiles(void **state)
{
    (void)state;
    static const char *const names[] = {
        "tile/README",     "tile/0/000.new", "tile/0/000.p/256", "tile/0/x000/001", "tile/64/000",
        "tile/0/.000.swp", "tile/entries/1", "tile/0/000.p/1/2", "tile/other/file",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        publish(10);
        published_write(&a_log, names[i], BYTES("x"));
        if (verify() != VERIFY_EXIT_INVALID)
            fail_msg("%s is accepted", names[i]);
        assert_state(VERIFY_FORMAT, VERIFY_FAIL);
    }
}

static void test_an_empty_folder_of_a_strange_name_is_noticed(void **state)
{
    (void)state;
    char path[PATH_MAX];
    publish(10);
    path_of(path, "tile/strange");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(verify(), VERIFY_EXIT_INVALID);
    assert_says(VERIFY_FORMAT, "strange");
}

static void test_links_are_no_tiles(void **state)
{
    (void)state;
    char path[PATH_MAX];
    publish(10);
    path_of(path, "tile/0/000.p/3");
    assert_int_equal(symlink("10", path), 0);
    assert_int_equal(verify(), VERIFY_EXIT_INVALID);
}

static void test_extra_bytes_are_noticed(void **state)
{
    (void)state;
    static const char *const names[] = {"tile/0/000", "tile/entries/000", "tile/1/000.p/1"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[PATH_MAX];
        publish(300);
        path_of(path, names[i]);
        FILE *file = fopen(path, "a");
        assert_non_null(file);
        assert_int_not_equal(fputc(0, file), EOF);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(verify(), VERIFY_EXIT_INVALID);
        assert_state(VERIFY_FORMAT, VERIFY_FAIL);
    }
}

static void test_what_lies_beside_the_log_is_not_looked_at(void **state)
{
    (void)state;
    publish(10);
    published_write(&a_log, "journal/lock", BYTES(""));
    published_write(&a_log, "notes.txt", BYTES("x"));
    assert_int_equal(verify(), VERIFY_EXIT_ALONE);
}

/* Partial tiles of sizes that were published before, and tiles published ahead. */
static void test_tiles_of_other_sizes_may_stay_if_they_agree(void **state)
{
    (void)state;
    publish(300);
    published_write_bundles(&a_log);
    for (uint64_t size = 7; size < 300; size += 50) {
        struct published part = a_log;
        part.size = size;
        published_write_bundles(&part);
        published_write_tiles(&part);
    }
    assert_int_equal(verify(), VERIFY_EXIT_ALONE);
    flip("tile/0/000.p/57", 3);
    assert_int_equal(verify(), VERIFY_EXIT_INVALID);
    assert_says(VERIFY_HASHES, "tile/0/000.p/57");
}

static void test_a_log_that_has_grown_since_its_checkpoint_is_right(void **state)
{
    (void)state;
    publish(300);
    published_add_plain(&a_log, 400);
    published_write_bundles(&a_log);
    published_write_tiles(&a_log);
    remove_file("tile/0/001.p/44");
    remove_file("tile/entries/001.p/44");
    remove_file("tile/1/000.p/1");
    struct published part = a_log;
    part.size = 300;
    published_write_tiles(&part); /* the partial tile of the level above */
    assert_int_equal(verify(), VERIFY_EXIT_ALONE);
    flip("tile/0/001", 5);
    assert_int_equal(verify(), VERIFY_EXIT_INVALID);
}

static void test_entries_that_are_none_are_forty(void **state)
{
    (void)state;
    start(10);
    published_add_text(&a_log, BYTES("hello"));
    published_add_plain(&a_log, 5);
    published_publish(&a_log, &signer);
    assert_int_equal(verify(), VERIFY_EXIT_INVALID);
    assert_state(VERIFY_ENTRIES, VERIFY_FAIL);
    assert_state(VERIFY_HASHES, VERIFY_PASS);
    assert_says(VERIFY_ENTRIES, "entry 10");
}

static void test_entries_over_the_limit_are_forty(void **state)
{
    (void)state;
    static uint8_t large[2000];
    start(1);
    memset(large, 'x', sizeof large);
    published_add_text(&a_log, (struct bytes){large, sizeof large});
    published_publish(&a_log, &signer);
    assert_int_equal(verify(), VERIFY_EXIT_INVALID);
}

static void test_times_that_run_backwards_are_forty(void **state)
{
    (void)state;
    start(10);
    const struct entry early = {.event = ENTRY_ADMIN, .time_ms = 1795295592008};
    published_add(&a_log, &early);
    published_publish(&a_log, &signer);
    assert_int_equal(verify(), VERIFY_EXIT_INVALID);
    assert_state(VERIFY_TIMES, VERIFY_FAIL);
    assert_says(VERIFY_TIMES, "entry 10");
    start(10);
    const struct entry same = {.event = ENTRY_ADMIN, .time_ms = 1795295592009};
    published_add(&a_log, &same);
    published_publish(&a_log, &signer);
    assert_int_equal(verify(), VERIFY_EXIT_ALONE);
}

static struct entry of_citizen(enum entry_event event)
{
    return (struct entry){.event = event,
                          .time_ms = 1795295592000 + (int64_t)a_log.size,
                          .commitments = {[ENTRY_SUBJECT] = {.present = true},
                                          [ENTRY_BASIS] = {.present = true},
                                          [ENTRY_WHAT] = {.present = true}}};
}

static void test_erasures_count_no_more_than_there_was(void **state)
{
    (void)state;
    start(5);
    for (unsigned i = 0; i < 3; i++) {
        const struct entry release = of_citizen(ENTRY_RELEASE);
        published_add(&a_log, &release);
    }
    struct entry erase = of_citizen(ENTRY_ERASE);
    erase.count = 3;
    published_add(&a_log, &erase);
    published_publish(&a_log, &signer);
    assert_int_equal(verify(), VERIFY_EXIT_ALONE);
    assert_says(VERIFY_ERASURES, "1 erasures of 3 openings");
    erase = of_citizen(ENTRY_ERASE);
    erase.count = 1; /* of what the first may have had */
    published_add(&a_log, &erase);
    published_publish(&a_log, &signer);
    assert_int_equal(verify(), VERIFY_EXIT_ALONE);
    erase = of_citizen(ENTRY_ERASE);
    erase.count = 2;
    published_add(&a_log, &erase);
    published_publish(&a_log, &signer);
    assert_int_equal(verify(), VERIFY_EXIT_INVALID);
    assert_state(VERIFY_ERASURES, VERIFY_FAIL);
    assert_state(VERIFY_PRUNING, VERIFY_PASS);
    assert_says(VERIFY_ERASURES, "at most 1 were left");
}

static void test_an_erasure_does_not_count_itself(void **state)
{
    (void)state;
    start(5);
    struct entry erase = of_citizen(ENTRY_ERASE);
    erase.count = 1;
    published_add(&a_log, &erase);
    published_publish(&a_log, &signer);
    assert_int_equal(verify(), VERIFY_EXIT_INVALID);
    assert_state(VERIFY_ERASURES, VERIFY_FAIL);
}

/* Three entries that had an opening; then as many erased and pruned as is said. */
static int verify_gone(uint64_t erased, uint64_t pruned)
{
    start(5);
    for (unsigned i = 0; i < 3; i++) {
        const struct entry release = of_citizen(ENTRY_RELEASE);
        published_add(&a_log, &release);
    }
    struct entry prune = {.event = ENTRY_PRUNE, .count = pruned};
    prune.time_ms = 1795295592000 + (int64_t)a_log.size;
    published_add(&a_log, &prune);
    struct entry erase = of_citizen(ENTRY_ERASE);
    erase.count = erased;
    published_add(&a_log, &erase);
    published_publish(&a_log, &signer);
    return verify();
}

static void test_prunings_and_erasures_count_together(void **state)
{
    (void)state;
    assert_int_equal(verify_gone(0, 3), VERIFY_EXIT_ALONE);
    assert_int_equal(verify_gone(3, 0), VERIFY_EXIT_ALONE);
    assert_int_equal(verify_gone(1, 2), VERIFY_EXIT_ALONE);
    assert_int_equal(verify_gone(2, 2), VERIFY_EXIT_INVALID);
    assert_state(VERIFY_ERASURES, VERIFY_FAIL);
    assert_state(VERIFY_PRUNING, VERIFY_PASS);
    assert_int_equal(verify_gone(0, 4), VERIFY_EXIT_INVALID);
    assert_state(VERIFY_PRUNING, VERIFY_FAIL);
    assert_state(VERIFY_ERASURES, VERIFY_PASS);
    assert_int_equal(verify_gone(0, ENTRY_NUMBER_MAX), VERIFY_EXIT_INVALID);
    assert_int_equal(verify_gone(ENTRY_NUMBER_MAX, ENTRY_NUMBER_MAX), VERIFY_EXIT_INVALID);
}

/* A log past 65,536 with a prune entry, from which everything below is taken away. */
static void publish_pruned(uint64_t below)
{
    start(66000);
    const struct entry prune = {
        .event = ENTRY_PRUNE, .time_ms = 1795295592000 + (int64_t)a_log.size, .below = below};
    published_add(&a_log, &prune);
    published_add_plain(&a_log, 10);
    published_publish(&a_log, &signer);
}

static void remove_below(uint64_t entries)
{
    for (uint64_t i = 0; i < entries / TILE_WIDTH; i++) {
        char path[TILE_PATH_CHARS];
        tile_path(path, (struct tile_name){0, i, TILE_WIDTH});
        remove_file(path);
        tile_path(path, (struct tile_name){TILE_ENTRIES, i, TILE_WIDTH});
        remove_file(path);
    }
}

static void test_what_prune_entries_allow_may_be_missing(void **state)
{
    (void)state;
    publish_pruned(65536);
    remove_below(65536);
    assert_int_equal(verify(), VERIFY_EXIT_ALONE);
    assert_state(VERIFY_COMPLETE, VERIFY_PASS);
    assert_state(VERIFY_HASHES, VERIFY_PASS);
    assert_int_equal(report.pruned_below, 65536);
    assert_int_equal(report.entries_read, 66011 - 65536);

    remove_file("tile/1/000"); /* its end is 65,536 too: the level above leads over it */
    assert_int_equal(verify(), VERIFY_EXIT_ALONE);
    struct verify_known known[2] = {known_at(65536), known_at(65800)};
    struct verify_options options = options_for(&a_log);
    options.known = known;
    options.known_count = 2;
    assert_int_equal(run(&options), VERIFY_EXIT_OK);
    known[0] = known_at(300); /* what was pruned cannot be told any more */
    assert_int_equal(run(&options), VERIFY_EXIT_OK);
    assert_state(VERIFY_APPEND_ONLY, VERIFY_NOT_CHECKED);

    remove_file("tile/entries/256");
    assert_int_equal(verify(), VERIFY_EXIT_MISSING);
    assert_says(VERIFY_COMPLETE, "tile/entries/256");
}

static void test_pruning_without_an_entry_is_twenty(void **state)
{
    (void)state;
    start(66000);
    published_publish(&a_log, &signer);
    remove_below(65536);
    assert_int_equal(verify(), VERIFY_EXIT_MISSING);
    assert_state(VERIFY_HASHES, VERIFY_PASS);
}

static void test_prune_entries_are_for_multiples_before_them(void **state)
{
    (void)state;
    start(300);
    struct entry prune = {.event = ENTRY_PRUNE, .time_ms = 1795295599000, .below = 256};
    published_add(&a_log, &prune);
    published_publish(&a_log, &signer);
    assert_int_equal(verify(), VERIFY_EXIT_INVALID);
    assert_state(VERIFY_PRUNING, VERIFY_FAIL);
    start(300);
    prune.below = 65536;
    published_add(&a_log, &prune);
    published_publish(&a_log, &signer);
    assert_int_equal(verify(), VERIFY_EXIT_INVALID);
    assert_int_equal(report.pruned_below, 0);
}

/* Hashes that are gone do not hide that the log is another: 30, not 20. */
static void test_another_history_shows_without_its_hashes(void **state)
{
    (void)state;
    publish(600);
    struct verify_known known = known_at(600);
    struct verify_options options = options_for(&a_log);
    options.known = &known;
    options.known_count = 1;
    static const char *const hashes[] = {"tile/0/000", "tile/0/001", "tile/0/002.p/88",
                                         "tile/1/000.p/2"};
    for (size_t i = 0; i < 4; i++)
        remove_file(hashes[i]);
    static const uint64_t sizes[] = {1, 255, 256, 300, 512, 599, 600};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        known = known_at(sizes[i]);
        assert_int_equal(run(&options), VERIFY_EXIT_MISSING);
        assert_state(VERIFY_APPEND_ONLY, VERIFY_PASS);
        known.head.root.bytes[0] ^= 1;
        assert_int_equal(run(&options), VERIFY_EXIT_DIFFERS);
        assert_state(VERIFY_APPEND_ONLY, VERIFY_FAIL);
    }
}

static void test_checkpoints_of_one_size_are_compared_by_their_roots_alone(void **state)
{
    (void)state;
    publish(20);
    struct verify_known known = known_at(20);
    struct verify_options options = options_for(&a_log);
    options.known = &known;
    options.known_count = 1;
    remove_file("tile/0/000.p/20");
    remove_file("tile/entries/000.p/20");
    assert_int_equal(run(&options), VERIFY_EXIT_MISSING);
    assert_state(VERIFY_APPEND_ONLY, VERIFY_PASS);
    known.head.root.bytes[0] ^= 1;
    assert_int_equal(run(&options), VERIFY_EXIT_DIFFERS);
    known = known_at(19); /* nothing is left that tells */
    known.head.root.bytes[0] ^= 1;
    assert_int_equal(run(&options), VERIFY_EXIT_MISSING);
    assert_state(VERIFY_APPEND_ONLY, VERIFY_NOT_CHECKED);
}

static enum vault_code node(void *context, unsigned level, uint64_t index, struct tree_hash *out,
                            struct vault_error *err)
{
    const struct published *log = context;
    struct tree_frontier frontier = {0};
    (void)err;
    for (uint64_t i = index << level; i < (index + 1) << level; i++) {
        const struct tree_hash leaf = tree_leaf(buf_view(&log->entries[i]));
        tree_frontier_add(&frontier, &leaf, NULL, NULL);
    }
    *out = tree_frontier_root(&frontier);
    return VAULT_OK;
}

/* A receipt of the log as it is, in a folder beside it. */
static void keep_receipt(const char *name, uint64_t index, uint64_t size,
                         const struct note_signer *by)
{
    const struct tree_source source = {.node = node, .context = &a_log};
    struct proof proof = {.index = index};
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(PROOF_MAX_BYTES);
    assert_done(tree_prove_inclusion(&source, index, size, &proof.path, &test_error));
    published_checkpoint(&a_log, size, by, &note);
    proof.checkpoint = buf_view(&note);
    proof_write(&proof, &text);
    published_write(&a_log, name, buf_view(&text));
}

static int verify_with_receipts(void)
{
    char path[PATH_MAX];
    struct verify_options options = options_for(&a_log);
    path_of(path, "receipts");
    options.receipts_dir = path;
    return run(&options);
}

static void test_receipts_that_agree_are_zero(void **state)
{
    (void)state;
    publish(600);
    keep_receipt("receipts/a.tlog-proof", 0, 1, &signer);
    keep_receipt("receipts/b.tlog-proof", 299, 300, &signer);
    keep_receipt("receipts/c.tlog-proof", 3, 600, &signer);
    published_write(&a_log, "receipts/notes.txt", BYTES("x"));
    assert_int_equal(verify_with_receipts(), VERIFY_EXIT_OK);
    assert_state(VERIFY_RECEIPTS, VERIFY_PASS);
    assert_says(VERIFY_RECEIPTS, "3 receipts");
}

static void test_a_folder_without_receipts_holds_nothing(void **state)
{
    (void)state;
    publish(10);
    published_write(&a_log, "receipts/notes.txt", BYTES("x"));
    assert_int_equal(verify_with_receipts(), VERIFY_EXIT_ALONE);
    assert_state(VERIFY_RECEIPTS, VERIFY_NOT_CHECKED);
}

static void test_receipts_of_another_history_are_thirty(void **state)
{
    (void)state;
    publish(600);
    keep_receipt("receipts/past.tlog-proof", 599, 600, &signer);
    struct buf last = a_log.entries[--a_log.size];
    published_publish(&a_log, &signer); /* cut by one, and signed again */
    remove_file("tile/0/002.p/88");
    remove_file("tile/entries/002.p/88");
    assert_int_equal(verify_with_receipts(), VERIFY_EXIT_DIFFERS);
    published_add_plain(&a_log, 2);
    buf_finish(&last);
    const struct entry other = {.event = ENTRY_KEY, .time_ms = 1795295592599};
    uint8_t text[ENTRY_MAX_BYTES];
    buf_clear(&a_log.entries[599]);
    buf_append(&a_log.entries[599], text, entry_write(&other, text));
    published_publish(&a_log, &signer); /* gone on, with another entry in its place */
    remove_file("tile/0/002.p/87");
    remove_file("tile/entries/002.p/87");
    assert_int_equal(verify_with_receipts(), VERIFY_EXIT_DIFFERS);
    assert_state(VERIFY_HASHES, VERIFY_PASS);
}

static void test_receipts_that_are_none_are_forty(void **state)
{
    (void)state;
    publish(100);
    published_write(&a_log, "receipts/a.tlog-proof", BYTES("hello"));
    assert_int_equal(verify_with_receipts(), VERIFY_EXIT_INVALID);
    publish(100);
    VAULT_AUTO(note_signer_finish)
    struct note_signer other = test_signer("log.example", NOTE_ED25519, 9);
    keep_receipt("receipts/a.tlog-proof", 3, 50, &other);
    assert_int_equal(verify_with_receipts(), VERIFY_EXIT_INVALID);
    publish(100);
    published_write(&a_log, "receipts/a.tlog-proof/file", BYTES("x")); /* a folder */
    assert_int_equal(verify_with_receipts(), VERIFY_EXIT_INVALID);
    remove_file("receipts/a.tlog-proof/file");
    char path[PATH_MAX];
    path_of(path, "receipts/a.tlog-proof");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(verify_with_receipts(), VERIFY_EXIT_INVALID);
    remove_file("receipts/a.tlog-proof");
    VAULT_AUTO(buf_finish) struct buf large = buf_limited(2UL * PROOF_MAX_BYTES);
    uint8_t *const bytes = buf_extend(&large, PROOF_MAX_BYTES + 1);
    assert_non_null(bytes);
    memset(bytes, 'x', PROOF_MAX_BYTES + 1);
    published_write(&a_log, "receipts/a.tlog-proof", buf_view(&large));
    assert_int_equal(verify_with_receipts(), VERIFY_EXIT_INVALID);
    assert_state(VERIFY_RECEIPTS, VERIFY_FAIL);
}

/* The log's key signed the checkpoint, but what the receipt says is not what the log holds. */
static void test_receipts_that_do_not_lead_to_the_logs_entry_are_thirty(void **state)
{
    (void)state;
    publish(100);
    keep_receipt("receipts/a.tlog-proof", 3, 50, &signer);
    flip("receipts/a.tlog-proof", strlen("c2sp.org/tlog-proof@v1\nindex 3\n") + 5);
    assert_int_equal(verify_with_receipts(), VERIFY_EXIT_DIFFERS);
    assert_says(VERIFY_RECEIPTS, "entry 3");
    static const char *const lines[] = {"index 4\n",  "index 49\n",  "index 50\n",
                                        "index 99\n", "index 100\n", "index 1000000000000\n"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(PROOF_MAX_BYTES);
        buf_format(&text, "c2sp.org/tlog-proof@v1\n%s\n", lines[i]);
        published_checkpoint(&a_log, 50, &signer, &note);
        buf_bytes(&text, buf_view(&note));
        published_write(&a_log, "receipts/a.tlog-proof", buf_view(&text));
        if (verify_with_receipts() != VERIFY_EXIT_DIFFERS)
            fail_msg("%s: %d, %s", lines[i], report.exit_code,
                     report.verdicts[VERIFY_RECEIPTS].detail);
    }
}

static void test_a_folder_of_receipts_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    publish(10);
    struct verify_options options = options_for(&a_log);
    options.receipts_dir = "/nonexistent/receipts";
    assert_fails(VAULT_NOT_FOUND, verify_run(&options, &report, &test_error));
}

/* A policy of two of three witnesses, and a checkpoint that some of them cosigned. */
static struct quorum *a_policy(const char *last_lines)
{
    char text[2048];
    char keys[3][NOTE_KEY_CHARS_MAX];
    struct quorum *policy = NULL;
    for (unsigned i = 0; i < 3; i++)
        note_key_print(&witnesses[i].key, keys[i]);
    snprintf(text, sizeof text, "witness a %s\nwitness b %s\nwitness c %s\n%s", keys[0], keys[1],
             keys[2], last_lines);
    assert_done(quorum_parse(bytes_of_text(text), &policy, &test_error));
    return policy;
}

static void publish_cosigned(unsigned who, int64_t at_s)
{
    VAULT_AUTO(buf_finish) struct buf note = buf_limited(CHECKPOINT_MAX_BYTES);
    publish(20);
    published_checkpoint(&a_log, 20, &signer, &note);
    struct checkpoint checkpoint;
    assert_done(checkpoint_parse(buf_view(&note), &checkpoint, &test_error));
    VAULT_AUTO(buf_finish) struct buf lines = buf_limited(4096);
    for (unsigned i = 0; i < 3; i++) {
        if (who >> i & 1)
            assert_done(checkpoint_cosign(checkpoint.note.text, &witnesses[i], at_s - i, &lines,
                                          &test_error));
    }
    buf_bytes(&note, buf_view(&lines));
    published_write(&a_log, "checkpoint", buf_view(&note));
}

static int verify_with_policy(const char *last_lines)
{
    VAULT_AUTO(quorum_free) struct quorum *policy = a_policy(last_lines);
    struct verify_options options = options_for(&a_log);
    options.policy = policy;
    return run(&options);
}

#define TWO_OF_THREE "group g 2 a b c\nquorum g\n"

static void test_enough_fresh_cosignatures_are_zero(void **state)
{
    (void)state;
    publish_cosigned(5, NOW_S - 100);
    assert_int_equal(verify_with_policy(TWO_OF_THREE), VERIFY_EXIT_OK);
    assert_state(VERIFY_WITNESSES, VERIFY_PASS);
    assert_state(VERIFY_FRESHNESS, VERIFY_PASS);
    assert_says(VERIFY_FRESHNESS, "100 s");
}

static void test_too_few_cosignatures_are_eleven(void **state)
{
    (void)state;
    publish_cosigned(2, NOW_S);
    assert_int_equal(verify_with_policy(TWO_OF_THREE), VERIFY_EXIT_WITNESSES);
    assert_state(VERIFY_WITNESSES, VERIFY_FAIL);
    publish_cosigned(0, NOW_S);
    assert_int_equal(verify_with_policy(TWO_OF_THREE), VERIFY_EXIT_WITNESSES);
}

static void test_old_cosignatures_are_twelve(void **state)
{
    (void)state;
    publish_cosigned(7, NOW_S - VERIFY_MAX_AGE_DEFAULT_S);
    assert_int_equal(verify_with_policy(TWO_OF_THREE), VERIFY_EXIT_OK);
    publish_cosigned(7, NOW_S - VERIFY_MAX_AGE_DEFAULT_S - 1);
    assert_int_equal(verify_with_policy(TWO_OF_THREE), VERIFY_EXIT_STALE);
    assert_state(VERIFY_WITNESSES, VERIFY_PASS);
    assert_state(VERIFY_FRESHNESS, VERIFY_FAIL);
}

/* A witness whose clock is ahead would be fresh for ever. */
static void test_cosignatures_from_the_future_are_twelve(void **state)
{
    (void)state;
    publish_cosigned(1, NOW_S + VERIFY_AHEAD_MAX_S);
    assert_int_equal(verify_with_policy("quorum a\n"), VERIFY_EXIT_OK);
    publish_cosigned(1, NOW_S + VERIFY_AHEAD_MAX_S + 1);
    assert_int_equal(verify_with_policy("quorum a\n"), VERIFY_EXIT_STALE);
    assert_state(VERIFY_WITNESSES, VERIFY_PASS);
    assert_says(VERIFY_FRESHNESS, "301 s after this clock");
    /* One of them, and beside it one that is fresh. */
    publish_cosigned(3, NOW_S + VERIFY_AHEAD_MAX_S + 1);
    assert_int_equal(verify_with_policy(TWO_OF_THREE), VERIFY_EXIT_OK);
}

static void test_a_forged_cosignature_is_forty(void **state)
{
    (void)state;
    struct note_signer kept = witnesses[1];
    VAULT_AUTO(note_signer_finish)
    struct note_signer forger = test_signer("witness.example/1", NOTE_COSIGNATURE, 200);
    witnesses[1].pair = forger.pair;
    publish_cosigned(7, NOW_S);
    witnesses[1] = kept;
    assert_int_equal(verify_with_policy(TWO_OF_THREE), VERIFY_EXIT_INVALID);
    assert_state(VERIFY_WITNESSES, VERIFY_FAIL);
}

static void test_a_policy_without_witnesses_holds_nothing(void **state)
{
    (void)state;
    publish_cosigned(0, NOW_S);
    assert_int_equal(verify_with_policy("quorum none\n"), VERIFY_EXIT_ALONE);
    publish_cosigned(1, NOW_S);
    assert_int_equal(verify_with_policy("quorum none\n"), VERIFY_EXIT_OK);
    assert_null(strstr(report.verdicts[VERIFY_WITNESSES].detail, "which is its quorum"));
}

static void test_a_policy_for_another_log_is_an_error(void **state)
{
    (void)state;
    VAULT_AUTO(note_signer_finish)
    struct note_signer other = test_signer("other.example", NOTE_ED25519, 9);
    char key[NOTE_KEY_CHARS_MAX];
    char text[NOTE_KEY_CHARS_MAX + 64];
    note_key_print(&other.key, key);
    snprintf(text, sizeof text, "log %s\nquorum none\n", key);
    VAULT_AUTO(quorum_free) struct quorum *policy = NULL;
    assert_done(quorum_parse(bytes_of_text(text), &policy, &test_error));
    publish(10);
    struct verify_options options = options_for(&a_log);
    options.policy = policy;
    assert_fails(VAULT_INVALID, verify_run(&options, &report, &test_error));
}

/* Openings: entries of one citizen, and the file that an auditor is given. */
struct given {
    struct buf lines;
    uint64_t count; /* the citizen's */
    struct tree_hash previous;
};

static void add_opened(struct given *given, enum entry_event event, const char *basis)
{
    char subject[128];
    char previous[BASE64_CHARS(TREE_HASH_BYTES) + 1] = "-";
    struct entry entry = of_citizen(event);
    struct opening opening = {0};
    if (given->count)
        base64_string(previous, given->previous.bytes, TREE_HASH_BYTES);
    snprintf(subject, sizeof subject, "citizen-0001 %" PRIu64 " %s", ++given->count, previous);
    opening_commit(&opening, &entry, ENTRY_SUBJECT, bytes_of_text(subject));
    opening_commit(&opening, &entry, ENTRY_BASIS, bytes_of_text(basis));
    opening_commit(&opening, &entry, ENTRY_WHAT, BYTES("identity.birth_date year"));
    buf_format(&given->lines, "{\"index\":%" PRIu64 ",\"fields\":", a_log.size);
    assert_done(opening_write(&opening, &given->lines, &test_error));
    buf_text(&given->lines, "}\n");
    published_add(&a_log, &entry);
    given->previous = tree_leaf(buf_view(&a_log.entries[a_log.size - 1]));
}

static struct given give(void)
{
    start(3);
    return (struct given){.lines = buf_limited(1024UL * 1024)};
}

static int verify_with_openings(struct given *given)
{
    char path[PATH_MAX];
    struct verify_options options = options_for(&a_log);
    published_publish(&a_log, &signer);
    published_write(&a_log, "openings", buf_view(&given->lines));
    path_of(path, "openings");
    options.openings_path = path;
    const int exit_code = run(&options);
    buf_finish(&given->lines);
    return exit_code;
}

static void test_openings_that_fit_pass(void **state)
{
    (void)state;
    struct given given = give();
    add_opened(&given, ENTRY_CONSENT, "consent 01J0001 1");
    add_opened(&given, ENTRY_RELEASE, "consent 01J0001 1");
    published_add_plain(&a_log, 300);
    add_opened(&given, ENTRY_RELEASE, "consent 01J0001 1");
    add_opened(&given, ENTRY_WITHDRAW, "consent 01J0001 2");
    add_opened(&given, ENTRY_RELEASE, "consent 01J0002 1");
    buf_text(&given.lines, "\n");
    assert_int_equal(verify_with_openings(&given), VERIFY_EXIT_ALONE);
    assert_state(VERIFY_OPENINGS, VERIFY_PASS);
    assert_state(VERIFY_WITHDRAWALS, VERIFY_PASS);
    assert_says(VERIFY_OPENINGS, "5 openings");
}

static void test_a_release_after_a_withdrawal_is_forty(void **state)
{
    (void)state;
    struct given given = give();
    add_opened(&given, ENTRY_RELEASE, "consent 01J0001 1");
    add_opened(&given, ENTRY_WITHDRAW, "consent 01J0001 2");
    add_opened(&given, ENTRY_RELEASE, "consent 01J0001 1");
    assert_int_equal(verify_with_openings(&given), VERIFY_EXIT_INVALID);
    assert_state(VERIFY_WITHDRAWALS, VERIFY_FAIL);
    assert_state(VERIFY_OPENINGS, VERIFY_PASS);
    assert_says(VERIFY_WITHDRAWALS, "entry 5");
    given = give();
    add_opened(&given, ENTRY_WITHDRAW, "some other basis");
    add_opened(&given, ENTRY_RELEASE, "some other basis");
    assert_int_equal(verify_with_openings(&given), VERIFY_EXIT_INVALID);
    given = give();
    add_opened(&given, ENTRY_WITHDRAW, "some other basis");
    add_opened(&given, ENTRY_RELEASE, "some other thing");
    assert_int_equal(verify_with_openings(&given), VERIFY_EXIT_ALONE);
}

static void test_an_opening_of_something_else_is_forty(void **state)
{
    (void)state;
    struct given given = give();
    add_opened(&given, ENTRY_RELEASE, "consent 01J0001 1");
    char *place = strstr((char *)given.lines.data, "01J0001");
    assert_non_null(place);
    place[6] = '2';
    assert_int_equal(verify_with_openings(&given), VERIFY_EXIT_INVALID);
    assert_state(VERIFY_OPENINGS, VERIFY_FAIL);
    assert_says(VERIFY_OPENINGS, "basis");
    given = give();
    buf_text(&given.lines, "{\"index\":9999,\"fields\":{}}\n");
    assert_int_equal(verify_with_openings(&given), VERIFY_EXIT_INVALID);
}

/* Nothing can be committed to by an entry that cannot be read. */
static void test_an_opening_of_an_entry_that_is_none_is_not_said_to_fit(void **state)
{
    (void)state;
    struct given given = give();
    buf_format(&given.lines, "{\"index\":%" PRIu64 ",\"fields\":{\"what\":{\"salt\":\"%s\",",
               a_log.size, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    buf_text(&given.lines, "\"value\":\"identity.name\"}}}\n");
    published_add_text(&a_log, BYTES("hello"));
    assert_int_equal(verify_with_openings(&given), VERIFY_EXIT_INVALID);
    assert_state(VERIFY_ENTRIES, VERIFY_FAIL);
    assert_state(VERIFY_OPENINGS, VERIFY_NOT_CHECKED);
}

static void test_a_citizens_entries_must_follow_each_other(void **state)
{
    (void)state;
    struct given given = give();
    add_opened(&given, ENTRY_RELEASE, "law");
    given.previous = tree_leaf(BYTES("another"));
    add_opened(&given, ENTRY_RELEASE, "law");
    assert_int_equal(verify_with_openings(&given), VERIFY_EXIT_INVALID);
    assert_state(VERIFY_OPENINGS, VERIFY_FAIL);
    given = give();
    add_opened(&given, ENTRY_RELEASE, "law");
    given.count--;
    add_opened(&given, ENTRY_RELEASE, "law"); /* the same count twice */
    assert_int_equal(verify_with_openings(&given), VERIFY_EXIT_INVALID);
    given = give();
    add_opened(&given, ENTRY_RELEASE, "law");
    given.count += 3; /* some that the auditor was not given */
    add_opened(&given, ENTRY_RELEASE, "law");
    assert_int_equal(verify_with_openings(&given), VERIFY_EXIT_ALONE);
}

static void test_a_file_that_holds_no_openings_is_an_error(void **state)
{
    (void)state;
    static const char *const texts[] = {"hello\n",
                                        "{\"index\":0}\n",
                                        "{\"fields\":{}}\n",
                                        "{\"index\":-1,\"fields\":{}}\n",
                                        "{\"index\":0,\"fields\":{},\"more\":1}\n",
                                        "{\"index\":0,\"fields\":{\"time\":{}}}\n"};
    publish(10);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char path[PATH_MAX];
        struct verify_options options = options_for(&a_log);
        published_write(&a_log, "openings", bytes_of_text(texts[i]));
        path_of(path, "openings");
        options.openings_path = path;
        assert_fails(VAULT_INVALID, verify_run(&options, &report, &test_error));
        assert_non_null(strstr(test_error.text, "line 1"));
    }
    struct verify_options options = options_for(&a_log);
    options.openings_path = "/nonexistent/openings";
    assert_fails(VAULT_NOT_FOUND, verify_run(&options, &report, &test_error));
}

static int verify_with_text(struct bytes text)
{
    struct given given = {.lines = buf_limited(1024UL * 1024)};
    start(10);
    buf_bytes(&given.lines, text);
    return verify_with_openings(&given);
}

/* Something else in the place of a file is neither waited for nor an error of the auditor's. */
static void test_what_is_no_file_is_forty(void **state)
{
    (void)state;
    static const char *const names[] = {"checkpoint", "tile/entries/000", "tile/entries/001.p/44",
                                        "tile/0/000", "tile/1/000.p/1"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[PATH_MAX];
        publish(300);
        remove_file(names[i]);
        path_of(path, names[i]);
        assert_int_equal(mkfifo(path, 0600), 0);
        assert_int_equal(verify(), VERIFY_EXIT_INVALID);
        assert_state(VERIFY_FORMAT, VERIFY_FAIL);
        remove_file(names[i]);
        assert_int_equal(mkdir(path, 0700), 0);
        assert_int_equal(verify(), VERIFY_EXIT_INVALID);
        assert_state(VERIFY_FORMAT, VERIFY_FAIL);
    }
}

static void test_a_file_in_a_folders_place_is_forty(void **state)
{
    (void)state;
    static const char *const names[] = {"tile", "tile/0", "tile/entries"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[PATH_MAX];
        char aside[PATH_MAX + 8];
        publish(300);
        path_of(path, names[i]);
        snprintf(aside, sizeof aside, "%s/../aside", a_log.dir);
        assert_int_equal(rename(path, aside), 0);
        published_write(&a_log, names[i], BYTES("x"));
        assert_int_equal(verify(), VERIFY_EXIT_INVALID);
        assert_says(VERIFY_FORMAT, names[i]);
    }
}

static void test_openings_of_nothing_are_not_checked(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "\n\n", " \t\r\n", "{\"index\":0,\"fields\":{}}",
        "{\"index\":0,\"fields\":{}}\n{\"index\":1,\"fields\":{}}\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(verify_with_text(bytes_of_text(texts[i])), VERIFY_EXIT_ALONE);
        assert_state(VERIFY_OPENINGS, VERIFY_NOT_CHECKED);
        assert_state(VERIFY_WITHDRAWALS, VERIFY_NOT_CHECKED);
    }
}

static void test_nothing_hides_behind_an_opening(void **state)
{
    (void)state;
#define EMPTY "{\"index\":0,\"fields\":{}}"
    const struct bytes texts[] = {
        BYTES(EMPTY "\0\n"), BYTES(EMPTY "\0"),       BYTES("\0\n"),         BYTES("\0"),
        BYTES(EMPTY " x\n"), BYTES(EMPTY EMPTY "\n"), BYTES(EMPTY "\0more"), BYTES(" \0 \n"),
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char path[PATH_MAX];
        publish(10);
        struct verify_options options = options_for(&a_log);
        published_write(&a_log, "openings", texts[i]);
        path_of(path, "openings");
        options.openings_path = path;
        assert_fails(VAULT_INVALID, verify_run(&options, &report, &test_error));
        assert_non_null(strstr(test_error.text, "line 1"));
    }
}

static void test_the_largest_code_counts(void **state)
{
    (void)state;
    publish(600);
    struct verify_known known = known_at(600);
    known.head.size = 700;
    remove_file("tile/entries/000");
    struct verify_options options = options_for(&a_log);
    options.known = &known;
    options.known_count = 1;
    assert_int_equal(run(&options), VERIFY_EXIT_DIFFERS);
    flip("tile/0/001", 9);
    assert_int_equal(run(&options), VERIFY_EXIT_INVALID);
}

int main(void)
{
    json_start();
    if (crypto_start(true, &test_error))
        return 1;
    signer = test_signer("log.example", NOTE_ED25519, 1);
    for (uint8_t i = 0; i < 3; i++) {
        char name[32];
        snprintf(name, sizeof name, "witness.example/%u", i);
        witnesses[i] = test_signer(name, NOTE_COSIGNATURE, (uint8_t)(i + 2));
    }
    const int failed = TEST_RUN(
        test_a_right_log_alone_is_ten, test_a_log_that_goes_on_from_what_was_kept_is_zero,
        test_a_log_shorter_or_other_than_kept_is_thirty,
        test_a_rewritten_log_is_right_by_itself_and_differs_from_what_was_kept,
        test_a_flipped_bit_anywhere_is_forty, test_the_entry_at_fault_is_named,
        test_a_checkpoint_that_is_not_the_logs_is_forty, test_a_log_that_is_not_there_is_an_error,
        test_what_is_missing_is_twenty, test_missing_entries_with_their_hashes_are_stepped_over,
        test_names_and_sizes_must_be_those_of_tlog_tiles,
        test_an_empty_folder_of_a_strange_name_is_noticed, test_links_are_no_tiles,
        test_extra_bytes_are_noticed, test_what_lies_beside_the_log_is_not_looked_at,
        test_tiles_of_other_sizes_may_stay_if_they_agree,
        test_a_log_that_has_grown_since_its_checkpoint_is_right,
        test_entries_that_are_none_are_forty, test_entries_over_the_limit_are_forty,
        test_times_that_run_backwards_are_forty, test_erasures_count_no_more_than_there_was,
        test_an_erasure_does_not_count_itself, test_prunings_and_erasures_count_together,
        test_what_prune_entries_allow_may_be_missing, test_pruning_without_an_entry_is_twenty,
        test_prune_entries_are_for_multiples_before_them,
        test_another_history_shows_without_its_hashes,
        test_checkpoints_of_one_size_are_compared_by_their_roots_alone,
        test_receipts_that_agree_are_zero, test_a_folder_without_receipts_holds_nothing,
        test_receipts_of_another_history_are_thirty, test_receipts_that_are_none_are_forty,
        test_a_folder_of_receipts_that_is_not_there_is_an_error,
        test_enough_fresh_cosignatures_are_zero, test_too_few_cosignatures_are_eleven,
        test_old_cosignatures_are_twelve, test_a_forged_cosignature_is_forty,
        test_a_policy_without_witnesses_holds_nothing, test_a_policy_for_another_log_is_an_error,
        test_openings_that_fit_pass, test_a_release_after_a_withdrawal_is_forty,
        test_an_opening_of_something_else_is_forty,
        test_an_opening_of_an_entry_that_is_none_is_not_said_to_fit,
        test_a_citizens_entries_must_follow_each_other,
        test_a_file_that_holds_no_openings_is_an_error, test_the_largest_code_counts,
        test_what_is_no_file_is_forty, test_a_file_in_a_folders_place_is_forty,
        test_cosignatures_from_the_future_are_twelve,
        test_receipts_that_do_not_lead_to_the_logs_entry_are_thirty,
        test_openings_of_nothing_are_not_checked, test_nothing_hides_behind_an_opening);
    published_finish(&a_log);
    note_signer_finish(&signer);
    for (unsigned i = 0; i < 3; i++)
        note_signer_finish(&witnesses[i]);
    return failed;
}
