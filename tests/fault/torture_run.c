#include "torture_run.h"

#include <inttypes.h>
#include <time.h>

#include "torture_world.h"

#define HANG_S     60 /* an operation that takes longer hangs */
#define WAYS       3  /* as many as a call has of failing */
#define OF_A_PLACE 1  /* calls from the same place, by the same way, that fail */

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
static unsigned now_nth;
static unsigned now_count; /* of what there was to fail */

/* Says what was failing when a sanitizer stops the program. */
void __asan_on_error(void);
void __asan_on_error(void)
{
    fprintf(stderr, "torture: %s, %s %u, seed %u: %s\n", now_name, kinds[now_kind], now_nth, seed,
            torture_struck() ? torture_struck() : "before it");
}

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "handle_abort=1";
}

/* Do it once. nth 0: nothing fails, and what there is to fail is learned. */
static void fail_nth(const struct operation *operation, enum torture_kind kind, unsigned nth)
{
    now_name = operation->name;
    now_kind = kind;
    now_nth = nth;
    world_tidy();
    if (operation->prepare)
        operation->prepare();
    alarm(HANG_S);
    torture_code = VAULT_OK;
    torture_said = (struct vault_error){0};
    if (nth)
        torture_arm(kind, nth, nth + seed);
    else
        torture_learn(kind);
    operation->run();
    now_count = torture_disarm();
    const char *struck = torture_struck();
    alarm(0);
    if (struck && getenv("VAULT_TORTURE_SHOW"))
        fprintf(stderr, "%s, %s %u: %s (%d): %s %s\n", operation->name, kinds[kind], nth, struck,
                torture_error(), vault_code_name(torture_code),
                torture_code ? torture_said.text : "");
    operation->check();
    total.injected += struck != NULL;
    total.survived += struck != NULL;
}

/* "calls 17": where to begin, for who looks at one. */
static bool is_before(enum torture_kind kind, unsigned nth)
{
    const char *from = getenv("VAULT_TORTURE_FROM");
    const char *number = from ? strchr(from, ' ') : NULL;
    const bool is_kind = from && strncmp(from, kinds[kind], strlen(kinds[kind])) == 0;
    return number &&
           ((is_kind && nth < strtoul(number, NULL, 10)) || (!is_kind && kind == TORTURE_MEMORY));
}

/* Learn what there is to fail, with nothing failing. What the program keeps from the first time it
 * has then, and is not counted as leaked; what a vault keeps, too, as it has when something fails.
 */
static unsigned learn(const struct operation *operation, enum torture_kind kind,
                      const unsigned **list)
{
    fail_nth(operation, kind, 0);
    world_mark();
    fail_nth(operation, kind, 0);
    fail_nth(operation, kind, 0);
    return torture_learned(OF_A_PLACE, list);
}

/* All of them, in all ways; or as many as are enough, from another one each day. */
static void torture_kind(const struct operation *operation, enum torture_kind kind)
{
    const uint64_t before = total.injected;
    const uint64_t stopped = world.stopped;
    const time_t began = time(NULL);
    const unsigned *list = NULL;
    const unsigned count = learn(operation, kind, &list);
    const unsigned all = now_count;
    const unsigned enough = (is_long ? operation->enough : operation->sample)[kind];
    const unsigned step = enough == 0 || count < enough ? 1 : count / enough;
    unsigned tried = 0;
    for (unsigned round = 0; round < (is_long ? WAYS : 1); round++, seed++) {
        for (unsigned i = seed % step; i < count; i += step) {
            if (round >= torture_ways(list[i]) || is_before(kind, list[i]))
                continue;
            tried += round == 0;
            fail_nth(operation, kind, list[i]);
        }
    }
    const uint64_t injected = total.injected - before;
    total.lost += world_audit();
    printf("%s, %s: %u of %u, called %u times; %" PRIu64 " faults in %jd s\n", operation->name,
           kinds[kind], tried, count, all, injected, (intmax_t)(time(NULL) - began));
    assert_true(injected > 0 || getenv("VAULT_TORTURE_FROM"));
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
    for (enum torture_kind kind = 0; kind < TORTURE_KINDS; kind++)
        torture_kind(operation, kind);
    is_under_way = false;
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
