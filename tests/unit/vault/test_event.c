/*
 * What an event leaves in the log: commitments that only the opening proves, an opening that only
 * the citizen's key reads, and nothing of who or what in clear.
 */
#include "vault/event.h"

#include "vault/base/codec.h"
#include "vault/crypto/permute.h"
#include "vault/crypto/seal.h"
#include "vault/ledger/opening.h"
#include "vault/parts.h"
#include "vault/person.h"
#include "vault_test.h"

#define BASIS  "consent 01TESTTESTTESTTESTTESTTEST 1"
#define WHAT   "identity.birth_date year released"
#define ANSWER "the hash of an answer's body...."

static struct vault_test test;

static void begin(void)
{
    make_filled_vault(&test);
    import_one(&test, "{\"reference\":\"T-2\",\"values\":{}}");
}

static struct event sample(void)
{
    return (struct event){
        .kind = ENTRY_RELEASE,
        .service = CASEWORKER,
        .client_spki = caseworker_key,
        .purpose = SUPPORT,
        .has_policy = true,
        .policy_version = 1,
        .policy_hash = {1, 2, 3, 4, 5, 6, 7, 8},
        .actor = BYTES("mediator 7"),
        .basis = BYTES(BASIS),
        .what = BYTES(WHAT),
        .answer = BYTES(ANSWER),
    };
}

/* An entry as the journal has it, with the opening beside it. */
struct kept {
    struct ledger_ticket ticket;
    struct buf text;
    struct buf blob;
    struct entry entry;
};

static void kept_finish(struct kept *kept)
{
    buf_finish(&kept->text);
    buf_finish(&kept->blob);
}

static void read_back(struct kept *kept)
{
    struct ledger_reader *reader = NULL;
    struct ledger_record record;
    kept->text = buf_limited(ENTRY_MAX_BYTES);
    kept->blob = buf_limited(LEDGER_OPENING_MAX_BYTES);
    assert_done(ledger_reader_open(test.vault->ledger, kept->ticket.index, &reader, &test_error));
    assert_done(ledger_reader_next(reader, 10000, &record, &test_error));
    assert_int_equal(record.index, kept->ticket.index);
    assert_memory_equal(record.leaf.bytes, kept->ticket.leaf.bytes, SHA256_BYTES);
    buf_bytes(&kept->text, record.entry);
    buf_bytes(&kept->blob, record.opening);
    ledger_reader_close(&reader);
    assert_done(entry_parse(buf_view(&kept->text), &kept->entry, &test_error));
}

/* Enter an event for a citizen and read it back; the chain is theirs. */
static struct kept enter_for(const struct citizen_id *id, const struct event *event)
{
    struct kept kept = {0};
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    struct person *person = NULL;
    assert_done(person_hold(test.vault, id, &citizen, &person, &test_error));
    assert_done(
        event_of_citizen(test.vault, citizen, event, &person->chain, &kept.ticket, &test_error));
    citizen_release(&citizen);
    assert_done(ledger_wait(test.vault->ledger, &kept.ticket, &test_error));
    read_back(&kept);
    return kept;
}

static struct kept enter(void)
{
    const struct event event = sample();
    return enter_for(&test.citizen, &event);
}

/* Whose the opening is, and it unsealed under that citizen's key. */
static enum vault_code unseal_as(const struct citizen_id *id, const struct kept *kept,
                                 struct buf *clear)
{
    struct citizen_id owner;
    uint64_t n;
    struct bytes sealed;
    uint8_t tag[CITIZEN_ID_BYTES + 8];
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(
        event_opening_owner(test.vault, buf_view(&kept->blob), &owner, &n, &sealed, &test_error));
    memcpy(tag, owner.bytes, CITIZEN_ID_BYTES);
    for (size_t i = 0; i < 8; i++)
        tag[CITIZEN_ID_BYTES + i] = (uint8_t)(n >> (56 - 8 * i));
    VAULT_TRY(citizen_acquire(test.vault->store, id, &citizen, &test_error));
    return seal_open(citizen_seal_key(citizen), (struct bytes){tag, sizeof tag}, sealed, clear,
                     &test_error);
}

