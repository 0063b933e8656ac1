/* Every policy version that ever decided is in the register, with who signed it and what it allows;
 * what never decided is not. */
#include "vault/vault/policy_register.h"

#include "lossy_folder.h"
#include "vault/parts.h"
#include "vault/policy/policy.h"
#include "vault_test.h"

static struct vault_test test;

static struct {
    size_t count;
    uint64_t versions[8];
    bool active[8];
    json_t *records[8];
} listed;

static enum vault_code take(void *context, const struct policy_registered *one,
                            struct vault_error *err)
{
    (void)context;
    assert_true(listed.count < 8);
    listed.versions[listed.count] = one->version;
    listed.active[listed.count] = one->is_active;
    VAULT_TRY(json_parse(one->record, 4, &listed.records[listed.count], NULL, err));
    listed.count++;
    return VAULT_OK;
}

static void forget(void)
{
    for (size_t i = 0; i < listed.count; i++)
        json_free(&listed.records[i]);
    listed.count = 0;
}

static void list(void)
{
    forget();
    assert_done(policy_register_list(test.vault, take, NULL, &test_error));
}

static json_t *content(uint64_t version)
{
    json_t *root = NULL;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(POLICY_REGISTER_BYTES_MAX);
    assert_done(policy_register_content(test.vault, version, &text, &test_error));
    assert_done(json_parse(buf_view(&text), 24, &root, NULL, &test_error));
    return root;
}

static const json_t *item_of(const json_t *list, const char *member, const char *wanted)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const char *text = json_string_value(json_object_get(item, member));
        if (text && strcmp(text, wanted) == 0)
            return item;
    }
    fail_msg("there is no %s %s", member, wanted);
    return NULL;
}

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text ? text : "";
}

static void end(void)
{
    forget();
    vault_close(&test.vault);
}

static void test_an_activation_is_entered_with_its_time_its_signer_and_its_line(void **state)
{
    (void)state;
    make_filled_vault(&test);
    list();
    assert_int_equal(listed.count, 1);
    assert_int_equal(listed.versions[0], 1);
    assert_true(listed.active[0]);
    const json_t *record = listed.records[0];
    assert_string_equal(text_of(record, "activated"), "2027-03-08T10:00:00Z");
    assert_int_equal(strlen(text_of(record, "manifest_sha256")), 64);
    assert_int_equal(json_array_size(json_object_get(record, "signed_by")), 1);
    assert_true(json_is_null(json_object_get(record, "changes")));
    struct entry entry;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(ENTRY_MAX_BYTES);
    const json_int_t index = json_integer_value(json_object_get(record, "log_index"));
    assert_done(ledger_wait_published(test.vault->ledger, (uint64_t)index + 1, 10000, &test_error));
    assert_done(ledger_entry(test.vault->ledger, (uint64_t)index, &text, &test_error));
    assert_done(entry_parse(buf_view(&text), &entry, &test_error));
    assert_int_equal(entry.event, ENTRY_POLICY);
    end();
}

static void test_what_a_version_allows_is_told_in_both_languages(void **state)
{
    (void)state;
    make_filled_vault(&test);
    VAULT_AUTO(json_free) json_t *root = content(1);
    const json_t *purpose = item_of(json_object_get(root, "purposes"), "id", SUPPORT);
    assert_string_not_equal(text_of(json_object_get(purpose, "title"), "fr"), "");
    assert_string_not_equal(text_of(json_object_get(purpose, "title"), "en"), "");
    const json_t *service =
        item_of(json_object_get(purpose, "services"), "class", "employment.caseworker");
    assert_true(json_is_null(json_object_get(service, "service")));
    const json_t *field = item_of(json_object_get(service, "fields"), "id", "identity.birth_date");
    assert_string_equal(text_of(field, "form"), "year");
    assert_string_equal(text_of(field, "type"), "date");
    assert_string_equal(json_string_value(json_array_get(json_object_get(field, "bases"), 0)),
                        "consent");
    assert_true(json_array_size(json_object_get(root, "reasons")) > 0);
    assert_true(json_object_size(json_object_get(root, "rules")) > 0);
    end();
}

