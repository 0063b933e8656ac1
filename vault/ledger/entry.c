#include "vault/ledger/entry.h"

#include <assert.h>
#include <string.h>

#include "number.h"
#include "vault/base/codec.h"

#define FORMAT_LINE "vault-access-log/1\n"

/* Whom an event concerns and what ends its entry. */
static const struct event {
    const char *name;
    bool has_subject;
    bool has_count;
    bool has_below;
} events[ENTRY_EVENT_COUNT] = {
    [ENTRY_RELEASE] = {"release", true, false, false},
    [ENTRY_DENY] = {"deny", true, false, false},
    [ENTRY_CONSENT] = {"consent", true, false, false},
    [ENTRY_REFUSE] = {"refuse", true, false, false},
    [ENTRY_WITHDRAW] = {"withdraw", true, false, false},
    [ENTRY_OBJECT] = {"object", true, false, false},
    [ENTRY_SUSPEND] = {"suspend", true, false, false},
    [ENTRY_RESUME] = {"resume", true, false, false},
    [ENTRY_REQUEST] = {"request", true, false, false},
    [ENTRY_DEPOSIT] = {"deposit", true, false, false},
    [ENTRY_ERASE] = {"erase", true, true, false},
    [ENTRY_EXPORT] = {"export", true, false, false},
    [ENTRY_LOGIN] = {"login", true, false, false},
    [ENTRY_MANDATE] = {"mandate", true, false, false},
    [ENTRY_LOG_READ] = {"log-read", false, false, false},
    [ENTRY_ADMIN] = {"admin", false, false, false},
    [ENTRY_POLICY] = {"policy", false, false, false},
    [ENTRY_KEY] = {"key", false, false, false},
    [ENTRY_CLOCK_STEP] = {"clock-step", false, false, false},
    [ENTRY_RECOVER] = {"recover", false, true, false},
    [ENTRY_PRUNE] = {"prune", false, true, true},
};

/* needs_subject: there exactly in events that concern a citizen. */
static const struct {
    const char *name;
    bool needs_subject;
} keys[ENTRY_KEY_COUNT] = {
    [ENTRY_SUBJECT] = {"subject", true}, [ENTRY_ACTOR] = {"actor", false},
    [ENTRY_BASIS] = {"basis", true},     [ENTRY_WHAT] = {"what", true},
    [ENTRY_ANSWER] = {"answer", false},
};

const char *entry_event_name(enum entry_event event)
{
    assert((unsigned)event < ENTRY_EVENT_COUNT);
    return events[event].name;
}

enum entry_event entry_event_of(struct bytes name)
{
    for (unsigned i = 0; i < ENTRY_EVENT_COUNT; i++) {
        if (bytes_equal(name, bytes_of_text(events[i].name)))
            return (enum entry_event)i;
    }
    return ENTRY_EVENT_COUNT;
}

const char *entry_key_name(enum entry_key key)
{
    assert((unsigned)key < ENTRY_KEY_COUNT);
    return keys[key].name;
}

enum entry_key entry_key_of(struct bytes name)
{
    for (unsigned i = 0; i < ENTRY_KEY_COUNT; i++) {
        if (bytes_equal(name, bytes_of_text(keys[i].name)))
            return (enum entry_key)i;
    }
    return ENTRY_KEY_COUNT;
}

bool entry_event_has_subject(enum entry_event event)
{
    assert((unsigned)event < ENTRY_EVENT_COUNT);
    return events[event].has_subject;
}

bool entry_event_has_count(enum entry_event event)
{
    assert((unsigned)event < ENTRY_EVENT_COUNT);
    return events[event].has_count;
}

