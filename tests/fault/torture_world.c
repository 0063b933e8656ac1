#include "torture_world.h"

#include <inttypes.h>
#include <openssl/crypto.h>

#include "vault/base/codec.h"
#include "vault/indexer.h"
#include "vault/ledger/verify.h"
#include "vault/parts.h"
#include "vault/store/openings.h"

#define PLACES_MAX   200000
#define SETTLE_MS    2000
#define RELEASES     "/v1/releases"
#define TIDY_EACH    512 /* entries */

/* OpenSSL keeps what it looked up, a few bytes each time. */
#define CACHES_BYTES 4096

struct world world;

/* Where the log is said to have what was answered. */
struct place {
    uint64_t index;
    char leaf[BASE64_CHARS(SHA256_BYTES) + 1];
};
static struct place places[PLACES_MAX];
static size_t place_count;
static size_t places_audited;

static size_t memory_before;
static unsigned files_before;

/* --- A vault -------------------------------------------------------------------------------- */

static const char rules[] =
    "{\"format\":\"vault-rules/1\",\"policy\":\"deposits\","
    "\"title\":{\"fr\":\"Essai\",\"en\":\"Trial\"},\"owner\":\"dpo@ville.example\",\"rules\":["
    "{\"id\":\"bring-status\",\"effect\":\"deposit\",\"why\":{\"fr\":\"Essai\",\"en\":\"Trial\"},"
    "\"who\":{\"classes\":[\"employment.caseworker\"]},\"purposes\":[\"" SUPPORT "\"],"
    "\"fields\":[\"employment.status\"]}]}";

void world_open(void)
{
    if (world.begin_behind)
        world.begin_behind();
    open_test_vault(&world.test);
    world.api = (struct service_api){world.test.vault, "https://citizens.example:8444"};
    if (world.begin)
        world.begin();
}

void world_close(void)
{
    if (world.end && world.test.vault)
        world.end();
    const bool was_open = world.test.vault != NULL;
    vault_close(&world.test.vault);
    if (world.end_behind && was_open)
        world.end_behind();
}

static void forget_answer(void)
{
    buf_finish(&world.body);
    json_free(&world.json);
    world.values = 0;
}

static char memory_dir[64] = "/dev/shm/vault-test-XXXXXX";

static void remove_memory_dir(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", memory_dir);
    if (system(command) != 0) /* a folder of our own */
        fprintf(stderr, "%s stays\n", memory_dir);
}

/* Disks are made to fail here, and need not be waited for: on a file system in memory, if there is
 * one. */
static void move_to_memory(struct vault_test *test)
{
    char command[PATH_MAX * 2];
    if (!mkdtemp(memory_dir))
        return;
    atexit(remove_memory_dir);
    snprintf(command, sizeof command, "mv '%s' '%s/vault'", test->dir, memory_dir);
    assert_int_equal(system(command), 0);
    snprintf(test->dir, sizeof test->dir, "%s/vault", memory_dir);
}

/* What is loaded once for a program is loaded before anything is compared. */
void world_begin(void)
{
    torture_begin();
    make_test_vault(&world.test);
    torture_look_through(world.test.vault->subject_key);
    change_test_bundle(&world.test, "rules/deposits.json", rules, 2);
    fill_test_vault(&world.test);
    give_consent(&world.test, CONSENT_UNLIMITED);
    subject_of_citizen(&world.test, world.subject);
    world.body = buf_limited(HTTP_ANSWER_BYTES_MAX);
    for (unsigned i = 0; i < 2; i++) {
        world_close();
        if (i == 0)
            move_to_memory(&world.test);
        world_open();
        assert_int_equal(world_released(), 2);
    }
}

/* What this thread keeps for itself is no leak: the last error's text, a generator of numbers. */
static void close_all(size_t *memory, unsigned *files)
{
    forget_answer();
    world_close();
    OPENSSL_thread_stop();
    *memory = torture_memory_in_use();
    *files = torture_open_files();
}

void world_mark(void)
{
    close_all(&memory_before, &files_before);
    world.kept_bytes = 0;
    world_open();
}

void world_end(void)
{
    forget_answer();
    world_close();
}

void world_go_on(void)
{
    struct vault_error said;
    if (!vault_has_stopped(world.test.vault))
        return;
    assert_fails(VAULT_UNAVAILABLE, vault_ready(world.test.vault, &said));
    assert_true(said.text[0] != 0);
    world.stopped++;
    world_close();
    world_open();
}

