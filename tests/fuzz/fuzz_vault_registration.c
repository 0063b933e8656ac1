/*
 * Registrations of services, as an operator brings them and as control.db has them. What is taken
 * keeps the limits, and is read again to the same from its own JSON; what is kept of a service that
 * was removed says what it said, and nothing more.
 */
#include "fuzz_tools.h"

#include "vault/base/json.h"
#include "vault/ledger/entry.h"
#include "vault/registration.h"

#define TEXT_BYTES_MAX (64UL * 1024)
#define NOW_S          1804500000

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    json_start();
    return 0;
}

static void require_names(const struct service_names *names, const struct service_names *same)
{
    REQUIRE(names->count <= SERVICE_LIST_MAX && names->count == same->count);
    for (size_t i = 0; i < names->count; i++) {
        REQUIRE(entry_id_is_valid(bytes_of_text(names->names[i])));
        REQUIRE(strcmp(names->names[i], same->names[i]) == 0);
    }
}

static void require_text(const char *text, size_t chars_max, const char *same)
{
    REQUIRE(text[0] && strlen(text) <= chars_max && strcmp(text, same) == 0);
}

static void check_again(const struct service *service)
{
    VAULT_AUTO(registration_finish) struct service same = {0};
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(8 * TEXT_BYTES_MAX);
    json_write_value(&text, service->registration);
    REQUIRE(registration_read(buf_view(&text), &same, NULL) == VAULT_OK);
    REQUIRE(entry_id_is_valid(bytes_of_text(service->id)));
    require_text(service->id, SERVICE_ID_CHARS, same.id);
    require_text(service->name, SERVICE_NAME_CHARS, same.name);
    require_text(service->contact, SERVICE_NAME_CHARS, same.contact);
    require_names(&service->classes, &same.classes);
    require_names(&service->purposes, &same.purposes);
    require_names(&service->atoms, &same.atoms);
    REQUIRE(service->quota >= 1 && service->quota <= SERVICE_QUOTA_MAX);
    REQUIRE(service->quota == same.quota);
}

static void check_remembered(const struct service *service)
{
    VAULT_AUTO(registration_finish) struct service left = {0};
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(8 * TEXT_BYTES_MAX);
    registration_write_remembered(service, NOW_S, &text);
    REQUIRE(registration_read_remembered(buf_view(&text), &left, NULL) == VAULT_OK);
    require_text(service->id, SERVICE_ID_CHARS, left.id);
    require_text(service->name, SERVICE_NAME_CHARS, left.name);
    require_text(service->contact, SERVICE_NAME_CHARS, left.contact);
    REQUIRE(left.removed_s == NOW_S && left.purposes.count == 0 && left.classes.count == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes input = {data, size};
    struct vault_error err = {.text = ""};
    VAULT_AUTO(registration_finish) struct service service = {0};
    VAULT_AUTO(registration_finish) struct service removed = {0};
    if (size > TEXT_BYTES_MAX)
        return 0;
    if (registration_read(input, &service, &err) == VAULT_OK) {
        check_again(&service);
        check_remembered(&service);
    } else {
        require_silent(&err);
    }
    if (registration_read_remembered(input, &removed, &err) == VAULT_OK) {
        REQUIRE(removed.removed_s > 0);
        check_remembered(&removed);
    } else {
        require_silent(&err);
    }
    return 0;
}
