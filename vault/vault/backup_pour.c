#include <errno.h>
#include <unistd.h>

#include "backup_parts.h"
#include "vault/base/file.h"

enum vault_code backup_pour(const struct backup_pour *pour, struct hasher *hasher,
                            uint8_t hash[SHA256_BYTES], struct vault_error *err)
{
    uint8_t chunk[BACKUP_CHUNK];
    hasher_begin(hasher);
    for (uint64_t left = pour->size; left > 0;) {
        const size_t wanted = left < sizeof chunk ? (size_t)left : sizeof chunk;
        const ssize_t got = read(pour->from, chunk, wanted);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return vault_fail_errno(err, "reading %s", pour->name);
        if (got == 0)
            return vault_fail(err, VAULT_CORRUPT, "%s is shorter than it was", pour->name);
        const struct bytes part = {chunk, (size_t)got};
        hasher_add(hasher, part);
        if (pour->to >= 0) {
            const enum vault_code code = file_write_all(pour->to, part, err);
            if (code) {
                vault_error_context(err, "copying %s", pour->name);
                return code;
            }
        }
        if (pour->goes_on)
            VAULT_TRY(pour->goes_on(pour->context, (uint64_t)got, err));
        left -= (uint64_t)got;
    }
    hasher_end(hasher, hash);
    return VAULT_OK;
}

void backup_bind(const char *name, struct buf *out)
{
    buf_text(out, BACKUP_LABEL "\n");
    buf_text(out, name);
}
