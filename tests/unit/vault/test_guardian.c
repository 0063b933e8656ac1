/* Who is whose guardian: registering and ending it, what each side sees, and the birthdays. */
#include "family.h"

#include "vault/guardian_record.h"
#include "vault/parts.h"
#include "vault/person.h"
#include "vault/store/citizen_value.h"
#include "vault/vault/erase.h"
#include "vault/vault/history.h"

static struct vault_test test;
static struct family family;

static void begin(void)
{
    make_vault_with_family(&test, &family);
}

static void end(void)
{
    vault_close(&test.vault);
}

static enum vault_code add(const struct citizen_id *guardian)
{
    return guardian_add(test.vault, &family.minor, guardian, &test_error);
}

/* --- What is listed --------------------------------------------------------------------------- */

struct found {
    size_t count;
    char id[GUARDIAN_ID_CHARS + 1]; /* of the last */
    char name[GUARDIAN_NAME_BYTES + 1];
    bool decides;
    bool damaged;
};

static enum vault_code take_guardian(void *context, const struct guardian *guardian,
                                     struct vault_error *err)
{
    struct found *found = context;
    (void)err;
    found->count++;
    memcpy(found->id, guardian->id, sizeof found->id);
    memcpy(found->name, guardian->name, sizeof found->name);
    return VAULT_OK;
}

static enum vault_code take_minor(void *context, const struct guardian_minor *minor,
                                  struct vault_error *err)
{
    struct found *found = context;
    (void)err;
    found->count++;
    memcpy(found->id, minor->id, sizeof found->id);
    memcpy(found->name, minor->name, sizeof found->name);
    found->decides = minor->decides;
    found->damaged = minor->damaged;
    return VAULT_OK;
}

static struct found guardians(void)
{
    struct found found = {0};
    assert_done(guardian_list(test.vault, &family.minor, take_guardian, &found, &test_error));
    return found;
}

static struct found minors_of(const struct citizen_id *guardian)
{
    struct found found = {0};
    assert_done(guardian_list_minors(test.vault, guardian, take_minor, &found, &test_error));
    return found;
}

static enum vault_code open_by(const struct citizen_id *guardian, const char *id)
{
    struct guardian_seat seat;
    struct guardian_minor minor;
    return guardian_open(test.vault, guardian, id, &seat, &minor, &test_error);
}

/* --- The log ---------------------------------------------------------------------------------- */

struct told {
    size_t count;
    char actor[ACTOR_TEXT_BYTES]; /* of the newest */
    char what[512];
};

static enum vault_code take_event(void *context, const struct history_event *event,
                                  struct vault_error *err)
{
    struct told *told = context;
    (void)err;
    if (event->event != ENTRY_MANDATE || told->count++)
        return VAULT_OK;
    snprintf(told->actor, sizeof told->actor, "%.*s", (int)event->actor.size,
             event->actor.size ? (const char *)event->actor.data : "");
    snprintf(told->what, sizeof told->what, "%.*s", (int)event->what.size,
             (const char *)event->what.data);
    return VAULT_OK;
}

static struct told told(const struct citizen_id *citizen)
{
    struct told newest = {0};
    assert_done(history_list(test.vault, citizen, 0, 100, take_event, &newest, &test_error));
    return newest;
}

/* --- Registering ------------------------------------------------------------------------------ */

static void test_a_guardian_is_registered_and_both_are_told(void **state)
{
    (void)state;
    begin();
    assert_done(add(&family.max));
    assert_int_equal(guardians().count, 1);
    assert_string_equal(guardians().name, MAX_NAME);
    assert_int_equal(minors_of(&family.max).count, 1);
    assert_string_equal(minors_of(&family.max).name, MINOR_NAME);
    assert_true(minors_of(&family.max).decides);
    assert_string_equal(told(&family.minor).actor, "operator");
    assert_string_equal(told(&family.minor).what, "guardian add\n" MAX_NAME);
    assert_string_equal(told(&family.max).actor, "operator");
    assert_string_equal(told(&family.max).what,
                        "minor add"); /* whose, is not the guardian's file's */
    assert_int_equal(minors_of(&family.lou).count, 0);
    end();
}

