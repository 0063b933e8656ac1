/*
 * Requests of browsers, as the gate hands them on: to the citizens' pages, by somebody who is
 * signed in, to their mediators', and to the auditors'. An input is a line "C" or "A", a method and
 * a target; a line of cookies, a line of languages; and the body. In it SESSION and TOKEN stand for
 * the citizen's session and its forms', MSESSION and MTOKEN for a mediator's, MANDATE for the
 * mandate that they have of the citizen, REQUEST and CODE for what a service asks of them.
 *
 * After a line "R" come two files of the policies' register, with a line of dashes between them:
 * they are shown to anybody.
 *
 * No answer is a 500, but where such a file is damaged. Nothing of the input stands in a page as
 * markup, or breaks a header; and no answer leads to another site.
 */
#include "fuzz_tools.h"

#include "auditor.h"
#include "browser.h"
#include "vault/crypto/password.h"
#include "vault/edge/auditor_api.h"
#include "vault/edge/form.h"
#include "vault/parts.h"
#include "vault/policy_register_write.h"
#include "vault/vault/access_request.h"
#include "vault/vault/erase.h"
#include "vault/vault/mandate.h"

#define INPUT_BYTES_MAX (64UL * 1024)
#define LINE_BYTES_MAX  4096U
#define MARKUP          "<" FUZZ_VALUE
#define INPUTS_A_VAULT  2000U /* what was left by those before is in the way at last */

enum vault_code __wrap_password_hash(struct bytes password, char out[PASSWORD_HASH_CHARS],
                                     struct vault_error *err);
enum vault_code __wrap_password_check(struct bytes password, const char *hash,
                                      struct vault_error *err);
enum vault_code __wrap_erase_citizen(struct vault *vault, const struct citizen_id *citizen,
                                     struct vault_error *err);

/* The work is not what is tested. */
enum vault_code __wrap_password_hash(struct bytes password, char out[PASSWORD_HASH_CHARS],
                                     struct vault_error *err)
{
    (void)password;
    (void)err;
    snprintf(out, PASSWORD_HASH_CHARS, "$argon2id$invented");
    return VAULT_OK;
}

enum vault_code __wrap_password_check(struct bytes password, const char *hash,
                                      struct vault_error *err)
{
    return hash && password.size ? VAULT_OK : vault_fail(err, VAULT_DENIED, "not the one");
}

/* The citizen is needed for the next input. */
enum vault_code __wrap_erase_citizen(struct vault *vault, const struct citizen_id *citizen,
                                     struct vault_error *err)
{
    (void)vault;
    (void)citizen;
    return vault_fail(err, VAULT_UNAVAILABLE, "nobody is erased here");
}

static struct vault_test test;
static struct browser browser;
static struct browser mediator;
static struct auditor_api auditors;
static char session[BROWSER_VALUE_CHARS];
static char token[BROWSER_VALUE_CHARS];
static char mediator_session[BROWSER_VALUE_CHARS];
static char mediator_token[BROWSER_VALUE_CHARS];
static char mandate[MANDATE_ID_CHARS + 1];
static struct access_receipt asked;
static bool is_register; /* what is looked at is from a disk */

static void begin_session(void)
{
    browser_close(&browser);
    browser_open(&browser, test.vault);
    browser_sign_in(&browser);
    browser_get(&browser, "/security");
    browser_hidden(&browser, "form_token", token);
    snprintf(session, sizeof session, "%s", browser_cookie(&browser, "__Host-sid"));
    REQUIRE(session[0] && token[0]);
}

static void begin_mediator(void)
{
    browser_close(&mediator);
    browser_open(&mediator, test.vault);
    browser_sign_in_mediator(&mediator, "ada");
    browser_hidden(&mediator, "form_token", mediator_token);
    snprintf(mediator_session, sizeof mediator_session, "%s",
             browser_cookie(&mediator, "__Host-mid"));
    REQUIRE(mediator_session[0] && mediator_token[0]);
}

static enum vault_code take_id(void *context, const struct mandate *given, struct vault_error *err)
{
    (void)context;
    (void)err;
    memcpy(mandate, given->id, sizeof mandate);
    return VAULT_OK;
}

static void begin_mandate(void)
{
    browser_get(&browser, "/mandates");
    browser_submit(&browser, "/mandates",
                   "structure=hub&purpose_0=" SUPPORT "&period=31&label=Mme%20T.&values=yes");
    REQUIRE(mandate_list(test.vault, &test.citizen, take_id, NULL, NULL) == VAULT_OK && mandate[0]);
}

