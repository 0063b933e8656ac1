#include "vault/ledger/quorum.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

#define WORDS_MAX  (3 + QUORUM_NAMES_MAX)
#define NAME_CHARS 127

/* A witness, or a group of names that come before it. */
struct member {
    char name[NAME_CHARS + 1];
    bool is_witness;
    struct note_key key; /* of a witness */
    char url[QUORUM_URL_MAX_CHARS + 1];
    size_t threshold; /* of a group */
    size_t size;
    bool is_in_group; /* or is the quorum: nobody else may have it */
    size_t group;     /* number of that group */
};

struct quorum {
    struct note_key logs[QUORUM_LOGS_MAX];
    size_t log_count;
    struct member members[QUORUM_NAMES_MAX];
    size_t member_count;
    bool is_set;  /* a quorum line was read */
    bool is_none; /* it says none */
    size_t root;  /* the member it names */
};

struct line {
    size_t count;
    struct bytes words[WORDS_MAX];
};

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* Cut a line into words. False if it has a character that no policy has, or too many words. */
static bool split(struct bytes text, struct line *line)
{
    line->count = 0;
    for (size_t at = 0; at < text.size;) {
        const uint8_t c = text.data[at];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
        if (is_blank(c)) {
            at++;
            continue;
        }
        size_t end = at;
        while (end < text.size && text.data[end] > 0x20 && text.data[end] != 0x7f)
            end++;
        if (line->count == WORDS_MAX)
            return false;
        line->words[line->count++] = (struct bytes){text.data + at, end - at};
        at = end;
    }
    return true;
}

static bool copy_word(char *out, size_t chars_max, struct bytes word)
{
    if (word.size > chars_max)
        return false;
    memcpy(out, word.data, word.size);
    out[word.size] = 0;
    return true;
}

static bool read_key(struct bytes word, enum note_kind kind, struct note_key *out)
{
    return note_key_parse(word, out, NULL) == VAULT_OK && out->kind == kind;
}

static bool same_public_key(const struct note_key *a, const struct note_key *b)
{
    return memcmp(a->public_key, b->public_key, sizeof a->public_key) == 0;
}

static struct member *find(struct quorum *quorum, struct bytes name)
{
    for (size_t i = 0; i < quorum->member_count; i++) {
        if (bytes_equal(name, bytes_of_text(quorum->members[i].name)))
            return &quorum->members[i];
    }
    return NULL;
}

/* A new member of this name. NULL if there is one already, or it is no name. */
static struct member *define(struct quorum *quorum, struct bytes name)
{
    if (quorum->member_count == QUORUM_NAMES_MAX || find(quorum, name) ||
        bytes_equal(name, bytes_of_text("none")))
        return NULL;
    struct member *member = &quorum->members[quorum->member_count];
    *member = (struct member){0};
    if (!copy_word(member->name, NAME_CHARS, name))
        return NULL;
    quorum->member_count++;
    return member;
}

static bool read_log(struct quorum *quorum, const struct line *line)
{
    struct note_key key;
    if (line->count < 2 || line->count > 3 || quorum->log_count == QUORUM_LOGS_MAX ||
        !read_key(line->words[1], NOTE_ED25519, &key))
        return false;
    for (size_t i = 0; i < quorum->log_count; i++) {
        if (same_public_key(&quorum->logs[i], &key))
            return false;
    }
    quorum->logs[quorum->log_count++] = key;
    return true;
}

static bool read_witness(struct quorum *quorum, const struct line *line)
{
    struct note_key key;
    if (line->count < 3 || line->count > 4 || !read_key(line->words[2], NOTE_COSIGNATURE, &key))
        return false;
    for (size_t i = 0; i < quorum->member_count; i++) {
        if (quorum->members[i].is_witness && same_public_key(&quorum->members[i].key, &key))
            return false;
    }
    struct member *witness = define(quorum, line->words[1]);
    if (!witness)
        return false;
    witness->is_witness = true;
    witness->key = key;
    return line->count == 3 || copy_word(witness->url, QUORUM_URL_MAX_CHARS, line->words[3]);
}

static bool read_threshold(struct bytes word, size_t size, size_t *threshold)
{
    uint64_t number = 0;
    if (bytes_equal(word, bytes_of_text("all")))
        *threshold = size;
    else if (bytes_equal(word, bytes_of_text("any")))
        *threshold = 1;
    else if (number_read(word, size, &number) && number > 0)
        *threshold = (size_t)number;
    else
        return false;
    return true;
}

static bool read_group(struct quorum *quorum, const struct line *line)
{
    if (line->count < 4)
        return false;
    const size_t size = line->count - 3;
    const size_t number = quorum->member_count;
    size_t threshold = 0;
    if (!read_threshold(line->words[2], size, &threshold))
        return false;
    for (size_t i = 0; i < size; i++) {
        struct member *member = find(quorum, line->words[3 + i]);
        if (!member || member->is_in_group)
            return false;
        member->is_in_group = true;
        member->group = number;
    }
    struct member *group = define(quorum, line->words[1]);
    if (!group)
        return false;
    group->threshold = threshold;
    group->size = size;
    return true;
}

