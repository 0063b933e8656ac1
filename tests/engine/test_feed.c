#include "store_test.h"

#include "vault/store/feed.h"
#include "vault/store/openings.h"

static struct citizen_id ada;
static struct citizen_id bob;
static uint64_t counts[2]; /* of each citizen's entries */
static uint64_t next_index;

static void begin(void)
{
    fresh_store();
    ada = citizen_id_new();
    bob = citizen_id_new();
    counts[0] = counts[1] = next_index = 0;
}

/* An entry that is a change, or FEED_NOTHING, filed as the indexer does. */
static void file(const struct citizen_id *citizen, const char *service, enum feed_change change)
{
    uint64_t *count = &counts[citizen == &bob];
    struct openings_row row = {.citizen = *citizen,
                               .n = ++*count,
                               .index = next_index++,
                               .time_ms = NOW_S * 1000LL,
                               .sealed = BYTES("sealed")};
    row.feed = (struct feed_row){.change = change,
                                 .n = row.index + 1,
                                 .citizen = *citizen,
                                 .citizen_n = row.n,
                                 .time_ms = row.time_ms};
    snprintf(row.feed.service, sizeof row.feed.service, "%s", service);
    snprintf(row.feed.purpose, sizeof row.feed.purpose, "lending");
    assert_done(openings_add(store, &row, 1, next_index, &test_error));
}

static enum vault_code gather(void *context, const struct feed_row *row, struct vault_error *err)
{
    (void)err;
    struct buf *text = context;
    buf_format(text, "%llu:%d:%s:%llu ", (unsigned long long)row->n, (int)row->change, row->purpose,
               (unsigned long long)row->citizen_n);
    return VAULT_OK;
}

static void assert_feed(const char *service, uint64_t after, uint64_t before, size_t limit,
                        const char *expected)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(4000);
    assert_done(feed_list(store, service, after, before, limit, gather, &text, &test_error));
    assert_string_equal(text.size ? buf_string(&text) : "", expected);
}

static void test_each_service_has_its_own_in_the_log_s_order(void **state)
{
    (void)state;
    begin();
    file(&ada, "library", FEED_CONSENT);
    file(&bob, "travel", FEED_CONSENT);
    file(&ada, "", FEED_NOTHING);
    file(&ada, "library", FEED_WITHDRAW);
    file(&bob, "library", FEED_CONSENT);
    assert_feed("library", 0, UINT64_MAX, 10, "1:1:lending:1 4:2:lending:3 5:1:lending:2 ");
    assert_feed("travel", 0, UINT64_MAX, 10, "2:1:lending:1 ");
    assert_feed("tax", 0, UINT64_MAX, 10, "");
    assert_feed("library", 1, UINT64_MAX, 10, "4:2:lending:3 5:1:lending:2 ");
    assert_feed("library", 1, UINT64_MAX, 1, "4:2:lending:3 ");
    assert_feed("library", 1, 5, 10, "4:2:lending:3 ");
    assert_feed("library", 5, UINT64_MAX, 10, "");
    assert_feed("library", UINT64_MAX, UINT64_MAX, 10, "");
}

/* Else the feed would say that there is somebody. */
static void test_nothing_is_filed_before_a_first_consent(void **state)
{
    (void)state;
    begin();
    file(&ada, "library", FEED_REFUSE);
    file(&ada, "library", FEED_RESUME);
    file(&ada, "travel", FEED_CONSENT);
    file(&ada, "library", FEED_REFUSE);
    assert_feed("library", 0, UINT64_MAX, 10, "");
    file(&ada, "library", FEED_CONSENT);
    file(&ada, "library", FEED_REFUSE);
    assert_feed("library", 0, UINT64_MAX, 10, "5:1:lending:5 6:5:lending:6 ");
}

static void test_a_batch_that_fails_files_nothing(void **state)
{
    (void)state;
    begin();
    file(&ada, "library", FEED_CONSENT);
    struct openings_row rows[2] = {
        {.citizen = ada, .n = 2, .index = 1, .sealed = BYTES("sealed")},
        {.citizen = ada, .n = 9, .index = 2, .sealed = BYTES("sealed")}, /* 3 is missing */
    };
    rows[0].feed = (struct feed_row){
        .service = "library", .change = FEED_WITHDRAW, .n = 2, .citizen = ada, .citizen_n = 2};
    assert_fails(VAULT_INVALID, openings_add(store, rows, 2, 3, &test_error));
    assert_feed("library", 0, UINT64_MAX, 10, "1:1:lending:1 ");
}

static void test_it_survives_a_restart_and_goes_with_a_reset(void **state)
{
    (void)state;
    begin();
    file(&ada, "library", FEED_CONSENT);
    store_close(&store);
    open_store_with(NULL);
    assert_feed("library", 0, UINT64_MAX, 10, "1:1:lending:1 ");
    assert_done(openings_reset(store, &test_error));
    assert_feed("library", 0, UINT64_MAX, 10, "");
}

static enum vault_code count_service(void *context, const struct feed_row *row,
                                     struct vault_error *err)
{
    (void)err;
    buf_format(context, "%s ", row->service);
    return VAULT_OK;
}

static void assert_services(const struct citizen_id *citizen, const char *expected)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(1000);
    assert_done(feed_services(store, citizen, count_service, &text, &test_error));
    assert_string_equal(text.size ? buf_string(&text) : "", expected);
}

static void test_an_erasure_leaves_one_row_that_is_nobody_s(void **state)
{
    (void)state;
    begin();
    file(&ada, "library", FEED_CONSENT);
    file(&ada, "travel", FEED_CONSENT);
    file(&bob, "library", FEED_CONSENT);
    file(&ada, "library", FEED_WITHDRAW);
    assert_services(&ada, "library travel ");
    assert_services(&bob, "library ");
    const struct feed_row gone[] = {
        {.service = "library", .change = FEED_ERASE, .n = 5, .citizen = {{1}}},
        {.service = "travel", .change = FEED_ERASE, .n = 5, .citizen = {{2}}},
    };
    assert_done(feed_erase(store, &ada, gone, 2, &test_error));
    assert_feed("library", 0, UINT64_MAX, 10, "3:1:lending:1 5:6::0 ");
    assert_feed("travel", 0, UINT64_MAX, 10, "5:6::0 ");
    assert_services(&ada, "");
    assert_done(feed_erase(store, &ada, NULL, 0, &test_error)); /* again, after a crash */
    assert_feed("travel", 0, UINT64_MAX, 10, "5:6::0 ");
}

int main(void)
{
    store_test_start();
    const int failed = TEST_RUN(test_each_service_has_its_own_in_the_log_s_order,
                                test_nothing_is_filed_before_a_first_consent,
                                test_a_batch_that_fails_files_nothing,
                                test_it_survives_a_restart_and_goes_with_a_reset,
                                test_an_erasure_leaves_one_row_that_is_nobody_s);
    finish_store();
    return failed;
}