static bool is_lower(uint8_t c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

bool entry_id_is_valid(struct bytes id)
{
    if (id.size == 0 || id.size > ENTRY_ID_MAX_CHARS || !is_lower(id.data[0]))
        return false;
    for (size_t i = 1; i < id.size; i++) {
        const uint8_t c = id.data[i];
        if (!is_lower(c) && !is_digit(c) && c != '_' && c != '.' && c != '-')
            return false;
    }
    return true;
}

static enum vault_code wrong(struct vault_error *err, const char *line)
{
    return vault_fail(err, VAULT_INVALID, "the entry's %s line is not as it must be", line);
}

enum vault_code entry_check(const struct entry *entry, struct vault_error *err)
{
    if ((unsigned)entry->event >= ENTRY_EVENT_COUNT)
        return wrong(err, "event");
    const struct event *event = &events[entry->event];
    if (entry->service.size && !entry_id_is_valid(entry->service))
        return wrong(err, "service");
    if (entry->purpose.size && !entry_id_is_valid(entry->purpose))
        return wrong(err, "purpose");
    if (entry->has_policy && !event->has_subject)
        return wrong(err, "policy");
    for (unsigned i = 0; i < ENTRY_KEY_COUNT; i++) {
        if (keys[i].needs_subject && entry->commitments[i].present != event->has_subject)
            return wrong(err, keys[i].name);
    }
    if (entry->policy_version > ENTRY_NUMBER_MAX)
        return wrong(err, "policy");
    if ((entry->count && !event->has_count) || entry->count > ENTRY_NUMBER_MAX)
        return wrong(err, "count");
    if ((entry->below && !event->has_below) || entry->below > ENTRY_NUMBER_MAX)
        return wrong(err, "below");
    return VAULT_OK;
}

/* Writing: ENTRY_MAX_BYTES hold the longest entry twice over, so that nothing needs to be asked. */
struct writer {
    uint8_t *at;
};

static void put(struct writer *writer, const void *data, size_t size)
{
    memcpy(writer->at, data, size);
    writer->at += size;
}

static void put_text(struct writer *writer, const char *text)
{
    put(writer, text, strlen(text));
}

static void put_number(struct writer *writer, uint64_t number)
{
    char digits[DECIMAL_CHARS_MAX];
    const size_t first = decimal_digits(digits, number);
    put(writer, digits + first, sizeof digits - first);
}

static void put_id(struct writer *writer, const char *key, struct bytes id)
{
    put_text(writer, key);
    if (id.size)
        put(writer, id.data, id.size);
    else
        put_text(writer, "-");
    put_text(writer, "\n");
}

static void put_hex(struct writer *writer, const uint8_t *data, size_t size)
{
    char text[HEX_CHARS(ENTRY_CLIENT_BYTES) + 1];
    hex_string(text, data, size);
    put_text(writer, text);
}

static void put_policy(struct writer *writer, const struct entry *entry)
{
    put_text(writer, "policy ");
    if (entry->has_policy) {
        put_number(writer, entry->policy_version);
        put_text(writer, " ");
        put_hex(writer, entry->policy_hash, sizeof entry->policy_hash);
    } else {
        put_text(writer, "-");
    }
    put_text(writer, "\n");
}

static void put_commitment(struct writer *writer, const char *key,
                           const struct entry_commitment *commitment)
{
    char text[BASE64_CHARS(ENTRY_COMMITMENT_BYTES) + 1] = "-";
    if (commitment->present)
        base64_string(text, commitment->hash, sizeof commitment->hash);
    put_text(writer, key);
    put_text(writer, " ");
    put_text(writer, text);
    put_text(writer, "\n");
}

static void put_count(struct writer *writer, const char *key, uint64_t number)
{
    put_text(writer, key);
    put_number(writer, number);
    put_text(writer, "\n");
}

size_t entry_write(const struct entry *entry, uint8_t out[static ENTRY_MAX_BYTES])
{
    assert((unsigned)entry->event < ENTRY_EVENT_COUNT && entry->time_ms >= 0);
    assert(entry->service.size <= ENTRY_ID_MAX_CHARS && entry->purpose.size <= ENTRY_ID_MAX_CHARS);
    const struct event *event = &events[entry->event];
    struct writer writer = {.at = out};
    put_text(&writer, FORMAT_LINE "event ");
    put_text(&writer, event->name);
    put_text(&writer, "\n");
    put_count(&writer, "time ", (uint64_t)entry->time_ms);
    put_id(&writer, "service ", entry->service);
    put_text(&writer, "client ");
    if (entry->has_client)
        put_hex(&writer, entry->client, sizeof entry->client);
    else
        put_text(&writer, "-");
    put_text(&writer, "\n");
    put_id(&writer, "purpose ", entry->purpose);
    put_policy(&writer, entry);
    for (unsigned i = 0; i < ENTRY_KEY_COUNT; i++)
        put_commitment(&writer, keys[i].name, &entry->commitments[i]);
    if (event->has_below)
        put_count(&writer, "below ", entry->below);
    if (event->has_count)
        put_count(&writer, "count ", entry->count);
    return (size_t)(writer.at - out);
}

/* Reading: each line in its turn, "key value\n". */
static bool take_line(struct bytes *text, const char *key, struct bytes *value)
{
    const size_t key_size = strlen(key);
    if (text->size <= key_size || memcmp(text->data, key, key_size) != 0 ||
        text->data[key_size] != ' ')
        return false;
    const uint8_t *start = text->data + key_size + 1;
    const uint8_t *end = memchr(start, '\n', text->size - key_size - 1);
    if (!end)
        return false;
    *value = (struct bytes){.data = start, .size = (size_t)(end - start)};
    text->size -= (size_t)(end + 1 - text->data);
    text->data = end + 1;
    return true;
}

static bool is_dash(struct bytes value)
{
    return value.size == 1 && value.data[0] == '-';
}

static bool read_number(struct bytes text, uint64_t *out)
{
    return number_read(text, ENTRY_NUMBER_MAX, out);
}

static bool read_hex(struct bytes text, uint8_t *out, size_t size)
{
    return hex_decode_exact(out, size, text, NULL) == VAULT_OK;
}

static bool read_event(struct bytes value, struct entry *entry)
{
    entry->event = entry_event_of(value);
    return entry->event != ENTRY_EVENT_COUNT;
}

static bool read_time(struct bytes value, struct entry *entry)
{
    uint64_t time_ms = 0;
    if (!number_read(value, ENTRY_TIME_MAX_MS, &time_ms))
        return false;
    entry->time_ms = (int64_t)time_ms;
    return true;
}

static bool read_id(struct bytes value, struct bytes *out)
{
    if (is_dash(value))
        return true;
    *out = value;
    return entry_id_is_valid(value);
}

static bool read_service(struct bytes value, struct entry *entry)
{
    return read_id(value, &entry->service);
}

static bool read_purpose(struct bytes value, struct entry *entry)
{
    return read_id(value, &entry->purpose);
}

static bool read_client(struct bytes value, struct entry *entry)
{
    entry->has_client = !is_dash(value);
    return !entry->has_client || read_hex(value, entry->client, sizeof entry->client);
}

static bool read_policy(struct bytes value, struct entry *entry)
{
    entry->has_policy = !is_dash(value);
    if (!entry->has_policy)
        return true;
    const uint8_t *space = memchr(value.data, ' ', value.size);
    if (!space)
        return false;
    const struct bytes version = {value.data, (size_t)(space - value.data)};
    const struct bytes hash = {space + 1, value.size - version.size - 1};
    return read_number(version, &entry->policy_version) &&
           read_hex(hash, entry->policy_hash, sizeof entry->policy_hash);
}

/* The lines before the commitments. */
static const struct {
    const char *key;
    bool (*read)(struct bytes value, struct entry *entry);
} lines[] = {
    {"event", read_event},   {"time", read_time},       {"service", read_service},
    {"client", read_client}, {"purpose", read_purpose}, {"policy", read_policy},
};

static bool read_commitment(struct bytes value, struct entry_commitment *out)
{
    out->present = !is_dash(value);
    return !out->present ||
           base64_decode_exact(out->hash, sizeof out->hash, value, NULL) == VAULT_OK;
}

static enum vault_code read_last_lines(struct bytes *text, struct entry *entry,
                                       struct vault_error *err)
{
    const struct event *event = &events[entry->event];
    bool wants_below = event->has_below;
    struct bytes value;
    if (wants_below && take_line(text, "below", &value)) {
        wants_below = false;
        if (!read_number(value, &entry->below))
            return wrong(err, "below");
    }
    if (event->has_count &&
        (!take_line(text, "count", &value) || !read_number(value, &entry->count)))
        return wrong(err, "count");
    if (wants_below && (!take_line(text, "below", &value) || !read_number(value, &entry->below)))
        return wrong(err, "below");
    if (text->size)
        return wrong(err, "last");
    return VAULT_OK;
}

enum vault_code entry_parse(struct bytes text, struct entry *out, struct vault_error *err)
{
    const struct bytes format = bytes_of_text(FORMAT_LINE);
    if (text.size > ENTRY_MAX_BYTES)
        return vault_fail(err, VAULT_INVALID, "the entry is longer than %d bytes", ENTRY_MAX_BYTES);
    if (text.size < format.size || memcmp(text.data, format.data, format.size) != 0)
        return wrong(err, "first");
    text = (struct bytes){text.data + format.size, text.size - format.size};
    struct entry entry = {0};
    struct bytes value;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (!take_line(&text, lines[i].key, &value) || !lines[i].read(value, &entry))
            return wrong(err, lines[i].key);
    }
    for (unsigned i = 0; i < ENTRY_KEY_COUNT; i++) {
        if (!take_line(&text, keys[i].name, &value) ||
            !read_commitment(value, &entry.commitments[i]))
            return wrong(err, keys[i].name);
    }
    VAULT_TRY(read_last_lines(&text, &entry, err));
    VAULT_TRY(entry_check(&entry, err));
    *out = entry;
    return VAULT_OK;
}
