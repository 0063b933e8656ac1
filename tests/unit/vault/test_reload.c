/*
 * P14: while the requests of 16 threads go through the one door, newer and newer policies are
 * activated, and bad ones refused. Every answer is wholly that of one version, which was active at
 * some moment while it was asked; and that version is the one which its entry in the log names.
 *
 * The bundles are such that an answer tells its version, and the version all of the answer
 * (version.h).
 */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "vault/base/codec.h"
#include "vault/ledger/entry.h"
#include "vault/parts.h"
#include "vault_test.h"
#include "version.h"

#define THREADS      16
#define CITIZENS     8     /* each asked about by two threads at once */
#define ANSWERS_EACH 32    /* under each version at least, of all threads */
#define RELEASES_MAX 65536 /* of one thread */
#define NEVER        9999  /* what a bundle says that must not decide */
#define WAIT_S       120

#define DESK         "reload-desk"

/* So many versions, one after the other, while the threads ask; with a bad bundle after each. To
 * activate one takes seconds of a processor. */
#ifdef __SANITIZE_THREAD__
#define VERSIONS 4
#else
#define VERSIONS 5
#endif

static struct vault_test test;
static const uint8_t desk_key[SHA256_BYTES] = {3};

/* --- bundles --- */

static void put_json(const char *name, json_t *value)
{
    char path[PATH_MAX];
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(65536);
    json_write_value(&text, value);
    json_decref(value);
    assert_done(file_join(path, sizeof path, test.bundle, name, &test_error));
    assert_done(file_replace(path, buf_view(&text), 0600, &test_error));
}

static void remove_file(const char *name)
{
    char path[PATH_MAX];
    assert_done(file_join(path, sizeof path, test.bundle, name, &test_error));
    assert_int_equal(unlink(path), 0);
}

/* The bundle that says these things, signed as that version. */
static void make_bundle(unsigned says, uint64_t version)
{
    put_json("catalogue.json", version_catalogue(says));
    put_json("rules/employment.json", version_rules(says));
    sign_again(&test, version);
}

/* --- bundles that must change nothing --- */

static void leave_as_it_is(void)
{
}

static void change_after_signing(void)
{
    put_json("rules/employment.json", version_rules(NEVER - 1));
}

static void sign_as_a_stranger(void)
{
    VAULT_AUTO(secret_free) struct secret *seed = NULL;
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    const struct policy_manifest manifest = {
        .name = "tests", .version = NEVER, .not_before_s = START_MS / 1000 - 1};
    remove_file("manifest.json");
    remove_file("manifest.sig");
    assert_done(secret_random(SIGN_SEED_BYTES, &seed, &test_error));
    assert_done(note_signer_make(BYTES("stranger"), NOTE_ED25519, seed, &signer, &test_error));
    assert_done(policy_sign(test.bundle, &signer, &manifest, &test_error));
}

/* A test of its own that it does not pass. */
static void fail_its_own_test(void)
{
    put_json("tests/wrong.json",
             json_pack("{s:s,s:s,s:{s:s,s:{s:s,s:[s],s:[s]},s:s},s:[{s:s,s:{s:{s:n}},s:{s:s}}]}",
                       "format", "vault-tests/1", "suite", "wrong", "given", "now",
                       "2027-03-01T10:00:00Z", "service", "id", DESK, "classes", VERSION_CLASS,
                       "purposes", VERSION_PURPOSE, "purpose", VERSION_PURPOSE, "cases", "name",
                       "wrong", "request", "fields", "trial.points", "expect", "trial.points",
                       "released"));
    sign_again(&test, NEVER);
}

static const struct {
    uint64_t version; /* 0: one that was active before */
    void (*spoil)(void);
    enum vault_code code;
} bad_bundles[] = {
    {NEVER, change_after_signing, VAULT_INVALID},
    {NEVER, sign_as_a_stranger, VAULT_DENIED},
    {NEVER, fail_its_own_test, VAULT_INVALID},
    {0, leave_as_it_is, VAULT_CONFLICT},
};

#define BAD_BUNDLES (sizeof bad_bundles / sizeof *bad_bundles)

/* --- asking --- */

/* An answer that was given, and whose it was. */
struct given {
    uint64_t index; /* of its entry in the log */
    unsigned version;
};

struct asker {
    pthread_t thread;
    char subject[SUBJECT_CHARS + 1];
    struct given *given;
    size_t count;
    char fault[600]; /* empty: none */
};

static struct asker askers[THREADS];
static atomic_uint activated; /* the version that decides for sure */
static atomic_uint attempted; /* the newest that may decide */
static atomic_bool stopped;

