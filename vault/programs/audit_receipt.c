/*
 * vault-audit check-receipt: that a citizen's receipt is the vault's (receipt_check.h).
 */
#include <stdio.h>

#include "audit.h"
#include "vault/ledger/receipt_check.h"

static enum vault_code check(struct bytes file, const struct note_key *key, struct vault_error *err)
{
    VAULT_AUTO(json_free) json_t *payload = NULL;
    VAULT_TRY(receipt_check(file, key, &payload, err));
    const json_t *record = json_object_get(payload, "dpv:hasRecordOfActivity");
    printf("the receipt holds: consent %s, version %s, %s; entry %" JSON_INTEGER_FORMAT " of %s\n",
           json_string_value(json_object_get(record, "dct:identifier")),
           json_string_value(json_object_get(record, "dct:hasVersion")),
           json_string_value(json_object_get(record, "state")),
           json_integer_value(json_object_get(json_object_get(payload, "log"), "index")),
           key->name);
    return VAULT_OK;
}

int audit_check_receipt(int argc, char **argv)
{
    const char *name = NULL;
    const char *key_text = NULL;
    struct audit_option options[] = {{"--key", &key_text, 1, 0}};
    struct note_key key;
    struct vault_error err;
    VAULT_AUTO(buf_finish) struct buf file = buf_limited(RECEIPT_BYTES_MAX);
    int code = audit_read_arguments(argc, argv, options, 1, &name, 1);
    if (code == 0)
        code = audit_read_key(key_text, &key);
    if (code)
        return code;
    enum vault_code read = audit_read_file(name, &file, &err);
    if (read == VAULT_OK)
        read = check(buf_view(&file), &key, &err);
    return read ? audit_failed(read, &err) : 0;
}
