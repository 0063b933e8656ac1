/* Folders: what is read, what is refused, and what a manifest holds it to. */
#include "vault/policy/bundle.h"

#include <sys/stat.h>
#include <unistd.h>

#include "sample.h"
#include "vault/base/file.h"

static const char *folder;

static const char *in_folder(const char *path)
{
    static char full[256];
    snprintf(full, sizeof full, "%s/%s", folder, path);
    return full;
}

static void put(const char *path, const char *text)
{
    assert_done(file_replace(in_folder(path), bytes_of_text(text), 0600, &test_error));
}

static int fresh_folder(void **state)
{
    (void)state;
    folder = test_folder();
    if (mkdir(in_folder("rules"), 0700) || mkdir(in_folder("tests"), 0700))
        return 1;
    put("catalogue.json", SAMPLE_CATALOGUE);
    put("rules/plie.json", SAMPLE_RULES);
    return 0;
}

static enum vault_code read_folder(void)
{
    VAULT_AUTO(bundle_free) struct bundle *bundle = NULL;
    sample_fault = (struct policy_fault){.line = 0};
    return bundle_read(folder, &bundle, &sample_fault, &test_error);
}

/* The manifest of what is in the folder now, under these words. */
static void put_manifest(const struct manifest *words)
{
    VAULT_AUTO(bundle_free) struct bundle *bundle = NULL;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(65536);
    unlink(in_folder("manifest.json"));
    assert_done(bundle_read_files(folder, &bundle, NULL, &test_error));
    /* For the order of the files; a stray one is only refused without a manifest. */
    const enum vault_code code = bundle_settle(bundle, NULL, &test_error);
    assert_true(code == VAULT_OK || code == VAULT_INVALID);
    assert_done(manifest_write(bundle, words, &text, &test_error));
    put("manifest.json", buf_string(&text));
}

static const struct manifest words = {
    .name = "rennes", .version = 7, .not_before_s = 0, .expires_s = INT64_MAX};

static void test_a_folder_is_read(void **state)
{
    fresh_folder(state);
    VAULT_AUTO(policy_free) struct policy *policy = NULL;
    assert_done(policy_load(folder, &policy, NULL, &test_error));
    assert_int_equal(policy_version(policy), 0);
    assert_true(policy_is_available(policy, INT64_MIN));
    assert_true(policy_is_available(policy, INT64_MAX - 1));
}

static void test_the_hash_of_an_unsigned_folder_changes_with_every_file(void **state)
{
    fresh_folder(state);
    uint8_t before[SHA256_BYTES];
    VAULT_AUTO(policy_free) struct policy *first = NULL;
    VAULT_AUTO(policy_free) struct policy *second = NULL;
    assert_done(policy_load(folder, &first, NULL, &test_error));
    memcpy(before, policy_manifest_hash(first), sizeof before);
    put("README.md", "x");
    assert_done(policy_load(folder, &second, NULL, &test_error));
    assert_memory_not_equal(before, policy_manifest_hash(second), sizeof before);
    unlink(in_folder("README.md"));
    policy_free(&second);
    assert_done(policy_load(folder, &second, NULL, &test_error));
    assert_memory_equal(before, policy_manifest_hash(second), sizeof before);
}

static void test_a_folder_that_is_not_there(void **state)
{
    (void)state;
    struct bundle *bundle = NULL;
    assert_fails(VAULT_NOT_FOUND, bundle_read("/nowhere/at/all", &bundle, NULL, &test_error));
}

static void test_its_files_are_told_as_they_were_read(void **state)
{
    struct bundle *bundle = NULL;
    struct bytes content = {0};
    size_t count = 0;
    bool has_catalogue = false;
    fresh_folder(state);
    assert_done(bundle_read(folder, &bundle, NULL, &test_error));
    for (const char *name; (name = bundle_file(bundle, count, &content)); count++) {
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(POLICY_FILE_BYTES_MAX);
        assert_done(file_read(in_folder(name), &text, &test_error));
        assert_true(bytes_equal(buf_view(&text), content));
        has_catalogue = has_catalogue || strcmp(name, "catalogue.json") == 0;
    }
    assert_true(has_catalogue && count > 1);
    assert_null(bundle_file(bundle, count, &content));
    bundle_free(&bundle);
}

static void test_without_a_catalogue_there_is_no_bundle(void **state)
{
    fresh_folder(state);
    unlink(in_folder("catalogue.json"));
    assert_fails(VAULT_INVALID, read_folder());
    assert_string_equal(sample_fault.file, "catalogue.json");
}