static void open_as_owner(const struct kept *kept, struct buf *storage, struct opening *out)
{
    VAULT_AUTO(buf_finish) struct buf clear = buf_limited(OPENING_MAX_BYTES);
    *storage = buf_limited(OPENING_MAX_BYTES);
    assert_done(unseal_as(&test.citizen, kept, &clear));
    assert_done(opening_parse(buf_view(&clear), storage, out, &test_error));
}

/* --- What stands in the entry --------------------------------------------------------------- */

static void test_an_entry_says_when_by_whom_and_what_for(void **state)
{
    (void)state;
    begin();
    VAULT_AUTO(kept_finish) struct kept kept = enter();
    assert_int_equal(kept.entry.event, ENTRY_RELEASE);
    assert_int_equal(kept.entry.time_ms, START_MS);
    assert_true(bytes_equal(kept.entry.service, BYTES(CASEWORKER)));
    assert_true(bytes_equal(kept.entry.purpose, BYTES(SUPPORT)));
    assert_true(kept.entry.has_client);
    assert_memory_equal(kept.entry.client, caseworker_key, ENTRY_CLIENT_BYTES);
    assert_int_equal(kept.entry.policy_version, 1);
    assert_int_equal(kept.entry.policy_hash[7], 8);
    for (int i = 0; i < ENTRY_KEY_COUNT; i++)
        assert_true(kept.entry.commitments[i].present);
    vault_close(&test.vault);
}

static void test_what_is_not_there_is_not_committed_to(void **state)
{
    (void)state;
    begin();
    const struct event login = {
        .kind = ENTRY_LOGIN, .basis = BYTES("own session"), .what = BYTES("password")};
    VAULT_AUTO(kept_finish) struct kept kept = enter_for(&test.citizen, &login);
    assert_int_equal(kept.entry.service.size, 0);
    assert_int_equal(kept.entry.purpose.size, 0);
    assert_false(kept.entry.has_client);
    assert_false(kept.entry.has_policy);
    assert_false(kept.entry.commitments[ENTRY_ACTOR].present);
    assert_false(kept.entry.commitments[ENTRY_ANSWER].present);
    assert_true(kept.entry.commitments[ENTRY_SUBJECT].present);
    vault_close(&test.vault);
}

static bool holds(const struct buf *where, const void *what, size_t size)
{
    return where->size >= size && memmem(where->data, where->size, what, size) != NULL;
}

static void test_nothing_of_who_or_what_stands_in_clear(void **state)
{
    (void)state;
    static const char *const secrets[] = {"T-1",  "Testine",  "1990",       "birth_date",
                                          "year", "01TEST",   "consent ",   "mediator",
                                          ANSWER, "released", "own session"};
    char hex[HEX_CHARS(CITIZEN_ID_BYTES) + 1];
    char base32[BASE32_CHARS(CITIZEN_ID_BYTES) + 1];
    char base64[BASE64_CHARS(CITIZEN_ID_BYTES) + 1];
    begin();
    VAULT_AUTO(kept_finish) struct kept kept = enter();
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        assert_false(holds(&kept.text, secrets[i], strlen(secrets[i])));
        assert_false(holds(&kept.blob, secrets[i], strlen(secrets[i])));
    }
    hex_string(hex, test.citizen.bytes, CITIZEN_ID_BYTES);
    base32_string(base32, test.citizen.bytes, CITIZEN_ID_BYTES);
    base64_string(base64, test.citizen.bytes, CITIZEN_ID_BYTES);
    assert_false(holds(&kept.text, hex, sizeof hex - 1));
    assert_false(holds(&kept.text, base32, sizeof base32 - 1));
    assert_false(holds(&kept.text, base64, 20)); /* without its padding */
    assert_false(holds(&kept.blob, test.citizen.bytes, CITIZEN_ID_BYTES));
    vault_close(&test.vault);
}

/* Or entries of one citizen, or with one answer, could be put together by whoever reads the log. */
static void test_the_same_event_twice_has_no_commitment_in_common(void **state)
{
    (void)state;
    begin();
    VAULT_AUTO(kept_finish) struct kept first = enter();
    VAULT_AUTO(kept_finish) struct kept second = enter();
    for (int i = 0; i < ENTRY_KEY_COUNT; i++) {
        for (int j = 0; j < ENTRY_KEY_COUNT; j++)
            assert_memory_not_equal(first.entry.commitments[i].hash,
                                    second.entry.commitments[j].hash, ENTRY_COMMITMENT_BYTES);
    }
    for (size_t i = 0; i + 16 <= first.blob.size; i += 16)
        assert_false(holds(&second.blob, first.blob.data + i, 16));
    vault_close(&test.vault);
}

