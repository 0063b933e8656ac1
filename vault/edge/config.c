#include "vault/edge/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vault/base/file.h"
#include "vault/base/json.h"
#include "vault/edge/mail.h"
#include "vault/policy/trust.h"
#include "vault/vault/digest.h"

#define DEPTH_MAX            4
#define OPENINGS_MONTHS_FREE 12

enum kind { TEXT, FILE_PATH, NUMBER, SWITCH, TEXT_LIST };

struct key {
    const char *section; /* NULL: at the top */
    const char *name;
    enum kind kind;
    size_t offset;
    const char *preset; /* as text; NULL: the key must be there; "": it may be empty, or follows
                           from others */
    int64_t least;
    int64_t most;
};

#define AT(member) offsetof(struct config, member)

static const struct key keys[] = {
    {NULL, "data", FILE_PATH, AT(data), NULL, 0, 0},
    {NULL, "origin", TEXT, AT(origin), NULL, 0, 0},
    {NULL, "allow_swap", SWITCH, AT(allow_swap), "false", 0, 0},
    {NULL, "sandbox", TEXT, AT(sandbox), "on", 0, 0},
    {"keyring", "provider", TEXT, AT(keyring.provider), "file", 0, 0},
    {"keyring", "key_file", FILE_PATH, AT(keyring.key_file), "", 0, 0},
    {"keyring", "credential", TEXT, AT(keyring.credential), "", 0, 0},
    {"keyring", "module", FILE_PATH, AT(keyring.module), "", 0, 0},
    {"keyring", "token", TEXT, AT(keyring.token), "", 0, 0},
    {"keyring", "key", TEXT, AT(keyring.key), "", 0, 0},
    {"keyring", "pin_file", FILE_PATH, AT(keyring.pin_file), "", 0, 0},
    {"keyring", "unwraps_per_minute", NUMBER, AT(keyring.unwraps_per_minute), "12000", 60, 6000000},
    {"services", "address", TEXT, AT(services.address), "127.0.0.1", 0, 0},
    {"services", "port", NUMBER, AT(services.port), NULL, 0, 65535},
    {"services", "certificate", FILE_PATH, AT(services.certificate), NULL, 0, 0},
    {"services", "key", FILE_PATH, AT(services.key), NULL, 0, 0},
    {"services", "ocsp", FILE_PATH, AT(services.ocsp), "", 0, 0},
    {"services", "clients_ca", FILE_PATH, AT(services.clients_ca), NULL, 0, 0},
    {"services", "crl", FILE_PATH, AT(services.crl), "", 0, 0},
    {"services", "clients_ca_key", FILE_PATH, AT(services_ca_key), NULL, 0, 0},
    {"services", "certificate_days", NUMBER, AT(certificate_days), "397", 1, 825},
    {"citizens", "address", TEXT, AT(citizens.address), "127.0.0.1", 0, 0},
    {"citizens", "port", NUMBER, AT(citizens.port), NULL, 0, 65535},
    {"citizens", "time_zone", TEXT, AT(citizens_time_zone), "CET-1CEST,M3.5.0,M10.5.0/3", 0, 0},
    {"citizens", "certificate", FILE_PATH, AT(citizens.certificate), NULL, 0, 0},
    {"citizens", "key", FILE_PATH, AT(citizens.key), NULL, 0, 0},
    {"citizens", "ocsp", FILE_PATH, AT(citizens.ocsp), "", 0, 0},
    {"citizens", "connections_per_address", NUMBER, AT(citizens.connections_per_address), "1000", 0,
     6000},
    {"citizens", "requests_per_address", NUMBER, AT(citizens.requests_per_address), "12000", 0,
     100000000},
    {"citizens", "host", TEXT, AT(citizens_host), "localhost", 0, 0},
    {"citizens", "security_contact", TEXT, AT(security_contact), "", 0, 0},
    {"citizens", "accessibility_contact", TEXT, AT(accessibility_contact), "", 0, 0},
    {"auditors", "address", TEXT, AT(auditors.address), "127.0.0.1", 0, 0},
    {"auditors", "port", NUMBER, AT(auditors.port), NULL, 0, 65535},
    {"auditors", "certificate", FILE_PATH, AT(auditors.certificate), NULL, 0, 0},
    {"auditors", "key", FILE_PATH, AT(auditors.key), NULL, 0, 0},
    {"auditors", "ocsp", FILE_PATH, AT(auditors.ocsp), "", 0, 0},
    {"auditors", "clients_ca", FILE_PATH, AT(auditors.clients_ca), NULL, 0, 0},
    {"auditors", "crl", FILE_PATH, AT(auditors.crl), "", 0, 0},
    {"auditors", "clients_ca_key", FILE_PATH, AT(auditors_ca_key), NULL, 0, 0},
    {"admin", "socket", FILE_PATH, AT(admin_socket), NULL, 0, 0},
    {"policy", "trust", TEXT_LIST, AT(trust), NULL, 0, 0},
    {"policy", "signatures", NUMBER, AT(signatures), "1", 1, CONFIG_TRUST_MAX},
    {"policy", "signatures_to_widen", NUMBER, AT(signatures_to_widen), "", 1, CONFIG_TRUST_MAX},
    {"log", "witnesses", FILE_PATH, AT(log.witnesses), "", 0, 0},
    {"log", "witnesses_ca", FILE_PATH, AT(log.witnesses_ca), "", 0, 0},
    {"log", "keep", FILE_PATH, AT(log.keep), "", 0, 0},
    {"log", "timestamps", TEXT, AT(log.timestamps), "", 0, 0},
    {"log", "timestamps_ca", FILE_PATH, AT(log.timestamps_ca), "", 0, 0},
    {"log", "plain_http", SWITCH, AT(log.plain_http), "false", 0, 0},
    {"log", "stale_s", NUMBER, AT(log.stale_s), "14400", 1, 604800},
    {"log", "warn_s", NUMBER, AT(log.warn_s), "1800", 1, 604800},
    {"log", "openings_months", NUMBER, AT(log.openings_months), "12", 6, 36},
    {"log", "openings_reason", TEXT, AT(log.openings_reason), "", 0, 0},
    {"log", "entries_months", NUMBER, AT(log.entries_months), "0", 0, 1200},
    {"dpo", "name", TEXT, AT(dpo.name), "", 0, 0},
    {"dpo", "email", TEXT, AT(dpo.email), "", 0, 0},
    {"dpo", "page", TEXT, AT(dpo.page), "", 0, 0},
    {"mail", "relay", TEXT, AT(mail.relay), "", 0, 0},
    {"mail", "from", TEXT, AT(mail.from), "", 0, 0},
    {"mail", "ca", FILE_PATH, AT(mail.ca), "", 0, 0},
    {"passwords", "words", FILE_PATH, AT(passwords.words), "", 0, 0},
    {"passwords", "breached", FILE_PATH, AT(passwords.breached), "", 0, 0},
    {"mediators", "passkey", TEXT, AT(mediators.passkey), "offered", 0, 0},
    {"limits", "open_citizens", NUMBER, AT(open_citizens), "1000", 8, 100000},
};

