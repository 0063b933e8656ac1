/*
 * people - invented citizens for the demonstration: plausible, evidently made up, and the same for
 * the same seed.
 *
 *     people CATALOGUE COUNT ACCOUNTS [SEED]
 *
 * Prints one row of JSON each, as vaultctl citizen import reads them: a value for every stored
 * field of the policy's catalogue but those of pupils, and a login and a password for the first
 * ACCOUNTS of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vault/base/buf.h"
#include "vault/base/clock.h"
#include "vault/base/file.h"
#include "vault/base/json.h"

#define CATALOGUE_BYTES_MAX (4UL * 1024 * 1024)
#define ROW_BYTES_MAX       (64UL * 1024)
#define DEPTH_MAX           16
#define DEFAULT_SEED        20270101U
#define COUNT_OF(list)      (sizeof(list) / sizeof *(list))

/* What a city knows of its people, by field. A value is drawn from the words. */
struct field_words {
    const char *field;
    const char *const *words;
    size_t count;
};

static const char *const first_names[] = {"Aëlle",  "Brioc",  "Clervie", "Denez",   "Enora",
                                          "Fañch",  "Gwenn",  "Herri",   "Iwan",    "Jord",
                                          "Koulma", "Lena",   "Mael",    "Nolwenn", "Oanez",
                                          "Padrig", "Rozenn", "Servan",  "Tifenn",  "Youna"};
static const char *const family_names[] = {"Exemple",    "Démonstration", "Essai",  "Fictif",
                                           "Imaginaire", "Inventé",       "Modèle", "Prototype",
                                           "Specimen",   "Témoin"};
static const char *const streets[] = {"rue des Exemples",     "place de la Démonstration",
                                      "boulevard Imaginaire", "allée du Prototype",
                                      "quai des Essais",      "mail Fictif"};

#include "people_words.h"

struct person {
    unsigned number;
    const struct place *place;
};

/* A small generator of numbers that only has to be the same everywhere (xorshift). */
static uint64_t state;

static uint64_t draw(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 11) % below;
}

static void put_text(struct buf *row, const char *text)
{
    json_write_string(row, bytes_of_text(text));
}

static unsigned draw_between(unsigned low, unsigned high)
{
    return low + (unsigned)draw(high - low + 1);
}

static void put_date(struct buf *row, unsigned first_year, unsigned last_year)
{
    char text[DATE_CHARS + 1];
    date_format(text, (struct date){(int)draw_between(first_year, last_year), 1 + (int)draw(12),
                                    1 + (int)draw(28)});
    put_text(row, text);
}

static void put_address(struct buf *row, const struct place *place)
{
    buf_format(row, "{\"number\":\"%u\",\"street\":", draw_between(1, 150));
    put_text(row, streets[draw(COUNT_OF(streets))]);
    buf_format(row, ",\"postcode\":\"%s\",\"city\":\"%s\"}", place->postcode, place->city);
}

static void put_series(struct buf *row)
{
    buf_byte(row, '[');
    for (unsigned month = 1; month <= 12; month++)
        buf_format(row, "%s{\"date\":\"2025-%02u-%02u\",\"value\":%u}", month > 1 ? "," : "", month,
                   1 + (unsigned)draw(28), 5 + (unsigned)draw(20));
    buf_byte(row, ']');
}

/* The words for a field, if there are any. */
static const struct field_words *words_of(const char *field)
{
    for (size_t i = 0; i < COUNT_OF(words_by_field); i++) {
        if (strcmp(words_by_field[i].field, field) == 0)
            return &words_by_field[i];
    }
    return NULL;
}

static const struct field_range *range_of(const char *field)
{
    for (size_t i = 0; i < COUNT_OF(ranges_by_field); i++) {
        if (strcmp(ranges_by_field[i].field, field) == 0)
            return &ranges_by_field[i];
    }
    return NULL;
}

static bool is_of_pupils(const char *field)
{
    for (size_t i = 0; i < COUNT_OF(fields_of_pupils); i++) {
        if (strcmp(fields_of_pupils[i], field) == 0)
            return true;
    }
    return false;
}

/* What follows from where the citizen lives, if the field is of that kind. */
static const char *word_of_place(const char *field, const struct place *place)
{
    if (strcmp(field, "address.commune") == 0)
        return place->commune;
    return strcmp(field, "address.priority_district") == 0 ? place->priority_district : NULL;
}

