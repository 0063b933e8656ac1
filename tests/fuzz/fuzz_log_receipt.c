/*
 * Receipts, and the signed JSON in them. The first byte says: a receipt's file; a signed text; or
 * parts of a receipt, which the log's key signs before they are put into one: the payload, a line
 * "---", the entry, a line "---", and the proof.
 *
 * What is taken as signed is not taken as signed by another key, and what is signed here comes
 * back.
 */
#include "log_fuzz.h"

#include "fuzz_tools.h"
#include "vault/base/json.h"
#include "vault/crypto/jws.h"
#include "vault/ledger/receipt_check.h"

#define MARK      "---\n"
#define PARTS_MAX (64UL * 1024)

static struct note_signer signer;
static struct note_signer other;

static void finish(void)
{
    note_signer_finish(&signer);
    note_signer_finish(&other);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    log_fuzz_start();
    signer = log_fuzz_log();
    other = log_fuzz_signer("log.example/other", NOTE_ED25519, 9);
    atexit(finish);
    return 0;
}

static void check_file(struct bytes file)
{
    struct vault_error err = {.text = ""};
    VAULT_AUTO(json_free) json_t *payload = NULL;
    VAULT_AUTO(json_free) json_t *none = NULL;
    if (receipt_check(file, &signer.key, &payload, &err) != VAULT_OK) {
        require_silent(&err);
        REQUIRE(!payload);
        return;
    }
    REQUIRE(payload);
    REQUIRE(receipt_check(file, &other.key, &none, NULL) != VAULT_OK);
}

static void check_signed(struct bytes compact)
{
    struct vault_error err = {.text = ""};
    VAULT_AUTO(buf_finish) struct buf payload = buf_limited(JWS_PAYLOAD_MAX_BYTES);
    if (jws_verify(signer.key.public_key, NULL, compact, &payload, &err) != VAULT_OK) {
        require_silent(&err);
        REQUIRE(payload.size == 0);
        return;
    }
    REQUIRE(jws_verify(other.key.public_key, NULL, compact, &payload, NULL) == VAULT_DENIED);
}

static struct bytes take_text(struct bytes *rest)
{
    const size_t mark = sizeof MARK - 1;
    const uint8_t *at = rest->size ? memmem(rest->data, rest->size, MARK, mark) : NULL;
    const struct bytes text = {rest->data, at ? (size_t)(at - rest->data) : rest->size};
    const size_t used = text.size + (at ? mark : 0);
    *rest = (struct bytes){rest->data + used, rest->size - used};
    return text;
}

static void put_member(struct buf *out, const char *name, struct bytes text)
{
    buf_format(out, ",\"%s\":", name);
    json_write_string(out, text);
}

static void check_parts(struct bytes input)
{
    VAULT_AUTO(buf_finish) struct buf compact = buf_limited(JWS_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf back = buf_limited(JWS_PAYLOAD_MAX_BYTES);
    VAULT_AUTO(buf_finish) struct buf file = buf_limited(16 * PARTS_MAX);
    const struct bytes payload = take_text(&input);
    const struct bytes entry = take_text(&input);
    REQUIRE(jws_sign(signer.pair, "log", RECEIPT_TYPE, payload, &compact, NULL) == VAULT_OK);
    REQUIRE(jws_verify(signer.key.public_key, RECEIPT_TYPE, buf_view(&compact), &back, NULL) ==
            VAULT_OK);
    REQUIRE(bytes_equal(buf_view(&back), payload));
    check_signed(buf_view(&compact));
    buf_text(&file, "{\"format\":\"" RECEIPT_FORMAT "\"");
    put_member(&file, "receipt", buf_view(&compact));
    put_member(&file, "entry", entry);
    put_member(&file, "proof", input);
    buf_byte(&file, '}');
    check_file(buf_view(&file));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > PARTS_MAX)
        return 0;
    const struct bytes input = {data + 1, size - 1};
    if (data[0] % 3 == 0)
        check_file(input);
    else if (data[0] % 3 == 1)
        check_signed(input);
    else
        check_parts(input);
    return 0;
}