/* Answers so far, for whoever waits for more. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static size_t answers;

static json_t *ask(const char *subject, struct vault_error *err)
{
    const struct release_ask asks[] = {
        {BYTES("stamp.one"), {0}},    {BYTES("stamp.even"), {0}}, {BYTES("stamp.two"), {0}},
        {BYTES("trial.day"), {0}},    {BYTES("stamp.odd"), {0}},  {BYTES("stamp.three"), {0}},
        {BYTES("trial.points"), {0}},
    };
    VAULT_AUTO(service_release) struct service_hold hold = {0};
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(RELEASE_ANSWER_BYTES);
    const struct release_request request = {
        .client_spki = desk_key,
        .subject = bytes_of_text(subject),
        .purpose = BYTES(VERSION_PURPOSE),
        .asks = asks,
        .ask_count = sizeof asks / sizeof *asks,
    };
    enum release_fault fault;
    json_t *answer = NULL;
    if (service_by_key(test.vault, desk_key, &hold, err) ||
        release_perform(test.vault, hold.service, &request, &body, &fault, err) ||
        json_parse(buf_view(&body), 8, &answer, NULL, err))
        return NULL;
    return answer;
}

/* Keep the answer, if it is as it must be; false with the fault said. */
static bool keep(struct asker *asker, const json_t *answer, unsigned least, unsigned most)
{
    const json_t *days =
        json_object_get(json_object_get(answer, "obligations"), "retain_at_most_days");
    const unsigned version = (unsigned)json_integer_value(days);
    if (version < least || version > most || !version_has_answered(version, answer)) {
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(RELEASE_ANSWER_BYTES);
        json_write_value(&text, answer);
        snprintf(asker->fault, sizeof asker->fault, "active was %u to %u, the answer: %.500s",
                 least, most, buf_string(&text));
        return false;
    }
    const json_t *index = json_object_get(json_object_get(answer, "log"), "index");
    asker->given[asker->count++] = (struct given){(uint64_t)json_integer_value(index), version};
    return true;
}

static bool ask_once(struct asker *asker)
{
    struct vault_error err = {0};
    const unsigned least = atomic_load(&activated);
    VAULT_AUTO(json_free) json_t *answer = ask(asker->subject, &err);
    const unsigned most = atomic_load(&attempted);
    if (!answer) {
        snprintf(asker->fault, sizeof asker->fault, "no answer: %.500s", err.text);
        return false;
    }
    return keep(asker, answer, least, most);
}