static void test_an_older_version_stays_readable(void **state)
{
    (void)state;
    make_filled_vault(&test);
    VAULT_AUTO(json_free) json_t *before = content(1);
    test.now_ms += 1000;
    sign_again(&test, 2);
    assert_done(active_policy_set(test.vault, test.bundle, &test_error));
    list();
    assert_int_equal(listed.count, 2);
    assert_int_equal(listed.versions[0], 2);
    assert_true(listed.active[0]);
    assert_false(listed.active[1]);
    const json_t *changes = json_object_get(listed.records[0], "changes");
    assert_int_equal(json_integer_value(json_object_get(changes, "gains")), 0);
    assert_string_equal(text_of(listed.records[0], "activated"), "2027-03-08T10:00:01Z");
    reopen_test_vault(&test);
    VAULT_AUTO(json_free) json_t *after = content(1);
    assert_true(json_equal(before, after));
    list();
    assert_int_equal(listed.count, 2);
    end();
}

static void test_what_was_refused_is_not_in_the_register(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(POLICY_REGISTER_BYTES_MAX);
    make_filled_vault(&test);
    char command[PATH_MAX + 64];
    sign_again(&test, 2);
    snprintf(command, sizeof command, "echo >>'%s/catalogue.json'", test.bundle);
    assert_int_equal(system(command), 0);
    assert_fails(VAULT_INVALID, active_policy_set(test.vault, test.bundle, &test_error));
    list();
    assert_int_equal(listed.count, 1);
    assert_fails(VAULT_NOT_FOUND, policy_register_record(test.vault, 2, &out, &test_error));
    assert_fails(VAULT_NOT_FOUND, policy_register_content(test.vault, 2, &out, &test_error));
    assert_fails(VAULT_NOT_FOUND, policy_register_content(test.vault, 0, &out, &test_error));
    assert_fails(VAULT_NOT_FOUND,
                 policy_register_record(test.vault, UINT64_MAX, &out, &test_error));
    assert_int_equal(out.size, 0);
    end();
}

static void remove_files(const char *suffix)
{
    char command[PATH_MAX + 64];
    snprintf(command, sizeof command, "rm '%s'/*%s", test.vault->policy_dir, suffix);
    assert_int_equal(system(command), 0);
}

static void test_a_version_from_before_the_register_is_entered_at_the_start(void **state)
{
    (void)state;
    make_filled_vault(&test);
    remove_files(".active.json");
    remove_files(".register.json");
    list();
    assert_int_equal(listed.count, 0);
    reopen_test_vault(&test);
    list();
    assert_int_equal(listed.count, 1);
    assert_true(json_is_null(json_object_get(listed.records[0], "activated")));
    assert_int_equal(json_array_size(json_object_get(listed.records[0], "signed_by")), 1);
    VAULT_AUTO(json_free) json_t *root = content(1);
    assert_non_null(json_object_get(root, "purposes"));
    end();
}

static void test_a_folder_that_is_not_read_to_its_end_is_no_shorter_register(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(POLICY_REGISTER_BYTES_MAX);
    make_filled_vault(&test);
    forget();
    lossy_folder_refuses = true;
    for (unsigned i = 0; i < 3; i++) {
        lossy_folder_names = i;
        assert_fails(VAULT_IO, policy_register_list(test.vault, take, NULL, &test_error));
        lossy_folder_names = i;
        assert_fails(VAULT_IO, policy_register_content(test.vault, 1, &text, &test_error));
    }
    lossy_folder_refuses = false;
    list();
    assert_int_equal(listed.count, 1);
    end();
}

static void test_other_files_are_no_versions(void **state)
{
    (void)state;
    static const char *const names[] = {"x-1.active.json", "-1.active.json", "12.active.json",
                                        "99999999999999999999-a.active.json", "3-a.active"};
    char path[PATH_MAX * 2];
    make_filled_vault(&test);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", test.vault->policy_dir, names[i]);
        assert_done(file_replace(path, BYTES("{}"), 0600, &test_error));
    }
    list();
    assert_int_equal(listed.count, 1);
    end();
}

int main(void)
{
    return TEST_RUN(test_an_activation_is_entered_with_its_time_its_signer_and_its_line,
                    test_what_a_version_allows_is_told_in_both_languages,
                    test_an_older_version_stays_readable,
                    test_what_was_refused_is_not_in_the_register,
                    test_a_version_from_before_the_register_is_entered_at_the_start,
                    test_a_folder_that_is_not_read_to_its_end_is_no_shorter_register,
                    test_other_files_are_no_versions);
}
