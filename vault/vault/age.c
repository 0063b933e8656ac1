#include "age.h"

#include "vault/store/citizen_value.h"

enum age age_at(struct date born, int64_t now_s)
{
    const int years = date_years_between(born, date_of_instant(now_s));
    if (years >= AGE_ADULT_YEARS)
        return AGE_ADULT;
    return years >= AGE_ALONE_YEARS ? AGE_YOUTH : AGE_CHILD;
}

enum vault_code age_born(struct citizen *citizen, struct date *born, bool *known,
                         struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(CITIZEN_VALUE_MAX_BYTES);
    const enum vault_code code = citizen_value_get(citizen, AGE_BIRTH_FIELD, &json, NULL, err);
    *known = false;
    if (code)
        return code == VAULT_NOT_FOUND ? VAULT_OK : code;
    VAULT_TRY(buf_check(&json, err));
    /* "YYYY-MM-DD" with its quotes. */
    *known = json.size == DATE_CHARS + 2 && json.data[0] == '"' &&
             date_parse((struct bytes){json.data + 1, DATE_CHARS}, born, NULL) == VAULT_OK;
    return VAULT_OK;
}

enum vault_code age_of(struct citizen *citizen, int64_t now_s, enum age *out,
                       struct vault_error *err)
{
    struct date born;
    bool known = false;
    VAULT_TRY(age_born(citizen, &born, &known, err));
    *out = known ? age_at(born, now_s) : AGE_UNKNOWN;
    return VAULT_OK;
}