void world_settle(void)
{
    struct vault_error err;
    struct vault *vault = world.test.vault;
    const uint64_t size = ledger_head(vault->ledger).size;
    if (ledger_wait_published(vault->ledger, size, SETTLE_MS, &err) == VAULT_OK &&
        indexer_wait(vault->indexer, size, SETTLE_MS, &err) == VAULT_OK)
        return; /* what did not is looked at when nothing fails any more */
}

static bool none_goes(void *context, uint64_t index, struct bytes opening)
{
    (void)context;
    (void)index;
    (void)opening;
    return false;
}

void world_tidy(void)
{
    static uint64_t tidied;
    struct vault *vault = world.test.vault;
    const uint64_t size = ledger_head(vault->ledger).size;
    if (size - tidied < TIDY_EACH)
        return;
    assert_done(ledger_wait_published(vault->ledger, size, WORLD_WAIT_MS, &test_error));
    assert_done(indexer_wait(vault->indexer, size, WORLD_WAIT_MS, &test_error));
    assert_done(ledger_blank(vault->ledger, none_goes, NULL, &test_error)); /* a new segment */
    assert_done(openings_settle(vault->store, &test_error));
    assert_done(ledger_forget(vault->ledger, size, &test_error));
    tidied = size;
}

/* --- A request and its answer --------------------------------------------------------------- */

void world_answered(unsigned status, struct bytes body)
{
    forget_answer();
    world.status = status;
    buf_bytes(&world.body, body);
}

void world_send(enum http_method method, const char *path, const char *body)
{
    struct http_answer answer = http_answer_new();
    struct http_request request = {.method = method, .path = path, .body = bytes_of_text(body)};
    request.headers[request.header_count++] =
        (struct http_pair){BYTES("host"), BYTES("vault.example:8443")};
    request.headers[request.header_count++] =
        (struct http_pair){BYTES("content-type"), BYTES("application/json")};
    request.has_peer = true;
    memcpy(request.peer_spki, caseworker_key, sizeof request.peer_spki);
    forget_answer();
    service_api_handle(&world.api, &request, &answer);
    /* As the listener does. */
    world.status = answer.body.problem ? 500 : answer.status;
    if (answer.body.problem)
        buf_finish(&answer.body);
    world.body = answer.body;
}

/* Nothing of the citizen is in an error, whatever it is about. */
static void assert_says_nothing(void)
{
    static const char *const values[] = {"1990", "seeking", "training", "Inventee", "released"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        if (world.body.size &&
            memmem(world.body.data, world.body.size, values[i], strlen(values[i])))
            fail_msg("an answer of %u says \"%s\"", world.status, values[i]);
    }
}

static void keep_place(const json_t *answer)
{
    const json_t *log = json_object_get(answer, "log");
    const char *leaf = json_string_value(json_object_get(log, "leaf"));
    if (!leaf || !json_is_integer(json_object_get(log, "index")))
        fail_msg("an answer of %u without its place in the log", world.status);
    assert_true(place_count < PLACES_MAX);
    struct place *place = &places[place_count++];
    place->index = (uint64_t)json_integer_value(json_object_get(log, "index"));
    snprintf(place->leaf, sizeof place->leaf, "%s", leaf);
}

static void read_one(const json_t *answer)
{
    const size_t values = json_object_size(json_object_get(answer, "released"));
    keep_place(answer);
    world.values += values;
    world.with_values += values > 0;
}

static void read_batch(const json_t *answers)
{
    for (size_t i = 0; i < json_array_size(answers); i++) {
        const json_t *item = json_array_get(answers, i);
        const json_t *answer = json_object_get(item, "answer");
        assert_int_equal(json_integer_value(json_object_get(item, "status")) == 200,
                         answer != NULL);
        if (answer)
            read_one(answer);
        else
            assert_true(json_is_object(json_object_get(item, "problem")));
    }
}

void world_read(void)
{
    if (world.status != 200)
        assert_says_nothing();
    if (world.body.size && json_parse(buf_view(&world.body), 8, &world.json, NULL, &test_error))
        fail_msg("an answer of %u that is not JSON: %s", world.status, buf_string(&world.body));
    if (world.status != 200)
        return;
    const json_t *answers = json_object_get(world.json, "answers");
    if (answers)
        read_batch(answers);
    else
        read_one(world.json);
}

/* Whatever fails here is not the service's fault. */
void world_assert_answered(void)
{
    if (world.status != 200 && world.status != 500 && world.status != 503)
        fail_msg("answered %u: %s", world.status, buf_string(&world.body));
}

