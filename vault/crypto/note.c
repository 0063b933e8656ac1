#include "vault/crypto/note.h"

#include <stdio.h>
#include <string.h>

#include "vault/base/codec.h"
#include "vault/base/insist.h"
#include "vault/crypto/hash.h"

#define DASH           "\xe2\x80\x94 " /* an em dash and a space */
#define PRIVATE        "PRIVATE+KEY+"
#define KEYED_BYTES    (1 + SIGN_PUBLIC_BYTES) /* the kind, then the key or the seed */
#define NOT_UNICODE    UINT32_MAX
#define LINE_BYTES_MAX (16UL * 1024) /* of one signature: post-quantum ones are large */

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Read one character of UTF-8 (RFC 3629: the shortest form, no surrogates), and move on. */
static uint32_t next_character(struct bytes *text)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t first = text->data[0];
    const size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (size > text->size || (first >= 0x80 && first < 0xc2) || first > 0xf4)
        return NOT_UNICODE;
    uint32_t character = size == 1 ? first : first & (0x7fU >> size);
    for (size_t i = 1; i < size; i++) {
        if (!is_continuation(text->data[i]))
            return NOT_UNICODE;
        character = character << 6 | (text->data[i] & 0x3fU);
    }
    *text = (struct bytes){text->data + size, text->size - size};
    const bool surrogate = character >= 0xd800 && character <= 0xdfff;
    return character < smallest[size] || character > 0x10ffff || surrogate ? NOT_UNICODE
                                                                           : character;
}

