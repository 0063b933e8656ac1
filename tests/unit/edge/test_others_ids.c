/*
 * Somebody else's id, in every route that has one. The tables of routes are walked, so that a new
 * route without a row here fails: a citizen, a mediator and a service each try what is another's,
 * and get the answer that an id gets which nobody has, and nothing changes for whose it is.
 *
 * The auditors' ids are those of entries, which are everybody's, and of looks: who looked at what
 * is for every auditor to see, what was shown is not. An operator may act on everybody, so there
 * what is tried is an id of another kind.
 */
#include "browser.h"
#include "caller.h"
#include "edge/admin_parts.h"
#include "edge/auditor_parts.h"
#include "edge/pages_parts.h"
#include "edge/service_calls.h"
#include "vault/edge/admin.h"
#include "vault/edge/auditor_api.h"
#include "vault/edge/service_api.h"
#include "vault/parts.h"
#include "vault/person.h"
#include "vault/store/passkey.h"
#include "vault/store/request.h"
#include "vault/vault/guardian.h"
#include "vault/vault/look.h"
#include "vault/vault/mandate.h"
#include "vault/vault/mediator.h"
#include "vault/vault/report.h"

#define PASSWORD "une longue phrase"
#define NOBODYS  "01JZZZZZZZZZZZZZZZZZZZZZZZ" /* the shape of an id */

static struct vault_test test;
static struct citizen_id other; /* who tries */
static struct browser browser;  /* theirs */
static struct browser mediator; /* of the centre, which has no mandate */
static struct caller caller;    /* the library; what it tries is the caseworker's */
static struct service_api api;

/* What is the first citizen's: an id of each kind. */
enum kind {
    NONE,
    REQUEST,
    CODE,
    SERVICE,
    ENTRY,
    RECEIPT,
    FIELD,
    REPORT,
    MANDATE,
    MINOR,
    SUBJECT,
    KINDS
};
static char ids[KINDS][64];

/* --- What there is -------------------------------------------------------------------------- */

static void open_request(void)
{
    const struct access_ask ask = {.purpose = BYTES(SUPPORT),
                                   .fields = {{"employment.status", ""}},
                                   .field_count = 1,
                                   .uses = CONSENT_UNLIMITED};
    struct access_receipt receipt;
    enum access_fault fault;
    VAULT_AUTO(access_view_finish) struct access_view view = {0};
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, caseworker_key);
    assert_done(access_request_open(test.vault, hold.service, &ask, &receipt, &fault, &test_error));
    assert_done(access_request_by_code(test.vault, &test.citizen, bytes_of_text(receipt.code),
                                       &view, &test_error));
    snprintf(ids[REQUEST], sizeof ids[REQUEST], "%s", receipt.id);
    snprintf(ids[CODE], sizeof ids[CODE], "%s", receipt.code);
}

static void give_mandate(void)
{
    const struct mandate_terms terms = {.structure = "hub",
                                        .label = "Mme T.",
                                        .purposes = {SUPPORT},
                                        .purpose_count = 1,
                                        .days = 31,
                                        .values = true};
    assert_done(mandate_give(test.vault, &test.citizen, &terms, ids[MANDATE], &test_error));
}

static void make_report(void)
{
    const struct report_wish wish = {.service = CASEWORKER, .words = BYTES("Testine dit.")};
    assert_done(report_make(test.vault, &test.citizen, &wish, ids[REPORT], &test_error));
}

static enum vault_code note_minor(void *context, const struct guardian_minor *minor,
                                  struct vault_error *err)
{
    (void)context;
    (void)err;
    snprintf(ids[MINOR], sizeof ids[MINOR], "%s", minor->id);
    return VAULT_OK;
}

static void become_guardian(void)
{
    struct citizen_id minor;
    import_one(&test, "{\"reference\":\"T-3\",\"values\":{"
                      "\"identity.birth_date\":{\"value\":\"2016-01-02\"},"
                      "\"identity.name\":{\"value\":\"Petite Testine\"}}}");
    assert_done(people_find(test.vault, "T-3", &minor, &test_error));
    assert_done(guardian_add(test.vault, &minor, &test.citizen, &test_error));
    assert_done(guardian_list_minors(test.vault, &test.citizen, note_minor, NULL, &test_error));
}

static struct person *hold_first(struct citizen **citizen)
{
    struct person *person = NULL;
    assert_done(person_hold(test.vault, &test.citizen, citizen, &person, &test_error));
    return person;
}

