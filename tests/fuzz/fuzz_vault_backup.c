/*
 * What a restore reads of a disk: a backup's manifest, and the list of who was erased. The first
 * byte says which, and whether the manifest gets the mac that it needs.
 *
 * No manifest without its mac is taken; one with it is written back to one that says the same; its
 * files have names that stay within the folder. A list that is read is written back, each name
 * once, and whoever is added to it is on it.
 */
#include "fuzz_tools.h"

#include <fcntl.h>

#include "vault/base/codec.h"
#include "vault/base/folder.h"
#include "vault/contents.h"
#include "vault/crypto/crypto.h"
#include "vault/erased_list.h"

#define INPUT_BYTES_MAX (64UL * 1024)
#define LINE_CHARS      (HEX_CHARS(SHA256_BYTES) + 1)

static struct secret *key;

static void forget_key(void)
{
    secret_free(&key);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const uint8_t bytes[SECRET_KEY_BYTES] = {7};
    (void)argc;
    (void)argv;
    REQUIRE(crypto_start(true, NULL) == VAULT_OK);
    REQUIRE(secret_copy((struct bytes){bytes, sizeof bytes}, &key, NULL) == VAULT_OK);
    atexit(forget_key);
    scratch_start();
    return 0;
}

/* --- The manifest ---------------------------------------------------------------------------- */

static void put_manifest(struct bytes text, bool with_mac)
{
    uint8_t hash[SHA256_BYTES];
    uint8_t mac[SHA256_BYTES];
    char hex[HEX_CHARS(SHA256_BYTES) + 1];
    VAULT_AUTO(buf_finish) struct buf file = buf_limited(2 * INPUT_BYTES_MAX);
    sha256_of(hash, text);
    const struct bytes parts[] = {bytes_of_text(MANIFEST_FIRST), {hash, sizeof hash}};
    hmac_sha256(mac, secret_view(key), parts, 2);
    hex_string(hex, mac, sizeof mac);
    buf_bytes(&file, text);
    if (with_mac)
        buf_format(&file, "mac %s\n", hex);
    scratch_put(MANIFEST_FILE, buf_view(&file));
}

struct told {
    struct contents_writer writer;
    uint64_t files;
};

static enum vault_code tell(void *context, const char *name, uint64_t size_bytes,
                            const uint8_t hash[SHA256_BYTES], struct vault_error *err)
{
    struct told *told = context;
    REQUIRE(folder_name_is_safe(name));
    told->files++;
    return told->writer.file ? contents_add(&told->writer, name, size_bytes, hash, err) : VAULT_OK;
}

static void require_same(const struct contents_facts *a, const struct contents_facts *b)
{
    REQUIRE(a->time_ms == b->time_ms && a->from == b->from && a->log.size == b->log.size);
    REQUIRE(tree_hash_equal(&a->log.root, &b->log.root) && a->pruned_below == b->pruned_below);
    REQUIRE(a->gone == b->gone && a->files == b->files && strcmp(a->origin, b->origin) == 0);
    REQUIRE(a->key_count == b->key_count && a->key_count <= LEDGER_FORMER_MAX + 1);
    for (size_t i = 0; i < a->key_count; i++)
        REQUIRE(memcmp(&a->keys[i], &b->keys[i], sizeof a->keys[i]) == 0);
}

/* Read what is there while another is written, and read that. */
static void write_back(const struct contents_facts *facts)
{
    char folder[PATH_MAX];
    char path[PATH_MAX];
    struct told told = {.files = 0};
    struct told again = {.files = 0};
    struct contents_facts same;
    scratch_path(folder, "again");
    REQUIRE(folder_create(folder, NULL) == VAULT_OK);
    REQUIRE(file_join(path, sizeof path, folder, MANIFEST_FILE, NULL) == VAULT_OK);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    REQUIRE(fd >= 0 && contents_begin(&told.writer, &fd, NULL) == VAULT_OK);
    REQUIRE(contents_read(scratch_dir, key, &same, tell, &told, NULL) == VAULT_OK);
    REQUIRE(contents_end(&told.writer, facts, key, NULL) == VAULT_OK);
    contents_abandon(&told.writer);
    REQUIRE(contents_read(folder, key, &same, tell, &again, NULL) == VAULT_OK);
    REQUIRE(told.files == again.files && told.files == facts->files);
    require_same(facts, &same);
    unlink(path);
    rmdir(folder);
}

static void check_manifest(struct bytes input, bool with_mac)
{
    struct vault_error err = {.text = ""};
    struct contents_facts facts;
    struct told told = {.files = 0};
    put_manifest(input, with_mac);
    if (contents_read(scratch_dir, key, &facts, tell, &told, &err) != VAULT_OK) {
        require_silent(&err);
        return;
    }
    /* Without, it can only be one that is in the corpus. */
    REQUIRE(told.files == facts.files);
    if (with_mac)
        write_back(&facts);
}

/* --- The list -------------------------------------------------------------------------------- */

static void check_list(struct bytes input)
{
    static const struct citizen_id citizen = {{9}};
    struct vault_error err = {.text = ""};
    VAULT_AUTO(erased_list_free) struct erased_list list = {0};
    VAULT_AUTO(erased_list_free) struct erased_list again = {0};
    size_t lines = 0;
    scratch_put(ERASED_LIST_FILE, input);
    if (erased_list_read(scratch_dir, &list, &lines, &err) != VAULT_OK) {
        require_silent(&err);
        return;
    }
    REQUIRE(lines == input.size / LINE_CHARS && list.count == lines);
    REQUIRE(erased_list_add(scratch_dir, key, &citizen, NULL) == VAULT_OK);
    REQUIRE(erased_list_read(scratch_dir, &again, &lines, NULL) == VAULT_OK);
    erased_list_sort(&list);
    erased_list_sort(&again);
    REQUIRE(erased_list_has(&again, key, &citizen));
    REQUIRE(again.count == list.count + !erased_list_has(&list, key, &citizen));
    REQUIRE(erased_list_write(scratch_dir, &again, NULL) == VAULT_OK);
    erased_list_free(&list);
    REQUIRE(erased_list_read(scratch_dir, &list, NULL, NULL) == VAULT_OK);
    REQUIRE(list.count <= again.count && list.count > 0);
    for (size_t i = 1; i < list.count; i++)
        REQUIRE(memcmp(list.names[i - 1], list.names[i], SHA256_BYTES) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > INPUT_BYTES_MAX)
        return 0;
    const struct bytes input = {data + 1, size - 1};
    if (data[0] % 4 == 3)
        check_list(input);
    else
        check_manifest(input, data[0] % 4 > 0);
    return 0;
}