static bool read_quorum(struct quorum *quorum, const struct line *line)
{
    if (line->count != 2 || quorum->is_set)
        return false;
    quorum->is_set = true;
    quorum->is_none = bytes_equal(line->words[1], bytes_of_text("none"));
    const struct member *member = find(quorum, line->words[1]);
    if (member)
        quorum->root = (size_t)(member - quorum->members);
    return quorum->is_none || member;
}

static const struct {
    const char *word;
    bool (*read)(struct quorum *quorum, const struct line *line);
} kinds[] = {
    {"log", read_log}, {"witness", read_witness}, {"group", read_group}, {"quorum", read_quorum}};

static bool read_line(struct quorum *quorum, struct bytes text)
{
    struct line line;
    if (!split(text, &line))
        return false;
    if (line.count == 0 || line.words[0].data[0] == '#')
        return true;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (bytes_equal(line.words[0], bytes_of_text(kinds[i].word)))
            return kinds[i].read(quorum, &line);
    }
    return false;
}

enum vault_code quorum_parse(struct bytes text, struct quorum **out, struct vault_error *err)
{
    VAULT_AUTO(quorum_free) struct quorum *quorum = calloc(1, sizeof *quorum);
    if (!quorum)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    if (text.size > QUORUM_FILE_MAX_BYTES)
        return vault_fail(err, VAULT_INVALID, "a policy of more than %lu bytes",
                          QUORUM_FILE_MAX_BYTES);
    for (size_t number = 1; text.size; number++) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        const size_t size = end ? (size_t)(end - text.data) : text.size;
        if (!read_line(quorum, (struct bytes){text.data, size}))
            return vault_fail(err, VAULT_INVALID, "line %zu is none of a C2SP tlog-policy", number);
        text = end ? (struct bytes){end + 1, text.size - size - 1} : (struct bytes){0};
    }
    if (!quorum->is_set)
        return vault_fail(err, VAULT_INVALID, "a policy without a quorum line");
    *out = VAULT_TAKE(quorum);
    return VAULT_OK;
}

void quorum_free(struct quorum **quorum)
{
    free(*quorum);
    *quorum = NULL;
}

bool quorum_is_for(const struct quorum *quorum, const struct note_key *log)
{
    for (size_t i = 0; i < quorum->log_count; i++) {
        if (same_public_key(&quorum->logs[i], log) && strcmp(quorum->logs[i].name, log->name) == 0)
            return true;
    }
    return quorum->log_count == 0;
}

bool quorum_needs_witnesses(const struct quorum *quorum)
{
    return !quorum->is_none;
}

size_t quorum_witness_count(const struct quorum *quorum)
{
    size_t count = 0;
    for (size_t i = 0; i < quorum->member_count; i++)
        count += quorum->members[i].is_witness;
    return count;
}

static const struct member *witness_of(const struct quorum *quorum, size_t number)
{
    size_t at = 0;
    assert(number < quorum_witness_count(quorum));
    while (!quorum->members[at].is_witness || number-- > 0)
        at++;
    return &quorum->members[at];
}

const struct note_key *quorum_witness_key(const struct quorum *quorum, size_t number)
{
    return &witness_of(quorum, number)->key;
}

const char *quorum_witness_url(const struct quorum *quorum, size_t number)
{
    return witness_of(quorum, number)->url;
}

/* Whether a member has a say in the quorum: it is the root, or its group has. */
static bool counts(const struct quorum *quorum, size_t number)
{
    while (number != quorum->root && quorum->members[number].is_in_group)
        number = quorum->members[number].group;
    return !quorum->is_none && number == quorum->root;
}

enum vault_code quorum_check(const struct quorum *quorum, const struct checkpoint *checkpoint,
                             int64_t latest_s, struct quorum_outcome *out, struct vault_error *err)
{
    struct quorum_outcome outcome = {.newest_s = -1, .ahead_s = -1};
    size_t votes[QUORUM_NAMES_MAX] = {0}; /* of each group; members come before their group */
    bool is_met[QUORUM_NAMES_MAX] = {false};
    for (size_t i = 0; i < quorum->member_count; i++) {
        const struct member *member = &quorum->members[i];
        int64_t newest_s = -1;
        if (member->is_witness) {
            VAULT_TRY(checkpoint_cosigned(checkpoint, &member->key, &newest_s, err));
            is_met[i] = newest_s >= 0;
            outcome.cosigned += is_met[i];
        } else {
            is_met[i] = votes[i] >= member->threshold;
        }
        if (member->is_in_group)
            votes[member->group] += is_met[i];
        int64_t *newest = newest_s > latest_s ? &outcome.ahead_s : &outcome.newest_s;
        if (counts(quorum, i) && newest_s > *newest)
            *newest = newest_s;
    }
    outcome.is_met = quorum->is_none || is_met[quorum->root];
    *out = outcome;
    return VAULT_OK;
}
