/* How the log stands: what the vault verified of it just now, and who outside has seen it. */
#include <string.h>

#include "auditor_parts.h"
#include "vault/base/codec.h"
#include "vault/vault/log_state.h"

#define ANCHOR_DEPTH 6

/* What edge/anchor.c and edge/freshness.c call a state. */
static const struct {
    const char *state;
    const char *text;
} anchor_texts[] = {
    {"none", "auditor.anchor_none"},
    {"fresh", "auditor.anchor_fresh"},
    {"late", "auditor.anchor_late"},
    {"stale", "auditor.anchor_stale"},
    {"contradicted", "auditor.anchor_contradicted"},
};

static const char *anchor_text(const json_t *anchor)
{
    const struct bytes state = json_text(json_object_get(anchor, "state"));
    for (size_t i = 0; i < sizeof anchor_texts / sizeof anchor_texts[0]; i++) {
        if (bytes_equal(state, bytes_of_text(anchor_texts[i].state)))
            return anchor_texts[i].text;
    }
    return anchor_texts[0].text;
}

/* --- For programs --------------------------------------------------------------------------- */

static void write_verdict(struct buf *out, const char *name, bool is_so, const char *else_name,
                          const char *why)
{
    buf_format(out, "\"%s\":%s,\"%s\":", name, is_so ? "true" : "false", else_name);
    if (is_so)
        buf_text(out, "null,");
    else {
        json_write_string(out, bytes_of_text(why));
        buf_byte(out, ',');
    }
}

static void write_state(const struct log_state *state, struct buf *out)
{
    char root[BASE64_CHARS(TREE_HASH_BYTES) + 1];
    char instant[AUDITOR_INSTANT_CHARS + 1];
    base64_string(root, state->root.bytes, TREE_HASH_BYTES);
    auditor_instant(instant, state->verified_ms);
    buf_byte(out, '{');
    write_verdict(out, "holds", state->holds, "wrong", state->wrong);
    write_verdict(out, "writable", state->writable, "why", state->why);
    buf_format(out,
               "\"verified\":\"%s\",\"published\":%llu,\"durable\":%llu,\"first\":%llu,"
               "\"root\":\"%s\",\"key\":",
               instant, (unsigned long long)state->published, (unsigned long long)state->durable,
               (unsigned long long)state->first, root);
    json_write_string(out, buf_view(&state->vkey));
    buf_text(out, ",\"checkpoint\":");
    json_write_string(out, buf_view(&state->checkpoint));
    buf_text(out, ",\"anchor\":");
    if (state->anchor.size)
        buf_join(out, &state->anchor);
    else
        buf_text(out, "null");
    buf_text(out, "}\n");
}

void auditor_state_send(struct auditor_visit *visitor, const char *id)
{
    (void)id;
    struct vault_error err;
    struct http_answer *answer = visitor->visit.answer;
    VAULT_AUTO(log_state_finish) struct log_state state;
    enum vault_code code = log_state_read(visitor->vault, &state, &err);
    if (code == VAULT_OK) {
        write_state(&state, &answer->body);
        code = buf_check(&answer->body, &err);
    }
    if (code)
        auditor_failed(visitor, code, &err);
    else
        answer->content_type = "application/json";
}

/* --- For people ----------------------------------------------------------------------------- */

static void put_witness(struct auditor_visit *visitor, const json_t *witness, json_t *list)
{
    struct visit *visit = &visitor->visit;
    json_t *item = page_item(visit, list);
    const int64_t cosigned_s = json_integer_value(json_object_get(witness, "cosigned"));
    page_text(visit, item, "name", json_string_value(json_object_get(witness, "name")));
    page_text(visit, item, "problem", json_string_value(json_object_get(witness, "problem")));
    page_number(visit, item, "size", json_integer_value(json_object_get(witness, "size")));
    if (cosigned_s < 0)
        return;
    page_flag(visit, item, "seen");
    auditor_put_time(visitor, item, cosigned_s * 1000);
}

static void put_anchor(struct auditor_visit *visitor, const struct log_state *state)
{
    struct visit *visit = &visitor->visit;
    VAULT_AUTO(json_free) json_t *anchor = NULL;
    json_t *list = page_list(visit, visit->data, "witnesses");
    if (!state->anchor.size ||
        json_parse(buf_view(&state->anchor), ANCHOR_DEPTH, &anchor, NULL, NULL))
        anchor = NULL;
    const char *text = anchor_text(anchor);
    page_text(visit, visit->data, "anchor_text", text);
    if (anchor && text != anchor_texts[0].text) {
        page_flag(visit, visit->data, "anchored");
        page_number(visit, visit->data, "anchor_minutes",
                    json_integer_value(json_object_get(anchor, "age_s")) / 60);
    }
    size_t i;
    json_t *witness;
    json_array_foreach(json_object_get(anchor, "witnesses"), i, witness)
    {
        put_witness(visitor, witness, list);
    }
}

static void put_state(struct auditor_visit *visitor, struct log_state *state)
{
    struct visit *visit = &visitor->visit;
    char root[BASE64_CHARS(TREE_HASH_BYTES) + 1];
    base64_string(root, state->root.bytes, TREE_HASH_BYTES);
    if (state->holds)
        page_flag(visit, visit->data, "holds");
    if (state->writable)
        page_flag(visit, visit->data, "writable");
    page_text(visit, visit->data, "wrong", state->wrong);
    page_text(visit, visit->data, "why", state->why);
    auditor_put_time(visitor, visit->data, state->verified_ms);
    page_number(visit, visit->data, "published", (int64_t)state->published);
    page_number(visit, visit->data, "durable", (int64_t)state->durable);
    if (state->first)
        page_number(visit, visit->data, "first", (int64_t)state->first);
    page_text(visit, visit->data, "root", root);
    page_text(visit, visit->data, "vkey", buf_string(&state->vkey));
    page_text(visit, visit->data, "checkpoint", buf_string(&state->checkpoint));
    put_anchor(visitor, state);
}

void auditor_state_show(struct auditor_visit *visitor, const char *id)
{
    (void)id;
    struct vault_error err;
    VAULT_AUTO(log_state_finish) struct log_state state;
    const enum vault_code code = log_state_read(visitor->vault, &state, &err);
    if (code) {
        auditor_failed(visitor, code, &err);
        return;
    }
    put_state(visitor, &state);
    auditor_page(visitor, 200, "auditor_state", "auditor.state", "is_state");
}
