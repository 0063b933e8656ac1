#include "conditions.h"

#include <string.h>

#include "age.h"

#define MINOR_ATOM    "citizen_is_minor"
#define GUARDIAN_ATOM "guardian_agrees"

/* What only the vault may say, whatever a registration lists. */
static const char *const own_atoms[] = {MINOR_ATOM, GUARDIAN_ATOM};

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
    return strcmp(field, AGE_BIRTH_FIELD) == 0;
}

static void know(const struct policy *policy, uint16_t atom, struct policy_atom_word atoms[],
                 bool holds)
{
    if (atom != POLICY_NONE)
        policy_atom_set_boolean(policy, atoms, atom, holds);
}

enum vault_code conditions_know(const struct policy *policy, struct citizen *citizen,
                                const struct consent *consent, int64_t now_s,
                                struct policy_atom_word atoms[], struct vault_error *err)
{
    enum age age;
    const uint16_t is_minor = policy_find(policy, POLICY_ATOM, bytes_of_text(MINOR_ATOM));
    const uint16_t agrees = policy_find(policy, POLICY_ATOM, bytes_of_text(GUARDIAN_ATOM));
    if (is_minor == POLICY_NONE && agrees == POLICY_NONE)
        return VAULT_OK;
    VAULT_TRY(age_of(citizen, now_s, &age, err));
    if (age == AGE_UNKNOWN)
        return VAULT_OK;
    know(policy, is_minor, atoms, age != AGE_ADULT);
    /* That none agrees is never said: unknown, it lets through less. */
    if (age != AGE_ADULT && consent && consent->guardian[0] && consent_is_live(consent, now_s))
        know(policy, agrees, atoms, true);
    return VAULT_OK;
}
