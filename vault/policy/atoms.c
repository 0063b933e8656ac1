#include "model.h"

uint64_t atom_bits(const struct atom *atom)
{
    const size_t count = atom->kind == POLICY_ATOM_BOOLEAN ? 1 : atom->values.count;
    const uint64_t ones = count == 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
    return ones << atom->first_bit;
}

size_t policy_atom_words(const struct policy *policy)
{
    return policy->atom_words;
}

enum policy_atom_kind policy_atom_kind(const struct policy *policy, uint16_t atom)
{
    return policy->atoms[atom].kind;
}

void policy_atoms_clear(const struct policy *policy, struct policy_atom_word atoms[])
{
    for (size_t i = 0; i < policy->atom_words; i++)
        atoms[i] = (struct policy_atom_word){.is_unknown = UINT64_MAX};
}

/* Make an atom known, with these of its bits true; or unknown. */
static void set(const struct atom *atom, struct policy_atom_word atoms[], bool known, uint64_t bits)
{
    struct policy_atom_word *word = &atoms[atom->word];
    const uint64_t all = atom_bits(atom);
    word->is_true &= ~all;
    word->is_unknown |= all;
    if (known) {
        word->is_unknown &= ~all;
        word->is_true |= bits << atom->first_bit;
    }
}

void policy_atom_set_boolean(const struct policy *policy, struct policy_atom_word atoms[],
                             uint16_t atom, bool value)
{
    const struct atom *known = &policy->atoms[atom];
    set(known, atoms, known->kind == POLICY_ATOM_BOOLEAN, value);
}

void policy_atom_set_ordered(const struct policy *policy, struct policy_atom_word atoms[],
                             uint16_t atom, struct bytes value)
{
    const struct atom *known = &policy->atoms[atom];
    const size_t place = name_index(known->values.ids, known->values.count, value);
    /* Reaching a value reaches all below it: bits 0 to place. */
    set(known, atoms, known->kind == POLICY_ATOM_ORDERED && place < known->values.count,
        UINT64_MAX >> (63 - (place & 63)));
}

void policy_atom_set_values(const struct policy *policy, struct policy_atom_word atoms[],
                            uint16_t atom, const struct bytes values[], size_t count)
{
    const struct atom *known = &policy->atoms[atom];
    bool valid = known->kind == POLICY_ATOM_SET;
    uint64_t bits = 0;
    for (size_t i = 0; i < count && valid; i++) {
        const size_t place = name_index(known->values.ids, known->values.count, values[i]);
        valid = place < known->values.count;
        bits |= UINT64_C(1) << (place & 63);
    }
    set(known, atoms, valid, bits);
}