#define KEY_COUNT (sizeof keys / sizeof keys[0])

struct reading {
    const char *path;
    char folder[PATH_MAX];
    struct bytes text;
    json_t *root;
    struct config *config;
};

static enum vault_code fault(const struct reading *reading, const struct key *key,
                             struct vault_error *err, const char *what)
{
    char pointer[CONFIG_NAME_CHARS];
    snprintf(pointer, sizeof pointer, "%s%s/%s", key->section ? "/" : "",
             key->section ? key->section : "", key->name);
    const struct json_position at = json_locate(reading->text, pointer);
    return vault_fail(err, VAULT_INVALID, "%s, line %zu: %s %s", reading->path, at.line, pointer,
                      what);
}

static size_t text_room(const struct key *key)
{
    return key->kind == FILE_PATH ? PATH_MAX : CONFIG_NAME_CHARS;
}

static enum vault_code set_text(const struct reading *reading, const struct key *key,
                                const char *text, struct vault_error *err)
{
    char *place = (char *)reading->config + key->offset;
    const bool may_be_empty = key->preset && !*key->preset;
    if (text[0] == 0 && may_be_empty)
        return VAULT_OK; /* as it was made */
    const bool relative = key->kind == FILE_PATH && text[0] != '/';
    const int length = snprintf(place, text_room(key), "%s%s%s", relative ? reading->folder : "",
                                relative ? "/" : "", text);
    if (text[0] == 0 || length < 0 || (size_t)length >= text_room(key))
        return fault(reading, key, err, "is empty or too long");
    return VAULT_OK;
}