static void *keep_asking(void *context)
{
    struct asker *asker = context;
    while (!atomic_load(&stopped) && asker->count < RELEASES_MAX && ask_once(asker)) {
        pthread_mutex_lock(&mutex);
        answers++;
        pthread_cond_signal(&more);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

/* Until so many more answers came, all of whose questions but THREADS were asked after this call:
 * so the version that is active now has decided. false if they do not come. */
static bool wait_for_answers(size_t count)
{
    struct timespec until;
    int failed = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    pthread_mutex_lock(&mutex);
    const size_t wanted = answers + count;
    while (answers < wanted && failed == 0)
        failed = pthread_cond_timedwait(&more, &mutex, &until);
    pthread_mutex_unlock(&mutex);
    return failed == 0;
}

/* --- the trial --- */

static void import_citizens(void)
{
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, desk_key);
    for (int i = 0; i < THREADS; i++) {
        char reference[16];
        char row[512];
        struct citizen_id citizen;
        snprintf(reference, sizeof reference, "R-%d", i % CITIZENS);
        snprintf(row, sizeof row,
                 "{\"reference\":\"%s\",\"values\":{\"trial.day\":{\"value\":\"1990-05-17\","
                 "\"as_of\":\"2026-01-02T00:00:00Z\",\"source\":\"a register\"},"
                 "\"trial.points\":{\"value\":7,\"as_of\":\"2026-01-02T00:00:00Z\","
                 "\"source\":\"a register\"}}}",
                 reference);
        if (i < CITIZENS)
            import_one(&test, row);
        assert_done(people_find(test.vault, reference, &citizen, &test_error));
        assert_done(subject_write(hold.service, &citizen, askers[i].subject, &test_error));
    }
}

static void begin(void)
{
    char path[PATH_MAX];
    make_test_vault(&test);
    remove_file("rules/library.json");
    assert_done(file_join(path, sizeof path, test.bundle, "tests", &test_error));
    assert_done(folder_create(path, &test_error));
    make_bundle(1, 1);
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
    assert_done(service_add(test.vault,
                            BYTES("{\"id\":\"" DESK "\",\"name\":\"A desk\",\"contact\":\"a@b."
                                  "example\",\"classes\":[\"" VERSION_CLASS "\"],\"purposes\":"
                                  "[\"" VERSION_PURPOSE "\"]}"),
                            &test_error));
    assert_done(service_add_key(test.vault, CONTROL_CERTIFICATE_SERVICE, DESK, desk_key, INT64_MAX,
                                &test_error));
    memset(askers, 0, sizeof askers);
    import_citizens();
    atomic_store(&activated, 1);
    atomic_store(&attempted, 1);
    atomic_store(&stopped, false);
}

static void start_asking(void)
{
    for (size_t i = 0; i < THREADS; i++) {
        askers[i].given = calloc(RELEASES_MAX, sizeof *askers[i].given);
        assert_non_null(askers[i].given);
        assert_int_equal(pthread_create(&askers[i].thread, NULL, keep_asking, &askers[i]), 0);
    }
}

static void stop_asking(void)
{
    atomic_store(&stopped, true);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(askers[i].thread, NULL);
}

/* NULL, or what went wrong: the threads are to be stopped before a test may fail. */
static const char *try_bad_bundle(size_t which, unsigned active)
{
    make_bundle(NEVER, bad_bundles[which].version ? bad_bundles[which].version : active);
    bad_bundles[which].spoil();
    const enum vault_code code = active_policy_set(test.vault, test.bundle, &test_error);
    if (bad_bundles[which].spoil == fail_its_own_test)
        remove_file("tests/wrong.json");
    if (code != bad_bundles[which].code)
        return "a bad bundle was not refused as it should be";
    return wait_for_answers(ANSWERS_EACH) ? NULL : "no answers came after a bad bundle";
}

static const char *try_next_version(unsigned version)
{
    make_bundle(version, version);
    atomic_store(&attempted, version);
    if (active_policy_set(test.vault, test.bundle, &test_error))
        return test_error.text;
    atomic_store(&activated, version);
    return wait_for_answers(ANSWERS_EACH) ? NULL : "no answers came after a new version";
}

static const char *activate_one_after_the_other(void)
{
    const char *trouble = NULL;
    for (unsigned version = 2; version <= VERSIONS && !trouble; version++) {
        trouble = try_next_version(version);
        if (!trouble)
            trouble = try_bad_bundle(version % BAD_BUNDLES, version);
    }
    return trouble;
}

/* --- the log --- */

static int by_index(const void *one, const void *other)
{
    const struct given *a = one;
    const struct given *b = other;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* All that was given, in the log's order. */
static struct given *all_given(size_t *count)
{
    size_t total = 0;
    *count = 0;
    for (size_t i = 0; i < THREADS; i++)
        total += askers[i].count;
    struct given *all = calloc(total, sizeof *all);
    assert_non_null(all);
    for (size_t i = 0; i < THREADS; i++) {
        memcpy(all + *count, askers[i].given, askers[i].count * sizeof *all);
        *count += askers[i].count;
        free(askers[i].given);
    }
    qsort(all, total, sizeof *all, by_index);
    return all;
}

/* The bundle of each version, as the vault copied it, has the hash that the entries name. */
static bool is_hash_of(const struct entry *entry)
{
    char folder[PATH_MAX];
    return find_copied_bundle(&test, entry->policy_version, entry->policy_hash, folder);
}

/* Out of what is published: the journal forgets what is. */
static void assert_log_names_the_versions(const struct given all[], size_t count)
{
    struct ledger *log = test.vault->ledger;
    assert_done(ledger_wait_published(log, all[count - 1].index + 1, 20000, &test_error));
    for (size_t i = 0; i < count; i++) {
        struct entry entry;
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(ENTRY_MAX_BYTES);
        assert_done(ledger_entry(log, all[i].index, &text, &test_error));
        assert_done(entry_parse(buf_view(&text), &entry, &test_error));
        assert_int_equal(entry.event, ENTRY_RELEASE);
        assert_true(entry.has_policy);
        assert_int_equal(entry.policy_version, all[i].version);
        assert_true(is_hash_of(&entry));
    }
}

static void test_every_answer_under_reload_is_wholly_that_of_the_version_in_the_log(void **state)
{
    (void)state;
    size_t of_version[VERSIONS + 1] = {0};
    size_t count;
    begin();
    start_asking();
    const char *trouble =
        wait_for_answers(ANSWERS_EACH) ? activate_one_after_the_other() : "no answers came";
    stop_asking();
    for (size_t i = 0; i < THREADS; i++) {
        if (askers[i].fault[0])
            fail_msg("thread %zu: %s", i, askers[i].fault);
    }
    if (trouble)
        fail_msg("%s", trouble);
    struct given *all = all_given(&count);
    assert_log_names_the_versions(all, count);
    for (size_t i = 0; i < count; i++)
        of_version[all[i].version]++;
    for (unsigned version = 1; version <= VERSIONS; version++) {
        printf("%zu answers of version %u\n", of_version[version], version);
        assert_true(of_version[version] > 0);
    }
    free(all);
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(test_every_answer_under_reload_is_wholly_that_of_the_version_in_the_log);
}
