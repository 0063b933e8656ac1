#include "value_kept.h"

#include <stdlib.h>
#include <string.h>

struct kept_value {
    char field[CITIZEN_FIELD_CHARS + 1]; /* empty: nothing is here */
    struct citizen_value_about about;
    size_t size;
    uint8_t json[VALUE_KEPT_BYTES];
};

struct values_kept {
    struct kept_value values[VALUES_KEPT_MAX];
    size_t next; /* the place to take */
};

void value_keep(struct values_kept **kept, const char *field, struct bytes json,
                const struct citizen_value_about *about)
{
    const size_t field_size = strlen(field) + 1;
    if (json.size > VALUE_KEPT_BYTES || field_size > CITIZEN_FIELD_CHARS + 1)
        return;
    if (!*kept)
        *kept = calloc(1, sizeof **kept);
    if (!*kept)
        return;
    struct kept_value *value = &(*kept)->values[(*kept)->next++ % VALUES_KEPT_MAX];
    explicit_bzero(value, sizeof *value);
    memcpy(value->field, field, field_size);
    if (json.size == 0)
        return;
    memcpy(value->json, json.data, json.size);
    value->size = json.size;
    value->about = *about;
}

bool value_kept(const struct values_kept *kept, const char *field, struct bytes *json,
                struct citizen_value_about *about)
{
    for (size_t i = 0; kept && i < VALUES_KEPT_MAX; i++) {
        const struct kept_value *value = &kept->values[i];
        if (!value->field[0] || strcmp(value->field, field) != 0)
            continue;
        *json = (struct bytes){value->json, value->size};
        *about = value->about;
        return true;
    }
    return false;
}

void values_forget(struct values_kept **kept)
{
    if (*kept)
        explicit_bzero(*kept, sizeof **kept);
    free(*kept);
    *kept = NULL;
}