void world_write_ask(char body[WORLD_BODY_BYTES])
{
    snprintf(body, WORLD_BODY_BYTES,
             "{\"subject\":\"%s\",\"purpose\":\"" SUPPORT "\","
             "\"context\":{\"assurance_at_least\":\"high\"},\"fields\":"
             "[\"identity.birth_date\",\"employment.status\",\"identity.name\"]}",
             world.subject);
}

void world_ask(void)
{
    char body[WORLD_BODY_BYTES];
    world_write_ask(body);
    world_send(HTTP_POST, RELEASES, body);
    world_read();
}

size_t world_released(void)
{
    world_ask();
    if (world.status != 200)
        fail_msg("with nothing failing, a release is answered with %u: %s", world.status,
                 buf_string(&world.body));
    return world.values;
}

/* --- What must hold ------------------------------------------------------------------------- */

/* The entry is where it was said to be, and is the one. */
static uint64_t lost_places(void)
{
    struct ledger *ledger = world.test.vault->ledger;
    uint64_t lost = 0;
    for (; places_audited < place_count; places_audited++) {
        const struct place *place = &places[places_audited];
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(ENTRY_MAX_BYTES);
        char leaf[BASE64_CHARS(SHA256_BYTES) + 1];
        if (ledger_entry(ledger, place->index, &text, &test_error)) {
            fprintf(stderr, "entry %" PRIu64 ": %s\n", place->index, test_error.text);
            lost++;
            continue;
        }
        const struct tree_hash hash = tree_leaf(buf_view(&text));
        base64_string(leaf, hash.bytes, sizeof hash.bytes);
        lost += strcmp(leaf, place->leaf) != 0;
    }
    return lost;
}

static uint64_t lost_of(enum entry_event event, uint64_t found, uint64_t acknowledged)
{
    if (found >= acknowledged)
        return 0;
    fprintf(stderr, "%" PRIu64 " of %" PRIu64 " entries of kind %s\n", found, acknowledged,
            entry_event_name(event));
    return acknowledged - found;
}

static uint64_t lost_events(const struct verify_report *report)
{
    uint64_t lost = 0;
    for (unsigned i = 0; i < ENTRY_EVENT_COUNT; i++) {
        lost += lost_of((enum entry_event)i, report->events[i], world.acknowledged[i]);
    }
    return lost + lost_of(ENTRY_RELEASE, report->events[ENTRY_RELEASE], world.with_values);
}

static uint64_t audit_log(const char *vkey)
{
    static struct verify_known before;
    struct note_key key;
    struct verify_report report;
    char dir[PATH_MAX];
    assert_done(note_key_parse(bytes_of_text(vkey), &key, &test_error));
    assert_done(file_join(dir, sizeof dir, world.test.dir, "log", &test_error));
    const struct verify_options options = {
        .dir = dir, .key = &key, .known = &before, .known_count = before.name ? 1 : 0};
    assert_done(verify_run(&options, &report, &test_error));
    for (unsigned i = 0; i < VERIFY_CHECK_COUNT; i++) {
        if (report.verdicts[i].state == VERIFY_FAIL)
            fail_msg("%s: %s", verify_check_name((enum verify_check)i), report.verdicts[i].detail);
    }
    before = (struct verify_known){"the last audit", report.head};
    return lost_events(&report);
}

uint64_t world_audit(void)
{
    VAULT_AUTO(buf_finish) struct buf vkey = buf_limited(NOTE_KEY_CHARS_MAX);
    char text[NOTE_KEY_CHARS_MAX];
    struct ledger *ledger = world.test.vault->ledger;
    size_t memory = 0;
    unsigned files = 0;
    assert_done(vault_log_key(world.test.vault, &vkey, &test_error));
    assert_done(
        ledger_wait_published(ledger, ledger_head(ledger).size, WORLD_WAIT_MS, &test_error));
    const uint64_t lost = lost_places();
    const char *vkey_text = buf_string(&vkey);
    assert_true(vkey_text && strlen(vkey_text) < sizeof text);
    snprintf(text, sizeof text, "%s", vkey_text);
    buf_finish(&vkey);
    close_all(&memory, &files);
    if (torture_leaks() || memory > memory_before + CACHES_BYTES + world.kept_bytes ||
        files != files_before)
        fail_msg("%zu bytes and %u descriptors in use, %zu and %u before", memory, files,
                 memory_before, files_before);
    const uint64_t lost_from_log = audit_log(text);
    world_open();
    return lost + lost_from_log;
}