static void note_numbers(void)
{
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    const struct person *person = hold_first(&citizen);
    snprintf(ids[ENTRY], sizeof ids[ENTRY], "%llu", (unsigned long long)person->chain.n);
    snprintf(ids[RECEIPT], sizeof ids[RECEIPT], "%lld", (long long)person->consents[0].seq);
}

static void begin(void)
{
    make_filled_vault(&test);
    import_one(&test, "{\"reference\":\"T-2\",\"login\":\"deux\",\"password\":\"le second\","
                      "\"values\":{}}");
    assert_done(people_find(test.vault, "T-2", &other, &test_error));
    assert_done(mediator_register_structure(test.vault, "hub", "A digital hub", &test_error));
    assert_done(mediator_register_structure(test.vault, "centre", "A social centre", &test_error));
    register_mediator(&test, "centre", "bob", "Bob Inventé", PASSWORD);
    for (int i = 0; i < 10; i++) /* more entries and records than the other will have */
        give_consent(&test, CONSENT_UNLIMITED);
    open_request();
    give_mandate();
    make_report();
    become_guardian();
    snprintf(ids[FIELD], sizeof ids[FIELD], "identity.birth_date");
    snprintf(ids[SERVICE], sizeof ids[SERVICE], CASEWORKER);
    subject_of_citizen(&test, ids[SUBJECT]);
    note_numbers();
    browser_open(&browser, test.vault);
    browser_sign_in_as(&browser, "deux", "le+second");
    browser_open(&mediator, test.vault);
    browser_sign_in_mediator(&mediator, "bob");
    api = (struct service_api){test.vault, "https://citizens.example:8444"};
    caller = caller_new(service_api_handle, &api, library_key);
}

static void end(void)
{
    browser_close(&browser);
    browser_close(&mediator);
    caller_finish(&caller);
    vault_close(&test.vault);
}

/* All of the first citizen's that a try could have changed. */
struct whole {
    uint64_t entries;
    size_t records;
    enum consent_state consent;
    enum mandate_state mandate;
    enum request_state request;
};

static struct whole look(void)
{
    uint64_t records = 0;
    struct request request;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    const struct person *person = hold_first(&citizen);
    assert_done(citizen_record_count(citizen, &records, &test_error));
    const struct whole whole = {.entries = person->chain.n,
                                .records = records,
                                .consent = person->consents[0].state,
                                .mandate = person->mandates[0].state};
    citizen_release(&citizen);
    assert_done(request_get(test.vault->store, ids[REQUEST], &request, NULL, &test_error));
    struct whole all = whole;
    all.request = request.state;
    return all;
}

static void assert_untouched(const struct whole *before, const char *what)
{
    const struct whole after = look();
    if (after.entries != before->entries || after.records != before->records ||
        after.consent != before->consent || after.mandate != before->mandate ||
        after.request != before->request)
        fail_msg("%s: something changed for whose it is", what);
}

/* --- The rows ------------------------------------------------------------------------------- */

struct row {
    enum http_method method;
    enum kind kind;
    const char *pattern;
    const char *body; /* of a form, or of JSON */
    unsigned status;
};

