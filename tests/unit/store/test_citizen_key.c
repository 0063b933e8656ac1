/* Citizens' keys wrapped again by a new root, and replaced one by one in two slots. */
#include "store_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "store/citizen_file.h"
#include "store/internal.h"
#include "vault/store/citizen_key.h"
#include "vault/store/control_citizen.h"

static struct citizen_id ada;

static void begin(void)
{
    fresh_store();
    ada = new_citizen();
    VAULT_AUTO(citizen_release) struct citizen *citizen = hold(&ada);
    put(citizen, "identity.name", "\"Testine\"");
}

static void assert_readable(const struct citizen_id *id)
{
    VAULT_AUTO(citizen_release) struct citizen *citizen = hold(id);
    assert_true(citizen_exists(citizen));
    assert_value(citizen, "identity.name", "\"Testine\"");
}

static struct control_key key_of(const struct citizen_id *id)
{
    struct control_key key;
    assert_done(control_key_find(store, id, &key, &test_error));
    return key;
}

static void rotate(void)
{
    char folder[PATH_MAX];
    char key_path[PATH_MAX];
    snprintf(folder, sizeof folder, "%.*s", (int)(strlen(store_dir) - strlen("/store")), store_dir);
    snprintf(key_path, sizeof key_path, "%.4000s/provider.key", folder);
    const struct keyring_provider provider = {.name = "file", .place = key_path};
    assert_done(keyring_rotate(keyring, folder, &provider, &test_error));
}

static void drop(void)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%.*s", (int)(strlen(store_dir) - strlen("/store")), store_dir);
    assert_done(keyring_drop_former(keyring, folder, &test_error));
}

static struct citizen_rewrap rewrap_all(void)
{
    struct citizen_rewrap progress = {0};
    while (!progress.done)
        assert_done(citizen_rewrap(store, &progress, &test_error));
    return progress;
}

/* --- Wrapped again -------------------------------------------------------------------------- */

static void test_after_wrapping_again_the_former_root_can_go(void **state)
{
    (void)state;
    begin();
    rotate();
    const struct citizen_rewrap progress = rewrap_all();
    assert_int_equal(progress.rewrapped, 2); /* the decoy has a key, too */
    assert_int_equal(progress.seen, 2);
    drop();
    assert_readable(&ada);
    reopen_store();
    assert_readable(&ada);
    const struct citizen_id nobody = citizen_id_new();
    assert_false(exists(&nobody));
}

static void test_without_wrapping_again_nothing_is_lost(void **state)
{
    (void)state;
    begin();
    rotate();
    const struct citizen_id later = new_citizen();
    reopen_store();
    assert_readable(&ada);
    assert_true(exists(&later));
    assert_int_equal(keyring_wrapped_by((struct bytes){key_of(&ada).wrapped, 64}), 1);
    assert_int_equal(keyring_wrapped_by((struct bytes){key_of(&later).wrapped, 64}), 2);
}

static void test_what_is_wrapped_again_is_passed_over(void **state)
{
    (void)state;
    begin();
    assert_int_equal(rewrap_all().rewrapped, 0);
    rotate();
    assert_int_equal(rewrap_all().rewrapped, 2);
    assert_int_equal(rewrap_all().rewrapped, 0);
}

static void test_it_goes_in_batches_and_begins_again_with_a_newer_root(void **state)
{
    (void)state;
    enum { MANY = CITIZEN_REWRAP_BATCH + 30 };
    static struct citizen_new many[CITIZEN_CREATE_MAX];
    struct citizen_rewrap progress = {0};
    fresh_store();
    for (size_t made = 0; made < MANY; made += CITIZEN_CREATE_MAX) {
        const size_t count = MANY - made < CITIZEN_CREATE_MAX ? MANY - made : CITIZEN_CREATE_MAX;
        for (size_t i = 0; i < count; i++)
            many[i] = (struct citizen_new){.id = citizen_id_new()};
        assert_done(citizen_create(store, many, count, NOW_S, NULL, &test_error));
    }
    rotate();
    assert_done(citizen_rewrap(store, &progress, &test_error));
    assert_int_equal(progress.seen, CITIZEN_REWRAP_BATCH);
    assert_int_equal(progress.rewrapped, CITIZEN_REWRAP_BATCH);
    assert_false(progress.done);
    rotate();
    assert_done(citizen_rewrap(store, &progress, &test_error));
    assert_int_equal(progress.root_version, 3);
    assert_int_equal(progress.seen, CITIZEN_REWRAP_BATCH);
    assert_done(citizen_rewrap(store, &progress, &test_error));
    assert_true(progress.done);
    assert_int_equal(progress.rewrapped, MANY + 1);
    drop();
    reopen_store();
    for (size_t i = 0; i < 10; i++)
        assert_true(exists(&many[i].id));
}