/* --- The opening ---------------------------------------------------------------------------- */

static void test_the_opening_proves_the_entry(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf storage = {0};
    struct opening opening;
    begin();
    VAULT_AUTO(kept_finish) struct kept kept = enter();
    open_as_owner(&kept, &storage, &opening);
    assert_done(opening_check(&opening, &kept.entry, &test_error));
    for (int i = 0; i < ENTRY_KEY_COUNT; i++)
        assert_true(opening.fields[i].present);
    assert_true(bytes_equal(opening.fields[ENTRY_BASIS].value, BYTES(BASIS)));
    assert_true(bytes_equal(opening.fields[ENTRY_WHAT].value, BYTES(WHAT)));
    assert_true(bytes_equal(opening.fields[ENTRY_ACTOR].value, BYTES("mediator 7")));
    assert_true(bytes_equal(opening.fields[ENTRY_ANSWER].value, BYTES(ANSWER)));
    vault_close(&test.vault);
}

static void test_an_opening_proves_no_other_entry(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf storage = {0};
    struct opening opening;
    begin();
    VAULT_AUTO(kept_finish) struct kept first = enter();
    VAULT_AUTO(kept_finish) struct kept second = enter();
    open_as_owner(&first, &storage, &opening);
    assert_fails(VAULT_DENIED, opening_check(&opening, &second.entry, &test_error));
    opening.fields[ENTRY_BASIS].value = BYTES("consent 01OTHEROTHEROTHEROTHEROTHER 1");
    assert_fails(VAULT_DENIED, opening_check(&opening, &first.entry, &test_error));
    vault_close(&test.vault);
}

static void test_only_the_citizens_own_key_opens_it(void **state)
{
    (void)state;
    const struct citizen_id nobody = citizen_id_new();
    struct citizen_id second;
    begin();
    assert_done(people_find(test.vault, "T-2", &second, &test_error));
    VAULT_AUTO(kept_finish) struct kept kept = enter();
    VAULT_AUTO(buf_finish) struct buf clear = buf_limited(OPENING_MAX_BYTES);
    assert_fails(VAULT_CORRUPT, unseal_as(&second, &kept, &clear));
    assert_fails(VAULT_CORRUPT, unseal_as(&nobody, &kept, &clear));
    assert_int_equal(clear.size, 0);
    assert_done(unseal_as(&test.citizen, &kept, &clear));
    vault_close(&test.vault);
}

static void test_erasing_the_citizen_erases_what_the_entry_means(void **state)
{
    (void)state;
    begin();
    VAULT_AUTO(kept_finish) struct kept kept = enter();
    VAULT_AUTO(buf_finish) struct buf clear = buf_limited(OPENING_MAX_BYTES);
    assert_done(citizen_erase(test.vault->store, &test.citizen, NULL, &test_error));
    assert_fails(VAULT_CORRUPT, unseal_as(&test.citizen, &kept, &clear));
    assert_int_equal(clear.size, 0);
    vault_close(&test.vault);
}

/* --- Whose it is ---------------------------------------------------------------------------- */

static void test_the_tag_is_turned_back(void **state)
{
    (void)state;
    struct citizen_id owner;
    uint64_t n;
    struct bytes sealed;
    begin();
    for (uint64_t i = 1; i <= 3; i++) {
        VAULT_AUTO(kept_finish) struct kept kept = enter();
        assert_done(event_opening_owner(test.vault, buf_view(&kept.blob), &owner, &n, &sealed,
                                        &test_error));
        assert_true(citizen_id_equal(&owner, &test.citizen));
        assert_int_equal(n, i);
        assert_ptr_equal(sealed.data + sealed.size, kept.blob.data + kept.blob.size);
        assert_true(sealed.size < kept.blob.size);
    }
    vault_close(&test.vault);
}

static void assert_no_opening(struct bytes blob)
{
    struct citizen_id owner = {{7}};
    uint64_t n = 7;
    struct bytes sealed = {0};
    assert_fails(VAULT_CORRUPT,
                 event_opening_owner(test.vault, blob, &owner, &n, &sealed, &test_error));
    assert_int_equal(owner.bytes[0], 7);
    assert_int_equal(n, 7);
    assert_null(sealed.data);
}

