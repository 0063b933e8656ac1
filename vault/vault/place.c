#include "place.h"

#include <stdio.h>
#include <string.h>

#include "event.h"
#include "filed.h"
#include "parts.h"
#include "person.h"
#include "vault/base/codec.h"
#include "vault/base/json.h"

#define KEY_CHARS 20
#define JSON_MAX  (OPENING_MAX_BYTES + 512)
#define DEPTH_MAX 4
#define AT_A_TIME 256

void place_finish(struct place *place)
{
    buf_finish(&place->opening);
}

/* --- Kept beside the record ----------------------------------------------------------------- */

enum vault_code place_keep(struct citizen *citizen, int64_t seq, const struct place *place,
                           struct vault_error *err)
{
    char key[KEY_CHARS + 1];
    char leaf[BASE64_CHARS(TREE_HASH_BYTES) + 1];
    VAULT_AUTO(buf_finish) struct buf json = buf_limited(JSON_MAX);
    snprintf(key, sizeof key, "%lld", (long long)seq);
    base64_string(leaf, place->leaf.bytes, sizeof place->leaf.bytes);
    buf_format(&json, "{\"index\":%llu,\"time\":%lld,\"leaf\":\"%s\",\"opening\":",
               (unsigned long long)place->index, (long long)place->time_ms, leaf);
    buf_join(&json, &place->opening);
    buf_byte(&json, '}');
    VAULT_TRY(buf_check(&json, err));
    const struct citizen_record record = {
        .kind = PERSON_PLACE_KIND, .key = key, .json = buf_view(&json)};
    return citizen_record_add(citizen, &record, NULL, err);
}

static enum vault_code read_place(struct bytes json, struct place *out, struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *root = NULL;
    VAULT_TRY(json_parse(json, DEPTH_MAX, &root, NULL, err));
    const json_t *index = json_object_get(root, "index");
    const json_t *time = json_object_get(root, "time");
    struct place place = {.index = (uint64_t)json_integer_value(index),
                          .time_ms = json_integer_value(time),
                          .opening = buf_limited(OPENING_MAX_BYTES)};
    if (!json_is_integer(index) || json_integer_value(index) < 0 || !json_is_integer(time) ||
        base64_decode_exact(place.leaf.bytes, sizeof place.leaf.bytes,
                            json_text(json_object_get(root, "leaf")), NULL))
        return vault_fail(err, VAULT_CORRUPT, "the place of a record in the log cannot be read");
    json_write_value(&place.opening, json_object_get(root, "opening"));
    if (buf_check(&place.opening, err)) {
        place_finish(&place);
        return VAULT_NO_MEMORY;
    }
    *out = place;
    return VAULT_OK;
}

struct search {
    char key[KEY_CHARS + 1];
    int64_t after;
    size_t count;
    bool found;
    struct place place;
};

static enum vault_code look_at(void *context, const struct citizen_record *record,
                               struct vault_error *err)
{
    struct search *search = context;
    search->count++;
    search->after = record->seq;
    if (search->found || strcmp(record->key, search->key) != 0)
        return VAULT_OK;
    VAULT_TRY(read_place(record->json, &search->place, err));
    search->found = true;
    return VAULT_OK;
}

/* A place is stored after its record, most often at once. */
static enum vault_code find_kept(struct citizen *citizen, int64_t seq, struct search *search,
                                 struct vault_error *err)
{
    snprintf(search->key, sizeof search->key, "%lld", (long long)seq);
    search->after = seq;
    do {
        search->count = 0;
        VAULT_TRY(citizen_record_list(citizen, PERSON_PLACE_KIND, search->after, AT_A_TIME, look_at,
                                      search, err));
    } while (!search->found && search->count == AT_A_TIME);
    return VAULT_OK;
}

/* --- From the index ------------------------------------------------------------------------- */

static enum vault_code take(void *context, const struct openings_row *row, struct vault_error *err)
{
    return filed_keep(row, context, err);
}

static enum vault_code find_filed(struct vault *vault, struct citizen *citizen, uint64_t log_n,
                                  struct place *out, struct vault_error *err)
{
    VAULT_AUTO(filed_finish) struct filed found = {0};
    VAULT_AUTO(place_finish) struct place place = {.opening = buf_limited(OPENING_MAX_BYTES)};
    VAULT_TRY(openings_list(vault->store, citizen_id_of(citizen), log_n + 1, 1, take, &found, err));
    if (found.n != log_n)
        return vault_fail(err, VAULT_NOT_FOUND, "what the log has of this cannot be read any more");
    VAULT_TRY(event_opening_read(citizen, found.n, buf_view(&found.sealed), &place.opening, err));
    place.index = found.index;
    place.time_ms = found.time_ms;
    memcpy(place.leaf.bytes, found.leaf, sizeof place.leaf.bytes);
    *out = place;
    place = (struct place){0};
    return VAULT_OK;
}

enum vault_code place_find(struct vault *vault, struct citizen *citizen, int64_t seq,
                           uint64_t log_n, struct place *out, struct vault_error *err)
{
    struct search search = {0};
    VAULT_TRY(find_kept(citizen, seq, &search, err));
    if (!search.found)
        return find_filed(vault, citizen, log_n, out, err);
    *out = search.place;
    return VAULT_OK;
}