static void test_registering_twice_is_fine_and_enters_nothing(void **state)
{
    (void)state;
    begin();
    assert_done(add(&family.max));
    assert_done(add(&family.max));
    assert_int_equal(guardians().count, 1);
    assert_int_equal(told(&family.minor).count, 1);
    assert_int_equal(told(&family.max).count, 1);
    end();
}

static void test_it_survives_a_restart(void **state)
{
    (void)state;
    begin();
    assert_done(add(&family.max));
    assert_done(add(&family.lou));
    reopen_test_vault(&test);
    assert_int_equal(guardians().count, 2);
    assert_int_equal(minors_of(&family.max).count, 1);
    end();
}

static void test_a_guardian_who_is_removed_sees_nothing_any_more(void **state)
{
    (void)state;
    begin();
    assert_done(add(&family.max));
    const struct found before = minors_of(&family.max);
    assert_done(open_by(&family.max, before.id));
    assert_done(guardian_remove(test.vault, &family.minor, &family.max, &test_error));
    assert_int_equal(guardians().count, 0);
    assert_int_equal(minors_of(&family.max).count, 0);
    assert_fails(VAULT_NOT_FOUND, open_by(&family.max, before.id));
    assert_string_equal(told(&family.minor).what, "guardian remove\n" MAX_NAME);
    assert_string_equal(told(&family.max).what, "minor remove");
    assert_done(guardian_remove(test.vault, &family.minor, &family.max, &test_error));
    end();
}

static void test_who_is_registered_again_has_another_id(void **state)
{
    (void)state;
    begin();
    assert_done(add(&family.max));
    const struct found before = minors_of(&family.max);
    assert_done(guardian_remove(test.vault, &family.minor, &family.max, &test_error));
    test.now_ms += 1000;
    assert_done(add(&family.max));
    assert_string_not_equal(minors_of(&family.max).id, before.id);
    assert_string_equal(minors_of(&family.max).id, guardians().id);
    assert_fails(VAULT_NOT_FOUND, open_by(&family.max, before.id));
    end();
}

static void test_nobody_is_their_own_guardian_nor_a_stranger_ones(void **state)
{
    (void)state;
    begin();
    const struct citizen_id nobody = citizen_id_new();
    assert_fails(VAULT_INVALID, add(&family.minor));
    assert_fails(VAULT_NOT_FOUND, add(&nobody));
    assert_fails(VAULT_NOT_FOUND, guardian_add(test.vault, &nobody, &family.max, &test_error));
    assert_fails(VAULT_NOT_FOUND, guardian_remove(test.vault, &nobody, &family.max, &test_error));
    assert_int_equal(told(&family.minor).count + told(&family.max).count, 0);
    end();
}

static void test_only_a_minor_has_guardians_and_only_who_is_of_age_is_one(void **state)
{
    (void)state;
    struct citizen_id young;
    begin();
    import_one(&test, "{\"reference\":\"Y-1\",\"values\":{\"identity.birth_date\":"
                      "{\"value\":\"2010-01-01\"},\"identity.name\":{\"value\":\"Jeune\"}}}");
    assert_done(people_find(test.vault, "Y-1", &young, &test_error));
    assert_fails(VAULT_CONFLICT, guardian_add(test.vault, &family.max, &family.lou, &test_error));
    assert_fails(VAULT_CONFLICT, add(&young));
    assert_int_equal(guardians().count, 0);
    assert_done(guardian_add(test.vault, &young, &family.max, &test_error)); /* 17 */
    assert_false(minors_of(&family.max).decides);
    end();
}

