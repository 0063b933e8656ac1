#include "vault/vault/vault.h"

#include <stdlib.h>
#include <string.h>

#include "bell.h"
#include "contents.h"
#include "endings.h"
#include "heads.h"
#include "indexer.h"
#include "keeper.h"
#include "kept.h"
#include "new_password.h"
#include "pace.h"
#include "parts.h"
#include "retention.h"
#include "stop.h"
#include "vault/base/codec.h"
#include "vault/base/file.h"
#include "vault/base/json.h"
#include "vault/policy/policy.h"
#include "vault/store/control_citizen.h"
#include "vault/store/control_service.h"
#include "vault/store/open_case.h"
#include "vault/vault/active_policy.h"
#include "vault/vault/checkup.h"

#define CODE_TRIERS_MAX 4096 /* citizens who typed a wrong code within the last minutes */

/* Keys that belong to no citizen: one label each, and the same for as long as the vault exists. */
static const struct {
    const char *label;
    size_t offset;
} derived_keys[] = {
    {"vault/subjects/1", offsetof(struct vault, subject_key)},
    {"vault/log-names/1", offsetof(struct vault, log_name_key)},
    {"vault/opening-tags/1", offsetof(struct vault, tag_key)},
    {"vault/request-codes/1", offsetof(struct vault, code_key)},
    {"vault/pseudonyms/1", offsetof(struct vault, pseudonym_key)},
    {"vault/sessions/1", offsetof(struct vault, session_key)},
    {"vault/do-not-restore/1", offsetof(struct vault, erased_key)},
    {"vault/replies/1", offsetof(struct vault, reply_key)},
};

/* Derived when they are used, and not kept. */
static const char *const other_labels[] = {STATEMENT_KEY_LABEL, BACKUP_LABEL, STORE_KEY_LABELS};

#define DERIVED_COUNT (sizeof derived_keys / sizeof derived_keys[0])
#define OTHER_COUNT   (sizeof other_labels / sizeof other_labels[0])

static struct secret **key_place(struct vault *vault, size_t i)
{
    return (struct secret **)(void *)((char *)vault + derived_keys[i].offset);
}

static enum vault_code derive_keys(struct vault *vault, struct vault_error *err)
{
    for (size_t i = 0; i < DERIVED_COUNT; i++)
        VAULT_TRY(keyring_derive(vault->keyring, derived_keys[i].label, SECRET_KEY_BYTES,
                                 key_place(vault, i), err));
    return VAULT_OK;
}

static enum vault_code name_folders(struct vault *vault, struct vault_error *err)
{
    VAULT_TRY(file_join(vault->log_dir, sizeof vault->log_dir, vault->options.dir, "log", err));
    return file_join(vault->policy_dir, sizeof vault->policy_dir, vault->options.dir, "policy",
                     err);
}

static struct ledger_options ledger_options_of(const struct vault *vault)
{
    const struct vault_anchor *anchor = vault->options.anchor;
    return (struct ledger_options){
        .anchor = {anchor ? anchor->present : NULL, anchor ? anchor->context : NULL},
        .dir = vault->log_dir,
        .signer = &vault->log_keys.signer,
        .former = vault->log_keys.former,
        .former_count = vault->log_keys.former_count,
        .parting = vault->log_keys.parts ? &vault->log_keys.parting : NULL,
        .clock = vault->options.clock,
        .clock_step_ms = vault->options.clock_step_ms,
        .durable_fd = vault->options.durable_fd,
    };
}