static const struct row page_rows[] = {
    {HTTP_GET, CODE, "/r/{id}", NULL, 404},
    {HTTP_GET, REQUEST, "/request/{id}", NULL, 404},
    {HTTP_POST, REQUEST, "/request/{id}/give", "period=30&shown=x", 404},
    {HTTP_POST, REQUEST, "/request/{id}/refuse", "shown=x", 404},
    {HTTP_GET, SERVICE, "/services/{id}", NULL, 404},
    {HTTP_GET, SERVICE, "/services/{id}/letter", NULL, 404},
    {HTTP_GET, ENTRY, "/accesses/{id}/entry", NULL, 404},
    {HTTP_GET, ENTRY, "/accesses/{id}/proof", NULL, 404},
    {HTTP_GET, ENTRY, "/accesses/{id}/opening", NULL, 404},
    {HTTP_GET, RECEIPT, "/receipts/{id}", NULL, 404},
    {HTTP_GET, RECEIPT, "/receipts/{id}/page", NULL, 404},
    {HTTP_GET, REPORT, "/reports/{id}", NULL, 404},
    {HTTP_GET, REPORT, "/reports/{id}/text", NULL, 404},
    {HTTP_GET, FIELD, "/data/{id}", NULL, 404},
    {HTTP_POST, FIELD, "/data/{id}", "value=1990-05-18", 404},
    {HTTP_POST, FIELD, "/data/{id}/ask", "", 404},
    {HTTP_POST, MANDATE, "/mandates/{id}/end", "", 404},
    {HTTP_GET, MINOR, "/minors/{id}", NULL, 404},
    {HTTP_GET, MINOR, "/minors/{id}/request", NULL, 404},
    {HTTP_POST, MINOR, "/minors/{id}/open", "code=AAAA-AAAA", 404},
    {HTTP_POST, MINOR, "/minors/{id}/give", "period=30&shown=x", 404},
    {HTTP_POST, MINOR, "/minors/{id}/refuse", "shown=x", 404},
    {HTTP_POST, MINOR, "/minors/{id}/withdraw", "service=" CASEWORKER "&purpose=" SUPPORT, 404},
    {HTTP_POST, MINOR, "/minors/{id}/stop", "", 404},
    {HTTP_GET, REPORT, "/policies/{id}", NULL, 404},     /* versions are everybody's */
    {HTTP_GET, REPORT, "/messages/end/{id}", NULL, 200}, /* for whoever has the message, */
    {HTTP_POST, REPORT, "/messages/end/{id}", "", 303},  /* and tells nothing of whose it is */
    {HTTP_GET, MANDATE, "/mediator/{id}", NULL, 404},
    {HTTP_GET, MANDATE, "/mediator/{id}/request", NULL, 404},
    {HTTP_POST, MANDATE, "/mediator/{id}/open", "code=AAAA-AAAA", 404},
    {HTTP_POST, MANDATE, "/mediator/{id}/values", "request=x", 404},
    {HTTP_POST, MANDATE, "/mediator/{id}/give", "period=30&shown=x", 404},
    {HTTP_POST, MANDATE, "/mediator/{id}/refuse", "shown=x", 404},
    {HTTP_POST, MANDATE, "/mediator/{id}/withdraw", "service=" CASEWORKER "&purpose=" SUPPORT, 404},
    {HTTP_POST, MANDATE, "/mediator/{id}/suspend", "service=" CASEWORKER "&purpose=" SUPPORT, 404},
    {HTTP_POST, MANDATE, "/mediator/{id}/resume", "service=" CASEWORKER "&purpose=" SUPPORT, 404},
    {HTTP_POST, MANDATE, "/mediator/{id}/end", "", 404},
};

static const struct row service_rows[] = {
    {HTTP_GET, REQUEST, "/v1/access-requests/{id}", NULL, 404},
    {HTTP_DELETE, REQUEST, "/v1/access-requests/{id}", NULL, 404},
    {HTTP_PUT, SUBJECT, "/v1/subjects/{id}/fields",
     "{\"fields\":{\"employment.status\":{\"value\":\"seeking\"}}}", 403},
};

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static const struct row *row_of(const struct row rows[], size_t count, const struct route *route)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].method == route->method && strcmp(rows[i].pattern, route->pattern) == 0)
            return &rows[i];
    }
    return NULL;
}

/* The pattern with an id in it. */
static const char *path_of(const char *pattern, const char *id)
{
    static char path[256];
    const char *step = strstr(pattern, "{id}");
    assert_non_null(step);
    snprintf(path, sizeof path, "%.*s%s%s", (int)(step - pattern), pattern, id, step + 4);
    return path;
}

static bool has_id(const char *pattern)
{
    return strstr(pattern, "{") != NULL;
}

/* --- Citizens and mediators ----------------------------------------------------------------- */

static void try_page(const struct row *row, const char *id)
{
    const bool is_mediators = strncmp(row->pattern, "/mediator", 9) == 0;
    struct browser *who = is_mediators ? &mediator : &browser;
    browser_get(who, is_mediators ? "/mediator" : "/mandates");
    if (row->method == HTTP_POST)
        browser_submit(who, path_of(row->pattern, id), row->body);
    else
        browser_get(who, path_of(row->pattern, id));
    if (who->answer.status != row->status)
        fail_msg("%s with %s: %u", row->pattern, id, who->answer.status);
}