static void test_an_opening_whose_tag_is_cut_or_changed_is_nobodys(void **state)
{
    (void)state;
    enum { TAG = CITIZEN_ID_BYTES + 8 + SEAL_OVERHEAD_BYTES };
    begin();
    VAULT_AUTO(kept_finish) struct kept kept = enter();
    for (size_t size = 0; size <= TAG; size++)
        assert_no_opening((struct bytes){kept.blob.data, size});
    for (size_t i = 0; i < TAG; i++) {
        kept.blob.data[i] ^= 0x10;
        assert_no_opening(buf_view(&kept.blob));
        kept.blob.data[i] ^= 0x10;
    }
    assert_no_opening((struct bytes){kept.blob.data + 1, kept.blob.size - 1});
    vault_close(&test.vault);
}

static void test_an_opening_that_is_cut_or_changed_behind_its_tag_does_not_unseal(void **state)
{
    (void)state;
    enum { TAG = CITIZEN_ID_BYTES + 8 + SEAL_OVERHEAD_BYTES };
    begin();
    VAULT_AUTO(kept_finish) struct kept kept = enter();
    VAULT_AUTO(buf_finish) struct buf clear = buf_limited(OPENING_MAX_BYTES);
    for (size_t i = TAG; i < kept.blob.size; i += 13) {
        kept.blob.data[i] ^= 1;
        assert_fails(VAULT_CORRUPT, unseal_as(&test.citizen, &kept, &clear));
        kept.blob.data[i] ^= 1;
    }
    kept.blob.size--;
    assert_fails(VAULT_CORRUPT, unseal_as(&test.citizen, &kept, &clear));
    kept.blob.size = TAG + 1;
    assert_fails(VAULT_CORRUPT, unseal_as(&test.citizen, &kept, &clear));
    assert_int_equal(clear.size, 0);
    vault_close(&test.vault);
}

/* Tag and opening are bound to each other: one of an entry does not go with another's. */
static void test_an_opening_in_anothers_place_does_not_unseal(void **state)
{
    (void)state;
    enum { TAG = CITIZEN_ID_BYTES + 8 + SEAL_OVERHEAD_BYTES };
    begin();
    VAULT_AUTO(kept_finish) struct kept first = enter();
    VAULT_AUTO(kept_finish) struct kept second = enter();
    VAULT_AUTO(buf_finish) struct buf clear = buf_limited(OPENING_MAX_BYTES);
    for (size_t i = 0; i < TAG; i++)
        first.blob.data[i] = second.blob.data[i];
    assert_fails(VAULT_CORRUPT, unseal_as(&test.citizen, &first, &clear));
    vault_close(&test.vault);
}

static void test_another_vaults_opening_is_nobodys(void **state)
{
    (void)state;
    begin();
    VAULT_AUTO(kept_finish) struct kept kept = enter();
    vault_close(&test.vault);
    make_test_vault(&test); /* with a seed of its own, where begin() copies one vault */
    assert_no_opening(buf_view(&kept.blob));
    vault_close(&test.vault);
}

/* --- The chain ------------------------------------------------------------------------------ */

/* "CITIZEN N PREVIOUS" as the entry commits to it. */
static void read_subject(const struct kept *kept, char name[64], unsigned long long *n,
                         char previous[64])
{
    VAULT_AUTO(buf_finish) struct buf storage = {0};
    struct opening opening;
    char text[256];
    open_as_owner(kept, &storage, &opening);
    const struct bytes value = opening.fields[ENTRY_SUBJECT].value;
    snprintf(text, sizeof text, "%.*s", (int)value.size, (const char *)value.data);
    assert_int_equal(sscanf(text, "%63s %llu %63s", name, n, previous), 3);
}