static void begin_request(void)
{
    struct access_ask what = {
        .purpose = bytes_of_text(SUPPORT), .field_count = 1, .uses = CONSENT_UNLIMITED};
    enum access_fault fault;
    VAULT_AUTO(service_release) struct service_hold hold = hold_service(&test, caseworker_key);
    snprintf(what.fields[0].name, sizeof what.fields[0].name, "employment.status");
    REQUIRE(access_request_open(test.vault, hold.service, &what, &asked, &fault, NULL) == VAULT_OK);
}

static void begin_vault(void)
{
    make_vault_with_mediators(&test);
    assert_done(service_add_key(test.vault, CONTROL_CERTIFICATE_AUDITOR, "fuzz", auditor_key,
                                INT64_MAX, &test_error));
    give_consent(&test, CONSENT_UNLIMITED);
    begin_request();
    vault_interrupt(test.vault); /* who waits is answered at once */
    auditors = (struct auditor_api){test.vault};
    browser_open(&browser, test.vault);
    browser_open(&mediator, test.vault);
    begin_session();
    begin_mediator();
    begin_mandate();
}

static void end_vault(void)
{
    browser_close(&browser);
    browser_close(&mediator);
    vault_close(&test.vault);
}

static void begin_again_at_times(void)
{
    static size_t inputs;
    if (++inputs % INPUTS_A_VAULT)
        return;
    end_vault();
    begin_vault();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    begin_vault();
    atexit(end_vault);
    return 0;
}

/* --- A request ------------------------------------------------------------------------------- */

static void name(struct buf *out, struct bytes text)
{
    static const struct {
        const char *word;
        const char *value;
    } words[] = {{"SESSION", session},       {"TOKEN", token},     {"MSESSION", mediator_session},
                 {"MTOKEN", mediator_token}, {"MANDATE", mandate}, {"REQUEST", asked.id},
                 {"CODE", asked.code}};
    while (text.size) {
        size_t taken = 0;
        for (size_t i = 0; i < sizeof words / sizeof words[0] && !taken; i++) {
            const size_t size = strlen(words[i].word);
            if (text.size >= size && memcmp(text.data, words[i].word, size) == 0) {
                buf_text(out, words[i].value);
                taken = size;
            }
        }
        if (!taken)
            buf_byte(out, text.data[0]);
        taken += !taken;
        text = (struct bytes){text.data + taken, text.size - taken};
    }
}

/* What the gate lets through in a path. */
static bool read_path(struct bytes target, char out[LINE_BYTES_MAX])
{
    if (target.size == 0 || target.data[0] != '/' || target.size >= LINE_BYTES_MAX)
        return false;
    for (size_t i = 0; i < target.size; i++) {
        if (target.data[i] < 0x20 || target.data[i] == 0x7f || target.data[i] == '\\')
            return false;
        out[i] = (char)target.data[i];
    }
    out[target.size] = 0;
    return !strstr(out, "/../") && !strstr(out, "/./");
}

static void add_header(struct http_request *request, const char *header, struct bytes value)
{
    if (value.size && !memchr(value.data, 0, value.size))
        request->headers[request->header_count++] =
            (struct http_pair){bytes_of_text(header), value};
}

static void check_header(const struct http_header *header)
{
    for (const char *c = header->value; *c; c++)
        REQUIRE((unsigned char)*c >= 0x20 && *c != 0x7f);
    if (strcmp(header->name, "Location") == 0)
        REQUIRE(header->value[0] == '/' && header->value[1] != '/' && header->value[1] != '\\');
    if (strcmp(header->name, "Set-Cookie") == 0)
        REQUIRE(strncmp(header->value, "__Host-", 7) == 0 &&
                strstr(header->value, "; Path=/; Secure; HttpOnly; SameSite=Lax"));
}

static void check_answer(const struct http_answer *answer)
{
    const bool is_page = answer->content_type && strncmp(answer->content_type, "text/html", 9) == 0;
    if (answer->status >= 500 && answer->status != 503 && !is_register) {
        fprintf(stderr, "%u\n", answer->status);
        abort();
    }
    REQUIRE(buf_check(&answer->body, NULL) == VAULT_OK);
    REQUIRE(answer->header_count < HTTP_EXTRA_HEADERS_MAX);
    for (size_t i = 0; i < answer->header_count; i++)
        check_header(&answer->headers[i]);
    if (is_page && answer->body.size)
        REQUIRE(!memmem(answer->body.data, answer->body.size, MARKUP, strlen(MARKUP)));
}