static void test_every_page_with_an_id_refuses_anothers(void **state)
{
    (void)state;
    size_t tried = 0;
    begin();
    const struct whole before = look();
    for (size_t i = 0; i < page_route_count; i++) {
        if (!has_id(page_routes[i].pattern))
            continue;
        const struct row *row = row_of(page_rows, COUNT(page_rows), &page_routes[i]);
        if (!row)
            fail_msg("%s has an id and no row in this test", page_routes[i].pattern);
        try_page(row, ids[row->kind]);
        assert_hides(strncmp(row->pattern, "/mediator", 9) == 0 ? &mediator : &browser, "Testine");
        assert_untouched(&before, row->pattern);
        tried++;
    }
    assert_int_equal(tried, COUNT(page_rows));
    end();
}

/* An id that nobody has, as long as what a page might repeat of it. */
static const char *const nobodys[KINDS] = {
    [REQUEST] = NOBODYS, [CODE] = "AAAA-AAAA", [SERVICE] = "employment-plum",
    [ENTRY] = "99",      [RECEIPT] = "99",     [FIELD] = "identity.birth_dote",
    [REPORT] = NOBODYS,  [MANDATE] = NOBODYS,  [MINOR] = NOBODYS,
};

/* Else whose an id is could be told from how it is refused. */
static void test_anothers_id_gets_the_same_page_as_nobodys(void **state)
{
    (void)state;
    begin();
    for (size_t i = 0; i < COUNT(page_rows); i++) {
        const struct row *row = &page_rows[i];
        struct browser *who = strncmp(row->pattern, "/mediator", 9) == 0 ? &mediator : &browser;
        assert_int_equal(strlen(ids[row->kind]), strlen(nobodys[row->kind]));
        try_page(row, ids[row->kind]);
        const size_t size = who->answer.body.size;
        try_page(row, nobodys[row->kind]);
        if (who->answer.body.size != size)
            fail_msg("%s: the two pages are told apart", row->pattern);
    }
    end();
}

/* Whose passkey it is stands in the form. */
static void test_anothers_passkey_is_neither_renamed_nor_removed(void **state)
{
    (void)state;
    begin();
    struct passkey passkey = {.credential = {7, 7, 7, 7},
                              .credential_bytes = 4,
                              .citizen = test.citizen,
                              .algorithm = -7,
                              .key = {1},
                              .key_bytes = 1,
                              .name = "Testine's",
                              .created_s = START_MS / 1000};
    struct passkey found;
    assert_done(passkey_add(test.vault->store, &passkey, &test_error));
    browser_get(&browser, "/security");
    assert_hides(&browser, "Testine");
    browser_submit(&browser, "/security/passkeys/rename", "credential=BwcHBw&label=mine");
    assert_status(&browser, 404);
    browser_get(&browser, "/security");
    browser_submit(&browser, "/security/passkeys/remove", "credential=BwcHBw");
    assert_status(&browser, 404);
    assert_done(passkey_find(test.vault->store, passkey_credential(&passkey), &found, &test_error));
    assert_string_equal(found.name, "Testine's");
    end();
}

/* --- Services ------------------------------------------------------------------------------- */

static void try_call(const struct row *row, const char *id)
{
    const char *path = path_of(row->pattern, id);
    if (row->method == HTTP_GET)
        caller_get(&caller, path);
    else
        caller_send(&caller, row->method, path,
                    row->body ? bytes_of_text(row->body) : (struct bytes){0});
    assert_problem(&caller, row->status, NULL, -1);
}

static void test_every_call_with_an_id_refuses_anothers(void **state)
{
    (void)state;
    size_t tried = 0;
    begin();
    const struct whole before = look();
    for (size_t i = 0; i < service_call_count; i++) {
        if (!has_id(service_calls[i].route.pattern))
            continue;
        const struct row *row = row_of(service_rows, COUNT(service_rows), &service_calls[i].route);
        if (!row)
            fail_msg("%s has an id and no row in this test", service_calls[i].route.pattern);
        try_call(row, ids[row->kind]);
        VAULT_AUTO(json_free)
        json_t *detail = json_deep_copy(json_object_get(caller.json, "detail"));
        assert_untouched(&before, row->pattern);
        try_call(row, row->kind == SUBJECT ? "aaaaaaaaaaaaaaaaaaaaaaaaaa" : NOBODYS);
        assert_true(json_equal(detail, json_object_get(caller.json, "detail")));
        tried++;
    }
    assert_int_equal(tried, COUNT(service_rows));
    end();
}

