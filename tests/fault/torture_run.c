#include "torture_run.h"

#include <inttypes.h>
#include <time.h>

#include "torture_world.h"

#define HANG_S       60 /* an operation that takes longer hangs */

/* Runs without a failure, one after the other, until it is held that nothing is left: what several
 * threads do comes about now and then. And until it is held that what is left does not come. */
#define LAST_LOOKS   8
#define MISSED_LOOKS 30
#define GROWN_MAX    4

/* Places of a run that is not long which were learned and did not come. */
#define MISSED_MAX   32

static const char *const kinds[TORTURE_KINDS] = {"memory", "calls"};

static struct {
    uint64_t injected;
    uint64_t survived;
    uint64_t lost;
} total;
enum vault_code torture_code;
struct vault_error torture_said;

static bool is_long;
static unsigned seed;

/* --- One after the other -------------------------------------------------------------------- */

static const char *now_name;
static enum torture_kind now_kind;
static unsigned now_fault; /* of this kind, counted from 1; 0: nothing fails */
static unsigned now_count; /* of what there was to fail */

/* Says what was failing when a sanitizer stops the program. */
void __asan_on_error(void);
void __asan_on_error(void)
{
    fprintf(stderr, "torture: %s, %s %u, seed %u: %s\n", now_name, kinds[now_kind], now_fault, seed,
            torture_struck() ? torture_struck() : "before it");
}

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "handle_abort=1";
}

static void show(void)
{
    if (getenv("VAULT_TORTURE_SHOW"))
        fprintf(stderr, "%s, %s %u: %s (%d): %s %s\n", now_name, kinds[now_kind], now_fault,
                torture_struck(), torture_error(), vault_code_name(torture_code),
                torture_code ? torture_said.text : "");
}

/* Do it once. Whether anything failed. */
static bool do_once(const struct operation *operation, enum torture_kind kind,
                    enum torture_look look)
{
    now_name = operation->name;
    now_kind = kind;
    world_tidy();
    if (operation->prepare)
        operation->prepare();
    torture_rest();
    alarm(HANG_S);
    torture_code = VAULT_OK;
    torture_said = (struct vault_error){0};
    now_fault += look != TORTURE_LEARN;
    torture_arm(kind, look, seed);
    operation->run();
    now_count = torture_disarm();
    const bool failed = torture_struck() != NULL;
    alarm(0);
    if (failed)
        show();
    total.injected += failed;
    operation->check(); /* does not come back where something does not hold */
    total.survived += failed;
    return failed;
}

/* With nothing failing: what the program keeps from the first time it has then, and is not counted
 * as leaked; what a vault keeps, too, as it has when something fails. */
static void warm(const struct operation *operation)
{
    do_once(operation, TORTURE_MEMORY, TORTURE_LEARN);
    world_mark();
    do_once(operation, TORTURE_MEMORY, TORTURE_LEARN);
}

/* As many as are enough, evenly, from another one each day. One that is not come by again is still
 * wanted when the next is. */
static void fail_some(const struct operation *operation, enum torture_kind kind)
{
    const unsigned count = torture_sum().places;
    const unsigned enough = operation->sample[kind] < count ? operation->sample[kind] : count;
    for (unsigned i = 0; torture_sum().failed < enough && i < enough + MISSED_MAX; i++) {
        torture_want((unsigned)(((uint64_t)i * count / enough + i / enough + seed) % count));
        do_once(operation, kind, TORTURE_NEAR);
    }
}

/* A log of another size, on which some places depend. */
static void grow(unsigned entries)
{
    for (unsigned i = 0; i < entries; i++)
        world_ask();
}

/* All there are, each as soon as it is come by: until nothing fails any more though each call is
 * looked at. What was come by once, and can fail in yet another way, is waited for longer. */
static void fail_all(const struct operation *operation, enum torture_kind kind)
{
    unsigned looks = 0;
    torture_forget();
    torture_want_all();
    while (do_once(operation, kind, TORTURE_NEAR))
        continue;
    while (looks < (torture_sum().left ? MISSED_LOOKS : LAST_LOOKS)) {
        looks = do_once(operation, kind, TORTURE_ALL) ? 0 : looks + 1;
        grow(looks % GROWN_MAX);
    }
}

static void torture_kind(const struct operation *operation, enum torture_kind kind)
{
    const uint64_t before = total.injected;
    const uint64_t stopped = world.stopped;
    const time_t began = time(NULL);
    now_fault = 0;
    torture_forget();
    do_once(operation, kind, TORTURE_LEARN);
    const unsigned called = now_count;
    (is_long ? fail_all : fail_some)(operation, kind);
    const struct torture_sum sum = torture_sum();
    printf("%s, %s: %u of %u places, %u of their %u ways; called %u times; %jd s\n",
           operation->name, kinds[kind], sum.failed, sum.places, sum.ways_failed, sum.ways, called,
           (intmax_t)(time(NULL) - began));
    fflush(stdout);
    assert_true(total.injected > before);
    if (kind == TORTURE_MEMORY)
        assert_int_equal(world.stopped, stopped); /* the log waits for memory */
}

void torture(const struct operation *operation)
{
    static bool is_under_way;
    const char *only = getenv("VAULT_TORTURE_ONLY");
    if (only && strcmp(only, operation->name) != 0)
        return;
    assert_false(is_under_way); /* else the one before has failed, and left who knows what */
    is_under_way = true;
    warm(operation);
    for (enum torture_kind kind = 0; kind < TORTURE_KINDS; kind++)
        torture_kind(operation, kind);
    total.lost += world_audit();
    is_under_way = false;
}

/* Where OpenSSL gets no memory to decrypt a page, SQLCipher says that the page is damaged, and so
 * SQLite does where the disk does not give it. */
void torture_assert_said(void)
{
    if (torture_code == VAULT_CORRUPT && strstr(torture_said.text, "memory was short"))
        return;
    if (torture_code != VAULT_OK && torture_code != VAULT_IO && torture_code != VAULT_UNAVAILABLE &&
        torture_code != VAULT_NO_MEMORY)
        fail_msg("%s: %s", vault_code_name(torture_code), torture_said.text);
    if (torture_code)
        assert_true(torture_said.text[0] != 0);
}

void torture_run_begin(void)
{
    const char *given = getenv("VAULT_TESTS_SEED");
    const char *how = getenv("VAULT_TESTS_LONG");
    is_long = how && strcmp(how, "1") == 0;
    seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)(time(NULL) / 86400);
    world_begin();
}

bool torture_run_end(void)
{
    world_end();
    printf("torture: faults injected %" PRIu64 ", survived %" PRIu64 ", entries lost %" PRIu64 "\n",
           total.injected, total.survived, total.lost);
    return total.lost == 0;
}
