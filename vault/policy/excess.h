/*
 * excess - which rule is the one too many.
 *
 * Rules are counted as a reader of the folder would count them, file by file and from top to
 * bottom, so that the one that is shown is the one to look at. Used only when a limit is passed.
 */
#pragma once

#include "model.h"

/* One (who, purpose, field): the actor is a class or, behind the classes, a service. */
struct excess_cell {
    size_t actor;
    size_t purpose;
    size_t field;
};

/* The number of the rule with which the cell has more rules or atoms than it may; 0 if there is
 * none. */
size_t excess_in_cell(const struct policy *policy, const struct excess_cell *cell);

/* The same for the services that rules name. */
size_t excess_in_services(const struct policy *policy);

/* How many rows a rule stands in, and how many references it is at most; the rows of all rules. */
size_t rule_entries(const struct policy *policy, const struct rule *rule);
size_t rule_references(const struct policy *policy, const struct rule *rule);
size_t excess_entries(const struct policy *policy);

/* How much one rule adds to a sum; the rule with which the sum passes the limit, else the last. */
typedef size_t excess_measure(const struct policy *policy, const struct rule *rule);
size_t excess_in_sum(const struct policy *policy, excess_measure *measure, size_t limit);