/* A value by the field's type, where there are no words for it. */
static void put_by_type(struct buf *row, const char *field, const char *type,
                        const struct person *person)
{
    const struct field_range *range = range_of(field);
    if (strcmp(type, "date") == 0)
        put_date(row, range ? range->low : 2018, range ? range->high : 2025);
    else if (strcmp(type, "boolean") == 0)
        buf_text(row, draw(4) ? "false" : "true");
    else if (strcmp(type, "number") == 0)
        buf_format(row, "%u", draw_between(range ? range->low : 1, range ? range->high : 2000));
    else if (strcmp(type, "address") == 0)
        put_address(row, person->place);
    else if (strcmp(type, "series") == 0)
        put_series(row);
    else
        buf_format(row, "\"EXEMPLE-%06u\"", person->number);
}

static void put_value(struct buf *row, const char *field, const char *type,
                      const struct person *person)
{
    const struct field_words *words = words_of(field);
    const char *word = word_of_place(field, person->place);
    if (word)
        put_text(row, word);
    else if (words)
        put_text(row, words->words[draw(words->count)]);
    else
        put_by_type(row, field, type, person);
}

/* What people say of themselves, and can correct on their pages; the rest is the city's. */
static bool is_declared(const char *field)
{
    static const char *const declared[] = {"contact.", "employment.skills", "employment.interests",
                                           "employment.availability", "economy."};
    size_t i = 0;
    while (i < sizeof declared / sizeof declared[0] &&
           strncmp(field, declared[i], strlen(declared[i])) != 0)
        i++;
    return i < sizeof declared / sizeof declared[0];
}

static void put_values(struct buf *row, const json_t *fields, const struct person *person)
{
    bool first = true;
    buf_text(row, "\"values\":{");
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *field = json_array_get(fields, i);
        const char *id = json_string_value(json_object_get(field, "id"));
        const char *type = json_string_value(json_object_get(field, "type"));
        if (json_object_get(field, "derive") || !id || !type || is_of_pupils(id))
            continue;
        buf_format(row, "%s\"%s\":{\"value\":", first ? "" : ",", id);
        put_value(row, id, type, person);
        buf_format(row, ",\"as_of\":\"2026-%02u-01T08:00:00Z\",\"source\":\"%s\"}",
                   1 + (unsigned)draw(9), is_declared(id) ? "citizen" : "demonstration");
        first = false;
    }
    buf_byte(row, '}');
}

/* The login and the password are printed on purpose: these people do not exist. */
static void put_row(struct buf *row, const json_t *fields, unsigned number, bool has_account)
{
    const struct person person = {number, &places[draw(COUNT_OF(places))]};
    buf_format(row, "{\"reference\":\"DEMO-%06u\",", number);
    if (has_account)
        buf_format(row,
                   "\"login\":\"exemple-%u\",\"password\":\"exemple de mot de passe %u\","
                   "\"language\":\"fr\",",
                   number, number);
    put_values(row, fields, &person);
    buf_text(row, "}\n");
}

static enum vault_code print_people(const char *path, unsigned count, unsigned accounts,
                                    struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CATALOGUE_BYTES_MAX);
    VAULT_AUTO(buf_finish) struct buf row = buf_limited(ROW_BYTES_MAX);
    VAULT_AUTO(json_free) json_t *catalogue = NULL;
    VAULT_TRY(file_read(path, &text, err));
    VAULT_TRY(json_parse(buf_view(&text), DEPTH_MAX, &catalogue, NULL, err));
    for (unsigned i = 1; i <= count; i++) {
        buf_clear(&row);
        put_row(&row, json_object_get(catalogue, "fields"), i, i <= accounts);
        VAULT_TRY(buf_check(&row, err));
        if (fwrite(row.data, 1, row.size, stdout) != row.size)
            return vault_fail_errno(err, "writing");
    }
    return VAULT_OK;
}

int main(int argc, char **argv)
{
    struct vault_error err;
    if (argc < 4 || argc > 5) {
        fputs("usage: people CATALOGUE COUNT ACCOUNTS [SEED]\n", stderr);
        return 64;
    }
    json_start();
    state = argc > 4 ? strtoul(argv[4], NULL, 10) | 1 : DEFAULT_SEED;
    const unsigned count = (unsigned)strtoul(argv[2], NULL, 10);
    const enum vault_code code =
        print_people(argv[1], count, (unsigned)strtoul(argv[3], NULL, 10), &err);
    if (code)
        fprintf(stderr, "people: %s\n", err.text);
    return vault_code_exit(code);
}
