#include "vault/vault/service.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "parts.h"
#include "registration.h"
#include "vault/crypto/kdf.h"
#include "vault/ledger/entry.h"
#include "vault/store/control_service.h"

/* The services and keys as they were at one generation of the store. Never changed once built. */
struct service_registry {
    atomic_uint holders;
    uint64_t generation;
    struct service *services; /* by id */
    size_t service_count;
    struct key *keys; /* by spki */
    size_t key_count;
};

struct key {
    uint8_t spki[SHA256_BYTES];
    size_t service; /* its position */
};

bool service_has(const struct service_names *names, struct bytes name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (bytes_equal(bytes_of_text(names->names[i]), name))
            return true;
    }
    return false;
}

/* --- The registry --------------------------------------------------------------------------- */

static void registry_free(struct service_registry **registry)
{
    struct service_registry *gone = VAULT_TAKE(*registry);
    if (!gone)
        return;
    for (size_t i = 0; i < gone->service_count; i++)
        registration_finish(&gone->services[i]);
    free(gone->services);
    free(gone->keys);
    free(gone);
}

static void registry_let_go(struct service_registry *registry)
{
    if (registry && atomic_fetch_sub(&registry->holders, 1) == 1)
        registry_free(&registry);
}

static enum vault_code derive_subject_key(struct vault *vault, struct service *service,
                                          struct vault_error *err)
{
    char label[SERVICE_ID_CHARS + 32];
    snprintf(label, sizeof label, "vault/subject/1/%s", service->id);
    return kdf_derive(vault->subject_key, label, SECRET_KEY_BYTES, &service->subject_key, err);
}

struct building {
    struct vault *vault;
    struct service_registry *registry;
};

static enum vault_code add_service(void *context, const struct control_service *row,
                                   struct vault_error *err)
{
    struct building *building = context;
    struct service_registry *registry = building->registry;
    const bool removed = row->state == CONTROL_SERVICE_REMOVED;
    if (registry->service_count == CONTROL_SERVICES_MAX)
        return VAULT_OK;
    struct service *service = &registry->services[registry->service_count];
    if (removed ? registration_read_remembered(row->json, service, err)
                : registration_read(row->json, service, err)) {
        /* One that cannot be read is not let in; the others are none the worse for it. */
        if (building->vault->options.trouble)
            building->vault->options.trouble("services", err->text);
        return VAULT_OK;
    }
    registry->service_count++;
    service->active = row->state == CONTROL_SERVICE_ACTIVE;
    return derive_subject_key(building->vault, service, err);
}

