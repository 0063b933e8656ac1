#include "guardian_law.h"

#include "age.h"
#include "parts.h"
#include "vault/store/control_citizen.h"

static enum vault_code denied(struct vault_error *err)
{
    return vault_fail(err, VAULT_DENIED, "a guardian may not do this");
}

enum vault_code guardian_law_both(struct vault *vault, struct citizen *citizen,
                                  const struct person *person, bool *both, struct vault_error *err)
{
    enum age age;
    size_t guardians = 0;
    VAULT_TRY(age_of(citizen, clock_now_s(&vault->options.clock), &age, err));
    if (age == AGE_UNKNOWN)
        VAULT_TRY(guardian_law_count(vault, person, true, &guardians, err));
    *both = age == AGE_CHILD || guardians > 0;
    return VAULT_OK;
}

enum vault_code guardian_law_stands(struct vault *vault, const struct guardianship *one,
                                    bool *stands, struct vault_error *err)
{
    struct control_citizen other;
    const enum vault_code code =
        one ? control_citizen_find(vault->store, &one->other, &other, err) : VAULT_NOT_FOUND;
    *stands = code == VAULT_OK;
    return code == VAULT_NOT_FOUND ? VAULT_OK : code;
}

enum vault_code guardian_law_count(struct vault *vault, const struct person *person, bool is_minor,
                                   size_t *count, struct vault_error *err)
{
    size_t found = 0;
    const int64_t now_s = clock_now_s(&vault->options.clock);
    for (size_t i = 0; i < person->guardianship_count; i++) {
        const struct guardianship *one = &person->guardianships[i];
        bool stands = false;
        if (one->is_minor == is_minor && !guardianship_is_over(one, now_s))
            VAULT_TRY(guardian_law_stands(vault, one, &stands, err));
        found += stands;
    }
    *count = found;
    return VAULT_OK;
}

/* Registered, and a citizen still: an erased one's session is gone, and so is what they could do.
 */
static enum vault_code check_seat(struct vault *vault, const struct person *person,
                                  const struct guardian_seat *seat, struct vault_error *err)
{
    bool stands = false;
    const struct guardianship *one = guardianship_of(person, true, seat->id);
    if (!one || !citizen_id_equal(&one->other, &seat->citizen))
        return denied(err);
    VAULT_TRY(guardian_law_stands(vault, one, &stands, err));
    return stands ? VAULT_OK : denied(err);
}

enum vault_code guardian_law_check(struct vault *vault, struct citizen *citizen,
                                   const struct person *person, const struct guardian_seat *seat,
                                   enum consent_event event, struct vault_error *err)
{
    enum age age;
    VAULT_TRY(check_seat(vault, person, seat, err));
    VAULT_TRY(age_of(citizen, clock_now_s(&vault->options.clock), &age, err));
    if (age != AGE_CHILD)
        return denied(err);
    return event == CONSENT_GIVE || event == CONSENT_REFUSE || event == CONSENT_WITHDRAW
               ? VAULT_OK
               : denied(err);
}
