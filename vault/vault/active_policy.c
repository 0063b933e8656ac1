#include "vault/vault/active_policy.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "parts.h"
#include "policy_copy.h"
#include "policy_register_write.h"
#include "vault/base/codec.h"
#include "vault/base/file.h"
#include "vault/policy/gate.h"
#include "vault/policy/signature.h"
#include "vault/store/setting.h"

#define ACTIVE_SETTING "policy.active" /* the name of a folder in the vault's policy folder */
#define NAME_CHARS     96
#define DIFF_SUFFIX    ".diff.json"
#define DIFF_BYTES_MAX (256UL * 1024 * 1024)

struct active_policy {
    atomic_uint holders;
    struct policy *policy;
};

static void let_go(struct active_policy *active)
{
    if (active && atomic_fetch_sub(&active->holders, 1) == 1) {
        policy_free(&active->policy);
        free(active);
    }
}

struct policy_hold active_policy_hold(struct vault *vault)
{
    pthread_mutex_lock(&vault->mutex);
    struct active_policy *active = vault->active;
    if (active)
        atomic_fetch_add(&active->holders, 1);
    pthread_mutex_unlock(&vault->mutex);
    return (struct policy_hold){active ? active->policy : NULL, active};
}

void active_policy_release(struct policy_hold *hold)
{
    let_go(hold->active);
    *hold = (struct policy_hold){0};
}

void active_policy_close(struct vault *vault)
{
    let_go(vault->active);
    vault->active = NULL;
}

/* Make the policy the active one; the bundle takes it over. */
static enum vault_code swap_in(struct vault *vault, struct policy **policy, struct vault_error *err)
{
    struct active_policy *active = calloc(1, sizeof *active);
    if (!active)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    atomic_init(&active->holders, 1);
    active->policy = VAULT_TAKE(*policy);
    pthread_mutex_lock(&vault->mutex);
    struct active_policy *old = vault->active;
    vault->active = active;
    pthread_mutex_unlock(&vault->mutex);
    let_go(old);
    return VAULT_OK;
}

/* A bundle's files, and the policy compiled from them. */
struct loaded {
    struct bundle *bundle;
    struct policy *policy;
};

static void loaded_finish(struct loaded *loaded)
{
    policy_free(&loaded->policy);
    bundle_free(&loaded->bundle);
}

/* Who may sign, and that so many must have, by keys that have not ended at that time. */
static enum vault_code trust_of(const struct vault *vault, size_t signatures, int64_t now_s,
                                struct policy_trust *out, struct vault_error *err)
{
    *out = (struct policy_trust){.signatures = signatures, .now_s = now_s};
    for (size_t i = 0; i < vault->options.trust_count; i++) {
        const enum vault_code code =
            policy_trust_add(out, bytes_of_text(vault->options.trust[i]), err);
        if (code) {
            vault_error_context(err, "trusted key %zu", i + 1);
            return code;
        }
    }
    return VAULT_OK;
}

static enum vault_code load(const struct vault *vault, const char *folder, int64_t now_s,
                            struct loaded *out, struct vault_error *err)
{
    struct policy_trust trust;
    VAULT_TRY(trust_of(vault, vault->options.signatures, now_s, &trust, err));
    VAULT_TRY(bundle_read(folder, &out->bundle, NULL, err));
    VAULT_TRY(policy_check_signatures(out->bundle, &trust, err));
    return policy_compile(out->bundle, &out->policy, NULL, err);
}

/* Version and hash of the manifest: the folder of a bundle says which one it is. */
static void folder_name(const struct policy *policy, char out[NAME_CHARS])
{
    char hash[HEX_CHARS(SHA256_BYTES) + 1];
    hex_string(hash, policy_manifest_hash(policy), SHA256_BYTES);
    snprintf(out, NAME_CHARS, "%llu-%s", (unsigned long long)policy_version(policy), hash);
}

/* Load what was activated. Keys that have ended since count: they held when it was. So it must be
 * that very bundle, by the name that the store has kept. */