static struct service *find_service(const struct service_registry *registry, struct bytes id)
{
    size_t low = 0;
    size_t high = registry->service_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const struct bytes here = bytes_of_text(registry->services[middle].id);
        const size_t shorter = here.size < id.size ? here.size : id.size;
        int order = memcmp(here.data, id.data, shorter);
        if (order == 0)
            order = (here.size > id.size) - (here.size < id.size);
        if (order == 0)
            return &registry->services[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static enum vault_code add_key(void *context, const struct control_certificate *row,
                               struct vault_error *err)
{
    struct building *building = context;
    struct service_registry *registry = building->registry;
    const struct service *service = find_service(registry, bytes_of_text(row->owner));
    if (row->state != CONTROL_CERTIFICATE_ACTIVE || !service)
        return VAULT_OK;
    /* Doubled when full, so counted keys are always below the room there is. */
    if ((registry->key_count & (registry->key_count - 1)) == 0) {
        const size_t room = registry->key_count ? registry->key_count * 2 : 1;
        struct key *keys = calloc(room, sizeof *keys);
        if (!keys)
            return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
        if (registry->key_count)
            memcpy(keys, registry->keys, registry->key_count * sizeof *keys);
        free(registry->keys);
        registry->keys = keys;
    }
    struct key *key = &registry->keys[registry->key_count++];
    memcpy(key->spki, row->spki, sizeof key->spki);
    key->service = (size_t)(service - registry->services);
    return VAULT_OK;
}

static int compare_keys(const void *a, const void *b)
{
    return memcmp(((const struct key *)a)->spki, ((const struct key *)b)->spki, SHA256_BYTES);
}

static enum vault_code build(struct vault *vault, struct service_registry **out,
                             struct vault_error *err)
{
    VAULT_AUTO(registry_free) struct service_registry *registry = calloc(1, sizeof *registry);
    if (registry)
        registry->services = calloc(CONTROL_SERVICES_MAX, sizeof *registry->services);
    if (!registry || !registry->services)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    atomic_init(&registry->holders, 1);
    struct building building = {vault, registry};
    /* The generation before the rows: a change in between is seen at the next look-up. */
    registry->generation = control_service_generation(vault->store);
    VAULT_TRY(control_service_list(vault->store, add_service, &building, err));
    VAULT_TRY(control_certificate_list(vault->store, CONTROL_CERTIFICATE_SERVICE, NULL, add_key,
                                       &building, err));
    if (registry->key_count)
        qsort(registry->keys, registry->key_count, sizeof *registry->keys, compare_keys);
    *out = VAULT_TAKE(registry);
    return VAULT_OK;
}

/* Read what changed. Others go on with what they have meanwhile. */
static enum vault_code renew_registry(struct vault *vault, struct vault_error *err)
{
    struct service_registry *fresh = NULL;
    VAULT_TRY(build(vault, &fresh, err));
    pthread_mutex_lock(&vault->mutex);
    struct service_registry *former = vault->registry;
    if (!former || former->generation < fresh->generation) {
        vault->registry = fresh;
        fresh = former;
    }
    pthread_mutex_unlock(&vault->mutex);
    registry_let_go(fresh);
    return VAULT_OK;
}

/* With the mutex held. */
static bool is_fresh(const struct vault *vault, uint64_t generation)
{
    return vault->registry && vault->registry->generation >= generation;
}

bool service_registry_is_fresh(struct vault *vault)
{
    const uint64_t generation = control_service_generation(vault->store);
    pthread_mutex_lock(&vault->mutex);
    const bool fresh = is_fresh(vault, generation);
    pthread_mutex_unlock(&vault->mutex);
    return fresh;
}

/* The registry as it is now, or was since this was called, held once more for the caller. */
static enum vault_code acquire_registry(struct vault *vault, struct service_registry **out,
                                        struct vault_error *err)
{
    const uint64_t generation = control_service_generation(vault->store);
    for (bool found = false; !found;) {
        pthread_mutex_lock(&vault->mutex);
        found = is_fresh(vault, generation);
        if (found) {
            atomic_fetch_add(&vault->registry->holders, 1);
            *out = vault->registry;
        }
        pthread_mutex_unlock(&vault->mutex);
        if (!found)
            VAULT_TRY(renew_registry(vault, err));
    }
    return VAULT_OK;
}

void service_close(struct vault *vault)
{
    registry_let_go(vault->registry);
    vault->registry = NULL;
}

void service_release(struct service_hold *hold)
{
    registry_let_go(hold->registry);
    *hold = (struct service_hold){0};
}

enum vault_code service_by_key(struct vault *vault, const uint8_t spki[SHA256_BYTES],
                               struct service_hold *out, struct vault_error *err)
{
    VAULT_AUTO(service_release) struct service_hold hold = {0};
    VAULT_TRY(acquire_registry(vault, &hold.registry, err));
    struct key wanted = {0};
    memcpy(wanted.spki, spki, sizeof wanted.spki);
    const struct key *key = hold.registry->key_count
                                ? bsearch(&wanted, hold.registry->keys, hold.registry->key_count,
                                          sizeof wanted, compare_keys)
                                : NULL;
    if (!key || !hold.registry->services[key->service].active)
        return vault_fail(err, VAULT_DENIED, "this certificate belongs to no active service");
    hold.service = &hold.registry->services[key->service];
    *out = hold;
    hold = (struct service_hold){0};
    return VAULT_OK;
}

static enum vault_code by_id(struct vault *vault, struct bytes id, bool removed_too,
                             struct service_hold *out, struct vault_error *err)
{
    VAULT_AUTO(service_release) struct service_hold hold = {0};
    VAULT_TRY(acquire_registry(vault, &hold.registry, err));
    hold.service = find_service(hold.registry, id);
    if (!hold.service || (hold.service->removed_s && !removed_too))
        return vault_fail(err, VAULT_NOT_FOUND, "there is no such service");
    *out = hold;
    hold = (struct service_hold){0};
    return VAULT_OK;
}

enum vault_code service_by_id(struct vault *vault, struct bytes id, struct service_hold *out,
                              struct vault_error *err)
{
    return by_id(vault, id, false, out, err);
}

enum vault_code service_by_id_ever(struct vault *vault, struct bytes id, struct service_hold *out,
                                   struct vault_error *err)
{
    return by_id(vault, id, true, out, err);
}

uint64_t service_generation(struct vault *vault)
{
    return control_service_generation(vault->store) + 1;
}

/* --- Changes -------------------------------------------------------------------------------- */

/* The entry comes before the change: a crash in between leaves a change announced and not made,
 * never one made and not on record. */

static bool id_is_taken(struct vault *vault, const char *id)
{
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(CONTROL_SERVICE_JSON_MAX_BYTES);
    enum control_service_state state;
    return control_service_get(vault->store, id, &json, &state, NULL) == VAULT_OK;
}

struct policy_actor service_actor(const struct service *service, const struct policy *policy)
{
    struct policy_actor actor = {.service = POLICY_NONE};
    if (!policy)
        return actor;
    actor.service = policy_find(policy, POLICY_SERVICE, bytes_of_text(service->id));
    for (size_t i = 0; i < service->classes.count; i++) {
        const uint16_t class =
            policy_find(policy, POLICY_CLASS, bytes_of_text(service->classes.names[i]));
        if (class != POLICY_NONE && actor.class_count < POLICY_SERVICE_CLASSES_MAX)
            actor.classes[actor.class_count++] = class;
    }
    return actor;
}

enum vault_code service_add(struct vault *vault, struct bytes registration, struct vault_error *err)
{
    struct service service = {0};
    VAULT_TRY(registration_read(registration, &service, err));
    const struct control_service row = {service.id, registration, CONTROL_SERVICE_ACTIVE};
    enum vault_code code =
        id_is_taken(vault, service.id)
            ? vault_fail(err, VAULT_CONFLICT, "a service has or had this id already")
            : event_of_operator(vault, ENTRY_ADMIN, bytes_of_text(service.id), err);
    if (code == VAULT_OK)
        code = control_service_add(vault->store, &row, err);
    registration_finish(&service);
    return code;
}

enum vault_code service_update(struct vault *vault, struct bytes registration,
                               struct vault_error *err)
{
    struct service service = {0};
    VAULT_AUTO(service_release) struct service_hold known = {0};
    VAULT_TRY(registration_read(registration, &service, err));
    enum vault_code code = service_by_id(vault, bytes_of_text(service.id), &known, err);
    if (code == VAULT_OK)
        code = event_of_operator(vault, ENTRY_ADMIN, bytes_of_text(service.id), err);
    if (code == VAULT_OK)
        code = control_service_update(vault->store, service.id, registration, err);
    registration_finish(&service);
    return code;
}

enum vault_code service_remove(struct vault *vault, const char *id, struct vault_error *err)
{
    VAULT_AUTO(service_release) struct service_hold known = {0};
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(CONTROL_SERVICE_JSON_MAX_BYTES);
    const struct service unreadable = {.id = id, .name = id, .contact = "-"};
    if (!entry_id_is_valid(bytes_of_text(id)) || !id_is_taken(vault, id))
        return vault_fail(err, VAULT_NOT_FOUND, "there is no such service");
    const enum vault_code code = service_by_id_ever(vault, bytes_of_text(id), &known, err);
    if (code && code != VAULT_NOT_FOUND)
        return code;
    const struct service *service = code ? &unreadable : known.service;
    if (service->removed_s)
        return vault_fail(err, VAULT_CONFLICT, "the service was removed");
    VAULT_TRY(event_of_operator(vault, ENTRY_ADMIN, bytes_of_text(id), err));
    registration_write_remembered(service, clock_now_s(&vault->options.clock), &json);
    VAULT_TRY(buf_check(&json, err));
    return control_service_remove(vault->store, id, buf_view(&json), err);
}

/* Whether this key is its owner's already and is trusted: then a new certificate for it is fine. */
static bool is_same_key(struct vault *vault, const struct control_certificate *wanted)
{
    struct control_certificate known;
    return control_certificate_find(vault->store, wanted->kind, wanted->spki, &known, NULL) ==
               VAULT_OK &&
           known.state == CONTROL_CERTIFICATE_ACTIVE && strcmp(known.owner, wanted->owner) == 0;
}

enum vault_code service_add_key(struct vault *vault, enum control_certificate_kind kind,
                                const char *owner, const uint8_t spki[SHA256_BYTES],
                                int64_t expires_s, struct vault_error *err)
{
    struct control_certificate certificate = {
        .kind = kind, .added_s = clock_now_s(&vault->options.clock), .expires_s = expires_s};
    if (!entry_id_is_valid(bytes_of_text(owner)))
        return vault_fail(err, VAULT_INVALID,
                          "a name is a letter and then letters, digits, _ . or -, in lower case");
    snprintf(certificate.owner, sizeof certificate.owner, "%s", owner);
    memcpy(certificate.spki, spki, sizeof certificate.spki);
    const bool is_service = kind == CONTROL_CERTIFICATE_SERVICE;
    VAULT_TRY(event_of_operator(vault, ENTRY_ADMIN, bytes_of_text(is_service ? owner : ""), err));
    const enum vault_code code = control_certificate_add(vault->store, &certificate, err);
    if (code != VAULT_CONFLICT || !is_same_key(vault, &certificate))
        return code;
    return control_certificate_extend(vault->store, kind, spki, expires_s, err);
}

enum vault_code service_revoke_key(struct vault *vault, enum control_certificate_kind kind,
                                   const uint8_t spki[SHA256_BYTES], struct vault_error *err)
{
    struct control_certificate certificate;
    VAULT_TRY(control_certificate_find(vault->store, kind, spki, &certificate, err));
    const bool is_service = kind == CONTROL_CERTIFICATE_SERVICE;
    VAULT_TRY(event_of_operator(vault, ENTRY_ADMIN,
                                bytes_of_text(is_service ? certificate.owner : ""), err));
    return control_certificate_revoke(vault->store, kind, spki, err);
}

enum vault_code service_set_state(struct vault *vault, const char *id,
                                  enum control_service_state state, struct vault_error *err)
{
    if (!entry_id_is_valid(bytes_of_text(id)))
        return vault_fail(err, VAULT_NOT_FOUND, "there is no such service");
    VAULT_TRY(event_of_operator(vault, ENTRY_ADMIN, bytes_of_text(id), err));
    return control_service_set_state(vault->store, id, state, err);
}

enum vault_code service_list(struct vault *vault, struct buf *out, struct vault_error *err)
{
    VAULT_AUTO(service_release) struct service_hold hold = {0};
    VAULT_TRY(acquire_registry(vault, &hold.registry, err));
    buf_byte(out, '[');
    bool first = true;
    for (size_t i = 0; i < hold.registry->service_count; i++) {
        const struct service *service = &hold.registry->services[i];
        if (service->removed_s)
            continue;
        buf_format(out, "%s{\"id\":\"%s\",\"name\":", first ? "" : ",", service->id);
        first = false;
        json_write_string(out, bytes_of_text(service->name));
        buf_format(out, ",\"state\":\"%s\"}", service->active ? "active" : "suspended");
    }
    buf_byte(out, ']');
    return buf_check(out, err);
}

enum vault_code service_enrolled(struct vault *vault, const char *id, struct vault_error *err)
{
    return event_of_operator(vault, ENTRY_ADMIN, bytes_of_text(id), err);
}
