/*
 * client_calls - every call of the client library against a real vault, from
 * tests/integration/client.
 *
 *   client_calls ADDRESS CA CERTIFICATE KEY SUBJECT GRANTED-REQUEST
 */
#undef NDEBUG
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vault/client.h"

#define PURPOSE "employment.support"

static struct vault_client_error err;
static struct vault_client *client;
static struct vault_client_options options;

static const struct vault_client_field birth_year[] = {{"identity.birth_date", "year"}};

static const struct vault_client_context assured[] = {{"assurance_at_least", "substantial"}};

/* The call ends so; if not, its words are shown. */
#define EXPECT(expected, call)                                                                     \
    do {                                                                                           \
        const enum vault_client_code got_ = (call);                                                \
        if (got_ != (expected)) {                                                                  \
            fprintf(stderr, "%s: %s (%u: %s), not %s\n", #call, vault_client_code_name(got_),      \
                    err.status, err.text, vault_client_code_name(expected));                       \
            exit(1);                                                                               \
        }                                                                                          \
        if (got_ != VAULT_CLIENT_OK)                                                               \
            assert(err.code == got_ && err.text[0]);                                               \
    } while (0)

static void opening_looks_at_its_options(void)
{
    static const char *const wrong[] = {
        "http://localhost",    "https://localhost/v1", "https://localhost?x",
        "https://localhost#x", "https://me@localhost", "https://",
        "localhost:8443",      "file:///etc",          "",
    };
    struct vault_client *none = NULL;
    struct vault_client_options other = options;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        other.address = wrong[i];
        EXPECT(VAULT_CLIENT_USAGE, vault_client_open(&other, &none, &err));
    }
    other = options;
    other.address = NULL;
    EXPECT(VAULT_CLIENT_USAGE, vault_client_open(&other, &none, &err));
    other = options;
    other.key_file = "/nowhere/a.key";
    EXPECT(VAULT_CLIENT_USAGE, vault_client_open(&other, &none, &err));
    other = options;
    other.tries = 11;
    EXPECT(VAULT_CLIENT_USAGE, vault_client_open(&other, &none, &err));
    assert(!none);
    vault_client_close(&none);
}

static void a_request_is_asked_for_and_taken_back(void)
{
    struct vault_client_ask ask = {
        .purpose = PURPOSE,
        .fields = birth_year,
        .field_count = 1,
        .period_days = 30,
        .uses = 2,
        .message_fr = "Un essai",
        .message_en = "A trial",
        .reference = "case-1",
    };
    struct vault_client_request request;
    struct vault_client_answer answer;
    EXPECT(VAULT_CLIENT_OK, vault_client_ask(client, &ask, &request, &err));
    assert(strlen(request.id) == 26 && strlen(request.code) == 9);
    assert(strncmp(request.link, "https://", 8) == 0 && strlen(request.expires) == 20);
    EXPECT(VAULT_CLIENT_OK, vault_client_wait(client, request.id, 0, &answer, &err));
    assert(answer.state == VAULT_CLIENT_PENDING && !answer.subject[0]);
    EXPECT(VAULT_CLIENT_OK, vault_client_cancel(client, request.id, &err));
    EXPECT(VAULT_CLIENT_OK, vault_client_cancel(client, request.id, &err));
    EXPECT(VAULT_CLIENT_OK, vault_client_wait(client, request.id, 60, &answer, &err));
    assert(answer.state == VAULT_CLIENT_CANCELLED);

    ask.message_en = NULL;
    EXPECT(VAULT_CLIENT_USAGE, vault_client_ask(client, &ask, &request, &err));
    ask = (struct vault_client_ask){.purpose = PURPOSE};
    EXPECT(VAULT_CLIENT_USAGE, vault_client_ask(client, &ask, &request, &err));
    ask =
        (struct vault_client_ask){.purpose = "no.purpose", .fields = birth_year, .field_count = 1};
    EXPECT(VAULT_CLIENT_WRONG, vault_client_ask(client, &ask, &request, &err));
    assert(err.status == 422 && strcmp(err.pointer, "/purpose") == 0);
}

static void what_was_granted_cannot_be_taken_back(const char *id, const char *subject)
{
    struct vault_client_answer answer;
    EXPECT(VAULT_CLIENT_OVER, vault_client_cancel(client, id, &err));
    EXPECT(VAULT_CLIENT_OK, vault_client_wait(client, id, 60, &answer, &err));
    assert(answer.state == VAULT_CLIENT_GRANTED && strcmp(answer.subject, subject) == 0);
    assert(answer.uses_left == -1 && strlen(answer.consent) == 26 && strlen(answer.expires) == 20);
}

