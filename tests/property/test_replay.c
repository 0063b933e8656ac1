/*
 * P19: from the log alone, the bundle that it names and the decisions that the citizen took, every
 * answer can be found again: each field's outcome and form, as the entry's opening has them.
 *
 * Random requests go through the one door, under one random bundle after the other, while the
 * citizen consents, withdraws and refuses. Afterwards each entry is opened, the vault's own copy of
 * the bundle of its version is loaded, and the request decided again as "vaultctl policy decide"
 * would.
 */
#include <stdio.h>
#include <stdlib.h>

#include "opened.h"
#include "random.h"
#include "seed.h"
#include "vault/base/codec.h"
#include "vault/parts.h"
#include "vault/policy/line.h"

#define DEFAULT_SEED      85000
#define VERSIONS          4 /* random ones, besides that of the tests' vault */
#define RELEASES_EACH     90
#define TRIES_MAX         40 /* for a bundle that passes the gate */
#define RULES             7
#define ASKS_MAX          4
#define RELEASES_MAX      (VERSIONS * RELEASES_EACH)
#define SECOND_MS         1000
#define CONSENTS_KEPT_MAX 30

static struct vault_test test;
static struct random dice;

static const char *const fields[] = {"identity.birth_date", "identity.is_adult", "identity.name",
                                     "address.postal", "employment.status"};
static const char *const purposes[] = {SUPPORT, LENDING};
static const char *const levels[] = {"low", "substantial", "high"};

#define FIELDS   (sizeof fields / sizeof *fields)
#define PURPOSES (sizeof purposes / sizeof *purposes)
#define LEVELS   (sizeof levels / sizeof *levels)

/* As fill_test_vault() registers them. */
static const struct {
    const char *id;
    const char *class;
    const char *purpose;
    const uint8_t *key;
    bool says_assurance;
} services[] = {
    {CASEWORKER, "employment.caseworker", SUPPORT, caseworker_key, true},
    {LIBRARY, "culture.library", LENDING, library_key, false},
};

static const char *one_of(const char *const names[], size_t count)
{
    return names[random_below(&dice, count)];
}

/* --- bundles --- */

static json_t *random_rule(size_t number)
{
    static const char *const bases[] = {"consent", "consent", "contract", "public_task"};
    char id[32];
    snprintf(id, sizeof id, "rule%zu", number);
    const bool permit = random_chance(&dice, 80);
    json_t *rule =
        json_pack("{s:s,s:s,s:{s:[s]},s:[s],s:[s,s],s:{}}", "id", id, "effect",
                  permit ? "permit" : "forbid", "who", "classes",
                  services[random_below(&dice, 2)].class, "purposes", one_of(purposes, PURPOSES),
                  "fields", one_of(fields, FIELDS), one_of(fields, FIELDS), "when");
    json_t *when = json_object_get(rule, "when");
    if (random_chance(&dice, 40))
        json_object_set_new(when, "assurance_at_least", json_string(one_of(levels, LEVELS)));
    if (random_chance(&dice, 20))
        json_object_set_new(when, "citizen_is_minor", json_boolean(random_chance(&dice, 20)));
    if (!permit)
        return rule;
    json_object_set_new(rule, "basis", json_string(one_of(bases, 4)));
    if (random_chance(&dice, 40))
        json_object_set_new(rule, "release", json_pack("{s:s}", "default", "present"));
    return rule;
}

static void activate_random_bundle(uint64_t version)
{
    enum vault_code code = VAULT_INVALID;
    for (int tries = 0; code && tries < TRIES_MAX; tries++) {
        VAULT_AUTO(json_free)
        json_t *file =
            json_pack("{s:s,s:s,s:[]}", "format", "vault-rules/1", "policy", "replay", "rules");
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(65536);
        for (size_t i = 0; i < RULES; i++)
            json_array_append_new(json_object_get(file, "rules"), random_rule(i));
        json_write_value(&text, file);
        change_test_bundle(&test, "rules/employment.json", buf_string(&text), version);
        code = active_policy_set(test.vault, test.bundle, &test_error);
    }
    if (code)
        fail_msg("no random bundle passes the gate: %s", test_error.text);
}

/* --- what the citizen decides --- */

/* All records so far, as a request of "decide" has them; the newest last. */
static json_t *consents;

static void remember(size_t service, const char *state, const struct consent_field given[],
                     size_t count)
{
    char at[INSTANT_CHARS + 1];
    char expires[INSTANT_CHARS + 1];
    instant_format(at, test.now_ms / 1000);
    instant_format(expires, test.now_ms / 1000 + 30 * 86400);
    json_t *record = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:{}}", "id", at, "service",
                               services[service].id, "purpose", services[service].purpose, "state",
                               state, "at", at, "expires", expires, "fields");
    for (size_t i = 0; i < count; i++)
        json_object_set_new(json_object_get(record, "fields"), given[i].name,
                            given[i].form[0] ? json_string(given[i].form) : json_null());
    json_array_append_new(consents, record);
}