static enum vault_code load_again(const struct vault *vault, const char *folder, const char *name,
                                  struct loaded *out, struct vault_error *err)
{
    char found[NAME_CHARS];
    VAULT_TRY(load(vault, folder, POLICY_BEFORE_EVERY_END, out, err));
    folder_name(out->policy, found);
    if (strcmp(found, name) != 0)
        return vault_fail(err, VAULT_CORRUPT, "it is not the bundle that was activated");
    return VAULT_OK;
}

/* The folder of what was activated, and its name. VAULT_NOT_FOUND if nothing was. */
static enum vault_code find_active(struct vault *vault, char folder[PATH_MAX],
                                   char name[NAME_CHARS + 1], struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf value = buf_limited(NAME_CHARS);
    VAULT_TRY(setting_get(vault->store, ACTIVE_SETTING, &value, err));
    const char *text = buf_string(&value);
    if (!text)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    snprintf(name, NAME_CHARS + 1, "%s", text);
    return file_join(folder, PATH_MAX, vault->policy_dir, text, err);
}

enum vault_code active_policy_look(struct vault *vault, struct policy **out,
                                   struct vault_error *err)
{
    char name[NAME_CHARS + 1];
    char folder[PATH_MAX];
    VAULT_TRY(find_active(vault, folder, name, err));
    VAULT_AUTO(loaded_finish) struct loaded loaded = {NULL, NULL};
    const enum vault_code code = load_again(vault, folder, name, &loaded, err);
    if (code) /* a file of it that is not there is damage */
        return code == VAULT_NOT_FOUND ? VAULT_CORRUPT : code;
    *out = VAULT_TAKE(loaded.policy);
    return VAULT_OK;
}

static void trouble(const struct vault *vault, const struct vault_error *err)
{
    if (vault->options.trouble)
        vault->options.trouble("policy", err->text);
}

/* Enter it into the register (policy_register.h). It decides already: a register that cannot be
 * written is no reason to go back, and the next start enters it. */
static void note_active(struct vault *vault, const char *name, const struct loaded *loaded,
                        const struct ledger_ticket *ticket, const struct policy_passed *passed)
{
    struct vault_error err;
    struct policy_trust trust;
    const struct policy_activated activated = {loaded->bundle, loaded->policy, &trust, ticket,
                                               passed};
    if (trust_of(vault, vault->options.signatures, POLICY_BEFORE_EVERY_END, &trust, &err) ||
        policy_record_write(vault, name, &activated, &err))
        trouble(vault, &err);
}

/* One that was activated before there was a register, or just before a crash. */
static void note_if_missing(struct vault *vault, const char *name, const struct loaded *loaded)
{
    struct vault_error err;
    if (policy_record_exists(vault, name))
        return;
    if (policy_register_write(vault, name, loaded->policy, &err))
        trouble(vault, &err);
    else
        note_active(vault, name, loaded, NULL, NULL);
}

enum vault_code active_policy_open(struct vault *vault, struct vault_error *err)
{
    char name[NAME_CHARS + 1];
    char folder[PATH_MAX];
    const enum vault_code code = find_active(vault, folder, name, err);
    if (code == VAULT_NOT_FOUND)
        return VAULT_OK;
    if (code)
        return code;
    VAULT_AUTO(loaded_finish) struct loaded loaded = {NULL, NULL};
    if (load_again(vault, folder, name, &loaded, err)) {
        /* Nothing is released without a policy; but people can still see and withdraw. */
        vault_error_context(err,
                            "the active policy, %s, is not loaded, and nothing is released "
                            "until a newer one is activated",
                            folder);
        trouble(vault, err);
        return VAULT_OK;
    }
    note_if_missing(vault, name, &loaded);
    return swap_in(vault, &loaded.policy, err);
}

