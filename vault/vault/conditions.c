#include "conditions.h"

#include <string.h>

#include "vault/base/clock.h"
#include "vault/store/citizen_value.h"

#define MINOR_ATOM       "citizen_is_minor"
#define BIRTH_DATE_FIELD "identity.birth_date"
#define ADULT_YEARS      18

/* What only the vault may say, whatever a registration lists. */
static const char *const own_atoms[] = {MINOR_ATOM, "guardian_agrees"};

bool condition_may_be_asserted(const struct service *service, const char *name)
{
    for (size_t i = 0; i < sizeof own_atoms / sizeof own_atoms[0]; i++) {
        if (strcmp(name, own_atoms[i]) == 0)
            return false;
    }
    return service_has(&service->atoms, bytes_of_text(name));
}

static void assert_atom(const struct policy *policy, uint16_t atom, const json_t *value,
                        struct policy_atom_word atoms[])
{
    struct bytes names[POLICY_ATOM_VALUES_MAX];
    const size_t count = json_array_size(value);
    switch (policy_atom_kind(policy, atom)) {
    case POLICY_ATOM_BOOLEAN:
        if (json_is_boolean(value))
            policy_atom_set_boolean(policy, atoms, atom, json_is_true(value));
        break;
    case POLICY_ATOM_ORDERED:
        if (json_is_string(value))
            policy_atom_set_ordered(policy, atoms, atom, json_text(value));
        break;
    case POLICY_ATOM_SET:
        if (!json_is_array(value) || count > POLICY_ATOM_VALUES_MAX)
            break;
        for (size_t i = 0; i < count; i++)
            names[i] = json_text(json_array_get(value, i));
        policy_atom_set_values(policy, atoms, atom, names, count);
        break;
    }
}

void conditions_assert(const struct policy *policy, const struct service *service,
                       const json_t *context, struct policy_atom_word atoms[])
{
    const char *name;
    json_t *value;
    /* jansson walks an object that is not const; it is only read. */
    json_object_foreach((json_t *)(uintptr_t)context, name, value)
    {
        const uint16_t atom = policy_find(policy, POLICY_ATOM, bytes_of_text(name));
        if (atom != POLICY_NONE && condition_may_be_asserted(service, name))
            assert_atom(policy, atom, value, atoms);
    }
}

bool condition_rests_on(const char *field)
{
    return strcmp(field, BIRTH_DATE_FIELD) == 0;
}

enum vault_code conditions_know(const struct policy *policy, struct citizen *citizen, int64_t now_s,
                                struct policy_atom_word atoms[], struct vault_error *err)
{
    const uint16_t atom = policy_find(policy, POLICY_ATOM, bytes_of_text(MINOR_ATOM));
    if (atom == POLICY_NONE)
        return VAULT_OK;
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(64);
    const enum vault_code code = citizen_value_get(citizen, BIRTH_DATE_FIELD, &json, NULL, err);
    if (code && code != VAULT_NOT_FOUND)
        return code;
    struct date born;
    /* "YYYY-MM-DD" with its quotes; anything else leaves the atom unknown. */
    if (json.size == DATE_CHARS + 2 &&
        date_parse((struct bytes){json.data + 1, DATE_CHARS}, &born, NULL) == VAULT_OK) {
        const int years = date_years_between(born, date_of_instant(now_s));
        policy_atom_set_boolean(policy, atoms, atom, years < ADULT_YEARS);
    }
    return VAULT_OK;
}