static void test_json_where_it_would_not_be_read_is_refused(void **state)
{
    static const char *const strays[] = {"catalog.json", "plie.json",    "rules.json",
                                         "more.JSON",    "rules/x.JSON", "rules/notes.txt",
                                         "tests/a.Json"};
    for (size_t i = 0; i < sizeof strays / sizeof *strays; i++) {
        fresh_folder(state);
        put(strays[i], "{}");
        assert_fails(VAULT_INVALID, read_folder());
        assert_string_equal(sample_fault.file, strays[i]);
    }
    fresh_folder(state);
    put("README.md", "no rule");
    assert_done(read_folder());
}

static void test_a_listed_file_of_any_name_is_carried_along(void **state)
{
    fresh_folder(state);
    put("rules/notes.txt", "no rule");
    put_manifest(&words);
    assert_done(read_folder());
}

static void test_other_folders_links_and_pipes_are_refused(void **state)
{
    fresh_folder(state);
    assert_int_equal(mkdir(in_folder("rules/old"), 0700), 0);
    assert_fails(VAULT_INVALID, read_folder());
    assert_string_equal(sample_fault.file, "rules/old");
    fresh_folder(state);
    assert_int_equal(mkdir(in_folder("rule"), 0700), 0);
    assert_fails(VAULT_INVALID, read_folder());
    fresh_folder(state);
    assert_int_equal(symlink("/etc/hostname", in_folder("rules/x.json")), 0);
    assert_fails(VAULT_INVALID, read_folder());
    fresh_folder(state);
    assert_int_equal(mkfifo(in_folder("rules/x.json"), 0600), 0);
    assert_fails(VAULT_INVALID, read_folder());
}

static void test_a_file_over_four_mebibytes_is_refused(void **state)
{
    fresh_folder(state);
    char *large = calloc(1, POLICY_FILE_BYTES_MAX + 2);
    memset(large, ' ', POLICY_FILE_BYTES_MAX);
    put("README.md", large);
    assert_done(read_folder());
    large[POLICY_FILE_BYTES_MAX] = ' ';
    put("README.md", large);
    assert_fails(VAULT_TOO_LARGE, read_folder());
    assert_string_equal(sample_fault.file, "README.md");
    free(large);
}

static void test_a_manifest_gives_name_version_hash_and_time(void **state)
{
    fresh_folder(state);
    put("README.md", "x");
    put_manifest(&(struct manifest){.name = "rennes",
                                    .version = 12,
                                    .not_before_s = 1000,
                                    .expires_s = 2000,
                                    .has_previous = true});
    VAULT_AUTO(policy_free) struct policy *policy = NULL;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(65536);
    uint8_t hash[SHA256_BYTES];
    assert_done(policy_load(folder, &policy, NULL, &test_error));
    assert_string_equal(policy_name(policy), "rennes");
    assert_int_equal(policy_version(policy), 12);
    assert_false(policy_is_available(policy, 999));
    assert_true(policy_is_available(policy, 1000));
    assert_true(policy_is_available(policy, 1999));
    assert_false(policy_is_available(policy, 2000));
    assert_done(file_read(in_folder("manifest.json"), &text, &test_error));
    sha256_of(hash, buf_view(&text));
    assert_memory_equal(policy_manifest_hash(policy), hash, sizeof hash);
}

static void test_a_byte_changed_in_any_file_is_noticed(void **state)
{
    static const char *const files[] = {"catalogue.json", "rules/plie.json", "README.md"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        fresh_folder(state);
        put("README.md", "read me");
        put_manifest(&words);
        assert_done(read_folder());
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(POLICY_FILE_BYTES_MAX);
        assert_done(file_read(in_folder(files[i]), &text, &test_error));
        text.data[text.size / 2] ^= 1;
        put(files[i], buf_string(&text));
        assert_fails(VAULT_INVALID, read_folder());
        assert_string_equal(sample_fault.file, "manifest.json");
        assert_non_null(strstr(sample_fault.reason, files[i]));
    }
}

static void test_files_added_removed_or_swapped_are_noticed(void **state)
{
    fresh_folder(state);
    put_manifest(&words);
    put("rules/.hidden.json", "{}");
    assert_fails(VAULT_INVALID, read_folder());
    assert_non_null(strstr(sample_fault.reason, "rules/.hidden.json"));
    unlink(in_folder("rules/.hidden.json"));
    put("note.txt", "");
    assert_fails(VAULT_INVALID, read_folder());
    unlink(in_folder("note.txt"));
    assert_done(read_folder());
    unlink(in_folder("rules/plie.json"));
    assert_fails(VAULT_INVALID, read_folder());
    assert_string_equal(sample_fault.pointer, "/files/1");
    put("rules/plie.json", SAMPLE_CATALOGUE);
    assert_fails(VAULT_INVALID, read_folder());
}

