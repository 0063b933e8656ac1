#include "family.h"

#include "vault/indexer.h"
#include "vault/parts.h"
#include "vault/vault/consent_feed.h"

static struct citizen_id import_person(struct vault_test *test, const char *reference,
                                       const char *login, const char *born, const char *name)
{
    char row[1024];
    struct citizen_id id;
    snprintf(row, sizeof row,
             "{\"reference\":\"%s\",\"login\":\"%s\",\"password\":\"" FAMILY_PASSWORD "\","
             "\"values\":{\"identity.birth_date\":{\"value\":\"%s\"},"
             "\"identity.name\":{\"value\":\"%s\"}}}",
             reference, login, born, name);
    import_one(test, row);
    assert_done(people_find(test->vault, reference, &id, &test_error));
    return id;
}

static struct family kept_family;

static void fill_with_family(struct vault_test *test)
{
    struct family *out = &kept_family;
    fill_test_vault(test);
    out->minor = import_person(test, "F-1", "minou", "2012-05-17", MINOR_NAME);
    out->max = import_person(test, "F-2", "max", "1980-01-02", MAX_NAME);
    out->lou = import_person(test, "F-3", "lou", "1981-02-03", LOU_NAME);
    out->other = import_person(test, "F-4", "other", "1982-03-04", "Quelqu'un d'Autre");
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(test, library_key);
    assert_done(subject_write(hold.service, &out->minor, out->subject, &test_error));
}

void make_vault_with_family(struct vault_test *test, struct family *out)
{
    static struct kept_vault kept;
    make_kept_vault(test, &kept, fill_with_family);
    *out = kept_family;
}

struct access_receipt ask_minor(struct vault_test *test)
{
    const struct access_ask ask = {.purpose = BYTES(LENDING),
                                   .fields = {{"reader.token", ""}},
                                   .field_count = 1,
                                   .days = 90,
                                   .uses = CONSENT_UNLIMITED};
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(test, library_key);
    struct access_receipt receipt;
    enum access_fault fault;
    assert_done(
        access_request_open(test->vault, hold.service, &ask, &receipt, &fault, &test_error));
    return receipt;
}

size_t release_of_minor(struct vault_test *test, const struct family *family)
{
    const struct release_ask ask = {BYTES("reader.token"), {0}};
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(test, library_key);
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(RELEASE_ANSWER_BYTES);
    const struct release_request request = {
        .client_spki = library_key,
        .subject = bytes_of_text(family->subject),
        .purpose = BYTES(LENDING),
        .asks = &ask,
        .ask_count = 1,
    };
    enum release_fault fault;
    json_t *answer = NULL;
    assert_done(release_perform(test->vault, hold.service, &request, &body, &fault, &test_error));
    assert_done(json_parse(buf_view(&body), 8, &answer, NULL, &test_error));
    return count_released(answer);
}

void assert_told(struct vault_test *test, const char *request, const char *state)
{
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(test, library_key);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(65536);
    VAULT_AUTO(json_free) json_t *told = NULL;
    assert_done(access_request_state(test->vault, hold.service, request, 0, &text, &test_error));
    assert_done(json_parse(buf_view(&text), 8, &told, NULL, &test_error));
    assert_string_equal(json_string_value(json_object_get(told, "state")), state);
    /* Who it is, only a granted request says. */
    assert_int_equal(json_object_get(told, "subject") != NULL, strcmp(state, "granted") == 0);
}

size_t feed_size(struct vault_test *test)
{
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(test, library_key);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(1024UL * 1024);
    VAULT_AUTO(json_free) json_t *feed = NULL;
    assert_done(indexer_wait(test->vault->indexer, ledger_head(test->vault->ledger).size, 10000,
                             &test_error));
    assert_done(consent_feed_read(test->vault, hold.service, 0, 0, &text, &test_error));
    assert_done(json_parse(buf_view(&text), 8, &feed, NULL, &test_error));
    return json_array_size(json_object_get(feed, "changes"));
}
