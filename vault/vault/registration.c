#include "registration.h"

#include <string.h>

#include "vault/ledger/entry.h"
#include "vault/vault/correction.h"

static enum vault_code wrong(const char *member, const char *what, struct vault_error *err)
{
    return vault_fail(err, VAULT_INVALID, "registration: %s %s", member, what);
}

static enum vault_code read_text(const json_t *registration, const char *member, size_t chars_max,
                                 const char **out, struct vault_error *err)
{
    const json_t *value = json_object_get(registration, member);
    const size_t size = json_is_string(value) ? json_string_length(value) : 0;
    if (size == 0 || size > chars_max)
        return wrong(member, "must be a text that is not empty and not too long", err);
    *out = json_string_value(value);
    return VAULT_OK;
}

static enum vault_code read_id(const json_t *registration, const char **out,
                               struct vault_error *err)
{
    VAULT_TRY(read_text(registration, "id", SERVICE_ID_CHARS, out, err));
    return entry_id_is_valid(bytes_of_text(*out))
               ? VAULT_OK
               : wrong("id", "must be a letter and then letters, digits, _ . or -, in lower case",
                       err);
}

static enum vault_code read_names(const json_t *registration, const char *member,
                                  struct service_names *out, struct vault_error *err)
{
    const json_t *list = json_object_get(registration, member);
    const size_t count = json_array_size(list);
    if ((list && !json_is_array(list)) || count > SERVICE_LIST_MAX)
        return wrong(member, "must be a list of at most 64 names", err);
    for (size_t i = 0; i < count; i++) {
        const json_t *name = json_array_get(list, i);
        if (!json_is_string(name) || !entry_id_is_valid(json_text(name)))
            return wrong(member, "holds something that is no name", err);
        out->names[i] = json_string_value(name);
    }
    out->count = count;
    return VAULT_OK;
}

static enum vault_code read_quota(const json_t *registration, int64_t *out, struct vault_error *err)
{
    const json_t *value = json_object_get(registration, "quota");
    *out = value ? json_integer_value(value) : SERVICE_QUOTA_DEFAULT;
    if (*out < 1 || *out > SERVICE_QUOTA_MAX || (value && !json_is_integer(value)))
        return wrong("quota", "must be a whole number of requests a minute, from 1 on", err);
    return VAULT_OK;
}

/* Fill the service from the registration, which it takes over on success. */
static enum vault_code read_members(json_t **registration, struct service *out,
                                    struct vault_error *err)
{
    static const char *const members[] = {"id",       "name",  "contact", "classes",
                                          "purposes", "atoms", "quota",   NULL};
    struct service service = {0};
    if (!json_is_object(*registration))
        return vault_fail(err, VAULT_INVALID, "registration: not a JSON object");
    if (json_unknown_member(*registration, members))
        return vault_fail(err, VAULT_INVALID,
                          "registration: a member other than id, name, contact, classes, "
                          "purposes, atoms, quota");
    VAULT_TRY(read_id(*registration, &service.id, err));
    if (strcmp(service.id, CORRECTION_SOURCE) == 0)
        return wrong("id", "must not be the name by which citizens' own values go", err);
    VAULT_TRY(read_text(*registration, "name", SERVICE_NAME_CHARS, &service.name, err));
    VAULT_TRY(read_text(*registration, "contact", SERVICE_NAME_CHARS, &service.contact, err));
    VAULT_TRY(read_names(*registration, "classes", &service.classes, err));
    VAULT_TRY(read_names(*registration, "purposes", &service.purposes, err));
    VAULT_TRY(read_names(*registration, "atoms", &service.atoms, err));
    VAULT_TRY(read_quota(*registration, &service.quota, err));
    service.registration = VAULT_TAKE(*registration);
    *out = service;
    return VAULT_OK;
}

enum vault_code registration_read(struct bytes text, struct service *out, struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *registration = NULL;
    VAULT_TRY(json_parse(text, SERVICE_DEPTH_MAX, &registration, NULL, err));
    return read_members(&registration, out, err);
}

enum vault_code registration_read_remembered(struct bytes text, struct service *out,
                                             struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *root = NULL;
    struct service service = {0};
    VAULT_TRY(json_parse(text, SERVICE_DEPTH_MAX, &root, NULL, err));
    VAULT_TRY(read_id(root, &service.id, err));
    VAULT_TRY(read_text(root, "name", SERVICE_NAME_CHARS, &service.name, err));
    VAULT_TRY(read_text(root, "contact", SERVICE_NAME_CHARS, &service.contact, err));
    service.removed_s = json_integer_value(json_object_get(root, "removed"));
    if (service.removed_s <= 0)
        service.removed_s = 1;
    service.registration = VAULT_TAKE(root);
    *out = service;
    return VAULT_OK;
}

void registration_finish(struct service *service)
{
    json_free(&service->registration);
    secret_free(&service->subject_key);
}

void registration_write_remembered(const struct service *service, int64_t now_s, struct buf *out)
{
    buf_format(out, "{\"id\":\"%s\",\"name\":", service->id);
    json_write_string(out, bytes_of_text(service->name));
    buf_text(out, ",\"contact\":");
    json_write_string(out, bytes_of_text(service->contact));
    buf_format(out, ",\"removed\":%lld}", (long long)now_s);
}