/* The version that was activated last, also when it could not be loaded again; 0: none ever was. */
static enum vault_code last_version(struct vault *vault, uint64_t *version, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf name = buf_limited(NAME_CHARS);
    const enum vault_code code = setting_get(vault->store, ACTIVE_SETTING, &name, err);
    *version = 0;
    if (code == VAULT_NOT_FOUND)
        return VAULT_OK;
    if (code)
        return code;
    const char *text = buf_string(&name);
    *version = text ? strtoull(text, NULL, 10) : UINT64_MAX;
    return VAULT_OK;
}

static enum vault_code check_newer(struct vault *vault, const struct policy *policy, int64_t now_s,
                                   struct vault_error *err)
{
    uint64_t last = 0;
    VAULT_TRY(last_version(vault, &last, err));
    if (policy_version(policy) <= last)
        return vault_fail(err, VAULT_CONFLICT,
                          "the bundle's version %llu is not above the active version %llu",
                          (unsigned long long)policy_version(policy), (unsigned long long)last);
    if (!policy_is_available(policy, now_s))
        return vault_fail(err, VAULT_CONFLICT,
                          "the bundle is not in force now: see not_before "
                          "and expires in its manifest");
    return VAULT_OK;
}

/* A bundle that says which one it follows must follow the one that decides. */
static enum vault_code check_previous(struct vault *vault, const struct bundle *bundle,
                                      struct vault_error *err)
{
    VAULT_AUTO(active_policy_release) struct policy_hold active = active_policy_hold(vault);
    const uint8_t *previous = bundle_previous(bundle);
    if (!previous || !active.policy ||
        memcmp(previous, policy_manifest_hash(active.policy), SHA256_BYTES) == 0)
        return VAULT_OK;
    char hash[HEX_CHARS(SHA256_BYTES) + 1];
    hex_string(hash, policy_manifest_hash(active.policy), SHA256_BYTES);
    return vault_fail(err, VAULT_CONFLICT,
                      "the bundle's \"previous\" is not the active bundle's manifest, %s: sign it "
                      "anew as one that follows this, or without \"previous\"",
                      hash);
}

/* How many must sign what widens: what the configuration says, or the usual. */
static size_t signatures_to_widen(const struct vault_options *options)
{
    return options->signatures_to_widen
               ? options->signatures_to_widen
               : policy_signatures_to_widen(options->trust_count, options->signatures);
}

/* What widens an active policy is more than one person's decision. */
static enum vault_code check_wider(const struct vault *vault, const struct bundle *bundle,
                                   const struct policy_passed *passed, int64_t now_s,
                                   struct vault_error *err)
{
    struct policy_trust trust;
    if (!passed->widens)
        return VAULT_OK;
    VAULT_TRY(trust_of(vault, signatures_to_widen(&vault->options), now_s, &trust, err));
    const enum vault_code code = policy_check_signatures(bundle, &trust, err);
    if (code)
        vault_error_context(err,
                            "it widens what is released (%zu gain, %zu weaker, %zu under other "
                            "obligations, %zu besides; see vaultctl policy diff)",
                            passed->changes[POLICY_GAINS], passed->changes[POLICY_WEAKER],
                            passed->changes[POLICY_OBLIGATIONS], passed->besides);
    return code;
}

static const char first_of_all[] = "{\"changes\":[],\"compared\":false,\"same\":false,\"why\":"
                                   "\"first\"}\n";
static const char after_damage[] = "{\"changes\":[],\"compared\":false,\"same\":false,\"why\":"
                                   "\"damaged\"}\n";

/* The gate (vault/policy/gate.h), and the signatures that a widening bundle needs. Each version is
 * tried with other random requests. */
static enum vault_code check_gate(struct vault *vault, const struct loaded *loaded, int64_t now_s,
                                  struct buf *diff, struct policy_activation *out,
                                  struct vault_error *err)
{
    VAULT_AUTO(active_policy_release) struct policy_hold active = active_policy_hold(vault);
    uint64_t last = 0;
    VAULT_TRY(last_version(vault, &last, err));
    const struct policy_candidate candidate = {
        .bundle = loaded->bundle,
        .policy = loaded->policy,
        .active = active.policy,
        .now_s = now_s,
        .seed = policy_version(loaded->policy),
        .diff = diff,
    };
    out->version = policy_version(loaded->policy);
    VAULT_TRY(policy_gate_pass(&candidate, &out->passed, err));
    /* There is one that decided, but it is damaged: what cannot be compared counts as wider. */
    out->was_damaged = !active.policy && last > 0;
    out->passed.widens = out->passed.widens || out->was_damaged;
    if (!active.policy)
        buf_text(diff, out->was_damaged ? after_damage : first_of_all);
    return check_wider(vault, loaded->bundle, &out->passed, now_s, err);
}

