/*
 * Bodies of forms, of both kinds. The first byte says which, and how long the type's boundary is.
 * What is read lies within what was sent, and no field is there twice.
 */
#include "fuzz.h"

#include <string.h>

#include "vault/edge/form.h"

static void require_sound(const struct form *form, size_t size)
{
    size_t all = 0;
    REQUIRE(form->count <= FORM_FIELDS_MAX);
    for (size_t i = 0; i < form->count; i++) {
        const struct bytes name = form->fields[i].name;
        const struct bytes value = form->fields[i].value;
        all += name.size + value.size;
        REQUIRE(!name.size || !memchr(name.data, 0, name.size));
        REQUIRE(!value.size || !memchr(value.data, 0, value.size));
        for (size_t j = 0; j < i; j++)
            REQUIRE(!bytes_equal(form->fields[j].name, name));
    }
    REQUIRE(all <= size);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct form form;
    enum vault_code code;
    if (size == 0)
        return 0;
    const size_t type_size = data[0] < size ? data[0] : size - 1;
    const struct bytes type = {data + 1, type_size};
    const struct bytes body = {data + 1 + type_size, size - 1 - type_size};
    if (type_size)
        code = form_parse_parts(body, type, &form, NULL);
    else
        code = form_parse(body, &form, NULL);
    if (code)
        return 0;
    require_sound(&form, size);
    form_finish(&form);
    return 0;
}
