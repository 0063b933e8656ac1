#include "vault/edge/sealing.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "test.h"
#include "vault/crypto/crypto.h"

/* A vault that is only a place in memory: sealing never looks inside. */
static char place;
static struct vault *const the_vault = (struct vault *)(void *)&place;

static unsigned opened;
static unsigned closed;
static bool refuses;
static bool had_secret;

static enum vault_code open_it(void *unused, const struct secret *secret, struct vault **out,
                               struct vault_error *err)
{
    (void)unused;
    opened++;
    had_secret = secret != NULL;
    if (refuses)
        return vault_fail(err, VAULT_DENIED, "the passphrase is not the one");
    *out = the_vault;
    return VAULT_OK;
}

static void close_it(void *unused)
{
    (void)unused;
    closed++;
}

static unsigned interrupted;

static void interrupt_it(void *unused)
{
    (void)unused;
    assert_true(closed < opened); /* it is still open */
    interrupted++;
}

static const struct sealing_calls calls = {NULL, open_it, close_it, interrupt_it};
static struct sealing *sealing;

static void begin(void)
{
    sealing_free(&sealing);
    opened = 0;
    closed = 0;
    interrupted = 0;
    refuses = false;
    assert_done(sealing_new(&calls, &sealing, &test_error));
}

static struct vault *look(void)
{
    struct vault *vault = sealing_enter(sealing);
    sealing_leave(sealing);
    return vault;
}

static void test_it_is_sealed_at_first_and_open_once_unsealed(void **state)
{
    (void)state;
    begin();
    assert_null(look());
    assert_int_equal(opened, 0);
    assert_done(sealing_unseal(sealing, NULL, &test_error));
    assert_ptr_equal(look(), the_vault);
    assert_false(had_secret);
    assert_done(sealing_seal(sealing, &test_error));
    assert_null(look());
    assert_int_equal(closed, 1);
}

static void test_the_secret_reaches_whoever_opens(void **state)
{
    (void)state;
    VAULT_AUTO(secret_free) struct secret *secret = NULL;
    begin();
    assert_done(secret_copy(BYTES("an invented passphrase"), &secret, &test_error));
    assert_done(sealing_unseal(sealing, secret, &test_error));
    assert_true(had_secret);
}

static void test_who_waits_is_woken_before_it_is_sealed(void **state)
{
    (void)state;
    begin();
    sealing_interrupt(sealing);
    assert_int_equal(interrupted, 0); /* sealed: nobody waits */
    assert_done(sealing_unseal(sealing, NULL, &test_error));
    assert_done(sealing_seal(sealing, &test_error));
    assert_int_equal(interrupted, 1);
    assert_done(sealing_unseal(sealing, NULL, &test_error));
    sealing_interrupt(sealing);
    assert_int_equal(interrupted, 2);
    assert_ptr_equal(look(), the_vault);
}

static void test_twice_is_a_conflict_and_changes_nothing(void **state)
{
    (void)state;
    begin();
    assert_fails(VAULT_CONFLICT, sealing_seal(sealing, &test_error));
    assert_int_equal(closed, 0);
    assert_done(sealing_unseal(sealing, NULL, &test_error));
    assert_fails(VAULT_CONFLICT, sealing_unseal(sealing, NULL, &test_error));
    assert_int_equal(opened, 1);
    assert_ptr_equal(look(), the_vault);
}

static void test_what_does_not_open_is_closed_and_stays_sealed(void **state)
{
    (void)state;
    begin();
    refuses = true;
    assert_fails(VAULT_DENIED, sealing_unseal(sealing, NULL, &test_error));
    assert_non_null(strstr(test_error.text, "passphrase"));
    assert_int_equal(closed, 1);
    assert_null(look());
    refuses = false;
    assert_done(sealing_unseal(sealing, NULL, &test_error));
    assert_ptr_equal(look(), the_vault);
}

static void test_freeing_closes_what_is_open(void **state)
{
    (void)state;
    begin();
    sealing_free(&sealing);
    assert_int_equal(closed, 0);
    begin();
    assert_done(sealing_unseal(sealing, NULL, &test_error));
    sealing_free(&sealing);
    assert_int_equal(closed, 1);
    assert_null(sealing);
}

static atomic_bool is_inside;
static atomic_bool may_leave;
static atomic_bool was_closed_inside;

static void *stay_inside(void *unused)
{
    (void)unused;
    struct vault *vault = sealing_enter(sealing);
    atomic_store(&is_inside, true);
    while (!atomic_load(&may_leave))
        usleep(1000);
    atomic_store(&was_closed_inside, closed > 0 || vault != the_vault);
    sealing_leave(sealing);
    return NULL;
}

static void *seal_it(void *unused)
{
    (void)unused;
    return sealing_seal(sealing, NULL) ? sealing : NULL;
}

static void test_sealing_waits_for_who_is_inside(void **state)
{
    (void)state;
    pthread_t inside;
    pthread_t sealer;
    begin();
    assert_done(sealing_unseal(sealing, NULL, &test_error));
    assert_int_equal(pthread_create(&inside, NULL, stay_inside, NULL), 0);
    while (!atomic_load(&is_inside))
        usleep(1000);
    assert_int_equal(pthread_create(&sealer, NULL, seal_it, NULL), 0);
    usleep(20000); /* time enough to do it wrongly */
    atomic_store(&may_leave, true);
    pthread_join(inside, NULL);
    pthread_join(sealer, NULL);
    assert_false(atomic_load(&was_closed_inside));
    assert_int_equal(closed, 1);
    assert_null(look());
}