static void somebody_elses_or_no_request_is_not_found(void)
{
    struct vault_client_answer answer = {.state = VAULT_CLIENT_GRANTED};
    EXPECT(VAULT_CLIENT_NOT_FOUND,
           vault_client_wait(client, "01ARZ3NDEKTSV4RRFFQ69G5FAV", 0, &answer, &err));
    EXPECT(VAULT_CLIENT_USAGE, vault_client_wait(client, "../me", 0, &answer, &err));
    EXPECT(VAULT_CLIENT_USAGE, vault_client_wait(client, "", 0, &answer, &err));
    EXPECT(VAULT_CLIENT_USAGE, vault_client_wait(client, NULL, 0, &answer, &err));
    EXPECT(VAULT_CLIENT_USAGE, vault_client_wait(client, "01ARZ3", 61, &answer, &err));
    EXPECT(VAULT_CLIENT_USAGE, vault_client_cancel(client, "a b", &err));
    assert(answer.state == VAULT_CLIENT_GRANTED);
}

/* The script had the citizen consent to the birth year, the address and the status. */
static void what_was_consented_to_is_read(const char *subject)
{
    const struct vault_client_field fields[] = {
        {"identity.birth_date", NULL}, {"address.postal", NULL}, {"identity.name", NULL}};
    const struct vault_client_question question = {subject, PURPOSE, fields, 3, assured, 1, "c-1"};
    struct vault_client_release *release = NULL;
    EXPECT(VAULT_CLIENT_OK, vault_client_read(client, &question, &release, &err));
    assert(release->value_count == 2 && release->withheld_count == 1);
    assert(strcmp(release->withheld[0], "identity.name") == 0 && release->log_index > 0);
    const struct vault_client_value *born = vault_client_value_of(release, "identity.birth_date");
    assert(born && strcmp(born->form, "year") == 0 && strcmp(born->text, "1990") == 0);
    assert(strcmp(born->json, "\"1990\"") == 0 && strcmp(born->as_of, "2026-01-02") == 0);
    assert(strcmp(born->source, "civil register") == 0);
    const struct vault_client_value *address = vault_client_value_of(release, "address.postal");
    assert(address && !address->text && strcmp(address->json, "{\"city\":\"Rennes\"}") == 0);
    assert(!vault_client_value_of(release, "identity.name"));
    assert(strlen(release->id) == 26 && release->obligations[0] == '{');
    vault_client_release_free(&release);
    assert(!release);
    vault_client_release_free(&release);
}

static void a_question_that_is_none_is_not_sent(const char *subject)
{
    struct vault_client_field many[VAULT_CLIENT_FIELDS_MAX + 1];
    struct vault_client_question question = {subject, PURPOSE, many, 0, NULL, 0, NULL};
    struct vault_client_release *release = NULL;
    for (size_t i = 0; i < VAULT_CLIENT_FIELDS_MAX + 1; i++)
        many[i] = birth_year[0];
    EXPECT(VAULT_CLIENT_USAGE, vault_client_read(client, &question, &release, &err));
    question.field_count = VAULT_CLIENT_FIELDS_MAX + 1;
    EXPECT(VAULT_CLIENT_USAGE, vault_client_read(client, &question, &release, &err));
    question.field_count = 1;
    question.subject = "no/../subject";
    EXPECT(VAULT_CLIENT_USAGE, vault_client_read(client, &question, &release, &err));
    question.subject = "aaaaaaaaaaaaaaaaaaaaaaaaaa";
    EXPECT(VAULT_CLIENT_OK, vault_client_read(client, &question, &release, &err));
    assert(!release->value_count && release->withheld_count == 1);
    vault_client_release_free(&release);
    many[0].name = "no.such.field";
    EXPECT(VAULT_CLIENT_WRONG, vault_client_read(client, &question, &release, &err));
    assert(err.status == 422 && !strstr(err.text, "no.such.field") && !release);
}

static void a_deposit_without_a_rule_is_refused(const char *subject)
{
    const struct vault_client_deposit deposits[] = {
        {"identity.birth_date", "\"1990-05-18\"", NULL}};
    const struct vault_client_deposit broken[] = {{"identity.birth_date", "\"1990", NULL}};
    EXPECT(VAULT_CLIENT_NOT_ALLOWED, vault_client_deposit(client, subject, deposits, 1, &err));
    assert(err.status == 403 && !strstr(err.text, "1990"));
    EXPECT(VAULT_CLIENT_USAGE, vault_client_deposit(client, subject, broken, 1, &err));
    EXPECT(VAULT_CLIENT_USAGE, vault_client_deposit(client, subject, NULL, 0, &err));
}