static enum vault_code set_number(const struct reading *reading, const struct key *key,
                                  int64_t number, struct vault_error *err)
{
    if (number < key->least || number > key->most) {
        char what[96];
        snprintf(what, sizeof what, "must be %lld to %lld", (long long)key->least,
                 (long long)key->most);
        return fault(reading, key, err, what);
    }
    memcpy((char *)reading->config + key->offset, &number, sizeof number);
    return VAULT_OK;
}

static enum vault_code set_trust(const struct reading *reading, const struct key *key,
                                 const json_t *list, struct vault_error *err)
{
    struct config *config = reading->config;
    const size_t count = json_array_size(list);
    if (count > CONFIG_TRUST_MAX)
        return fault(reading, key, err, "names too many keys");
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(list, i);
        if (!json_is_string(item) || json_string_length(item) >= CONFIG_TRUST_CHARS)
            return fault(reading, key, err, "must be a list of verifier keys");
        snprintf(config->trust[i], CONFIG_TRUST_CHARS, "%s", json_string_value(item));
    }
    config->trust_count = (int64_t)count;
    return VAULT_OK;
}

static enum vault_code set_from_json(const struct reading *reading, const struct key *key,
                                     const json_t *value, struct vault_error *err)
{
    switch (key->kind) {
    case TEXT:
    case FILE_PATH:
        if (!json_is_string(value))
            return fault(reading, key, err, "must be a string");
        return set_text(reading, key, json_string_value(value), err);
    case NUMBER:
        if (!json_is_integer(value))
            return fault(reading, key, err, "must be a whole number");
        return set_number(reading, key, json_integer_value(value), err);
    case SWITCH:
        if (!json_is_boolean(value))
            return fault(reading, key, err, "must be true or false");
        *((bool *)((char *)reading->config + key->offset)) = json_is_true(value);
        return VAULT_OK;
    case TEXT_LIST:
        if (!json_is_array(value))
            return fault(reading, key, err, "must be a list");
        return set_trust(reading, key, value, err);
    }
    return VAULT_OK;
}

static enum vault_code set_preset(const struct reading *reading, const struct key *key,
                                  struct vault_error *err)
{
    if (!key->preset)
        return fault(reading, key, err, "is missing");
    if (key->kind == NUMBER && *key->preset)
        return set_number(reading, key, strtoll(key->preset, NULL, 10), err);
    if (key->kind == TEXT)
        return set_text(reading, key, key->preset, err);
    return VAULT_OK; /* a switch that is off, a number that settle_signatures() finds */
}

static enum vault_code read_keys(const struct reading *reading, struct vault_error *err)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        const struct key *key = &keys[i];
        const json_t *section =
            key->section ? json_object_get(reading->root, key->section) : reading->root;
        const json_t *value = json_object_get(section, key->name);
        VAULT_TRY(value ? set_from_json(reading, key, value, err) : set_preset(reading, key, err));
    }
    return VAULT_OK;
}

/* One that is in the table; section NULL: at the top. */
static const struct key *find_key(const char *section, const char *name)
{
    size_t i = 0;
    while (strcmp(keys[i].section ? keys[i].section : "", section ? section : "") != 0 ||
           strcmp(keys[i].name, name) != 0)
        i++;
    return &keys[i];
}

/* More signatures than there are keys would let no bundle in. An empty list lets none in either,
 * and is what a vault begins with. */
static enum vault_code settle_signatures(const struct reading *reading, struct vault_error *err)
{
    struct config *config = reading->config;
    const int64_t most = config->trust_count ? config->trust_count : 1;
    const struct key *to_widen = find_key("policy", "signatures_to_widen");
    if (config->signatures > most)
        return fault(reading, find_key("policy", "signatures"), err,
                     "is more than there are keys in policy.trust");
    if (config->signatures_to_widen == 0)
        config->signatures_to_widen =
            (int64_t)policy_signatures_to_widen((size_t)most, (size_t)config->signatures);
    if (config->signatures_to_widen > most)
        return fault(reading, to_widen, err, "is more than there are keys in policy.trust");
    if (config->signatures_to_widen < config->signatures)
        return fault(reading, to_widen, err,
                     "is less than policy.signatures, which every bundle needs");
    return VAULT_OK;
}

/* Which keys of the keyring go with which provider, and must be there with it. */
static const struct {
    const char *provider;
    const char *name;
    bool needed;
} keyring_keys[] = {
    {"file", "key_file", true}, {"credential", "credential", true},
    {"pkcs11", "module", true}, {"pkcs11", "token", true},
    {"pkcs11", "key", true},    {"pkcs11", "pin_file", false},
};

