/*
 * What vault-audit makes of a citizen's export (check-export). The command is the program's own;
 * its file is the input, and what it says is held to be one line without anything of the file. The
 * log's key signs nothing here: an export with an entry or a receipt never holds.
 */
#include "fuzz_tools.h"

#include "log_fuzz.h"
#include "programs/audit.h"
#include "vault/base/json.h"

static struct bytes file;
static struct note_signer signer;

static void finish(void)
{
    note_signer_finish(&signer);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    log_fuzz_start();
    signer = log_fuzz_log();
    REQUIRE(freopen("/dev/null", "w", stdout));
    atexit(finish);
    return 0;
}

/* --- In the place of the rest of the program -------------------------------------------------- */

int audit_read_arguments(int argc, char **argv, struct audit_option *options, size_t option_count,
                         const char **names, size_t name_count)
{
    (void)argc;
    (void)argv;
    (void)options;
    (void)option_count;
    (void)name_count;
    names[0] = "export.json";
    return 0;
}

int audit_read_key(const char *text, struct note_key *out)
{
    (void)text;
    *out = signer.key;
    return 0;
}

enum vault_code audit_read_file(const char *path, struct buf *out, struct vault_error *err)
{
    (void)path;
    buf_bytes(out, file);
    return buf_check(out, err);
}

int audit_failed(enum vault_code code, const struct vault_error *err)
{
    REQUIRE(code != VAULT_OK);
    require_silent(err);
    return 40;
}

/* ---------------------------------------------------------------------------------------------- */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    VAULT_AUTO(json_free) json_t *root = NULL;
    file = (struct bytes){data, size};
    if (audit_check_export(0, NULL) != 0)
        return 0;
    REQUIRE(json_parse(file, 8, &root, NULL, NULL) == VAULT_OK);
    const json_t *log = json_object_get(root, "log");
    REQUIRE(json_array_size(json_object_get(log, "entries")) == 0);
    REQUIRE(json_array_size(json_object_get(json_object_get(root, "receipts"), "list")) == 0);
    return 0;
}