/* Ids that stand in bodies and queries instead. */
static void test_anothers_subject_is_nobody_and_anothers_changes_are_not_told(void **state)
{
    (void)state;
    char body[256];
    begin();
    const struct whole before = look();
    snprintf(body, sizeof body,
             "{\"subject\":\"%s\",\"purpose\":\"" LENDING "\",\"fields\":[\"reader.token\"]}",
             ids[SUBJECT]);
    caller_post(&caller, "/v1/releases", body);
    assert_answered(&caller, 200, "application/json");
    assert_int_equal(json_object_size(caller_value(&caller, "/released")), 0);
    assert_untouched(&before, "/v1/releases");
    caller_get(&caller, "/v1/consents?after=0");
    assert_answered(&caller, 200, "application/json");
    assert_int_equal(json_array_size(caller_value(&caller, "/changes")), 0);
    end();
}

/* --- Operators ------------------------------------------------------------------------------ */

/* What a command takes for an id, and one that is of another kind. NULL: it takes none. */
static const struct {
    const char *command;
    const char *member;
    const char *wrong;
} command_rows[] = {
    {"status", NULL, NULL},
    {"metrics", NULL, NULL},
    {"service add", NULL, NULL},
    {"service update", NULL, NULL},
    {"service cert-add", "id", "hub"},
    {"service cert-revoke", NULL, NULL},
    {"service suspend", "id", "hub"},
    {"service resume", "id", "bob"},
    {"service remove", "id", "T-1"},
    {"service list", NULL, NULL},
    {"service show", "id", "hub"},
    {"service subjects", "id", "hub"},
    {"auditor add", NULL, NULL},
    {"auditor remove", "id", LIBRARY},
    {"citizen list", NULL, NULL},
    {"citizen show", "reference", CASEWORKER},
    {"citizen import", NULL, NULL},
    {"citizen export", "id", CASEWORKER},
    {"citizen erase", "id", CASEWORKER},
    {"citizen sign-out", "reference", CASEWORKER},
    {"citizen guardian-add", "minor", CASEWORKER},
    {"citizen guardian-remove", "minor", CASEWORKER},
    {"citizen guardian-list", "citizen", CASEWORKER},
    {"citizen activation-code", NULL, NULL},
    {"correction list", NULL, NULL},
    {"correction close", "id", CASEWORKER},
    {"report list", NULL, NULL},
    {"report show", "id", CASEWORKER},
    {"report close", "id", CASEWORKER},
    {"mediator add-structure", NULL, NULL},
    {"mediator remove-structure", "id", LIBRARY},
    {"mediator add", "structure", LIBRARY},
    {"mediator reset", "login", "Testine"},
    {"mediator remove", "login", "Testine"},
    {"mediator list", NULL, NULL},
    {"log new-key", NULL, NULL},
    {"log prune", NULL, NULL},
    {"policy activate", NULL, NULL},
    {"backup", NULL, NULL},
    {"backup status", NULL, NULL},
    {"backup cancel", NULL, NULL},
    {"citizen rekey", NULL, NULL},
    {"key rotate", NULL, NULL},
    {"key rewrap", NULL, NULL},
    {"key needs", NULL, NULL},
    {"seal", NULL, NULL},
    {"unseal", NULL, NULL},
    {"doctor", NULL, NULL},
    {"doctor citizens", NULL, NULL},
    {"doctor end", NULL, NULL},
    {"reload", NULL, NULL},
};

static enum vault_code open_test(void *unused, const struct secret *secret, struct vault **out,
                                 struct vault_error *err)
{
    (void)unused;
    (void)secret;
    (void)err;
    *out = test.vault;
    return VAULT_OK;
}

/* --- The auditors' --------------------------------------------------------------------------- */

static const struct {
    const char *pattern;
    unsigned status; /* of another auditor's */
} auditor_rows[] = {
    {"/v1/entries/{id}", 200}, {"/v1/entries/{id}/proof", 200},  {"/looks/{id}", 200},
    {"/v1/looks/{id}", 200},   {"/v1/looks/{id}/openings", 403},
};

/* Somebody's look at the last entry but one, which is the caseworker's release. */
static uint64_t make_look(void)
{
    static const uint8_t key[SHA256_BYTES] = {3};
    static const uint8_t others_key[SHA256_BYTES] = {4};
    struct look_wish wish = {.reason = BYTES("A control of everything there is"), .entry_count = 1};
    uint64_t look = 0;
    char subject[SUBJECT_CHARS + 1];
    assert_done(service_add_key(test.vault, CONTROL_CERTIFICATE_AUDITOR, "anne", key, INT64_MAX,
                                &test_error));
    assert_done(service_add_key(test.vault, CONTROL_CERTIFICATE_AUDITOR, "bo", others_key,
                                INT64_MAX, &test_error));
    subject_of_citizen(&test, subject);
    wish.entries[0] = ledger_head(test.vault->ledger).size;
    json_decref(ask_release(&test, subject));
    assert_done(ledger_wait_published(test.vault->ledger, wish.entries[0] + 1, 10000, &test_error));
    assert_done(look_make(test.vault, "anne", key, &wish, &look, &test_error));
    assert_done(ledger_wait_published(test.vault->ledger, look + 1, 10000, &test_error));
    return look;
}

