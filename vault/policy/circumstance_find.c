/* Circumstances that meet every demand: the search, and what it found. */
#include <string.h>

#include "circumstance_parts.h"
#include "vault/base/json.h"

/* --- the search --- */

static bool is_chosen(const struct variable *variable)
{
    return variable->chosen < variable->choice_count;
}

/* Values of one set are unknown together. */
static bool fits_group(const struct circumstance *circumstance, const struct variable *variable,
                       size_t choice)
{
    if (!variable->value)
        return true;
    for (const struct variable *v = circumstance->variables; v; v = v->next) {
        if (v != variable && v->value && is_chosen(v) && strcmp(v->id, variable->id) == 0 &&
            (v->chosen == 0) != (choice == 0))
            return false;
    }
    return true;
}

static bool is_open(const struct circumstance *circumstance, const struct variable *variable,
                    size_t choice)
{
    return !is_chosen(variable) && !variable->choices[choice].excluded &&
           fits_group(circumstance, variable, choice);
}

static bool has_met(const struct choice *choice, size_t clause)
{
    return choice->meets[clause / 64] >> (clause % 64) & 1;
}

static bool is_met(const struct circumstance *circumstance, size_t clause)
{
    for (const struct variable *v = circumstance->variables; v; v = v->next) {
        if (is_chosen(v) && has_met(&v->choices[v->chosen], clause))
            return true;
    }
    return false;
}

static size_t count_open(const struct circumstance *circumstance, size_t clause)
{
    size_t count = 0;
    for (const struct variable *v = circumstance->variables; v; v = v->next) {
        for (size_t i = 0; i < v->choice_count; i++)
            count += has_met(&v->choices[i], clause) && is_open(circumstance, v, i);
    }
    return count;
}

/* The clause that is not met and has the fewest choices left; clause_count if all are met. */
static size_t hardest_clause(const struct circumstance *circumstance)
{
    size_t hardest = circumstance->clause_count;
    size_t fewest = SIZE_MAX;
    for (size_t i = 0; i < circumstance->clause_count; i++) {
        if (is_met(circumstance, i))
            continue;
        const size_t open = count_open(circumstance, i);
        if (open < fewest) {
            fewest = open;
            hardest = i;
        }
    }
    return hardest;
}

static bool search(struct circumstance *circumstance);

/* Try each choice that meets the clause. What was tried in vain stays excluded until all were. */
static bool try_choices(struct circumstance *circumstance, size_t clause)
{
    struct choice *tried[MIXED_CHOICES_MAX];
    size_t tried_count = 0;
    bool found = false;
    for (struct variable *v = circumstance->variables; v && !found; v = v->next) {
        for (size_t i = 0; i < v->choice_count && !found; i++) {
            if (!has_met(&v->choices[i], clause) || !is_open(circumstance, v, i))
                continue;
            v->chosen = i;
            found = search(circumstance);
            if (found)
                break;
            v->chosen = v->choice_count;
            if (tried_count < MIXED_CHOICES_MAX) {
                v->choices[i].excluded = true;
                tried[tried_count++] = &v->choices[i];
            }
        }
    }
    for (size_t i = 0; i < tried_count; i++)
        tried[i]->excluded = false;
    return found;
}

static bool search(struct circumstance *circumstance)
{
    const size_t clause = hardest_clause(circumstance);
    return clause == circumstance->clause_count || try_choices(circumstance, clause);
}

bool circumstance_find(struct circumstance *circumstance)
{
    return !circumstance->no_memory && search(circumstance);
}

/* --- what was found --- */

/* What nobody demanded is left at its first choice: no consent, no objection, unknown. A set of
 * which one value is known is known: the others do not hold. */
static size_t choice_of(const struct variable *variable)
{
    return is_chosen(variable) ? variable->chosen : 0;
}

bool circumstance_has_consent(const struct circumstance *circumstance)
{
    return choice_of(consent_of(circumstance)) == 1;
}

bool circumstance_has_objection(const struct circumstance *circumstance)
{
    return choice_of(objection_of(circumstance)) == 1;
}

static bool is_first_of_set(const struct circumstance *circumstance,
                            const struct variable *variable)
{
    const struct variable *v = circumstance->variables;
    while (v != variable && !(v->value && strcmp(v->id, variable->id) == 0))
        v = v->next;
    return v == variable;
}

/* The values of a set that hold, as a list; nothing if the set is unknown. */
static bool write_set(const struct variable *first, struct buf *out)
{
    bool known = false;
    VAULT_AUTO(buf_finish) struct buf list = buf_limited(ATOMS_BYTES_MAX);
    for (const struct variable *v = first; v; v = v->next) {
        if (!v->value || strcmp(v->id, first->id) != 0 || choice_of(v) == 0)
            continue;
        known = true;
        if (choice_of(v) != 2)
            continue;
        if (list.size)
            buf_byte(&list, ',');
        json_write_string(&list, bytes_of_text(v->value));
    }
    if (!known)
        return false;
    json_write_string(out, bytes_of_text(first->id));
    buf_text(out, ":[");
    buf_join(out, &list);
    buf_byte(out, ']');
    return true;
}

static bool write_atom(const struct circumstance *circumstance, const struct variable *variable,
                       struct buf *out)
{
    if (variable->value)
        return is_first_of_set(circumstance, variable) && write_set(variable, out);
    const char *json = variable->choices[choice_of(variable)].json;
    if (!variable->id || !json)
        return false;
    json_write_string(out, bytes_of_text(variable->id));
    buf_byte(out, ':');
    buf_text(out, json);
    return true;
}

void circumstance_write_atoms(const struct circumstance *circumstance, struct buf *out)
{
    bool first = true;
    buf_byte(out, '{');
    for (const struct variable *v = circumstance->variables; v; v = v->next) {
        VAULT_AUTO(buf_finish) struct buf atom = buf_limited(ATOMS_BYTES_MAX);
        if (!write_atom(circumstance, v, &atom))
            continue;
        if (!first)
            buf_byte(out, ',');
        buf_join(out, &atom);
        first = false;
    }
    buf_byte(out, '}');
}