static void decide_anew(size_t service)
{
    struct consent_field given[FIELDS];
    size_t count = 0;
    char id[CONSENT_ID_CHARS + 1];
    int64_t seq;
    for (size_t i = 0; i < FIELDS; i++) {
        if (!random_chance(&dice, 60))
            continue;
        snprintf(given[count].name, sizeof given[count].name, "%s", fields[i]);
        snprintf(given[count++].form, sizeof given[0].form, "%s",
                 random_chance(&dice, 30) ? "present" : "");
    }
    const struct consent_decision decision = {.service = services[service].id,
                                              .purpose = services[service].purpose,
                                              .fields = given,
                                              .field_count = count,
                                              .days = 30,
                                              .uses = CONSENT_UNLIMITED,
                                              .language = "fr",
                                              .text = "Le texte affiché."};
    if (count == 0)
        return;
    if (random_chance(&dice, 15)) {
        assert_done(consent_refuse(test.vault, &test.citizen, &decision, &seq, &test_error));
        remember(service, "refused", given, count);
    } else {
        assert_done(consent_give(test.vault, &test.citizen, &decision, id, &seq, &test_error));
        remember(service, "given", given, count);
    }
}

/* Withdrawing changes only what is given. */
static void withdraw(size_t service)
{
    assert_done(consent_withdraw(test.vault, &test.citizen, services[service].id,
                                 services[service].purpose, &test_error));
    for (size_t i = json_array_size(consents); i-- > 0;) {
        const json_t *record = json_array_get(consents, i);
        if (strcmp(json_string_value(json_object_get(record, "service")), services[service].id) !=
            0)
            continue;
        if (strcmp(json_string_value(json_object_get(record, "state")), "given") == 0)
            remember(service, "withdrawn", NULL, 0);
        return;
    }
}

static void maybe_change_their_mind(void)
{
    const size_t service = random_below(&dice, 2);
    test.now_ms += SECOND_MS; /* no two records of one second */
    if (json_array_size(consents) == CONSENTS_KEPT_MAX || !random_chance(&dice, 25))
        return;
    if (random_chance(&dice, 25))
        withdraw(service);
    else
        decide_anew(service);
}

/* --- asking --- */

/* A request that was answered: where its entry is, and how it reads for "decide". */
struct asked {
    uint64_t index;
    json_t *line;
    const char *names[ASKS_MAX]; /* in the order in which they were asked */
    size_t count;
};

static struct asked asked[RELEASES_MAX];
static size_t asked_count;

static json_t *line_for(size_t service, const char *purpose, const struct asked *about,
                        const char *level)
{
    char now[INSTANT_CHARS + 1];
    instant_format(now, test.now_ms / 1000);
    json_t *line = json_pack(
        "{s:s,s:s,s:{s:s,s:[s],s:[s]},s:s,s:{},s:{s:b},s:o,s:{s:s,s:s,s:{s:s,s:s,s:s},s:s}}", "id",
        "r", "now", now, "service", "id", services[service].id, "classes", services[service].class,
        "purposes", services[service].purpose, "purpose", purpose, "fields", "atoms",
        "citizen_is_minor", 0, "consents", json_deep_copy(consents), "values",
        "identity.birth_date", "1990-05-17", "identity.name", "Testine Inventee", "address.postal",
        "street", "rue des Essais", "postcode", "35000", "city", "Rennes", "employment.status",
        "seeking");
    for (size_t i = 0; i < about->count; i++)
        json_object_set_new(json_object_get(line, "fields"), about->names[i], json_null());
    if (level && services[service].says_assurance)
        json_object_set_new(json_object_get(line, "atoms"), "assurance_at_least",
                            json_string(level));
    return line;
}

static void release(size_t service, const char *purpose, const struct asked *about,
                    const char *level)
{
    struct release_ask asks[ASKS_MAX];
    char subject[SUBJECT_CHARS + 1];
    enum release_fault fault;
    VAULT_AUTO(service_release)
    struct service_hold hold = hold_service(&test, services[service].key);
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(RELEASE_ANSWER_BYTES);
    VAULT_AUTO(json_free) json_t *context = json_object();
    if (level)
        json_object_set_new(context, "assurance_at_least", json_string(level));
    for (size_t i = 0; i < about->count; i++)
        asks[i] = (struct release_ask){bytes_of_text(about->names[i]), {0}};
    assert_done(subject_write(hold.service, &test.citizen, subject, &test_error));
    const struct release_request request = {.client_spki = services[service].key,
                                            .subject = bytes_of_text(subject),
                                            .purpose = bytes_of_text(purpose),
                                            .asks = asks,
                                            .ask_count = about->count,
                                            .context = context};
    assert_done(release_perform(test.vault, hold.service, &request, &body, &fault, &test_error));
}