/* A manifest that is wrong in itself. */
static void assert_manifest_refused(const char *part, const char *other, const char *pointer)
{
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(65536);
    put_manifest(
        &(struct manifest){.name = "rennes", .version = 1, .expires_s = 5, .has_previous = true});
    assert_done(file_read(in_folder("manifest.json"), &text, &test_error));
    char *wrong = replaced(buf_string(&text), part, other);
    put("manifest.json", wrong);
    if (read_folder() == VAULT_OK || strcmp(sample_fault.pointer, pointer) != 0)
        fail_msg("%s: %s", other, test_error.text);
    free(wrong);
}

static void test_a_manifest_that_is_wrong_is_refused(void **state)
{
    fresh_folder(state);
    assert_manifest_refused("vault-bundle/1", "vault-bundle/2", "/format");
    assert_manifest_refused("\"bundle\":\"rennes\"", "\"bundle\":\"Rennes!\"", "/bundle");
    assert_manifest_refused("\"version\":1", "\"version\":-1", "/version");
    assert_manifest_refused("\"version\":1", "\"version\":\"1\"", "/version");
    assert_manifest_refused("\"version\":1,", "\"version\":1,\"x\":2,", "/x");
    assert_manifest_refused("\"expires\":\"1970-01-01T00:00:05Z\"", "\"expires\":\"1970\"",
                            "/expires");
    assert_manifest_refused("\"previous\":\"00", "\"previous\":\"0x", "/previous");
    assert_manifest_refused("\"sha256\":\"", "\"sha256\":\"A", "/files/0");
    assert_manifest_refused("\"size\":", "\"size\":1", "/files/0");
    assert_manifest_refused("{\"path\":\"catalogue.json\"", "{\"path\":\"../catalogue.json\"",
                            "/files/0");
    assert_manifest_refused("{\"path\":\"catalogue.json\"", "{\"path\":\"manifest.json\"",
                            "/files/0");
}

static void test_a_file_listed_twice_is_refused(void **state)
{
    fresh_folder(state);
    put_manifest(&words);
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(65536);
    assert_done(file_read(in_folder("manifest.json"), &text, &test_error));
    const char *first = strstr(buf_string(&text), "{\"path\"");
    char entry[256];
    snprintf(entry, sizeof entry, "%.*s,", (int)(strchr(first, '}') - first + 1), first);
    char *twice = calloc(1, text.size + sizeof entry);
    snprintf(twice, text.size + sizeof entry, "%.*s%s%s", (int)(first - buf_string(&text)),
             buf_string(&text), entry, first);
    put("manifest.json", twice);
    assert_fails(VAULT_INVALID, read_folder());
    assert_string_equal(sample_fault.pointer, "/files/1");
    free(twice);
}

static void test_a_signature_without_a_manifest_is_refused(void **state)
{
    fresh_folder(state);
    put("manifest.sig", "x");
    assert_fails(VAULT_INVALID, read_folder());
    assert_string_equal(sample_fault.file, "manifest.sig");
}

static void test_more_files_than_a_bundle_may_have_are_refused(void **state)
{
    (void)state;
    VAULT_AUTO(bundle_free) struct bundle *bundle = sample_bundle(SAMPLE_CATALOGUE, NULL, NULL);
    struct buf *content = NULL;
    char path[32];
    for (int i = 1; i < POLICY_FILES_MAX; i++) {
        snprintf(path, sizeof path, "rules/%d.json", i);
        assert_done(bundle_add(bundle, path, &content, NULL, &test_error));
    }
    assert_fails(VAULT_TOO_LARGE, bundle_add(bundle, "rules/x.json", &content, NULL, &test_error));
}

int main(void)
{
    if (sample_start())
        return 1;
    return TEST_RUN(
        test_a_folder_is_read, test_the_hash_of_an_unsigned_folder_changes_with_every_file,
        test_a_folder_that_is_not_there, test_its_files_are_told_as_they_were_read,
        test_without_a_catalogue_there_is_no_bundle,
        test_json_where_it_would_not_be_read_is_refused,
        test_a_listed_file_of_any_name_is_carried_along,
        test_other_folders_links_and_pipes_are_refused, test_a_file_over_four_mebibytes_is_refused,
        test_a_manifest_gives_name_version_hash_and_time,
        test_a_byte_changed_in_any_file_is_noticed, test_files_added_removed_or_swapped_are_noticed,
        test_a_manifest_that_is_wrong_is_refused, test_a_file_listed_twice_is_refused,
        test_a_signature_without_a_manifest_is_refused,
        test_more_files_than_a_bundle_may_have_are_refused);
}
