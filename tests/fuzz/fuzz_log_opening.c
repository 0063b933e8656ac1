/* Openings. What is accepted is written again to the same, opens what it commits to, and does not
 * open the same with any one byte of a value or salt changed. */
#include "log_fuzz.h"

#include "vault/ledger/opening.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    log_fuzz_start();
    return 0;
}

static bool same_fields(const struct opening *a, const struct opening *b)
{
    for (unsigned i = 0; i < ENTRY_KEY_COUNT; i++) {
        const struct opening_field *x = &a->fields[i];
        const struct opening_field *y = &b->fields[i];
        if (x->present != y->present ||
            (x->present &&
             (memcmp(x->salt, y->salt, sizeof x->salt) != 0 || !bytes_equal(x->value, y->value))))
            return false;
    }
    return true;
}

static void require_opens(const struct opening *opening)
{
    struct entry entry = {.event = ENTRY_RELEASE};
    for (unsigned i = 0; i < ENTRY_KEY_COUNT; i++) {
        const struct opening_field *field = &opening->fields[i];
        entry.commitments[i].present = true;
        if (field->present)
            opening_commitment(entry.commitments[i].hash, field->salt, field->value);
    }
    REQUIRE(opening_check(opening, &entry, NULL) == VAULT_OK);
    for (unsigned i = 0; i < ENTRY_KEY_COUNT; i++) {
        struct opening other = *opening;
        if (!other.fields[i].present)
            continue;
        other.fields[i].salt[OPENING_SALT_BYTES - 1] ^= 1;
        REQUIRE(opening_check(&other, &entry, NULL) == VAULT_DENIED);
        other = *opening;
        if (other.fields[i].value.size == 0)
            continue;
        other.fields[i].value.size--;
        REQUIRE(opening_check(&other, &entry, NULL) == VAULT_DENIED);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    VAULT_AUTO(buf_finish) struct buf storage = buf_limited(OPENING_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf storage_again = buf_limited(OPENING_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(8UL * OPENING_MAX_BYTES);
    struct opening opening;
    struct opening again;
    if (opening_parse((struct bytes){data, size}, &storage, &opening, NULL) != VAULT_OK)
        return 0;
    require_opens(&opening);
    /* Escapes may make what is written longer than what was read. */
    if (opening_write(&opening, &json, NULL) != VAULT_OK) {
        REQUIRE(json.size > OPENING_MAX_BYTES);
        return 0;
    }
    REQUIRE(opening_parse(buf_view(&json), &storage_again, &again, NULL) == VAULT_OK);
    REQUIRE(same_fields(&opening, &again));
    return 0;
}