static void ask_at_random(void)
{
    const size_t service = random_below(&dice, 2);
    const char *purpose =
        random_chance(&dice, 85) ? services[service].purpose : one_of(purposes, PURPOSES);
    const char *level = random_chance(&dice, 80) ? one_of(levels, LEVELS) : NULL;
    const size_t first = random_below(&dice, FIELDS);
    struct asked *about = &asked[asked_count++];
    about->count = 1 + random_below(&dice, ASKS_MAX);
    for (size_t i = 0; i < about->count; i++)
        about->names[i] = fields[(first + i) % FIELDS];
    about->line = line_for(service, purpose, about, level);
    about->index = ledger_head(test.vault->ledger).size;
    release(service, purpose, about, level);
}

/* --- again --- */

/* The vault's own copy of the bundle that an entry names. */
static struct policy *bundle_of(const struct opened *opened)
{
    char folder[PATH_MAX];
    struct policy *policy = NULL;
    struct policy_trust trust = {.signatures = 1};
    assert_done(policy_trust_add(&trust, bytes_of_text(test.vkey), &test_error));
    assert_true(find_copied_bundle(&test, opened->policy_version, opened->policy_hash, folder));
    assert_done(policy_load_signed(folder, &trust, &policy, NULL, &test_error));
    assert_int_equal(policy_version(policy), opened->policy_version);
    return policy;
}

/* What the opening would say if the request were decided now, up to what the service asserted. */
static void say_what(const struct policy *policy, const struct asked *about, struct buf *out)
{
    VAULT_AUTO(buf_finish) struct buf line = buf_limited(POLICY_LINE_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(POLICY_LINE_BYTES_MAX);
    VAULT_AUTO(json_free) json_t *answer = NULL;
    json_write_value(&line, about->line);
    policy_line_answer(policy, buf_view(&line), &text);
    assert_done(json_parse(buf_view(&text), 16, &answer, NULL, &test_error));
    for (size_t i = 0; i < about->count; i++) {
        const json_t *of_field =
            json_object_get(json_object_get(answer, "fields"), about->names[i]);
        const char *form = json_string_value(json_object_get(of_field, "form"));
        const char *outcome = json_string_value(json_object_get(of_field, "outcome"));
        buf_format(out, "%s%s %s %s", i ? "\n" : "", about->names[i], form ? form : "-",
                   outcome ? outcome : "nothing");
    }
}

static size_t released;

static void replay(const struct asked *about, uint64_t seed)
{
    struct opened opened;
    VAULT_AUTO(buf_finish) struct buf what = buf_limited(OPENED_CHARS);
    open_entry(&test, about->index, &test.citizen, &opened);
    char *asserted = strstr(opened.what, "\nasserted");
    if (asserted)
        *asserted = 0;
    VAULT_AUTO(policy_free) struct policy *policy = bundle_of(&opened);
    say_what(policy, about, &what);
    if (strcmp(opened.what, buf_string(&what)) != 0) {
        VAULT_AUTO(buf_finish) struct buf line = buf_limited(POLICY_LINE_BYTES_MAX);
        json_write_value(&line, about->line);
        fail_msg("PROPERTY_SEED=%llu: version %llu, the log:\n%s\nagain:\n%s\n%s",
                 (unsigned long long)seed, (unsigned long long)opened.policy_version, opened.what,
                 buf_string(&what), buf_string(&line));
    }
    released += opened.event == ENTRY_RELEASE;
}

static void test_every_answer_is_found_again_from_the_log(void **state)
{
    (void)state;
    const uint64_t seed = seed_first(DEFAULT_SEED);
    dice = (struct random){seed};
    make_filled_vault(&test);
    consents = json_array();
    for (uint64_t version = 2; version < 2 + VERSIONS; version++) {
        activate_random_bundle(version);
        for (size_t i = 0; i < RELEASES_EACH; i++) {
            maybe_change_their_mind();
            ask_at_random();
        }
    }
    for (size_t i = 0; i < asked_count; i++) {
        replay(&asked[i], seed);
        json_decref(asked[i].line);
    }
    json_decref(consents);
    printf("%zu answers, %zu of them released something, seed %llu\n", asked_count, released,
           (unsigned long long)seed);
    assert_true(released > asked_count / 20 && released < asked_count);
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(test_every_answer_is_found_again_from_the_log);
}