static enum vault_code vault_new(const struct vault_options *options, struct vault **out,
                                 struct vault_error *err)
{
    VAULT_AUTO(vault_close) struct vault *vault = calloc(1, sizeof *vault);
    if (!vault)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    vault->options = *options;
    pthread_mutex_init(&vault->mutex, NULL);
    pthread_mutex_init(&vault->activating, NULL);
    pthread_mutex_init(&vault->renewing, NULL);
    pthread_mutex_init(&vault->keeping, NULL);
    pthread_rwlock_init(&vault->feeding, NULL);
    for (size_t i = 0; i < VAULT_REPEATING; i++)
        pthread_mutex_init(&vault->repeating[i], NULL);
    VAULT_TRY(bell_new(&vault->bell, err));
    VAULT_TRY(pace_new(CONTROL_SERVICES_MAX, &vault->quotas, err));
    VAULT_TRY(pace_new(CONTROL_SERVICES_MAX, &vault->renewals, err));
    VAULT_TRY(pace_new(CODE_TRIERS_MAX, &vault->codes, err));
    VAULT_TRY(name_folders(vault, err));
    *out = VAULT_TAKE(vault);
    return VAULT_OK;
}

enum vault_code vault_create(const struct vault_options *options, struct secret **recovery,
                             struct vault_error *err)
{
    VAULT_AUTO(vault_close) struct vault *vault = NULL;
    VAULT_AUTO(secret_free) struct secret *shown = NULL;
    if (!note_name_is_valid(bytes_of_text(options->origin)))
        return vault_fail(err, VAULT_INVALID, "the log's origin is not a name: no space, no +");
    VAULT_TRY(vault_new(options, &vault, err));
    VAULT_TRY(folder_create(options->dir, err));
    VAULT_TRY(keyring_create(options->dir, &options->provider, &shown, err));
    VAULT_TRY(keyring_open(options->dir, &options->provider, &vault->keyring, err));
    VAULT_TRY(store_create(options->dir, vault->keyring, err));
    VAULT_TRY(derive_keys(vault, err));
    VAULT_TRY(log_key_first(vault, err));
    const struct ledger_options log = ledger_options_of(vault);
    VAULT_TRY(ledger_create(&log, err));
    VAULT_TRY(folder_create(vault->policy_dir, err));
    *recovery = VAULT_TAKE(shown);
    return VAULT_OK;
}

static enum vault_code open_ledger(struct vault *vault, struct vault_error *err)
{
    struct ledger_head remembered[VAULT_RECALLED_MAX + 1];
    struct ledger_options options = ledger_options_of(vault);
    const struct vault_anchor *anchor = vault->options.anchor;
    const struct checkpoint_keys keys = {&options.signer->key, options.former,
                                         options.former_count};
    size_t recalled = 0;
    if (anchor)
        VAULT_TRY(anchor->recall(anchor->context, &keys, remembered, &recalled, err));
    VAULT_TRY(indexer_remembered(vault, &remembered[recalled], err));
    options.remembered = remembered;
    options.remembered_count = recalled + (remembered[recalled].size ? 1 : 0);
    VAULT_TRY(retention_pruned(vault, &options.pruned_below, err));
    return ledger_open(&options, &vault->ledger, err);
}

/* By the keyholder, or here. */
static enum vault_code open_keyring(struct vault *vault, struct vault_error *err)
{
    const struct vault_options *options = &vault->options;
    const char *labels[DERIVED_COUNT + OTHER_COUNT];
    if (!options->keyholder)
        return keyring_open(options->dir, &options->provider, &vault->keyring, err);
    for (size_t i = 0; i < DERIVED_COUNT; i++)
        labels[i] = derived_keys[i].label;
    memcpy(&labels[DERIVED_COUNT], other_labels, sizeof other_labels);
    return keyring_open_held(options->keyholder, options->provider.secret, labels,
                             DERIVED_COUNT + OTHER_COUNT, &vault->keyring, err);
}