static void test_without_birth_date_or_name_nobody_is_registered(void **state)
{
    (void)state;
    struct citizen_id empty;
    struct citizen_id unnamed;
    begin();
    import_one(&test, "{\"reference\":\"E-1\",\"values\":{}}");
    import_one(&test, "{\"reference\":\"E-2\",\"values\":{\"identity.birth_date\":"
                      "{\"value\":\"1970-01-01\"}}}");
    assert_done(people_find(test.vault, "E-1", &empty, &test_error));
    assert_done(people_find(test.vault, "E-2", &unnamed, &test_error));
    assert_fails(VAULT_CONFLICT, guardian_add(test.vault, &empty, &family.max, &test_error));
    assert_fails(VAULT_CONFLICT, add(&empty));
    assert_fails(VAULT_CONFLICT, add(&unnamed));
    assert_int_equal(told(&family.minor).count, 0);
    end();
}

static void find_citizen(const char *prefix, size_t i, const char *born, struct citizen_id *out)
{
    char reference[32];
    char row[512];
    snprintf(reference, sizeof reference, "%s-%zu", prefix, i);
    snprintf(row, sizeof row,
             "{\"reference\":\"%s\",\"values\":{\"identity.birth_date\":{\"value\":\"%s\"},"
             "\"identity.name\":{\"value\":\"Personne Inventée\"}}}",
             reference, born);
    import_one(&test, row);
    assert_done(people_find(test.vault, reference, out, &test_error));
}

static void test_a_minor_has_four_guardians_at_the_most(void **state)
{
    (void)state;
    struct citizen_id one;
    begin();
    for (size_t i = 0; i < GUARDIANS_MAX; i++) {
        find_citizen("G", i, "1970-01-01", &one);
        assert_done(add(&one));
    }
    assert_fails(VAULT_LIMITED, add(&family.max));
    assert_int_equal(minors_of(&family.max).count, 0);
    assert_int_equal(told(&family.max).count, 0);
    assert_done(add(&one)); /* who is one already */
    assert_done(guardian_remove(test.vault, &family.minor, &one, &test_error));
    assert_done(add(&family.max));
    assert_int_equal(guardians().count, GUARDIANS_MAX);
    end();
}

static void test_a_guardian_has_sixteen_minors_and_more_as_they_come_of_age(void **state)
{
    (void)state;
    struct citizen_id one;
    begin();
    for (size_t i = 0; i < GUARDIAN_MINORS_MAX; i++) {
        find_citizen("M", i, i % 2 ? "2015-01-01" : "2009-06-01", &one);
        assert_done(guardian_add(test.vault, &one, &family.max, &test_error));
    }
    assert_int_equal(minors_of(&family.max).count, GUARDIAN_MINORS_MAX);
    assert_fails(VAULT_LIMITED, add(&family.max));
    assert_int_equal(guardians().count, 0);
    test.now_ms = 1811808000000; /* 2027-06-01: eight of them are of age */
    assert_int_equal(minors_of(&family.max).count, GUARDIAN_MINORS_MAX / 2);
    assert_done(add(&family.max));
    for (size_t i = 0; i < GUARDIAN_MINORS_MAX / 2 - 1; i++) {
        find_citizen("N", i, "2016-01-01", &one);
        assert_done(guardian_add(test.vault, &one, &family.max, &test_error));
    }
    find_citizen("O", 1, "2016-01-01", &one);
    assert_fails(VAULT_LIMITED, guardian_add(test.vault, &one, &family.max, &test_error));
    reopen_test_vault(&test); /* all that was stored can be read */
    assert_int_equal(minors_of(&family.max).count, GUARDIAN_MINORS_MAX);
    end();
}

/* --- Looking ---------------------------------------------------------------------------------- */