/* What another provider would need is a mistake, and not a thing to pass over. */
static enum vault_code settle_keyring(const struct reading *reading, struct vault_error *err)
{
    const char *provider = reading->config->keyring.provider;
    bool is_known = strcmp(provider, "passphrase") == 0;
    for (size_t i = 0; i < sizeof keyring_keys / sizeof keyring_keys[0]; i++) {
        const struct key *key = find_key("keyring", keyring_keys[i].name);
        const bool is_its_own = strcmp(provider, keyring_keys[i].provider) == 0;
        const bool is_given = *((const char *)reading->config + key->offset) != 0;
        is_known |= is_its_own;
        if (is_its_own && keyring_keys[i].needed && !is_given)
            return fault(reading, key, err, "is missing");
        if (is_given && !is_its_own)
            return fault(reading, key, err, "is not for this keyring.provider");
    }
    if (!is_known)
        return fault(reading, find_key("keyring", "provider"), err,
                     "must be file, credential, passphrase or pkcs11");
    return VAULT_OK;
}

/* What is personal is not kept for over a year without a reason in writing, nor longer than the
 * entry that it belongs to. */
static enum vault_code settle_retention(const struct reading *reading, struct vault_error *err)
{
    const struct config_log *log = &reading->config->log;
    if (log->openings_months > OPENINGS_MONTHS_FREE && !log->openings_reason[0])
        return fault(reading, find_key("log", "openings_months"), err,
                     "is over 12: say why in log.openings_reason");
    if (log->entries_months && log->entries_months < log->openings_months)
        return fault(reading, find_key("log", "entries_months"), err,
                     "is less than log.openings_months");
    return VAULT_OK;
}

/* RFC 9116 section 2.5.3: an address of mail, or a page that nobody can change on its way. It goes
 * into a file of lines. */
static enum vault_code settle_contact(const struct reading *reading, const char *contact,
                                      const char *name, struct vault_error *err)
{
    const bool is_address =
        strncmp(contact, "mailto:", 7) == 0 || strncmp(contact, "https://", 8) == 0;
    if (*contact && (!is_address || strpbrk(contact, " \t\r\n")))
        return fault(reading, find_key("citizens", name), err,
                     "must be a mailto: or https: address");
    return VAULT_OK;
}

static enum vault_code settle_sandbox(const struct reading *reading, struct vault_error *err)
{
    static const char *const known[] = {"on", "required", "off"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(reading->config->sandbox, known[i]) == 0)
            return VAULT_OK;
    }
    return fault(reading, find_key(NULL, "sandbox"), err, "must be on, required or off");
}

static enum vault_code settle_mediators(const struct reading *reading, struct vault_error *err)
{
    const char *passkey = reading->config->mediators.passkey;
    if (strcmp(passkey, "offered") == 0 || strcmp(passkey, "required") == 0)
        return VAULT_OK;
    return fault(reading, find_key("mediators", "passkey"), err, "must be offered or required");
}

static enum vault_code settle_mail(const struct reading *reading, struct vault_error *err)
{
    const struct config_mail *mail = &reading->config->mail;
    if (!mail->relay[0] && (mail->from[0] || mail->ca[0]))
        return fault(reading, find_key("mail", "relay"), err, "is missing");
    if (!mail->relay[0])
        return VAULT_OK;
    if (!mail_relay_is_valid(mail->relay))
        return fault(reading, find_key("mail", "relay"), err,
                     "must be smtps://HOST:PORT or smtp://HOST:PORT, without a name or a password");
    if (!digest_address_is_valid(bytes_of_text(mail->from)))
        return fault(reading, find_key("mail", "from"), err, "must be an e-mail address");
    return VAULT_OK;
}

/* Whether a key of the table has this section and name; name NULL asks for the section alone. */
static bool is_known(const char *section, const char *name)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        const bool same_section =
            section ? keys[i].section && strcmp(keys[i].section, section) == 0 : !keys[i].section;
        if (same_section && (!name || strcmp(keys[i].name, name) == 0))
            return true;
    }
    return false;
}