static enum vault_code open_parts(struct vault *vault, struct vault_error *err)
{
    const struct store_options store = {.open_citizens_max = vault->options.open_citizens_max};
    VAULT_TRY(new_password_open(&vault->options, &vault->new_password, err));
    VAULT_TRY(open_keyring(vault, err));
    vault->options.provider.secret = NULL; /* it was lent for this */
    VAULT_TRY(derive_keys(vault, err));
    VAULT_TRY(store_open(vault->options.dir, vault->keyring, &store, &vault->store, err));
    VAULT_TRY(heads_new(&vault->heads, err));
    VAULT_TRY(stop_open(vault, err));
    VAULT_TRY(log_key_open(vault, err));
    VAULT_TRY(open_ledger(vault, err));
    VAULT_TRY(kept_recover(vault, err));
    VAULT_TRY(log_key_enter(vault, err));
    VAULT_TRY(active_policy_open(vault, err));
    VAULT_TRY(indexer_start(vault, &vault->indexer, err));
    return keeper_start(vault, &vault->keeper, err);
}

enum vault_code vault_open(const struct vault_options *options, struct vault **out,
                           struct vault_error *err)
{
    VAULT_AUTO(vault_close) struct vault *vault = NULL;
    VAULT_TRY(vault_new(options, &vault, err));
    VAULT_TRY(open_parts(vault, err));
    *out = VAULT_TAKE(vault);
    return VAULT_OK;
}

enum vault_code vault_look(const struct vault_options *options, struct vault **out,
                           struct vault_error *err)
{
    VAULT_AUTO(vault_close) struct vault *vault = NULL;
    VAULT_TRY(vault_new(options, &vault, err));
    VAULT_TRY(keyring_open(options->dir, &options->provider, &vault->keyring, err));
    vault->options.provider.secret = NULL; /* it was lent for this */
    VAULT_TRY(store_look(options->dir, vault->keyring, &vault->store, err));
    VAULT_TRY(log_key_open(vault, err));
    *out = VAULT_TAKE(vault);
    return VAULT_OK;
}

/* The log stops first, so that all of it can be filed and its end remembered. */
static void stop_log(struct vault *vault)
{
    struct vault_error err;
    if (vault->ledger && ledger_stop(vault->ledger, &err) && vault->options.trouble)
        vault->options.trouble("log", err.text);
    indexer_stop(&vault->indexer);
    ledger_close(&vault->ledger);
}

void vault_close(struct vault **vault)
{
    struct vault *gone = VAULT_TAKE(*vault);
    if (!gone)
        return;
    backup_close(gone);
    keeper_stop(&gone->keeper);
    stop_log(gone);
    active_policy_close(gone);
    service_close(gone);
    heads_free(&gone->heads);
    stop_close(gone);
    store_close(&gone->store);
    for (size_t i = 0; i < DERIVED_COUNT; i++)
        secret_free(key_place(gone, i));
    log_key_close(gone);
    keyring_close(&gone->keyring);
    bell_free(&gone->bell);
    pace_free(&gone->quotas);
    pace_free(&gone->renewals);
    pace_free(&gone->codes);
    new_password_close(&gone->new_password);
    pthread_mutex_destroy(&gone->activating);
    pthread_mutex_destroy(&gone->renewing);
    pthread_rwlock_destroy(&gone->feeding);
    for (size_t i = 0; i < VAULT_REPEATING; i++)
        pthread_mutex_destroy(&gone->repeating[i]);
    pthread_mutex_destroy(&gone->keeping);
    pthread_mutex_destroy(&gone->mutex);
    free(gone);
}

void vault_interrupt(struct vault *vault)
{
    bell_close(vault->bell);
}

enum vault_code vault_anchored(const struct vault *vault, struct vault_error *err)
{
    const struct vault_anchor *anchor = vault->options.anchor;
    return anchor ? anchor->check(anchor->context, err) : VAULT_OK;
}

enum vault_code vault_present_log(struct vault *vault, int64_t timeout_ms, struct vault_error *err)
{
    return ledger_present(vault->ledger, timeout_ms, err);
}

enum vault_code vault_prune_log(struct vault *vault, struct vault_error *err)
{
    return retention_run(vault, err);
}

enum vault_code vault_enter_change(struct vault *vault, struct vault_error *err)
{
    return event_of_operator(vault, ENTRY_ADMIN, bytes_of_text(""), err);
}