static void test_that_a_guardian_looked_is_told_once_a_day_with_their_name(void **state)
{
    (void)state;
    begin();
    assert_done(add(&family.max));
    const struct found minor = minors_of(&family.max);
    const size_t before = told(&family.minor).count;
    assert_done(open_by(&family.max, minor.id));
    assert_string_equal(told(&family.minor).actor, "guardian " MAX_NAME);
    assert_string_equal(told(&family.minor).what, "guardian use\n" MAX_NAME);
    assert_done(open_by(&family.max, minor.id));
    assert_int_equal(told(&family.minor).count, before + 1);
    reopen_test_vault(&test);
    assert_done(open_by(&family.max, minor.id));
    assert_int_equal(told(&family.minor).count, before + 1);
    test.now_ms += 24LL * 3600 * 1000;
    assert_done(open_by(&family.max, minor.id));
    assert_int_equal(told(&family.minor).count, before + 2);
    end();
}

static void test_a_list_of_minors_is_no_look_at_them(void **state)
{
    (void)state;
    begin();
    assert_done(add(&family.max));
    const size_t before = told(&family.minor).count;
    assert_int_equal(minors_of(&family.max).count, 1);
    assert_int_equal(told(&family.minor).count, before);
    end();
}

static void test_anothers_minor_is_not_there(void **state)
{
    (void)state;
    begin();
    assert_done(add(&family.max));
    const struct found minor = minors_of(&family.max);
    assert_fails(VAULT_NOT_FOUND, open_by(&family.lou, minor.id));
    assert_fails(VAULT_NOT_FOUND, open_by(&family.minor, minor.id));
    assert_fails(VAULT_NOT_FOUND, open_by(&family.max, "01ARYZ6S41TSV4RRFFQ69G5FAV"));
    assert_fails(VAULT_NOT_FOUND, open_by(&family.max, ""));
    assert_done(add(&family.lou));
    assert_fails(VAULT_NOT_FOUND, open_by(&family.lou, minor.id)); /* another guardian's own id */
    assert_done(open_by(&family.lou, minors_of(&family.lou).id));
    end();
}

/* --- The birthdays ---------------------------------------------------------------------------- */

static void test_at_15_a_guardian_only_looks_and_at_18_they_see_nothing(void **state)
{
    (void)state;
    begin();
    assert_done(add(&family.max));
    const struct found minor = minors_of(&family.max);
    test.now_ms = MINOR_15_MS - 1;
    assert_true(minors_of(&family.max).decides);
    test.now_ms = MINOR_15_MS;
    assert_int_equal(minors_of(&family.max).count, 1);
    assert_false(minors_of(&family.max).decides);
    test.now_ms = MINOR_18_MS - 1;
    assert_int_equal(guardians().count, 1);
    assert_done(open_by(&family.max, minor.id));
    const size_t records = told(&family.minor).count;
    test.now_ms = MINOR_18_MS;
    assert_int_equal(guardians().count, 0);
    assert_int_equal(minors_of(&family.max).count, 0);
    assert_fails(VAULT_NOT_FOUND, open_by(&family.max, minor.id));
    assert_int_equal(told(&family.minor).count, records); /* by the clock, without a record */
    assert_fails(VAULT_CONFLICT, add(&family.lou));
    end();
}

static void put_birth_date(const char *json)
{
    struct person *person = NULL;
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    const struct citizen_value value = {"identity.birth_date", bytes_of_text(json),
                                        test.now_ms / 1000, "a test"};
    assert_done(person_hold(test.vault, &family.minor, &citizen, &person, &test_error));
    assert_done(citizen_value_put(citizen, &value, &test_error));
}

static void test_a_birth_date_that_cannot_be_read_lets_no_guardian_look(void **state)
{
    (void)state;
    begin();
    assert_done(add(&family.max));
    const struct found minor = minors_of(&family.max);
    put_birth_date("\"unknown\"");
    assert_fails(VAULT_NOT_FOUND, open_by(&family.max, minor.id));
    assert_int_equal(minors_of(&family.max).count, 0);
    assert_int_equal(guardians().count, 0);
    put_birth_date("\"2012-05-18\"");
    assert_done(open_by(&family.max, minor.id));
    end();
}

/* --- Who is no more --------------------------------------------------------------------------- */

