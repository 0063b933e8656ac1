#include "log_support.h"

#include <stdio.h>

#include "vault/base/json.h"
#include "vault/crypto/crypto.h"
#include "vault/ledger/verify.h"

struct note_signer log_signer;
char log_dir[PATH_MAX];
struct ledger *log_ledger;

void log_prepare(void)
{
    uint8_t raw[SIGN_SEED_BYTES] = {1};
    VAULT_AUTO(secret_free) struct secret *seed = NULL;
    json_start();
    assert_done(crypto_start(true, &test_error));
    assert_done(secret_copy((struct bytes){raw, sizeof raw}, &seed, &test_error));
    assert_done(
        note_signer_make(BYTES("log.example"), NOTE_ED25519, seed, &log_signer, &test_error));
}

static struct ledger_options options(void)
{
    return (struct ledger_options){
        .dir = log_dir, .signer = &log_signer, .clock = clock_system, .clock_step_ms = 60000};
}

void log_open(void)
{
    const struct ledger_options with = options();
    assert_done(ledger_open(&with, &log_ledger, &test_error));
}

void log_make(void)
{
    snprintf(log_dir, sizeof log_dir, "%s/log", test_folder());
    const struct ledger_options with = options();
    assert_done(ledger_create(&with, &test_error));
    log_open();
}

enum vault_code log_append(size_t opening_size, struct ledger_ticket *out, struct vault_error *err)
{
    static const uint8_t opening[LEDGER_OPENING_MAX_BYTES];
    const struct entry entry = {.event = ENTRY_ADMIN};
    return ledger_append(log_ledger, &entry, (struct bytes){opening, opening_size}, out, err);
}

void log_stop(void)
{
    assert_done(ledger_stop(log_ledger, &test_error));
    ledger_close(&log_ledger);
}

void log_assert_verifies(void)
{
    struct verify_report report;
    const struct verify_options verify = {.dir = log_dir, .key = &log_signer.key};
    assert_done(verify_run(&verify, &report, &test_error));
    for (unsigned i = 0; i < VERIFY_CHECK_COUNT; i++) {
        if (report.verdicts[i].state == VERIFY_FAIL)
            fail_msg("%s: %s", verify_check_name((enum verify_check)i), report.verdicts[i].detail);
    }
    assert_int_equal(report.exit_code, VERIFY_EXIT_ALONE);
}

enum entry_event log_event_at(uint64_t index, uint64_t *count)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(ENTRY_MAX_BYTES);
    struct entry entry;
    assert_done(ledger_wait_published(log_ledger, index + 1, 20000, &test_error));
    assert_done(ledger_entry(log_ledger, index, &text, &test_error));
    assert_done(entry_parse(buf_view(&text), &entry, &test_error));
    *count = entry.count;
    return entry.event;
}