/* Unicode's White_Space property. */
static bool is_space(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

bool note_name_is_valid(struct bytes name)
{
    if (name.size == 0 || name.size > NOTE_NAME_CHARS_MAX)
        return false;
    while (name.size) {
        const uint32_t c = next_character(&name);
        if (c == NOT_UNICODE || c < 0x20 || c == 0x7f || c == '+' || is_space(c))
            return false;
    }
    return true;
}

enum vault_code note_text_check(struct bytes text, struct vault_error *err)
{
    if (text.size == 0 || text.data[text.size - 1] != '\n')
        return vault_fail(err, VAULT_INVALID, "the text of a note ends with a newline");
    while (text.size) {
        const uint32_t c = next_character(&text);
        if (c == NOT_UNICODE || (c < 0x20 && c != '\n'))
            return vault_fail(err, VAULT_INVALID,
                              "the text of a note is UTF-8 without control characters");
    }
    return VAULT_OK;
}

static void compute_id(struct note_key *key)
{
    const uint8_t between[2] = {'\n', key->kind};
    const struct bytes parts[] = {bytes_of_text(key->name),
                                  {between, sizeof between},
                                  {key->public_key, sizeof key->public_key}};
    uint8_t hash[SHA256_BYTES];
    sha256(hash, parts, 3);
    memcpy(key->id, hash, sizeof key->id);
}

enum vault_code note_key_make(struct bytes name, enum note_kind kind,
                              const uint8_t public_key[SIGN_PUBLIC_BYTES], struct note_key *out,
                              struct vault_error *err)
{
    if (!note_name_is_valid(name))
        return vault_fail(err, VAULT_INVALID,
                          "the name of a key is 1 to %d bytes without white space or '+'",
                          NOTE_NAME_CHARS_MAX);
    struct note_key key = {.kind = (uint8_t)kind};
    memcpy(key.name, name.data, name.size);
    memcpy(key.public_key, public_key, sizeof key.public_key);
    compute_id(&key);
    *out = key;
    return VAULT_OK;
}

/* What stands up to the next mark; the rest begins behind it. false if the mark is not there. */
static bool cut(struct bytes *rest, uint8_t mark, struct bytes *out)
{
    const uint8_t *at = rest->size ? memchr(rest->data, mark, rest->size) : NULL;
    if (!at)
        return false;
    *out = (struct bytes){rest->data, (size_t)(at - rest->data)};
    *rest = (struct bytes){at + 1, rest->size - out->size - 1};
    return true;
}

/* A key as text, public or private, is name+hex(id)+base64(kind ‖ 32 bytes). */
struct key_text {
    struct bytes name;
    uint8_t id[NOTE_KEY_ID_BYTES];
    struct bytes base64;
};

static bool key_text_read(struct bytes text, struct key_text *out)
{
    struct bytes hex;
    return cut(&text, '+', &out->name) && cut(&text, '+', &hex) && (out->base64 = text).size &&
           hex_decode_exact(out->id, sizeof out->id, hex, NULL) == VAULT_OK;
}

static bool kind_is_known(uint8_t kind)
{
    return kind == NOTE_ED25519 || kind == NOTE_COSIGNATURE;
}

enum vault_code note_key_parse(struct bytes text, struct note_key *out, struct vault_error *err)
{
    struct key_text parts;
    uint8_t keyed[KEYED_BYTES];
    if (!key_text_read(text, &parts) ||
        base64_decode_exact(keyed, sizeof keyed, parts.base64, NULL) != VAULT_OK ||
        !kind_is_known(keyed[0]))
        return vault_fail(err, VAULT_INVALID,
                          "not the public key of a signed note, name+hex+base64");
    struct note_key key;
    VAULT_TRY(note_key_make(parts.name, keyed[0], keyed + 1, &key, err));
    if (memcmp(key.id, parts.id, sizeof key.id) != 0)
        return vault_fail(err, VAULT_INVALID, "the id of a key does not fit its name and key");
    *out = key;
    return VAULT_OK;
}

void note_key_print(const struct note_key *key, char out[NOTE_KEY_CHARS_MAX])
{
    uint8_t keyed[KEYED_BYTES] = {key->kind};
    memcpy(keyed + 1, key->public_key, SIGN_PUBLIC_BYTES);
    char hex[HEX_CHARS(NOTE_KEY_ID_BYTES) + 1];
    char base64[BASE64_CHARS(KEYED_BYTES) + 1];
    hex_string(hex, key->id, sizeof key->id);
    base64_string(base64, keyed, sizeof keyed);
    snprintf(out, NOTE_KEY_CHARS_MAX, "%s+%s+%s", key->name, hex, base64);
}

enum vault_code note_signer_make(struct bytes name, enum note_kind kind, const struct secret *seed,
                                 struct note_signer *out, struct vault_error *err)
{
    VAULT_AUTO(sign_key_free) struct sign_key *pair = NULL;
    VAULT_TRY(sign_key_of_seed(seed, &pair, err));
    return note_signer_of(name, kind, &pair, out, err);
}

enum vault_code note_signer_of(struct bytes name, enum note_kind kind, struct sign_key **pair,
                               struct note_signer *out, struct vault_error *err)
{
    struct note_key key;
    uint8_t public_key[SIGN_PUBLIC_BYTES];
    sign_key_public(*pair, public_key);
    VAULT_TRY(note_key_make(name, kind, public_key, &key, err));
    *out = (struct note_signer){.key = key, .pair = VAULT_TAKE(*pair)};
    return VAULT_OK;
}

enum vault_code note_signer_parse(struct bytes text, struct note_signer *out,
                                  struct vault_error *err)
{
    struct key_text parts = {0};
    VAULT_AUTO(secret_free) struct secret *keyed = NULL;
    VAULT_AUTO(secret_free) struct secret *seed = NULL;
    VAULT_TRY(secret_new(KEYED_BYTES, &keyed, err));
    uint8_t *raw = secret_data(keyed);
    const size_t prefix = strlen(PRIVATE);
    if (text.size < prefix || memcmp(text.data, PRIVATE, prefix) != 0 ||
        !key_text_read((struct bytes){text.data + prefix, text.size - prefix}, &parts) ||
        base64_decode_exact(raw, KEYED_BYTES, parts.base64, NULL) != VAULT_OK ||
        !kind_is_known(raw[0]))
        return vault_fail(err, VAULT_INVALID,
                          "not the private key of a signed note, " PRIVATE "name+hex+base64");
    VAULT_TRY(secret_copy((struct bytes){raw + 1, SIGN_SEED_BYTES}, &seed, err));
    VAULT_AUTO(note_signer_finish) struct note_signer signer = {0};
    VAULT_TRY(note_signer_make(parts.name, raw[0], seed, &signer, err));
    if (memcmp(signer.key.id, parts.id, sizeof parts.id) != 0)
        return vault_fail(err, VAULT_INVALID, "the id of a key does not fit its name and key");
    *out = (struct note_signer){.key = signer.key, .pair = VAULT_TAKE(signer.pair)};
    return VAULT_OK;
}

enum vault_code note_signer_print(const struct note_signer *signer, const struct secret *seed,
                                  struct buf *out, struct vault_error *err)
{
    VAULT_AUTO(secret_free) struct secret *keyed = NULL;
    VAULT_TRY(secret_new(KEYED_BYTES, &keyed, err));
    secret_data(keyed)[0] = signer->key.kind;
    memcpy(secret_data(keyed) + 1, secret_view(seed).data, SIGN_SEED_BYTES);
    char hex[HEX_CHARS(NOTE_KEY_ID_BYTES) + 1];
    hex_string(hex, signer->key.id, sizeof signer->key.id);
    buf_format(out, PRIVATE "%s+%s+", signer->key.name, hex);
    base64_encode(out, secret_view(keyed));
    return buf_check(out, err);
}

void note_signer_finish(struct note_signer *signer)
{
    sign_key_free(&signer->pair);
}

/* Where the text ends: behind the first newline of the last empty line. 0 if there is none. */
static size_t find_text_end(struct bytes bytes)
{
    for (size_t i = bytes.size; i >= 2; i--) {
        if (bytes.data[i - 1] == '\n' && bytes.data[i - 2] == '\n')
            return i - 1;
    }
    return 0;
}

/* What does not decode is no signed note, for whoever reads it; no memory is none. */
static bool decode(struct buf *raw, struct bytes text)
{
    unsigned tries = 0;
    enum vault_code code;
    while ((code = base64_decode(raw, text, NULL)) == VAULT_NO_MEMORY) {
        insist_again(&tries, "reading a signed note");
        buf_clear(raw);
    }
    return code == VAULT_OK;
}

/* "— name base64": whether the line is one. */
static bool read_line(struct bytes line, struct note_signature *out)
{
    const size_t dash = strlen(DASH);
    if (line.size < dash || memcmp(line.data, DASH, dash) != 0)
        return false;
    struct bytes rest = {line.data + dash, line.size - dash};
    VAULT_AUTO(buf_finish) struct buf raw = buf_limited(LINE_BYTES_MAX);
    if (!cut(&rest, ' ', &out->name) || !note_name_is_valid(out->name) || !decode(&raw, rest) ||
        raw.size <= NOTE_KEY_ID_BYTES)
        return false;
    memcpy(out->key_id, raw.data, NOTE_KEY_ID_BYTES);
    out->base64 = rest;
    return true;
}

enum vault_code note_parse(struct bytes bytes, struct note *out, struct vault_error *err)
{
    if (bytes.size > NOTE_MAX_BYTES)
        return vault_fail(err, VAULT_TOO_LARGE, "a note has more than %lu bytes", NOTE_MAX_BYTES);
    const size_t end = find_text_end(bytes);
    if (end == 0)
        return vault_fail(err, VAULT_INVALID, "not a signed note: no empty line before signatures");
    const struct bytes text = {bytes.data, end};
    VAULT_TRY(note_text_check(text, err));
    struct bytes rest = {bytes.data + end + 1, bytes.size - end - 1};
    size_t count = 0;
    struct bytes line;
    while (cut(&rest, '\n', &line)) {
        if (count == NOTE_SIGNATURES_MAX)
            return vault_fail(err, VAULT_TOO_LARGE, "a note has more than %d signatures",
                              NOTE_SIGNATURES_MAX);
        if (!read_line(line, &out->signatures[count]))
            return vault_fail(err, VAULT_INVALID, "signature line %zu of a note is malformed",
                              count + 1);
        count++;
    }
    if (count == 0 || rest.size)
        return vault_fail(err, VAULT_INVALID, "the signatures of a note are missing or cut off");
    out->text = text;
    out->signature_count = count;
    return VAULT_OK;
}

const struct note_signature *note_next_signature(const struct note *note,
                                                 const struct note_key *key, size_t *from)
{
    const struct bytes name = bytes_of_text(key->name);
    while (*from < note->signature_count) {
        const struct note_signature *signature = &note->signatures[(*from)++];
        if (bytes_equal(signature->name, name) &&
            memcmp(signature->key_id, key->id, sizeof key->id) == 0)
            return signature;
    }
    return NULL;
}

enum vault_code note_signature_read(const struct note_signature *signature, uint8_t *out,
                                    size_t size_bytes, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf raw = buf_limited(LINE_BYTES_MAX);
    if (!decode(&raw, signature->base64))
        return vault_fail(err, VAULT_INVALID, "a signature of a note is no base64");
    if (raw.size != NOTE_KEY_ID_BYTES + size_bytes)
        return vault_fail(err, VAULT_INVALID, "a signature of a note has the wrong length");
    memcpy(out, raw.data + NOTE_KEY_ID_BYTES, size_bytes);
    return VAULT_OK;
}

enum vault_code note_verify(const struct note *note, const struct note_key *key, bool *is_signed,
                            struct vault_error *err)
{
    bool found = false;
    size_t from = 0;
    const struct note_signature *signature;
    while ((signature = note_next_signature(note, key, &from))) {
        uint8_t raw[SIGN_SIGNATURE_BYTES];
        if (key->kind != NOTE_ED25519 ||
            note_signature_read(signature, raw, sizeof raw, NULL) != VAULT_OK ||
            sign_verify(key->public_key, note->text, raw, NULL) != VAULT_OK)
            return vault_fail(err, VAULT_DENIED, "the signature of %s does not hold", key->name);
        found = true;
    }
    *is_signed = found;
    return VAULT_OK;
}

void note_signature_write(struct buf *out, const struct note_key *key, struct bytes signature)
{
    VAULT_AUTO(buf_finish) struct buf raw = buf_limited(LINE_BYTES_MAX);
    buf_append(&raw, key->id, sizeof key->id);
    buf_bytes(&raw, signature);
    buf_text(out, DASH);
    buf_text(out, key->name);
    buf_byte(out, ' ');
    base64_encode(out, buf_view(&raw));
    buf_byte(out, '\n');
    if (raw.problem && !out->problem)
        out->problem = raw.problem;
}

enum vault_code note_sign(struct bytes text, const struct note_signer *signer, struct buf *out,
                          struct vault_error *err)
{
    uint8_t signature[SIGN_SIGNATURE_BYTES];
    VAULT_TRY(note_text_check(text, err));
    VAULT_TRY(sign_message(signer->pair, text, signature, err));
    note_signature_write(out, &signer->key, (struct bytes){signature, sizeof signature});
    return buf_check(out, err);
}