static void test_who_must_not_wait_does_not_get_in_while_somebody_seals(void **state)
{
    (void)state;
    pthread_t inside;
    pthread_t sealer;
    struct vault *vault = NULL;
    begin();
    atomic_store(&is_inside, false);
    atomic_store(&may_leave, false);
    assert_done(sealing_unseal(sealing, NULL, &test_error));
    assert_true(sealing_try_enter(sealing, &vault));
    assert_ptr_equal(vault, the_vault);
    sealing_leave(sealing);
    assert_int_equal(pthread_create(&inside, NULL, stay_inside, NULL), 0);
    while (!atomic_load(&is_inside))
        usleep(1000);
    assert_int_equal(pthread_create(&sealer, NULL, seal_it, NULL), 0);
    while (sealing_try_enter(sealing, &vault)) {
        sealing_leave(sealing);
        usleep(1000);
    }
    atomic_store(&may_leave, true);
    pthread_join(inside, NULL);
    pthread_join(sealer, NULL);
    assert_true(sealing_try_enter(sealing, &vault));
    assert_null(vault);
    sealing_leave(sealing);
}

/* --- In front of a handler ------------------------------------------------------------------ */

static unsigned handled;

static void handle(void *context, const struct http_request *request, struct http_answer *answer)
{
    (void)context;
    (void)request;
    handled++;
    answer->status = 204;
}

static unsigned ask(enum http_method method, const char *path)
{
    const struct http_request request = {.method = method, .path = path};
    struct sealed_handler front = {.sealing = sealing, .handler = handle};
    struct http_answer answer = http_answer_new();
    sealed_handle(&front, &request, &answer);
    const unsigned status = answer.status;
    http_answer_finish(&answer);
    return status;
}

static void test_sealed_it_only_says_that_it_lives(void **state)
{
    (void)state;
    begin();
    handled = 0;
    assert_int_equal(ask(HTTP_GET, "/healthz"), 200);
    assert_int_equal(ask(HTTP_HEAD, "/healthz"), 200);
    assert_int_equal(ask(HTTP_GET, "/readyz"), 503);
    assert_int_equal(ask(HTTP_POST, "/v1/releases"), 503);
    assert_int_equal(ask(HTTP_POST, "/healthz"), 503);
    assert_int_equal(ask(HTTP_GET, "/log/checkpoint"), 503);
    assert_int_equal(ask(HTTP_GET, "/"), 503);
    assert_int_equal(handled, 0);
}

static void test_open_it_hands_everything_on(void **state)
{
    (void)state;
    begin();
    handled = 0;
    assert_done(sealing_unseal(sealing, NULL, &test_error));
    assert_int_equal(ask(HTTP_GET, "/healthz"), 204);
    assert_int_equal(ask(HTTP_POST, "/v1/releases"), 204);
    assert_int_equal(handled, 2);
}

static enum http_progress progress;

static enum http_progress start(void *context, const struct http_request *request,
                                struct http_answer *answer, struct http_rest *rest)
{
    (void)context, (void)request, (void)answer, (void)rest;
    handled++;
    return progress;
}

static enum http_progress try_to(enum http_progress how, struct http_rest *rest)
{
    const struct http_request request = {.method = HTTP_POST, .path = "/v1/releases"};
    struct sealed_handler front = {.sealing = sealing, .starter = start};
    struct http_answer answer = http_answer_new();
    progress = how;
    *rest = (struct http_rest){0};
    const enum http_progress came = sealed_start(&front, &request, &answer, rest);
    http_answer_finish(&answer);
    return came;
}

static void test_what_was_begun_stays_inside_until_it_is_whole(void **state)
{
    (void)state;
    struct http_rest rest;
    pthread_t sealer;
    begin();
    handled = 0;
    assert_int_equal(try_to(HTTP_ANSWERED, &rest), HTTP_WOULD_WAIT); /* sealed: the handler says */
    assert_int_equal(handled, 0);
    assert_done(sealing_unseal(sealing, NULL, &test_error));
    assert_int_equal(try_to(HTTP_ANSWERED, &rest), HTTP_ANSWERED);
    assert_null(rest.leave);
    assert_int_equal(try_to(HTTP_WOULD_WAIT, &rest), HTTP_WOULD_WAIT);
    assert_null(rest.leave);
    assert_int_equal(try_to(HTTP_AWAITS, &rest), HTTP_AWAITS);
    assert_int_equal(handled, 3);
    assert_int_equal(pthread_create(&sealer, NULL, seal_it, NULL), 0);
    usleep(20000); /* time enough to do it wrongly */
    assert_int_equal(closed, 0);
    rest.leave(rest.entered);
    pthread_join(sealer, NULL);
    assert_int_equal(closed, 1);
}

int main(void)
{
    if (crypto_start(true, &test_error))
        return 1;
    const int failed = TEST_RUN(
        test_it_is_sealed_at_first_and_open_once_unsealed, test_the_secret_reaches_whoever_opens,
        test_who_waits_is_woken_before_it_is_sealed, test_twice_is_a_conflict_and_changes_nothing,
        test_what_does_not_open_is_closed_and_stays_sealed, test_freeing_closes_what_is_open,
        test_sealing_waits_for_who_is_inside,
        test_who_must_not_wait_does_not_get_in_while_somebody_seals,
        test_sealed_it_only_says_that_it_lives, test_open_it_hands_everything_on,
        test_what_was_begun_stays_inside_until_it_is_whole);
    sealing_free(&sealing);
    return failed;
}