static void test_an_erased_minor_leaves_nothing_to_see(void **state)
{
    (void)state;
    begin();
    assert_done(add(&family.max));
    const struct found minor = minors_of(&family.max);
    assert_done(erase_citizen(test.vault, &family.minor, &test_error));
    assert_int_equal(minors_of(&family.max).count, 0);
    assert_fails(VAULT_NOT_FOUND, open_by(&family.max, minor.id));
    assert_fails(VAULT_NOT_FOUND, add(&family.lou));
    end();
}

static void test_an_erased_guardian_is_none_any_more(void **state)
{
    (void)state;
    begin();
    assert_done(add(&family.max));
    assert_done(add(&family.lou));
    assert_done(erase_citizen(test.vault, &family.max, &test_error));
    assert_int_equal(guardians().count, 1);
    assert_string_equal(guardians().name, LOU_NAME);
    end();
}

static void test_erased_guardians_leave_their_places(void **state)
{
    (void)state;
    struct citizen_id list[GUARDIANS_MAX + 1];
    begin();
    for (size_t i = 0; i <= GUARDIANS_MAX; i++) {
        find_citizen("G", i, "1970-01-01", &list[i]);
        if (i < GUARDIANS_MAX)
            assert_done(add(&list[i]));
    }
    assert_fails(VAULT_LIMITED, add(&list[GUARDIANS_MAX]));
    assert_done(erase_citizen(test.vault, &list[0], &test_error));
    assert_done(erase_citizen(test.vault, &list[1], &test_error));
    assert_done(add(&list[GUARDIANS_MAX]));
    assert_done(add(&family.max));
    assert_fails(VAULT_LIMITED, add(&family.lou));
    assert_int_equal(guardians().count, GUARDIANS_MAX);
    end();
}

/* However many went, what is stored can be remembered, and read again. */
static void test_many_erased_guardians_leave_a_file_that_can_be_read(void **state)
{
    (void)state;
    struct citizen_id one;
    begin();
    for (size_t i = 0; i < GUARDIANSHIPS_MAX + 2; i++) {
        find_citizen("G", i, "1970-01-01", &one);
        assert_done(add(&one));
        assert_done(erase_citizen(test.vault, &one, &test_error));
    }
    assert_int_equal(guardians().count, 0);
    assert_done(add(&family.max));
    reopen_test_vault(&test);
    assert_int_equal(guardians().count, 1);
    end();
}

static void test_erased_minors_leave_their_places(void **state)
{
    (void)state;
    struct citizen_id list[GUARDIAN_MINORS_MAX];
    begin();
    for (size_t i = 0; i < GUARDIAN_MINORS_MAX; i++) {
        find_citizen("M", i, "2015-01-01", &list[i]);
        assert_done(guardian_add(test.vault, &list[i], &family.max, &test_error));
    }
    assert_fails(VAULT_LIMITED, add(&family.max));
    assert_done(erase_citizen(test.vault, &list[3], &test_error));
    assert_done(add(&family.max));
    assert_int_equal(minors_of(&family.max).count, GUARDIAN_MINORS_MAX);
    end();
}

static void test_an_erased_guardian_can_be_removed(void **state)
{
    (void)state;
    begin();
    assert_done(add(&family.max));
    assert_done(erase_citizen(test.vault, &family.max, &test_error));
    assert_done(guardian_remove(test.vault, &family.minor, &family.max, &test_error));
    assert_string_equal(told(&family.minor).what, "guardian remove\n" MAX_NAME);
    assert_done(guardian_remove(test.vault, &family.minor, &family.max, &test_error));
    end();
}

/* --- Half done -------------------------------------------------------------------------------- */

