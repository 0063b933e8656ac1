/*
 * cells - every place where rules meet, once.
 *
 * A cell is what covers one field for one purpose and one kind of actor: a class, or a service that
 * rules name together with a class. Classes of which no rule speaks are all alike, and so are
 * fields of one type that no rule of the rows names; one stands for them all.
 */
#pragma once

#include "walk.h"

/* One class, the service and everybody. */
#define CELL_VIEW_MAX (2 * POLICY_CELL_RULES_MAX)

struct cell_view {
    struct policy_actor actor; /* one class; the service, or POLICY_NONE */
    uint16_t purpose;
    uint16_t field;
    uint16_t forbids[CELL_VIEW_MAX];
    size_t forbid_count;
    uint16_t permits[CELL_VIEW_MAX];
    uint8_t forms[CELL_VIEW_MAX]; /* of each permit: the step it gives */
    size_t permit_count;
    uint16_t deposits[CELL_VIEW_MAX];
    size_t deposit_count;
};

/* Go through all cells that some rule covers, until a call fails. */
typedef enum vault_code each_cell(void *context, const struct cell_view *cell);

enum vault_code cells_visit(const struct policy *policy, each_cell *call, void *context)
    VAULT_MUST_CHECK;

/* The rules that cover a field for an actor and a purpose. */
void cell_view_fill(const struct policy *policy, const struct walk *walk, struct cell_view *cell);
