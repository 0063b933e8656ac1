#include "naive.h"

/* A rule may name a purpose twice. */
static void append_once(json_t *list, json_t *rule)
{
    const size_t size = json_array_size(list);
    if (size == 0 || json_array_get(list, size - 1) != rule)
        json_array_append(list, rule);
}

json_t *naive_by_purpose(const json_t *catalogue, const json_t *rules)
{
    json_t *of = json_object();
    json_t *any = json_array();
    const json_t *known = json_object_get(catalogue, "purposes");
    for (size_t i = 0; i < json_array_size(known); i++)
        json_object_set_new(of, json_string_value(json_object_get(json_array_get(known, i), "id")),
                            json_array());
    for (size_t i = 0; i < json_array_size(rules); i++) {
        json_t *rule = json_array_get(rules, i);
        const json_t *purposes = json_object_get(rule, "purposes");
        if (json_is_string(purposes)) /* "any": what loads has no other word here */
            json_array_append(any, rule);
        for (size_t j = 0; j < json_array_size(purposes); j++)
            append_once(json_object_get(of, json_string_value(json_array_get(purposes, j))), rule);
    }
    json_t *sorted_out = json_object();
    json_object_set_new(sorted_out, "of", of);
    json_object_set_new(sorted_out, "any", any);
    return sorted_out;
}