static void ask(bool is_auditor, struct http_request *request)
{
    struct http_answer answer = http_answer_new();
    memcpy(request->peer_spki, auditor_key, sizeof request->peer_spki);
    request->has_peer = is_auditor;
    if (is_auditor)
        auditor_api_handle(&auditors, request, &answer);
    else
        pages_handle(&browser.pages, request, &answer);
    pages_decorate(&answer);
    check_answer(&answer);
    http_answer_finish(&answer);
}

/* --- The policies' register ------------------------------------------------------------------ */

static void put_registered(const char *suffix, struct bytes content)
{
    char file[PATH_MAX];
    char name[64];
    snprintf(name, sizeof name, "9-invented%s", suffix);
    REQUIRE(file_join(file, sizeof file, test.vault->policy_dir, name, NULL) == VAULT_OK);
    REQUIRE(file_replace(file, content, 0600, NULL) == VAULT_OK);
}

static void look_at_register(struct bytes record)
{
    static const char line[] = "\n---\n";
    static const char *const paths[] = {"/policies", "/policies.json", "/policies/9",
                                        "/policies/9.json"};
    const uint8_t *at = record.size ? memmem(record.data, record.size, line, strlen(line)) : NULL;
    struct bytes content = {0};
    if (at) {
        content.data = at + strlen(line);
        content.size = record.size - (size_t)(content.data - record.data);
        record.size = (size_t)(at - record.data);
    }
    put_registered(POLICY_RECORD_SUFFIX, record);
    put_registered(POLICY_REGISTER_SUFFIX, content);
    is_register = true;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct http_request request = {.method = HTTP_GET, .path = paths[i]};
        add_header(&request, "Host", bytes_of_text("vault.example:8442"));
        ask(false, &request);
    }
    is_register = false;
}

static void sign_in_again_if_out(void)
{
    char target[MANDATE_ID_CHARS + 16];
    browser_get(&browser, "/security");
    if (browser.answer.status != 200)
        begin_session();
    browser_get(&mediator, "/mediator");
    if (mediator.answer.status != 200)
        begin_mediator();
    snprintf(target, sizeof target, "/mediator/%s", mandate);
    browser_get(&mediator, target);
    if (mediator.answer.status != 200)
        begin_mandate();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_request request;
    char path[LINE_BYTES_MAX];
    struct bytes rest = {data, size};
    VAULT_AUTO(form_finish) struct form query = {0};
    VAULT_AUTO(buf_finish) struct buf cookies = buf_limited(16 * INPUT_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(16 * INPUT_BYTES_MAX);
    if (size < 8 || size > INPUT_BYTES_MAX)
        return 0;
    begin_again_at_times();
    struct bytes line = take_part(&rest, '\n');
    if (bytes_equal(line, bytes_of_text("R"))) {
        look_at_register(rest);
        return 0;
    }
    const bool is_auditor = bytes_equal(take_part(&line, ' '), bytes_of_text("A"));
    const bool is_post = bytes_equal(take_part(&line, ' '), bytes_of_text("POST"));
    VAULT_AUTO(buf_finish) struct buf target = buf_limited(16 * INPUT_BYTES_MAX);
    name(&target, take_part(&line, '?'));
    name(&cookies, take_part(&rest, '\n'));
    const struct bytes languages = take_part(&rest, '\n');
    name(&body, rest);
    if (!read_path(buf_view(&target), path) || form_parse(line, &query, NULL) != VAULT_OK ||
        body.size > HTTP_BODY_BYTES_MAX)
        return 0;
    request = (struct http_request){.method = is_post ? HTTP_POST : HTTP_GET, .path = path};
    for (size_t i = 0; i < query.count; i++)
        request.query[i] = (struct http_pair){query.fields[i].name, query.fields[i].value};
    request.query_count = query.count;
    add_header(&request, "Host", bytes_of_text("vault.example:8442"));
    add_header(&request, "Cookie", buf_view(&cookies));
    add_header(&request, "Accept-Language", languages);
    if (is_post) {
        add_header(&request, "Sec-Fetch-Site", bytes_of_text("same-origin"));
        add_header(&request, "Content-Type",
                   bytes_of_text(body.size && body.data[0] == '{'
                                     ? "application/json"
                                     : "application/x-www-form-urlencoded"));
        request.body = buf_view(&body);
    }
    ask(is_auditor, &request);
    if (is_post && !is_auditor)
        sign_in_again_if_out();
    return 0;
}
