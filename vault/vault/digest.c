/* What somebody asks for: an address, a code, an end. */
#include "vault/vault/digest.h"

#include <stdio.h>
#include <string.h>

#include "code.h"
#include "digest_row.h"
#include "pace.h"
#include "parts.h"
#include "person.h"
#include "vault/base/codec.h"
#include "vault/crypto/secret.h"

#define DOMAIN_LABEL "digest" /* of what is sealed, and of what is paced */

_Static_assert(DIGEST_CODE_CHARS == CODE_CHARS(DIGEST_CODE_LETTERS), "groups with a hyphen");

/* --- Addresses ------------------------------------------------------------------------------ */

static bool is_alphanumeric(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Points only between other characters, all of which are letters, digits or one of others. */
static bool is_dotted(struct bytes text, const char *others)
{
    bool was_point = true;
    for (size_t i = 0; i < text.size; i++) {
        const uint8_t c = text.data[i];
        if (c == '.' ? was_point : !is_alphanumeric(c) && (c == 0 || !strchr(others, c)))
            return false;
        was_point = c == '.';
    }
    return !was_point;
}

bool digest_address_is_valid(struct bytes address)
{
    const uint8_t *at = address.size ? memchr(address.data, '@', address.size) : NULL;
    if (!at || address.size > DIGEST_ADDRESS_CHARS)
        return false;
    const struct bytes local = {address.data, (size_t)(at - address.data)};
    const struct bytes domain = {at + 1, address.size - local.size - 1};
    return is_dotted(local, "!#$%&'*+-/=?^_`{|}~") && is_dotted(domain, "-") &&
           memchr(domain.data, '.', domain.size) != NULL;
}

/* --- The row -------------------------------------------------------------------------------- */

#define BOUND_BYTES (sizeof DOMAIN_LABEL + CITIZEN_ID_BYTES)

/* What the seal says of an address: that it is one, and whose. */
static struct bytes bound(const struct citizen_id *citizen, uint8_t out[static BOUND_BYTES])
{
    memcpy(out, DOMAIN_LABEL, sizeof DOMAIN_LABEL);
    memcpy(out + sizeof DOMAIN_LABEL, citizen->bytes, sizeof citizen->bytes);
    return (struct bytes){out, BOUND_BYTES};
}

static enum vault_code seal_address(const struct citizen *citizen, const char *address,
                                    struct digest *out, struct vault_error *err)
{
    uint8_t whose[BOUND_BYTES];
    VAULT_AUTO(buf_finish) struct buf sealed = buf_limited(DIGEST_SEALED_MAX_BYTES);
    VAULT_TRY(seal(citizen_seal_key(citizen), bound(citizen_id_of(citizen), whose),
                   bytes_of_text(address), &sealed, err));
    memcpy(out->address, sealed.data, sealed.size);
    out->address_bytes = sealed.size;
    return VAULT_OK;
}

enum vault_code digest_read_row(const struct citizen *citizen, const struct digest *row,
                                struct digest_wish *out, struct vault_error *err)
{
    uint8_t whose[BOUND_BYTES];
    VAULT_AUTO(buf_finish) struct buf address = buf_limited(DIGEST_ADDRESS_CHARS);
    VAULT_TRY(seal_open(citizen_seal_key(citizen), bound(citizen_id_of(citizen), whose),
                        (struct bytes){row->address, row->address_bytes}, &address, err));
    *out = (struct digest_wish){.every_s = row->every_s, .confirmed = row->confirmed};
    memcpy(out->address, address.data, address.size);
    memcpy(out->language, row->language, sizeof out->language);
    return VAULT_OK;
}

/* A code that went unused for its time is as good as none. */
static bool is_over(const struct vault *vault, const struct digest *row)
{
    return !row->confirmed && clock_now_s(&vault->options.clock) >= row->due_s;
}

static enum vault_code find(struct vault *vault, const struct citizen *citizen, struct digest *row,
                            struct digest_wish *out, struct vault_error *err)
{
    VAULT_TRY(digest_get(vault->store, citizen_id_of(citizen), row, err));
    if (is_over(vault, row))
        return vault_fail(err, VAULT_NOT_FOUND, "the code was not used in time");
    return digest_read_row(citizen, row, out, err);
}

enum vault_code digest_of(struct vault *vault, const struct citizen_id *id, struct digest_wish *out,
                          struct vault_error *err)
{
    struct digest row;
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    return find(vault, citizen, &row, out, err);
}

/* --- Beginning ------------------------------------------------------------------------------ */

static bool may_be_sent(struct vault *vault, struct bytes key)
{
    int64_t wait_ms;
    return pace_take(vault->codes, key, 1, DIGEST_ASKS_WAIT_M, clock_monotonic_ms(), &wait_ms);
}

/* Codes go to addresses that anybody can write down: not one after the other, from one citizen nor
 * to one address. */
static enum vault_code check_pace(struct vault *vault, const struct citizen_id *citizen,
                                  const char *address, struct vault_error *err)
{
    uint8_t whose[BOUND_BYTES];
    uint8_t to[SHA256_BYTES];
    const struct bytes parts[] = {bytes_of_text(DOMAIN_LABEL), bytes_of_text(address)};
    sha256(to, parts, 2);
    if (may_be_sent(vault, bound(citizen, whose)) &&
        may_be_sent(vault, (struct bytes){to, sizeof to}))
        return VAULT_OK;
    return vault_fail(err, VAULT_LIMITED, "a code was sent a short while ago");
}

static void fill(const struct digest_wish *wish, struct digest *row)
{
    row->every_s = wish->every_s;
    memcpy(row->language, wish->language, sizeof row->language);
}

/* The confirmed address once more: no code, and the next message comes in the new time at most. */
static enum vault_code change(struct vault *vault, const struct digest_wish *wish,
                              struct digest *row, struct vault_error *err)
{
    const int64_t next_s = clock_now_s(&vault->options.clock) + wish->every_s;
    fill(wish, row);
    row->due_s = row->due_s < next_s ? row->due_s : next_s;
    return digest_put(vault->store, row, err);
}

static enum vault_code begin(struct vault *vault, const struct citizen *citizen,
                             const struct digest_wish *wish, char code[DIGEST_CODE_CHARS + 1],
                             struct vault_error *err)
{
    struct digest row = {.citizen = *citizen_id_of(citizen),
                         .due_s = clock_now_s(&vault->options.clock) + DIGEST_CODE_S};
    char drawn[DIGEST_CODE_CHARS + 1];
    VAULT_TRY(check_pace(vault, &row.citizen, wish->address, err));
    code_draw(DIGEST_CODE_LETTERS, drawn);
    code_hash(vault, DIGEST_CODE_LETTERS, bytes_of_text(drawn), row.code_hash);
    random_bytes(row.stop, sizeof row.stop);
    fill(wish, &row);
    VAULT_TRY(seal_address(citizen, wish->address, &row, err));
    VAULT_TRY(digest_put(vault->store, &row, err));
    memcpy(code, drawn, sizeof drawn);
    return VAULT_OK;
}

enum vault_code digest_ask(struct vault *vault, const struct citizen_id *id,
                           const struct digest_wish *wish, char code[DIGEST_CODE_CHARS + 1],
                           struct vault_error *err)
{
    struct digest row;
    struct digest_wish former;
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    if (!digest_address_is_valid(bytes_of_text(wish->address)))
        return vault_fail(err, VAULT_INVALID, "it is no e-mail address");
    if (wish->every_s != DIGEST_DAY_S && wish->every_s != DIGEST_WEEK_S)
        return vault_fail(err, VAULT_INVALID, "messages come once a day or once a week");
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    const enum vault_code code_of_former = find(vault, citizen, &row, &former, err);
    if (code_of_former == VAULT_OK && former.confirmed &&
        strcmp(former.address, wish->address) == 0) {
        VAULT_TRY(change(vault, wish, &row, err));
        code[0] = 0;
        return VAULT_OK;
    }
    return begin(vault, citizen, wish, code, err);
}

/* --- Confirming, and the end ---------------------------------------------------------------- */

static enum vault_code wrong_code(struct vault *vault, struct digest *row, struct vault_error *err)
{
    row->tries++;
    VAULT_TRY(digest_put(vault->store, row, err));
    return vault_fail(err, VAULT_DENIED, "it is not the code");
}

enum vault_code digest_confirm(struct vault *vault, const struct citizen_id *id, struct bytes typed,
                               struct vault_error *err)
{
    struct digest row;
    uint8_t hash[SHA256_BYTES];
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    VAULT_TRY(person_hold_existing(vault, id, &citizen, &person, err));
    const enum vault_code found = digest_get(vault->store, id, &row, err);
    if (found == VAULT_NOT_FOUND || (found == VAULT_OK && (row.confirmed || is_over(vault, &row) ||
                                                           row.tries >= DIGEST_TRIES_MAX)))
        return vault_fail(err, VAULT_DENIED, "there is no code to confirm with");
    VAULT_TRY(found);
    if (!code_hash(vault, DIGEST_CODE_LETTERS, typed, hash) ||
        !secret_equal((struct bytes){hash, sizeof hash},
                      (struct bytes){row.code_hash, sizeof row.code_hash}))
        return wrong_code(vault, &row, err);
    memset(row.code_hash, 0, sizeof row.code_hash);
    row.confirmed = true;
    row.told_n = person->chain.n;
    row.due_s = clock_now_s(&vault->options.clock) + row.every_s;
    return digest_put(vault->store, &row, err);
}

enum vault_code digest_stop(struct vault *vault, const struct citizen_id *citizen,
                            struct vault_error *err)
{
    return digest_drop(vault->store, citizen, err);
}

enum vault_code digest_stop_named(struct vault *vault, struct bytes stop, struct vault_error *err)
{
    VAULT_AUTO(buf_finish) struct buf name = buf_limited(DIGEST_STOP_BYTES);
    if (base64url_decode(&name, stop, NULL) || name.size != DIGEST_STOP_BYTES)
        return VAULT_OK;
    return digest_drop_named(vault->store, name.data, err);
}
