#include "vault/edge/metrics.h"

#include "vault/edge/admin.h"
#include "vault_test.h"

static struct vault_test test;
static struct listener_counts counts;
static struct metrics metrics;
static struct buf text;

static const char *written(struct vault *vault)
{
    buf_finish(&text);
    text = buf_limited(METRICS_BYTES_MAX);
    metrics_write(&metrics, vault, &text);
    assert_done(buf_check(&text, &test_error));
    return buf_string(&text);
}

/* A line of its own. */
static void assert_line(const char *all, const char *line)
{
    char whole[256];
    snprintf(whole, sizeof whole, "\n%s\n", line);
    if (!strstr(all, whole))
        fail_msg("no line %s", line);
}

static void begin(void)
{
    counts = (struct listener_counts){0};
    metrics = (struct metrics){
        .listeners = {{"services", &counts}}, .listener_count = 1, .started_s = START_MS / 1000};
}

static void test_a_sealed_vault_has_only_the_programs_figures(void **state)
{
    (void)state;
    begin();
    const char *all = written(NULL);
    assert_line(all, "vault_build_info{version=\"" VAULT_VERSION "\"} 1");
    assert_line(all, "vault_start_time_seconds 1804500000");
    assert_line(all, "vault_sealed 1");
    assert_line(all, "vault_ready 0");
    assert_null(strstr(all, "vault_log"));
    assert_null(strstr(all, "vault_releases"));
}

static void test_a_listeners_counts_are_its_own(void **state)
{
    (void)state;
    begin();
    atomic_store(&counts.connections, 7);
    atomic_store(&counts.open, 2);
    atomic_store(&counts.answers[http_status_index(429)], 5);
    const char *all = written(NULL);
    assert_line(all, "vault_connections{listener=\"services\"} 2");
    assert_line(all, "vault_connections_total{listener=\"services\"} 7");
    assert_line(all, "vault_http_answers_total{listener=\"services\",status=\"429\"} 5");
    assert_line(all, "vault_http_answers_total{listener=\"services\",status=\"503\"} 0");
}

static void test_every_status_has_a_place_and_no_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < HTTP_STATUS_COUNT; i++)
        assert_int_equal(http_status_index(http_status_at(i)), i);
    assert_int_equal(http_status_at(HTTP_STATUS_COUNT), 0);
    assert_int_equal(http_status_index(418), HTTP_STATUS_COUNT);
}

static void test_what_happens_is_counted(void **state)
{
    (void)state;
    char subject[SUBJECT_CHARS + 1];
    char token[SIGN_IN_TOKEN_CHARS + 1];
    begin();
    make_filled_vault(&test);
    assert_line(written(test.vault), "vault_releases_total{outcome=\"released\"} 0");
    subject_of_citizen(&test, subject);
    count_released(ask_release(&test, subject));
    give_consent(&test, CONSENT_UNLIMITED);
    count_released(ask_release(&test, subject));
    assert_fails(VAULT_DENIED,
                 sign_in(test.vault, BYTES("nobody"), BYTES("wrong"), token, &test_error));
    const char *all = written(test.vault);
    assert_line(all, "vault_releases_total{outcome=\"released\"} 1");
    assert_line(all, "vault_releases_total{outcome=\"withheld\"} 1");
    assert_line(all, "vault_sign_ins_total{by=\"password\",outcome=\"refused\"} 1");
    assert_line(all, "vault_sign_ins_total{by=\"password\",outcome=\"taken\"} 0");
    assert_line(all, "vault_sealed 0");
    assert_line(all, "vault_ready 1");
    assert_null(strstr(all, CASEWORKER));
    assert_null(strstr(all, "vault_anchor"));
    vault_close(&test.vault);
}

/* --- Anchors -------------------------------------------------------------------------------- */

static enum vault_code recall_nothing(void *context, const struct checkpoint_keys *log,
                                      struct ledger_head heads[VAULT_RECALLED_MAX], size_t *count,
                                      struct vault_error *err)
{
    (void)context;
    (void)log;
    (void)heads;
    (void)err;
    *count = 0;
    return VAULT_OK;
}

static enum vault_code agree(void *context, struct vault_error *err)
{
    (void)context;
    (void)err;
    return VAULT_OK;
}

static void describe(void *context, struct buf *out)
{
    buf_format(out, "{\"state\":\"%s\",\"age_s\":61,\"witnesses\":[]}", (const char *)context);
}

static void test_the_age_of_the_anchors_is_told_and_which_state_it_is(void **state)
{
    (void)state;
    char late[] = "late";
    const struct vault_anchor anchor = {
        .context = late, .recall = recall_nothing, .check = agree, .describe = describe};
    begin();
    make_filled_vault(&test);
    test.options.anchor = &anchor;
    reopen_test_vault(&test);
    const char *all = written(test.vault);
    assert_line(all, "vault_anchor_age_seconds 61");
    assert_line(all, "vault_anchor_state{state=\"late\"} 1");
    assert_line(all, "vault_anchor_state{state=\"fresh\"} 0");
    assert_line(all, "vault_anchor_state{state=\"stale\"} 0");
    vault_close(&test.vault);
    buf_finish(&text);
}

int main(void)
{
    return TEST_RUN(test_a_sealed_vault_has_only_the_programs_figures,
                    test_a_listeners_counts_are_its_own, test_every_status_has_a_place_and_no_other,
                    test_what_happens_is_counted,
                    test_the_age_of_the_anchors_is_told_and_which_state_it_is);
}