static void test_what_stands_in_the_guardians_file_alone_means_nothing(void **state)
{
    (void)state;
    struct ledger_ticket ticket;
    struct guardianship alone = {
        .other = family.minor, .id = "01ARYZ6S41TSV4RRFFQ69G5FAV", .born = {2012, 5, 17}};
    begin();
    alone.other = family.minor;
    {
        struct person *person = NULL;
        VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
        assert_done(person_hold(test.vault, &family.max, &citizen, &person, &test_error));
        assert_done(guardianship_store(test.vault, citizen, person, &alone, &ticket, &test_error));
    }
    assert_int_equal(minors_of(&family.max).count, 0);
    assert_fails(VAULT_NOT_FOUND, open_by(&family.max, alone.id));
    assert_int_equal(guardians().count, 0);
    assert_done(add(&family.max)); /* and a second try completes it */
    assert_int_equal(minors_of(&family.max).count, 1);
    assert_string_equal(minors_of(&family.max).id, guardians().id);
    end();
}

/* Any record that is no guardianship's is one that nobody decides on. */
static void test_a_record_that_cannot_be_read_closes_the_file(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}",
        "[]",
        "{\"event\":\"add\",\"id\":\"1\",\"minor\":true,\"other\":\"00\",\"since\":1,\"at\":1,"
        "\"name\":\"N\"}",
        "{\"event\":\"give\",\"id\":\"1\",\"minor\":true,"
        "\"other\":\"00000000000000000000000000000000\",\"since\":1,\"at\":1,\"name\":\"N\"}",
        "{\"event\":\"add\",\"id\":\"1\",\"minor\":true,"
        "\"other\":\"00000000000000000000000000000000\",\"since\":1,\"at\":1,\"name\":\"\"}",
        "{\"event\":\"add\",\"id\":\"1\",\"minor\":false,"
        "\"other\":\"00000000000000000000000000000000\",\"since\":1,\"at\":1,"
        "\"born\":\"2012-02-30\"}",
        "{\"event\":\"add\",\"id\":\"1\",\"minor\":1,"
        "\"other\":\"00000000000000000000000000000000\",\"since\":1,\"at\":1,\"name\":\"N\"}",
        "{\"event\":\"add\",\"id\":\"1\",\"minor\":true,"
        "\"other\":\"00000000000000000000000000000000\",\"since\":-1,\"at\":1,\"name\":\"N\"}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct person person = {0};
        const struct citizen_record record = {
            .kind = PERSON_GUARDIAN_KIND, .key = "1", .json = bytes_of_text(texts[i])};
        assert_fails(VAULT_CORRUPT, person_apply(&person, &record, &test_error));
        assert_int_equal(person.guardianship_count, 0);
        free(person.guardianships);
    }
}

int main(void)
{
    return TEST_RUN(test_a_guardian_is_registered_and_both_are_told,
                    test_registering_twice_is_fine_and_enters_nothing, test_it_survives_a_restart,
                    test_a_guardian_who_is_removed_sees_nothing_any_more,
                    test_who_is_registered_again_has_another_id,
                    test_nobody_is_their_own_guardian_nor_a_stranger_ones,
                    test_only_a_minor_has_guardians_and_only_who_is_of_age_is_one,
                    test_without_birth_date_or_name_nobody_is_registered,
                    test_a_minor_has_four_guardians_at_the_most,
                    test_a_guardian_has_sixteen_minors_and_more_as_they_come_of_age,
                    test_that_a_guardian_looked_is_told_once_a_day_with_their_name,
                    test_a_list_of_minors_is_no_look_at_them, test_anothers_minor_is_not_there,
                    test_at_15_a_guardian_only_looks_and_at_18_they_see_nothing,
                    test_a_birth_date_that_cannot_be_read_lets_no_guardian_look,
                    test_an_erased_minor_leaves_nothing_to_see,
                    test_an_erased_guardian_is_none_any_more,
                    test_erased_guardians_leave_their_places,
                    test_many_erased_guardians_leave_a_file_that_can_be_read,
                    test_erased_minors_leave_their_places, test_an_erased_guardian_can_be_removed,
                    test_what_stands_in_the_guardians_file_alone_means_nothing,
                    test_a_record_that_cannot_be_read_closes_the_file);
}