static void test_an_erased_citizen_has_no_key_to_wrap(void **state)
{
    (void)state;
    begin();
    assert_done(citizen_erase(store, &ada, NULL, &test_error));
    rotate();
    const struct citizen_rewrap progress = rewrap_all();
    assert_int_equal(progress.seen, 2);
    assert_int_equal(progress.rewrapped, 1);
}

static void test_a_key_of_another_citizen_in_a_row_stops_it_and_changes_nothing(void **state)
{
    (void)state;
    begin();
    const struct citizen_id other = new_citizen();
    {
        VAULT_AUTO(shared_let_go) struct hold control = {0};
        VAULT_AUTO(statement_end) struct statement update = {0};
        const struct control_key key = key_of(&other);
        assert_done(shared_hold(&store->control, &control, &test_error));
        assert_done(statement_begin(control.database,
                                    "UPDATE citizen SET wrapped = ?1 WHERE id = ?2", &update,
                                    &test_error));
        bind_blob(&update, 1, key.wrapped, sizeof key.wrapped);
        bind_blob(&update, 2, ada.bytes, sizeof ada.bytes);
        assert_done(statement_run(&update, &test_error));
    }
    rotate();
    struct citizen_rewrap progress = {0};
    assert_fails(VAULT_CORRUPT, citizen_rewrap(store, &progress, &test_error));
    assert_false(progress.done);
    assert_int_equal(keyring_wrapped_by((struct bytes){key_of(&other).wrapped, 64}), 1);
}

/* --- A new key ------------------------------------------------------------------------------ */

static void test_a_rekeyed_citizen_is_readable_under_the_new_key_alone(void **state)
{
    (void)state;
    begin();
    const struct control_key before = key_of(&ada);
    assert_done(citizen_rekey(store, &ada, &test_error));
    const struct control_key after = key_of(&ada);
    assert_int_equal(after.version, 2);
    assert_false(after.has_next);
    assert_memory_not_equal(before.wrapped, after.wrapped, sizeof after.wrapped);
    assert_readable(&ada);
    reopen_store();
    assert_readable(&ada);

    /* With the key from before, the file of now is noise. */
    VAULT_AUTO(citizen_keys_free) struct citizen_keys former = {0};
    struct database *database = NULL;
    assert_done(citizen_keys_of(keyring, &before, &former, &test_error));
    assert_fails(VAULT_CORRUPT,
                 citizen_file_open(store->dir, &ada, former.file, &database, &test_error));
}

static void test_rekeying_again_and_again_works(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < 4; i++)
        assert_done(citizen_rekey(store, &ada, &test_error));
    assert_int_equal(key_of(&ada).version, 5);
    assert_readable(&ada);
}

