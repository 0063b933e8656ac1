#include "vault/edge/reload.h"

#include <stdio.h>
#include <unistd.h>

#include "client.h"
#include "vault/parts.h"
#include "vault_test.h"

static struct vault_test test;
static struct identities all;
static struct reload reload;
static struct identity used;   /* the files of the services' listener */
static struct identity shared; /* of the citizens' */
static struct buf result;

static void put_server(const struct identity *server, const struct identity *to)
{
    put_file(server->certificate, to->certificate);
    put_file(server->key, to->key);
}

static void name_files(const char *name, struct identity *out)
{
    snprintf(out->certificate, PATH_MAX, "%.*s.%s", PATH_MAX - 16, all.server.certificate, name);
    snprintf(out->key, PATH_MAX, "%.*s.%s", PATH_MAX - 16, all.server.key, name);
    put_server(&all.server, out);
}

static void begin(void)
{
    make_filled_vault(&test);
    result = buf_limited(1024);
    name_files("used", &used);
    name_files("shared", &shared);
    const struct tls_files services = {used.certificate, used.key, all.clients_ca.certificate, NULL,
                                       NULL};
    const struct tls_files citizens = {shared.certificate, shared.key, NULL, NULL, NULL};
    reload = (struct reload){.parts = {{"services", NULL}, {"citizens", NULL}},
                             .count = 2,
                             .mutex = PTHREAD_MUTEX_INITIALIZER};
    assert_done(tls_open(&services, &reload.parts[0].tls, &test_error));
    assert_done(tls_open(&citizens, &reload.parts[1].tls, &test_error));
}

static void end(void)
{
    tls_close(&reload.parts[0].tls);
    tls_close(&reload.parts[1].tls);
    buf_finish(&result);
    vault_close(&test.vault);
}

static uint64_t log_size(void)
{
    return ledger_head(test.vault->ledger).size;
}

static void assert_result(const char *wanted)
{
    buf_clear(&result);
    assert_done(reload_certificates(&reload, test.vault, &result, &test_error));
    assert_string_equal(buf_string(&result), wanted);
}

static void assert_refused(enum vault_code code, const char *words)
{
    buf_clear(&result);
    assert_fails(code, reload_certificates(&reload, test.vault, &result, &test_error));
    if (!strstr(test_error.text, words))
        fail_msg("no '%s' in: %s", words, test_error.text);
    assert_int_equal(result.size, 0);
}

static bool is_in_force(const struct identity *server)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(64 * 1024);
    assert_done(file_read(server->certificate, &text, &test_error));
    return strcmp(tls_certificate_pem(reload.parts[0].tls), buf_string(&text)) == 0;
}

static void test_what_has_not_changed_is_not_entered(void **state)
{
    (void)state;
    begin();
    const uint64_t before = log_size();
    assert_result("{\"changed\":[]}");
    assert_result("{\"changed\":[]}");
    assert_int_equal(log_size(), before);
    end();
}

static void test_what_has_changed_is_named_and_entered_once(void **state)
{
    (void)state;
    begin();
    const uint64_t before = log_size();
    put_server(&all.misused, &used);
    assert_true(is_in_force(&all.server));
    assert_result("{\"changed\":[\"services\"]}");
    assert_true(is_in_force(&all.misused));
    assert_int_equal(log_size(), before + 1);
    assert_result("{\"changed\":[]}");
    put_server(&all.server, &used);
    put_server(&all.server, &used);
    assert_result("{\"changed\":[\"services\"]}");
    assert_int_equal(log_size(), before + 2);
    end();
}

static void test_a_file_that_does_not_fit_changes_nothing_anywhere(void **state)
{
    (void)state;
    begin();
    const uint64_t before = log_size();
    put_file(all.misused.certificate, used.certificate); /* and the key of another */
    assert_refused(VAULT_INVALID, "services");
    assert_non_null(strstr(test_error.text, "nothing is changed"));
    assert_non_null(strstr(test_error.text, used.certificate));
    assert_true(is_in_force(&all.server));
    put_server(&all.misused, &used); /* now the first fits, and the second does not */
    put_file(all.known.key, shared.key);
    assert_refused(VAULT_INVALID, "citizens");
    assert_true(is_in_force(&all.server));
    assert_int_equal(unlink(shared.key), 0);
    assert_refused(VAULT_NOT_FOUND, shared.key);
    assert_true(is_in_force(&all.server));
    assert_int_equal(log_size(), before);
    end();
}

/* A change that cannot be entered is not made. */
static void test_without_the_log_nothing_is_changed(void **state)
{
    (void)state;
    begin();
    put_server(&all.misused, &used);
    assert_done(ledger_stop(test.vault->ledger, &test_error));
    assert_refused(VAULT_UNAVAILABLE, "");
    assert_true(is_in_force(&all.server));
    end();
}

int main(void)
{
    make_identities(&all);
    test_folder_keep();
    return TEST_RUN(test_what_has_not_changed_is_not_entered,
                    test_what_has_changed_is_named_and_entered_once,
                    test_a_file_that_does_not_fit_changes_nothing_anywhere,
                    test_without_the_log_nothing_is_changed);
}