static enum vault_code refuse_unknown(const struct reading *reading, struct vault_error *err)
{
    const char *name;
    json_t *value;
    json_object_foreach(reading->root, name, value)
    {
        if (is_known(NULL, name))
            continue;
        if (!is_known(name, NULL) || !json_is_object(value))
            return vault_fail(err, VAULT_INVALID, "%s: unknown key or wrong type: %s",
                              reading->path, name);
        const char *inner;
        json_t *unused;
        json_object_foreach(value, inner, unused)
        {
            if (!is_known(name, inner))
                return vault_fail(err, VAULT_INVALID, "%s: unknown key: %s.%s", reading->path, name,
                                  inner);
        }
    }
    return VAULT_OK;
}

static void folder_of(char out[PATH_MAX], const char *path)
{
    char resolved[PATH_MAX];
    snprintf(out, PATH_MAX, "%s", realpath(path, resolved) ? resolved : path);
    char *slash = strrchr(out, '/');
    if (slash)
        *slash = 0;
    else
        snprintf(out, PATH_MAX, ".");
}

enum vault_code config_read(const char *path, struct config *out, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(CONFIG_FILE_BYTES_MAX);
    VAULT_AUTO(json_free) json_t *root = NULL;
    VAULT_TRY(file_read(path, &text, err));
    const enum vault_code code = json_parse(buf_view(&text), DEPTH_MAX, &root, NULL, err);
    if (code) {
        vault_error_context(err, "%s", path);
        return code;
    }
    if (!json_is_object(root))
        return vault_fail(err, VAULT_INVALID, "%s: not a JSON object", path);
    struct config *config = calloc(1, sizeof *config);
    if (!config)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    struct reading reading = {
        .path = path, .text = buf_view(&text), .root = root, .config = config};
    folder_of(reading.folder, path);
    enum vault_code result = refuse_unknown(&reading, err);
    if (result == VAULT_OK)
        result = read_keys(&reading, err);
    if (result == VAULT_OK)
        result = settle_signatures(&reading, err);
    if (result == VAULT_OK)
        result = settle_retention(&reading, err);
    if (result == VAULT_OK)
        result = settle_keyring(&reading, err);
    if (result == VAULT_OK)
        result = settle_contact(&reading, config->security_contact, "security_contact", err);
    if (result == VAULT_OK)
        result =
            settle_contact(&reading, config->accessibility_contact, "accessibility_contact", err);
    if (result == VAULT_OK)
        result = settle_sandbox(&reading, err);
    if (result == VAULT_OK)
        result = settle_mediators(&reading, err);
    if (result == VAULT_OK)
        result = settle_mail(&reading, err);
    if (result == VAULT_OK) {
        snprintf(config->path, sizeof config->path, "%s", path);
        *out = *config;
    }
    free(config);
    return result;
}

enum vault_code config_check_trust(const struct config *config, struct vault_error *err)
{
    struct policy_trust trust = {.count = 0};
    for (int64_t i = 0; i < config->trust_count; i++) {
        const enum vault_code code = policy_trust_add(&trust, bytes_of_text(config->trust[i]), err);
        if (code) {
            vault_error_context(err, "/policy/trust/%lld", (long long)i);
            return code;
        }
    }
    return VAULT_OK;
}

static void print_value(const struct config *config, const struct key *key, struct buf *out)
{
    const char *place = (const char *)config + key->offset;
    int64_t number;
    switch (key->kind) {
    case TEXT:
    case FILE_PATH:
        json_write_string(out, bytes_of_text(place));
        break;
    case NUMBER:
        memcpy(&number, place, sizeof number);
        buf_format(out, "%lld", (long long)number);
        break;
    case SWITCH:
        buf_text(out, *(const bool *)place ? "true" : "false");
        break;
    case TEXT_LIST:
        buf_byte(out, '[');
        for (int64_t i = 0; i < config->trust_count; i++) {
            buf_text(out, i ? "," : "");
            json_write_string(out, bytes_of_text(config->trust[i]));
        }
        buf_byte(out, ']');
        break;
    }
}

void config_print(const struct config *config, struct buf *out)
{
    const char *section = NULL;
    buf_byte(out, '{');
    for (size_t i = 0; i < KEY_COUNT; i++) {
        const struct key *key = &keys[i];
        const bool opens = key->section && (!section || strcmp(section, key->section) != 0);
        if (opens && section)
            buf_byte(out, '}');
        buf_text(out, i ? ",\n" : "\n");
        if (opens)
            buf_format(out, "\"%s\":{\n", key->section);
        section = key->section;
        buf_format(out, "%s\"%s\":", section ? "  " : "", key->name);
        print_value(config, key, out);
    }
    buf_text(out, section ? "}}\n" : "}\n");
}
