/* What happens to a consent after it was given, and that the next request knows. */
#include "vault_test.h"

#include "vault/ledger/ledger.h"
#include "vault/parts.h"
#include "vault/person.h"

static struct vault_test test;
static char subject[SUBJECT_CHARS + 1];

static void begin(int64_t uses)
{
    make_filled_vault(&test);
    give_consent(&test, uses);
    subject_of_citizen(&test, subject);
}

static uint64_t log_size(void)
{
    return ledger_head(test.vault->ledger).size;
}

static struct consent current(void)
{
    VAULT_AUTO(citizen_release) struct citizen *citizen = NULL;
    struct person *person = NULL;
    assert_done(person_hold(test.vault, &test.citizen, &citizen, &person, &test_error));
    const struct consent *consent = person_consent(person, BYTES(CASEWORKER), BYTES(SUPPORT));
    assert_non_null(consent);
    struct consent copy = *consent;
    copy.fields = NULL;
    return copy;
}

static enum vault_code withdraw(void)
{
    return consent_withdraw(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error);
}

static enum vault_code suspend(void)
{
    return consent_suspend(test.vault, &test.citizen, CASEWORKER, SUPPORT, CONSENT_BY_CITIZEN,
                           &test_error);
}

static enum vault_code resume(void)
{
    return consent_resume(test.vault, &test.citizen, CASEWORKER, SUPPORT, &test_error);
}

static size_t released(void)
{
    return count_released(ask_release(&test, subject));
}

static void test_suspended_releases_nothing_and_resumed_as_before(void **state)
{
    (void)state;
    begin(CONSENT_UNLIMITED);
    assert_int_equal(released(), 2);
    const uint64_t before = log_size();
    assert_done(suspend());
    assert_int_equal(log_size(), before + 1);
    assert_int_equal(current().state, CONSENT_SUSPENDED);
    assert_int_equal(released(), 0);
    reopen_test_vault(&test);
    assert_int_equal(released(), 0);
    assert_done(resume());
    assert_int_equal(released(), 2);
    assert_int_equal(current().version, 3);
    vault_close(&test.vault);
}

static void test_what_is_so_already_is_not_entered_again(void **state)
{
    (void)state;
    begin(CONSENT_UNLIMITED);
    uint64_t size = log_size();
    assert_done(resume());
    assert_int_equal(log_size(), size);
    assert_done(suspend());
    size = log_size();
    assert_done(suspend());
    assert_int_equal(log_size(), size);
    assert_done(withdraw());
    size = log_size();
    assert_done(withdraw());
    assert_done(suspend());
    assert_done(resume());
    assert_int_equal(log_size(), size);
    assert_int_equal(current().state, CONSENT_WITHDRAWN);
    vault_close(&test.vault);
}

static void test_what_is_suspended_can_be_withdrawn_and_not_come_back(void **state)
{
    (void)state;
    begin(CONSENT_UNLIMITED);
    assert_done(suspend());
    assert_done(withdraw());
    assert_done(resume());
    assert_int_equal(released(), 0);
    vault_close(&test.vault);
}

static void test_time_runs_on_while_suspended(void **state)
{
    (void)state;
    begin(CONSENT_UNLIMITED);
    assert_done(suspend());
    test.now_ms += 31LL * 86400 * 1000;
    assert_done(resume());
    assert_int_equal(current().state, CONSENT_SUSPENDED);
    assert_int_equal(released(), 0);
    vault_close(&test.vault);
}

/* A clock that was wrong for a day must not bring back what was taken back on that day. */
static void test_withdrawn_after_its_end_it_stays_withdrawn_when_the_clock_goes_back(void **state)
{
    (void)state;
    begin(CONSENT_UNLIMITED);
    test.now_ms += 31LL * 86400 * 1000;
    assert_done(withdraw());
    test.now_ms -= 31LL * 86400 * 1000;
    assert_int_equal(released(), 0);
    assert_int_equal(current().state, CONSENT_WITHDRAWN);
    vault_close(&test.vault);
}

static void test_uses_go_on_where_they_were_after_resuming(void **state)
{
    (void)state;
    begin(2);
    assert_int_equal(released(), 2);
    assert_done(suspend());
    assert_int_equal(released(), 0);
    assert_done(resume());
    assert_int_equal(released(), 2);
    assert_int_equal(released(), 0);
    assert_done(suspend());
    assert_done(resume());
    assert_int_equal(released(), 0);
    vault_close(&test.vault);
}

static struct consent_narrowing narrowing(const struct consent_field *fields, size_t count)
{
    return (struct consent_narrowing){fields, count, START_MS / 1000 + 30LL * 86400, "fr",
                                      "Moins."};
}