enum vault_code vault_ready(struct vault *vault, struct vault_error *err)
{
    VAULT_TRY(ledger_health(vault->ledger, err));
    VAULT_TRY(vault_anchored(vault, err));
    VAULT_AUTO(active_policy_release) struct policy_hold held = active_policy_hold(vault);
    if (!held.policy)
        return vault_fail(err, VAULT_UNAVAILABLE, "no policy is active");
    if (!policy_is_available(held.policy, clock_now_s(&vault->options.clock)))
        return vault_fail(err, VAULT_UNAVAILABLE, "the active policy is not in force");
    return VAULT_OK;
}

bool vault_has_stopped(struct vault *vault)
{
    return ledger_has_stopped(vault->ledger);
}

enum vault_code vault_log_key(struct vault *vault, struct buf *out, struct vault_error *err)
{
    return ledger_vkey(vault->ledger, out, err);
}

static void write_policy_status(struct vault *vault, struct buf *out)
{
    VAULT_AUTO(active_policy_release) struct policy_hold held = active_policy_hold(vault);
    if (!held.policy) {
        buf_text(out, "\"policy\":null");
        return;
    }
    char hash[HEX_CHARS(SHA256_BYTES) + 1];
    hex_string(hash, policy_manifest_hash(held.policy), SHA256_BYTES);
    buf_text(out, "\"policy\":{\"bundle\":");
    json_write_string(out, bytes_of_text(policy_name(held.policy)));
    buf_format(out, ",\"version\":%llu,\"manifest\":\"%s\",\"rules\":%zu}",
               (unsigned long long)policy_version(held.policy), hash,
               policy_count(held.policy, POLICY_RULE));
}

bool vault_describe_anchor(struct vault *vault, struct buf *out)
{
    if (vault->options.anchor)
        vault->options.anchor->describe(vault->options.anchor->context, out);
    return vault->options.anchor != NULL;
}

enum vault_code vault_status(struct vault *vault, struct buf *out, struct vault_error *err)
{
    struct vault_error why = {0};
    uint64_t citizens = 0;
    uint64_t corrections = 0;
    uint64_t reports = 0;
    size_t endings = 0;
    const bool ready = vault_ready(vault, &why) == VAULT_OK;
    const struct store_stats stats = store_stats(vault->store);
    const struct ledger_head head = ledger_head(vault->ledger);
    VAULT_TRY(control_citizen_count(vault->store, &citizens, err));
    VAULT_TRY(open_case_count(vault->store, OPEN_CASE_CORRECTION, &corrections, err));
    VAULT_TRY(open_case_count(vault->store, OPEN_CASE_REPORT, &reports, err));
    VAULT_TRY(endings_count(vault, &endings, err));
    buf_format(out, "{\"ready\":%s,\"reason\":", ready ? "true" : "false");
    json_write_string(out, bytes_of_text(why.text));
    buf_format(out, ",\"citizens\":%llu,\"open_citizens\":%zu", (unsigned long long)citizens,
               stats.open_citizens);
    buf_format(out,
               ",\"open_corrections\":%llu,\"open_reports\":%llu,"
               "\"certificates_ending\":%zu,\"log\":{\"origin\":",
               (unsigned long long)corrections, (unsigned long long)reports, endings);
    json_write_string(out, bytes_of_text(vault->options.origin));
    buf_text(out, ",\"key\":\"");
    VAULT_TRY(ledger_vkey(vault->ledger, out, err));
    buf_format(out, "\",\"size\":%llu,\"published\":%llu},", (unsigned long long)head.size,
               (unsigned long long)ledger_published_size(vault->ledger));
    write_policy_status(vault, out);
    if (vault->options.anchor) {
        buf_text(out, ",\"anchor\":");
        vault_describe_anchor(vault, out);
    }
    buf_byte(out, '}');
    return buf_check(out, err);
}

const char *vault_log_folder(const struct vault *vault)
{
    return vault->log_dir;
}

const struct clock *vault_clock(const struct vault *vault)
{
    return &vault->options.clock;
}