static void test_what_was_sealed_before_is_opened_after(void **state)
{
    (void)state;
    begin();
    VAULT_AUTO(buf_finish) struct buf first = buf_limited(200);
    VAULT_AUTO(buf_finish) struct buf second = buf_limited(200);
    VAULT_AUTO(buf_finish) struct buf clear = buf_limited(200);
    struct buf *const sealed[] = {&first, &second};
    for (size_t i = 0; i < 2; i++) {
        VAULT_AUTO(citizen_release) struct citizen *citizen = hold(&ada);
        assert_done(seal(citizen_seal_key(citizen), BYTES("tag"), BYTES("an opening"), sealed[i],
                         &test_error));
        citizen_release(&citizen);
        assert_done(citizen_rekey(store, &ada, &test_error));
    }
    VAULT_AUTO(citizen_release) struct citizen *citizen = hold(&ada);
    for (size_t i = 0; i < 2; i++) {
        buf_clear(&clear);
        assert_fails(VAULT_CORRUPT, seal_open(citizen_seal_key(citizen), BYTES("tag"),
                                              buf_view(sealed[i]), &clear, &test_error));
        assert_done(
            citizen_open_sealed(citizen, BYTES("tag"), buf_view(sealed[i]), &clear, &test_error));
        assert_true(bytes_equal(buf_view(&clear), BYTES("an opening")));
        assert_fails(VAULT_CORRUPT, citizen_open_sealed(citizen, BYTES("other"),
                                                        buf_view(sealed[i]), &clear, &test_error));
    }
}

static void test_nobody_and_the_erased_are_not_rekeyed(void **state)
{
    (void)state;
    begin();
    const struct citizen_id nobody = citizen_id_new();
    assert_fails(VAULT_NOT_FOUND, citizen_rekey(store, &nobody, &test_error));
    assert_fails(VAULT_NOT_FOUND, citizen_rekey(store, &store->nobody.id, &test_error));
    assert_done(citizen_erase(store, &ada, NULL, &test_error));
    assert_fails(VAULT_NOT_FOUND, citizen_rekey(store, &ada, &test_error));
}

/* The row as a crash leaves it: this key current, that one next. */
static void set_slots(const uint8_t *current, const uint8_t *next, uint32_t version)
{
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_AUTO(statement_end) struct statement update = {0};
    assert_done(shared_hold(&store->control, &control, &test_error));
    assert_done(statement_begin(control.database,
                                "UPDATE citizen SET wrapped = ?1, next_wrapped = ?2,"
                                " key_version = ?3 WHERE id = ?4",
                                &update, &test_error));
    bind_blob(&update, 1, current, KEYRING_WRAPPED_BYTES);
    bind_blob(&update, 2, next, KEYRING_WRAPPED_BYTES);
    bind_integer(&update, 3, version);
    bind_blob(&update, 4, ada.bytes, sizeof ada.bytes);
    assert_done(statement_run(&update, &test_error));
}

static void test_a_crash_before_the_file_was_written_keeps_the_former_key(void **state)
{
    (void)state;
    struct control_key next;
    VAULT_AUTO(citizen_keys_free) struct citizen_keys keys = {0};
    begin();
    const struct control_key now = key_of(&ada);
    assert_done(citizen_keys_new(keyring, &ada, 2, &next, &keys, &test_error));
    set_slots(now.wrapped, next.wrapped, 1);
    reopen_store();
    assert_true(key_of(&ada).has_next);
    assert_readable(&ada);
    assert_false(key_of(&ada).has_next);
    assert_int_equal(key_of(&ada).version, 1);
    assert_done(citizen_rekey(store, &ada, &test_error));
    assert_readable(&ada);
}

static void test_a_crash_after_the_file_was_written_keeps_the_next_key(void **state)
{
    (void)state;
    begin();
    const struct control_key before = key_of(&ada);
    assert_done(citizen_rekey(store, &ada, &test_error));
    const struct control_key after = key_of(&ada);
    set_slots(before.wrapped, after.wrapped, 1);
    reopen_store();
    assert_readable(&ada);
    assert_int_equal(key_of(&ada).version, 2);
    assert_false(key_of(&ada).has_next);
    assert_memory_equal(key_of(&ada).wrapped, after.wrapped, sizeof after.wrapped);
}

static void test_both_slots_are_wrapped_again(void **state)
{
    (void)state;
    begin();
    const struct control_key before = key_of(&ada);
    assert_done(citizen_rekey(store, &ada, &test_error));
    const struct control_key after = key_of(&ada);
    set_slots(before.wrapped, after.wrapped, 1);
    rotate();
    rewrap_all();
    drop();
    reopen_store();
    assert_readable(&ada);
    assert_int_equal(key_of(&ada).version, 2);
}