static void test_each_entry_counts_on_and_links_to_the_one_before(void **state)
{
    (void)state;
    char name[64];
    char first_name[64];
    char previous[64];
    char wanted[BASE64_CHARS(SHA256_BYTES) + 1] = "-";
    unsigned long long n;
    begin();
    for (unsigned i = 1; i <= 4; i++) {
        if (i == 3)
            reopen_test_vault(&test); /* the chain goes on after a restart */
        VAULT_AUTO(kept_finish) struct kept kept = enter();
        read_subject(&kept, name, &n, previous);
        assert_int_equal(n, i);
        assert_string_equal(previous, wanted);
        if (i == 1)
            memcpy(first_name, name, sizeof name);
        assert_string_equal(name, first_name);
        base64_string(wanted, kept.ticket.leaf.bytes, SHA256_BYTES);
    }
    vault_close(&test.vault);
}

/* Openings go to auditors: what they call a citizen is neither the id nor a service's subject. */
static void test_the_log_calls_a_citizen_by_a_name_of_its_own(void **state)
{
    (void)state;
    char name[64];
    char previous[64];
    char subject[SUBJECT_CHARS + 1];
    char id[BASE32_CHARS(CITIZEN_ID_BYTES) + 1];
    unsigned long long n;
    begin();
    VAULT_AUTO(kept_finish) struct kept kept = enter();
    read_subject(&kept, name, &n, previous);
    subject_of_citizen(&test, subject);
    base32_string(id, test.citizen.bytes, CITIZEN_ID_BYTES);
    assert_int_equal(strlen(name), BASE32_CHARS(CITIZEN_ID_BYTES));
    assert_string_not_equal(name, subject);
    assert_string_not_equal(name, id);
    vault_close(&test.vault);
}

static void test_citizens_have_chains_of_their_own(void **state)
{
    (void)state;
    struct citizen_id second;
    struct citizen_id owner;
    uint64_t n;
    struct bytes sealed;
    begin();
    const struct event event = sample();
    assert_done(people_find(test.vault, "T-2", &second, &test_error));
    VAULT_AUTO(kept_finish) struct kept first = enter();
    VAULT_AUTO(kept_finish) struct kept other = enter_for(&second, &event);
    VAULT_AUTO(kept_finish) struct kept again = enter();
    assert_done(
        event_opening_owner(test.vault, buf_view(&other.blob), &owner, &n, &sealed, &test_error));
    assert_true(citizen_id_equal(&owner, &second));
    assert_int_equal(n, 1);
    assert_done(
        event_opening_owner(test.vault, buf_view(&again.blob), &owner, &n, &sealed, &test_error));
    assert_int_equal(n, 2);
    vault_close(&test.vault);
}

/* --- Nobody --------------------------------------------------------------------------------- */

static void test_a_decoys_entry_looks_the_same_and_has_no_opening(void **state)
{
    (void)state;
    const struct citizen_id nobody = citizen_id_new();
    begin();
    const struct event event = sample();
    VAULT_AUTO(kept_finish) struct kept real = enter();
    for (int i = 0; i < 2; i++) {
        VAULT_AUTO(kept_finish) struct kept decoy = enter_for(&nobody, &event);
        assert_int_equal(decoy.text.size, real.text.size);
        assert_int_equal(decoy.blob.size, 0);
        for (int key = 0; key < ENTRY_KEY_COUNT; key++)
            assert_true(decoy.entry.commitments[key].present);
    }
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    struct person *person = NULL;
    assert_done(person_hold(test.vault, &nobody, &citizen, &person, &test_error));
    assert_int_equal(person->chain.n, 0);
    citizen_release(&citizen);
    vault_close(&test.vault);
}

/* --- What goes wrong ------------------------------------------------------------------------ */

static void test_an_event_that_breaks_the_logs_grammar_moves_no_chain(void **state)
{
    (void)state;
    static const char *const names[] = {"Not An Id", "a\nb", "", "a b"};
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    struct person *person = NULL;
    struct ledger_ticket ticket;
    begin();
    assert_done(person_hold(test.vault, &test.citizen, &citizen, &person, &test_error));
    const uint64_t before = ledger_head(test.vault->ledger).size;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct event event = sample();
        if (!names[i][0])
            continue; /* empty stands for none */
        event.service = names[i];
        assert_fails(VAULT_INVALID, event_of_citizen(test.vault, citizen, &event, &person->chain,
                                                     &ticket, &test_error));
        event = sample();
        event.purpose = names[i];
        assert_fails(VAULT_INVALID, event_of_citizen(test.vault, citizen, &event, &person->chain,
                                                     &ticket, &test_error));
    }
    assert_int_equal(person->chain.n, 0);
    assert_int_equal(ledger_head(test.vault->ledger).size, before);
    citizen_release(&citizen);
    vault_close(&test.vault);
}