/* The vault's own copy. What decides is what was copied: the folder may have changed since it was
 * read. */
static enum vault_code copy_and_load(const struct vault *vault, const char *from, const char *name,
                                     int64_t now_s, struct loaded *out, struct vault_error *err)
{
    char copy[PATH_MAX];
    char found[NAME_CHARS];
    VAULT_TRY(file_join(copy, sizeof copy, vault->policy_dir, name, err));
    VAULT_TRY(policy_copy(from, copy, err));
    VAULT_TRY(load(vault, copy, now_s, out, err));
    folder_name(out->policy, found);
    if (strcmp(found, name) != 0)
        return vault_fail(err, VAULT_CONFLICT, "the bundle changed while it was read");
    return VAULT_OK;
}

static enum vault_code record(const struct vault *vault, const char *name, const struct buf *diff,
                              struct policy_activation *out, struct vault_error *err)
{
    char file[NAME_CHARS + sizeof DIFF_SUFFIX];
    snprintf(file, sizeof file, "%s" DIFF_SUFFIX, name);
    VAULT_TRY(file_join(out->diff_path, sizeof out->diff_path, vault->policy_dir, file, err));
    VAULT_TRY(buf_check(diff, err));
    return file_replace(out->diff_path, buf_view(diff), 0600, err);
}

static enum vault_code activate(struct vault *vault, const char *folder,
                                struct policy_activation *out, struct vault_error *err)
{
    VAULT_AUTO(loaded_finish) struct loaded given = {NULL, NULL};
    VAULT_AUTO(loaded_finish) struct loaded copied = {NULL, NULL};
    VAULT_AUTO(buf_finish) struct buf diff = buf_limited(DIFF_BYTES_MAX);
    char name[NAME_CHARS];
    struct ledger_ticket ticket;
    const int64_t now_s = clock_now_s(&vault->options.clock);
    VAULT_TRY(load(vault, folder, now_s, &given, err));
    VAULT_TRY(check_newer(vault, given.policy, now_s, err));
    VAULT_TRY(check_previous(vault, given.bundle, err));
    VAULT_TRY(check_gate(vault, &given, now_s, &diff, out, err));
    folder_name(given.policy, name);
    VAULT_TRY(copy_and_load(vault, folder, name, now_s, &copied, err));
    VAULT_TRY(record(vault, name, &diff, out, err));
    VAULT_TRY(policy_register_write(vault, name, copied.policy, err));
    const struct setting active = {ACTIVE_SETTING, bytes_of_text(name)};
    const struct entry entry = {.event = ENTRY_POLICY};
    VAULT_TRY(ledger_append(vault->ledger, &entry, (struct bytes){0}, &ticket, err));
    VAULT_TRY(setting_put(vault->store, &active, 1, err));
    note_active(vault, name, &copied, &ticket, &out->passed);
    return swap_in(vault, &copied.policy, err);
}

enum vault_code active_policy_replace(struct vault *vault, const char *folder,
                                      struct policy_activation *out, struct vault_error *err)
{
    struct policy_activation activation = {.version = 0};
    pthread_mutex_lock(&vault->activating);
    const enum vault_code code = activate(vault, folder, &activation, err);
    pthread_mutex_unlock(&vault->activating);
    if (code == VAULT_OK)
        *out = activation;
    return code;
}

enum vault_code active_policy_set(struct vault *vault, const char *folder, struct vault_error *err)
{
    struct policy_activation activation;
    return active_policy_replace(vault, folder, &activation, err);
}