static void test_erasing_destroys_both_slots(void **state)
{
    (void)state;
    begin();
    const struct control_key now = key_of(&ada);
    set_slots(now.wrapped, now.wrapped, 1);
    assert_done(citizen_erase(store, &ada, NULL, &test_error));
    VAULT_AUTO(shared_let_go) struct hold control = {0};
    VAULT_AUTO(statement_end) struct statement query = {0};
    bool row = false;
    assert_done(shared_hold(&store->control, &control, &test_error));
    assert_done(statement_begin(control.database,
                                "SELECT count(*) FROM citizen WHERE id = ?1 AND"
                                " (wrapped IS NOT NULL OR next_wrapped IS NOT NULL)",
                                &query, &test_error));
    bind_blob(&query, 1, ada.bytes, sizeof ada.bytes);
    assert_done(statement_next(&query, &row, &test_error));
    assert_int_equal(column_integer(&query, 0), 0);
}

static void test_a_file_that_neither_key_opens_is_damaged_and_keeps_both(void **state)
{
    (void)state;
    struct control_key other;
    VAULT_AUTO(citizen_keys_free) struct citizen_keys keys = {0};
    begin();
    const struct control_key before = key_of(&ada);
    assert_done(citizen_rekey(store, &ada, &test_error));
    assert_done(citizen_keys_new(keyring, &ada, 2, &other, &keys, &test_error));
    set_slots(before.wrapped, other.wrapped, 1);
    reopen_store();
    struct citizen *citizen = NULL;
    assert_fails(VAULT_CORRUPT, citizen_acquire(store, &ada, &citizen, &test_error));
    assert_true(key_of(&ada).has_next);
}

/* --- Many at once --------------------------------------------------------------------------- */

static atomic_bool stopping;

static void *read_ada(void *context)
{
    _Atomic unsigned *wrong = context;
    while (!atomic_load(&stopping)) {
        struct citizen *citizen = NULL;
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(CITIZEN_VALUE_MAX_BYTES);
        if (citizen_acquire(store, &ada, &citizen, NULL) || !citizen_exists(citizen) ||
            citizen_value_get(citizen, "identity.name", &text, NULL, NULL))
            ++*wrong;
        citizen_release(&citizen);
    }
    return NULL;
}

static void test_readers_notice_nothing_of_new_keys_and_new_roots(void **state)
{
    (void)state;
    pthread_t threads[2];
    _Atomic unsigned wrong = 0;
    begin();
    atomic_store(&stopping, false);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_ada, &wrong), 0);
    for (int i = 0; i < 6; i++) {
        assert_done(citizen_rekey(store, &ada, &test_error));
        rotate();
        rewrap_all();
        drop();
    }
    atomic_store(&stopping, true);
    for (size_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    store_test_start();
    const int failed = TEST_RUN(
        test_after_wrapping_again_the_former_root_can_go,
        test_without_wrapping_again_nothing_is_lost, test_what_is_wrapped_again_is_passed_over,
        test_it_goes_in_batches_and_begins_again_with_a_newer_root,
        test_an_erased_citizen_has_no_key_to_wrap,
        test_a_key_of_another_citizen_in_a_row_stops_it_and_changes_nothing,
        test_a_rekeyed_citizen_is_readable_under_the_new_key_alone,
        test_rekeying_again_and_again_works, test_what_was_sealed_before_is_opened_after,
        test_nobody_and_the_erased_are_not_rekeyed,
        test_a_crash_before_the_file_was_written_keeps_the_former_key,
        test_a_crash_after_the_file_was_written_keeps_the_next_key,
        test_both_slots_are_wrapped_again, test_erasing_destroys_both_slots,
        test_a_file_that_neither_key_opens_is_damaged_and_keeps_both,
        test_readers_notice_nothing_of_new_keys_and_new_roots);
    finish_store();
    return failed;
}