static void test_contents_that_are_too_long_move_no_chain(void **state)
{
    (void)state;
    static uint8_t many[OPENING_VALUE_MAX_BYTES + 1];
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    struct person *person = NULL;
    struct ledger_ticket ticket;
    struct event event = sample();
    begin();
    memset(many, 'a', sizeof many);
    event.what = (struct bytes){many, sizeof many};
    assert_done(person_hold(test.vault, &test.citizen, &citizen, &person, &test_error));
    assert_fails(VAULT_TOO_LARGE, event_of_citizen(test.vault, citizen, &event, &person->chain,
                                                   &ticket, &test_error));
    assert_int_equal(person->chain.n, 0);
    citizen_release(&citizen);
    vault_close(&test.vault);
}

static void test_a_log_that_stopped_takes_nothing_and_moves_no_chain(void **state)
{
    (void)state;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    struct person *person = NULL;
    struct ledger_ticket ticket;
    const struct event event = sample();
    begin();
    assert_done(person_hold(test.vault, &test.citizen, &citizen, &person, &test_error));
    assert_done(ledger_stop(test.vault->ledger, &test_error));
    assert_fails(VAULT_UNAVAILABLE, event_of_citizen(test.vault, citizen, &event, &person->chain,
                                                     &ticket, &test_error));
    assert_fails(VAULT_UNAVAILABLE,
                 event_of_operator(test.vault, ENTRY_ADMIN, (struct bytes){0}, &test_error));
    assert_int_equal(person->chain.n, 0);
    citizen_release(&citizen);
    vault_close(&test.vault);
}

static void test_what_an_operator_did_concerns_no_citizen(void **state)
{
    (void)state;
    begin();
    struct kept kept = {.ticket.index = ledger_head(test.vault->ledger).size};
    assert_done(event_of_operator(test.vault, ENTRY_ADMIN, BYTES(LIBRARY), &test_error));
    assert_int_equal(ledger_head(test.vault->ledger).size, kept.ticket.index + 1);
    struct ledger_reader *reader = NULL;
    struct ledger_record record;
    assert_done(ledger_reader_open(test.vault->ledger, kept.ticket.index, &reader, &test_error));
    assert_done(ledger_reader_next(reader, 10000, &record, &test_error));
    assert_done(entry_parse(record.entry, &kept.entry, &test_error));
    assert_int_equal(kept.entry.event, ENTRY_ADMIN);
    assert_true(bytes_equal(kept.entry.service, BYTES(LIBRARY)));
    assert_int_equal(record.opening.size, 0);
    for (int i = 0; i < ENTRY_KEY_COUNT; i++)
        assert_false(kept.entry.commitments[i].present);
    ledger_reader_close(&reader);
    assert_fails(VAULT_INVALID,
                 event_of_operator(test.vault, ENTRY_ADMIN, BYTES("Not An Id"), &test_error));
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(
        test_an_entry_says_when_by_whom_and_what_for, test_what_is_not_there_is_not_committed_to,
        test_nothing_of_who_or_what_stands_in_clear,
        test_the_same_event_twice_has_no_commitment_in_common, test_the_opening_proves_the_entry,
        test_an_opening_proves_no_other_entry, test_only_the_citizens_own_key_opens_it,
        test_erasing_the_citizen_erases_what_the_entry_means, test_the_tag_is_turned_back,
        test_an_opening_whose_tag_is_cut_or_changed_is_nobodys,
        test_an_opening_that_is_cut_or_changed_behind_its_tag_does_not_unseal,
        test_an_opening_in_anothers_place_does_not_unseal, test_another_vaults_opening_is_nobodys,
        test_each_entry_counts_on_and_links_to_the_one_before,
        test_the_log_calls_a_citizen_by_a_name_of_its_own, test_citizens_have_chains_of_their_own,
        test_a_decoys_entry_looks_the_same_and_has_no_opening,
        test_an_event_that_breaks_the_logs_grammar_moves_no_chain,
        test_contents_that_are_too_long_move_no_chain,
        test_a_log_that_stopped_takes_nothing_and_moves_no_chain,
        test_what_an_operator_did_concerns_no_citizen);
}