static void a_deposit_with_a_rule_is_taken(const char *subject)
{
    const struct vault_client_deposit deposits[] = {{"employment.status", "\"training\"", NULL}};
    const struct vault_client_field fields[] = {{"employment.status", NULL}};
    const struct vault_client_question question = {subject, PURPOSE, fields, 1, assured, 1, NULL};
    struct vault_client_release *release = NULL;
    EXPECT(VAULT_CLIENT_OK, vault_client_deposit(client, subject, deposits, 1, &err));
    EXPECT(VAULT_CLIENT_OK, vault_client_read(client, &question, &release, &err));
    const struct vault_client_value *status = vault_client_value_of(release, "employment.status");
    assert(status && strcmp(status->text, "training") == 0);
    assert(strlen(status->as_of) == 10);
    vault_client_release_free(&release);
}

static void the_feed_goes_on_from_its_next(const char *subject)
{
    struct vault_client_changes *changes = NULL;
    EXPECT(VAULT_CLIENT_OK, vault_client_changes_after(client, 0, 0, &changes, &err));
    assert(changes->count == 1 && strcmp(changes->changes[0].change, "given") == 0);
    assert(strcmp(changes->changes[0].subject, subject) == 0);
    assert(strcmp(changes->changes[0].purpose, PURPOSE) == 0);
    assert(strstr(changes->changes[0].fields, "\"identity.birth_date\":\"year\""));
    const int64_t next = changes->next;
    vault_client_changes_free(&changes);
    EXPECT(VAULT_CLIENT_OK, vault_client_changes_after(client, next, 1, &changes, &err));
    assert(!changes->count && changes->next == next);
    vault_client_changes_free(&changes);
    EXPECT(VAULT_CLIENT_USAGE, vault_client_changes_after(client, -1, 0, &changes, &err));
    EXPECT(VAULT_CLIENT_USAGE, vault_client_changes_after(client, 0, 61, &changes, &err));
    assert(!changes);
}

static void a_service_knows_itself(void)
{
    char *me = NULL;
    EXPECT(VAULT_CLIENT_OK, vault_client_me(client, &me, &err));
    assert(strstr(me, "\"plie-rennes\"") && strstr(me, "\"" PURPOSE "\""));
    free(me);
}

static void what_cannot_be_reached_or_trusted_is_told_apart(void)
{
    struct vault_client *other = NULL;
    char *me = NULL;
    struct vault_client_options wrong = options;
    wrong.address = "https://127.0.0.1:1";
    wrong.tries = 2;
    EXPECT(VAULT_CLIENT_OK, vault_client_open(&wrong, &other, &err));
    EXPECT(VAULT_CLIENT_UNREACHABLE, vault_client_me(other, &me, &err));
    assert(!err.status && !me);
    vault_client_close(&other);
    wrong = options;
    wrong.ca_file = options.certificate_file;
    EXPECT(VAULT_CLIENT_OK, vault_client_open(&wrong, &other, &err));
    EXPECT(VAULT_CLIENT_UNTRUSTED, vault_client_me(other, &me, &err));
    vault_client_close(&other);
}

int main(int argc, char *argv[])
{
    if (argc != 7)
        return 64;
    const char *subject = argv[5];
    options = (struct vault_client_options){
        .address = argv[1], .ca_file = argv[2], .certificate_file = argv[3], .key_file = argv[4]};
    opening_looks_at_its_options();
    EXPECT(VAULT_CLIENT_OK, vault_client_open(&options, &client, &err));
    a_request_is_asked_for_and_taken_back();
    what_was_granted_cannot_be_taken_back(argv[6], subject);
    somebody_elses_or_no_request_is_not_found();
    the_feed_goes_on_from_its_next(subject);
    what_was_consented_to_is_read(subject);
    a_question_that_is_none_is_not_sent(subject);
    a_deposit_without_a_rule_is_refused(subject);
    a_deposit_with_a_rule_is_taken(subject);
    a_service_knows_itself();
    what_cannot_be_reached_or_trusted_is_told_apart();
    vault_client_close(&client);
    puts("every call of the client library");
    return 0;
}