static void test_what_another_auditor_was_shown_is_not_shown(void **state)
{
    (void)state;
    static const uint8_t others_key[SHA256_BYTES] = {4};
    size_t row = 0;
    begin();
    const uint64_t look = make_look();
    struct auditor_api auditors = {test.vault};
    struct caller auditor = caller_new(auditor_api_handle, &auditors, others_key);
    for (size_t i = 0; i < auditor_route_count; i++) {
        char path[128];
        const char *pattern = auditor_routes[i].pattern;
        const char *step = strstr(pattern, "{id}");
        if (!step)
            continue;
        if (row == COUNT(auditor_rows) || strcmp(auditor_rows[row].pattern, pattern) != 0)
            fail_msg("%s has no row in this test, or not in its place", pattern);
        snprintf(path, sizeof path, "%.*s%llu%s", (int)(step - pattern), pattern,
                 (unsigned long long)look, step + strlen("{id}"));
        caller_get(&auditor, path);
        assert_int_equal(auditor.answer.status, auditor_rows[row++].status);
        assert_not_said(&auditor, "identity.");
    }
    assert_int_equal(row, COUNT(auditor_rows));
    caller_finish(&auditor);
    end();
}

static void close_test(void *unused)
{
    (void)unused;
}

static const struct sealing_calls calls = {NULL, open_test, close_test, NULL};

static void try_command(const struct admin_context *context, size_t row)
{
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(4096);
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(1024UL * 1024);
    VAULT_AUTO(json_free) json_t *answer = NULL;
    VAULT_AUTO(json_free)
    json_t *request =
        json_pack("{s:s, s:s, s:b, s:s, s:s, s:[s]}", "command", command_rows[row].command, "login",
                  "eve", "yes", 1, "name", "Eve", "csr", "none", "references", "T-1");
    json_object_set_new(request, command_rows[row].member, json_string(command_rows[row].wrong));
    json_write_value(&line, request);
    admin_answer(context, buf_view(&line), &out);
    assert_done(json_parse(buf_view(&out), 8, &answer, NULL, &test_error));
    const char *code = json_string_value(json_object_get(answer, "code"));
    if (!code || (strcmp(code, "not_found") != 0 && strcmp(code, "invalid") != 0))
        fail_msg("%s with %s: %s", command_rows[row].command, command_rows[row].wrong,
                 buf_string(&out));
}

static void test_every_command_with_an_id_refuses_one_of_another_kind(void **state)
{
    (void)state;
    struct sealing *sealing = NULL;
    begin();
    assert_done(sealing_new(&calls, &sealing, &test_error));
    assert_done(sealing_unseal(sealing, NULL, &test_error));
    static struct config config;
    const struct admin_context context = {
        .sealing = sealing, .config = &config, .link_base = "https://vault.example:8442"};
    const struct whole before = look();
    for (size_t i = 0; i < COUNT(command_rows) || admin_command_name(i); i++) {
        const char *name = admin_command_name(i);
        if (!name || i >= COUNT(command_rows) || strcmp(name, command_rows[i].command) != 0)
            fail_msg("the command \"%s\" has no row in this test, or not in its place",
                     name ? name : "");
        if (!command_rows[i].member)
            continue;
        try_command(&context, i);
        assert_untouched(&before, name);
    }
    sealing_free(&sealing);
    end();
}

int main(void)
{
    return TEST_RUN(test_every_page_with_an_id_refuses_anothers,
                    test_anothers_id_gets_the_same_page_as_nobodys,
                    test_anothers_passkey_is_neither_renamed_nor_removed,
                    test_every_call_with_an_id_refuses_anothers,
                    test_anothers_subject_is_nobody_and_anothers_changes_are_not_told,
                    test_what_another_auditor_was_shown_is_not_shown,
                    test_every_command_with_an_id_refuses_one_of_another_kind);
}