static enum vault_code narrow(const struct consent_narrowing *to)
{
    return consent_narrow(test.vault, &test.citizen, CASEWORKER, SUPPORT, to, &test_error);
}

static void test_narrowed_to_one_field_the_other_stays_here(void **state)
{
    (void)state;
    static const struct consent_field one[] = {{"employment.status", ""}};
    begin(CONSENT_UNLIMITED);
    const struct consent before = current();
    const struct consent_narrowing to = narrowing(one, 1);
    assert_done(narrow(&to));
    assert_int_equal(released(), 1);
    assert_string_equal(current().id, before.id);
    assert_int_equal(current().version, 2);
    assert_int_equal(current().expires_s, before.expires_s);
    vault_close(&test.vault);
}

static void test_narrowed_in_time_it_ends_earlier(void **state)
{
    (void)state;
    static const struct consent_field one[] = {{"employment.status", ""}};
    begin(CONSENT_UNLIMITED);
    struct consent_narrowing to = narrowing(one, 1);
    to.expires_s = START_MS / 1000 + 86400;
    assert_done(narrow(&to));
    assert_int_equal(released(), 1);
    test.now_ms += 86400LL * 1000;
    assert_int_equal(released(), 0);
    vault_close(&test.vault);
}

static void test_what_would_be_wider_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const struct consent_field another[] = {{"identity.name", ""}};
    static const struct consent_field exact[] = {{"identity.birth_date", "as_is"}};
    static const struct consent_field any_form[] = {{"identity.birth_date", ""}};
    static const struct consent_field twice[] = {{"employment.status", ""},
                                                 {"employment.status", ""}};
    static const struct consent_field one[] = {{"employment.status", ""}};
    begin(CONSENT_UNLIMITED);
    const uint64_t size = log_size();
    const struct consent_narrowing wrong[] = {narrowing(another, 1), narrowing(exact, 1),
                                              narrowing(any_form, 1), narrowing(twice, 2),
                                              narrowing(one, 0)};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_fails(VAULT_INVALID, narrow(&wrong[i]));
    struct consent_narrowing past = narrowing(one, 1);
    past.expires_s = START_MS / 1000;
    assert_fails(VAULT_INVALID, narrow(&past));
    assert_int_equal(log_size(), size);
    assert_int_equal(released(), 2);
    vault_close(&test.vault);
}

static void test_a_later_end_than_before_is_not_given(void **state)
{
    (void)state;
    static const struct consent_field one[] = {{"employment.status", ""}};
    begin(CONSENT_UNLIMITED);
    const int64_t end_s = current().expires_s;
    struct consent_narrowing to = narrowing(one, 1);
    to.expires_s = end_s + 86400;
    assert_done(narrow(&to));
    assert_int_equal(current().expires_s, end_s);
    vault_close(&test.vault);
}

static void test_what_ended_cannot_be_narrowed(void **state)
{
    (void)state;
    static const struct consent_field one[] = {{"employment.status", ""}};
    begin(CONSENT_UNLIMITED);
    assert_done(withdraw());
    const struct consent_narrowing to = narrowing(one, 1);
    assert_fails(VAULT_CONFLICT, narrow(&to));
    vault_close(&test.vault);
}

static void test_narrowed_while_suspended_it_stays_suspended(void **state)
{
    (void)state;
    static const struct consent_field one[] = {{"employment.status", ""}};
    begin(CONSENT_UNLIMITED);
    assert_done(suspend());
    const struct consent_narrowing to = narrowing(one, 1);
    assert_done(narrow(&to));
    assert_int_equal(released(), 0);
    assert_done(resume());
    assert_int_equal(released(), 1);
    vault_close(&test.vault);
}

int main(void)
{
    return TEST_RUN(test_suspended_releases_nothing_and_resumed_as_before,
                    test_what_is_so_already_is_not_entered_again,
                    test_what_is_suspended_can_be_withdrawn_and_not_come_back,
                    test_time_runs_on_while_suspended,
                    test_withdrawn_after_its_end_it_stays_withdrawn_when_the_clock_goes_back,
                    test_uses_go_on_where_they_were_after_resuming,
                    test_narrowed_to_one_field_the_other_stays_here,
                    test_narrowed_in_time_it_ends_earlier,
                    test_what_would_be_wider_is_refused_and_changes_nothing,
                    test_a_later_end_than_before_is_not_given, test_what_ended_cannot_be_narrowed,
                    test_narrowed_while_suspended_it_stays_suspended);
}
