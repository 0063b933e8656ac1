/*
 * admin_test - the operator's commands as a vault answers them that is open, without a socket.
 */
#pragma once

#include "vault/edge/admin.h"
#include "vault_test.h"

static struct vault_test test;
static struct config config;
static struct admin_context context;
static struct sealing *sealing;
static json_t *answer; /* the last one */

static inline enum vault_code open_test(void *unused, const struct secret *secret,
                                        struct vault **out, struct vault_error *err)
{
    (void)unused;
    (void)secret;
    (void)err;
    *out = test.vault;
    return VAULT_OK;
}

static inline void close_test(void *unused)
{
    (void)unused;
}

/* The test's vault is there already. */
static inline void begin_asking(void)
{
    static const struct sealing_calls calls = {NULL, open_test, close_test, NULL};
    assert_done(sealing_new(&calls, &sealing, &test_error));
    assert_done(sealing_unseal(sealing, NULL, &test_error));
    context = (struct admin_context){.sealing = sealing, .config = &config};
}

static inline void end(void)
{
    json_free(&answer);
    sealing_free(&sealing);
    vault_close(&test.vault);
}

/* "ok", or the code of what went wrong. */
static inline const char *ask(const char *line)
{
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(ADMIN_LINE_BYTES_MAX);
    json_free(&answer);
    admin_answer(&context, bytes_of_text(line), &out);
    assert_done(json_parse(buf_view(&out), 16, &answer, NULL, &test_error));
    return json_is_true(json_object_get(answer, "ok"))
               ? "ok"
               : json_string_value(json_object_get(answer, "code"));
}
