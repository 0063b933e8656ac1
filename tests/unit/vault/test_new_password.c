/* What would be guessed is refused, what would not is not, and no class of characters is asked for.
 */
#include "vault/new_password.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "test.h"
#include "vault/base/file.h"

static struct new_password *known;
static char words_path[PATH_MAX];
static char filter_path[PATH_MAX];

static enum vault_code open_with(const char *words, const char *breached)
{
    const struct vault_options options = {.origin = "coffre.ploumanach.example/log",
                                          .passwords = {words, breached}};
    new_password_close(&known);
    return new_password_open(&options, &known, &test_error);
}

static enum vault_code check(const char *password, const char *login)
{
    return new_password_check(known, bytes_of_text(password), login, &test_error);
}

static void write_words(const char *text)
{
    snprintf(words_path, sizeof words_path, "%s/words", test_folder());
    assert_done(file_replace(words_path, bytes_of_text(text), 0600, &test_error));
}

static void test_what_is_short_is_refused_by_its_characters(void **state)
{
    (void)state;
    assert_done(open_with(NULL, NULL));
    assert_fails(VAULT_INVALID, check("", NULL));
    assert_fails(VAULT_INVALID, check("xkqvjzwpahf", NULL));
    assert_fails(VAULT_INVALID, check("\u00e9\u00e0\u00fc\u00e7\u00f1\u00f8", NULL)); /* 12 bytes */
    assert_done(check("xkqvjzwpahfm", NULL));
}

static void test_what_is_common_is_refused_in_both_languages_and_as_people_bend_it(void **state)
{
    (void)state;
    static const char *const common[] = {
        "123456789012",         "abcdefghijkl",    "qwertyuiop123",   "1q2w3e4r5t6y",
        "aaaaaaaaaaaaaa",       "121212121212",    "password12345",   "Password2026!",
        "P4ssw0rd1234",         "drowssap1234",    "iloveyou1234",    "letmeinletmein",
        "Gwaz35Gwaz35Gwaz35",   "motdepasse123",   "Motdepasse2026!", "mot de passe 1",
        "m0td3p4sse123",        "azertyuiop123",   "AZERTYUIOP12",    "azertyazerty",
        "bonjourbonjour",       "Soleil123456",    "jetaimejetaime",  "doudoudoudou",
        "motdepassemotdepasse", "je t'aime soleil"};
    assert_done(open_with(NULL, NULL));
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++) {
        if (check(common[i], NULL) != VAULT_CONFLICT)
            fail_msg("%s was let through", common[i]);
    }
}

static void test_the_vaults_own_words_are_refused(void **state)
{
    (void)state;
    assert_done(open_with(NULL, NULL));
    assert_fails(VAULT_CONFLICT, check("coffre citoyen 1", NULL));
    assert_fails(VAULT_CONFLICT, check("Citizen-Vault-35", NULL));
    assert_fails(VAULT_CONFLICT, check("MÉTROPOLE métropole", NULL));
    assert_fails(VAULT_CONFLICT, check("Ploumanach2026!", NULL)); /* of the log's name */
    assert_fails(VAULT_CONFLICT, check("ploumanachploumanach", NULL));
    assert_fails(VAULT_CONFLICT, check("hcanamuolp22", NULL));
    assert_done(check("le coffre de ma grand-tante", NULL)); /* a word of ours is in it */
}

/* Each word of the list in the handbook, given twice, leaves nothing. */
static void test_the_words_that_the_handbook_lists_are_refused(void **state)
{
    (void)state;
    static const char before[] = "**Our words**: *";
    VAULT_AUTO(buf_finish) struct buf text = buf_limited(1 << 20);
    size_t count = 0;
    assert_done(open_with(NULL, NULL));
    assert_done(file_read(HANDBOOK, &text, &test_error));
    const char *string = buf_string(&text);
    char *at = strstr((char *)(uintptr_t)string, before);
    assert_non_null(at);
    at += strlen(before);
    *strchr(at, '*') = 0;
    for (char *word = strsep(&at, ","); word; word = strsep(&at, ",")) {
        char password[128];
        word += strspn(word, " \n");
        snprintf(password, sizeof password, "%s %s %s 12345", word, word, word);
        if (check(password, NULL) != VAULT_CONFLICT)
            fail_msg("%s was let through", password);
        count++;
    }
    assert_true(count > 30);
}

static void test_the_login_is_refused(void **state)
{
    (void)state;
    assert_done(open_with(NULL, NULL));
    assert_done(check("yolande.kervella", NULL));
    assert_fails(VAULT_CONFLICT, check("yolande.kervella", "yolande.kervella"));
    assert_fails(VAULT_CONFLICT, check("Yolande.Kervella1", "yolande.kervella"));
    assert_fails(VAULT_CONFLICT, check("yolande.kervellayolande.kervella", "yolande.kervella"));
    assert_done(check("une longue phrase", "a")); /* too short a login to be looked for */
}

static void test_any_characters_may_be_used_and_none_must(void **state)
{
    (void)state;
    static const char *const good[] = {
        "une phrase assez longue",
        "correct horse battery staple",
        "quatrechevauxvertsdorment",
        "jardinvertloup",
        "8402916375528",
        "ÉTÉ DERNIER À LA PLAGE",
        "\u3053\u308c\u306f\u6771\u4eac\u30bf\u30ef\u30fc\u306e\u5199\u771f\u3067\u3059",
        "\U0001F98A \U0001F33B \U0001F6B2 \U0001F9C0 trois petits verbes",
        "<b>&\"';--\\%00 fenouil"};
    assert_done(open_with(NULL, NULL));
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (check(good[i], "yolande"))
            fail_msg("%s: %s", good[i], test_error.text);
    }
}

static void test_a_long_one_is_looked_at_as_far_as_it_takes(void **state)
{
    (void)state;
    char text[1025];
    assert_done(open_with(NULL, NULL));
    for (size_t i = 0; i < sizeof text - 1; i++)
        text[i] = "une phrase assez longue, "[i % 25];
    text[sizeof text - 1] = 0;
    assert_done(check(text, "yolande"));
    memset(text, 'a', sizeof text - 1);
    assert_fails(VAULT_CONFLICT, check(text, "yolande"));
}

static void test_what_stands_behind_a_zero_makes_nothing_better(void **state)
{
    (void)state;
    assert_done(open_with(NULL, NULL));
    assert_fails(VAULT_CONFLICT,
                 new_password_check(known, BYTES("motdepasse12\0xkqvjzwpahfm"), NULL, &test_error));
    assert_fails(VAULT_CONFLICT,
                 new_password_check(known, BYTES("a\0xkqvjzwpahfm"), NULL, &test_error));
}

static void test_the_citys_words_are_read_from_its_file(void **state)
{
    (void)state;
    assert_done(open_with(NULL, NULL));
    assert_done(check("VilaineIlletRance", NULL));
    write_words("# rivers\nVilaine\n\nillet\nRance");
    assert_done(open_with(words_path, NULL));
    assert_fails(VAULT_CONFLICT, check("VilaineIlletRance", NULL));
    assert_fails(VAULT_CONFLICT, check("vilaine illet 12", NULL));
    assert_done(check("sur la rance en canoë", NULL));
}

static void test_a_file_of_words_that_cannot_be_one_is_told_by_its_line(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf many = buf_limited(NEW_PASSWORD_WORDS_MAX * 16);
    write_words("Vilaine\nIll\n");
    assert_fails(VAULT_INVALID, open_with(words_path, NULL));
    assert_non_null(strstr(test_error.text, "line 2"));
    write_words("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"); /* 65 */
    assert_fails(VAULT_INVALID, open_with(words_path, NULL));
    for (size_t i = 0; i < NEW_PASSWORD_WORDS_MAX; i++)
        buf_format(&many, "word-%zu\n", i);
    write_words(buf_string(&many));
    assert_fails(VAULT_INVALID, open_with(words_path, NULL));
    assert_fails(VAULT_NOT_FOUND, open_with("/nowhere/words", NULL));
}

/* The operator's tool is the one that makes filters. */
static void make_filter(void)
{
    char command[PATH_MAX * 2];
    snprintf(filter_path, sizeof filter_path, "%s/filter", test_folder());
    snprintf(command, sizeof command,
             "printf 'trois pommes et un canari\\nxkqvjzwpahfm\\n' | "
             "pwqfilter --create=1000 --output='%s' 2>'%s.said'",
             filter_path, filter_path);
    if (system(command) != 0) /* a folder of our own, and no path from outside */
        fail_msg("pwqfilter, of the package passwdqc");
}

static void test_what_leaked_elsewhere_is_refused(void **state)
{
    (void)state;
    make_filter();
    assert_done(open_with(NULL, NULL));
    assert_done(check("trois pommes et un canari", NULL));
    assert_done(open_with(NULL, filter_path));
    assert_fails(VAULT_CONFLICT, check("trois pommes et un canari", NULL));
    assert_fails(VAULT_CONFLICT, check("xkqvjzwpahfm", NULL));
    assert_done(check("trois pommes et deux canaris", NULL));
}

static void
test_a_filter_that_is_none_lets_nothing_open_and_one_that_is_gone_nothing_through(void **state)
{
    (void)state;
    write_words("Vilaine\n");
    assert_fails(VAULT_INVALID, open_with(NULL, words_path));
    assert_fails(VAULT_INVALID, open_with(NULL, "/nowhere/filter"));
    make_filter();
    assert_done(open_with(NULL, filter_path));
    assert_int_equal(remove(filter_path), 0);
    assert_fails(VAULT_IO, check("trois pommes et deux canaris", NULL));
    assert_null(strstr(test_error.text, "pommes"));
}

int main(void)
{
    return TEST_RUN(
        test_what_is_short_is_refused_by_its_characters,
        test_what_is_common_is_refused_in_both_languages_and_as_people_bend_it,
        test_the_vaults_own_words_are_refused, test_the_words_that_the_handbook_lists_are_refused,
        test_the_login_is_refused, test_any_characters_may_be_used_and_none_must,
        test_a_long_one_is_looked_at_as_far_as_it_takes,
        test_what_stands_behind_a_zero_makes_nothing_better,
        test_the_citys_words_are_read_from_its_file,
        test_a_file_of_words_that_cannot_be_one_is_told_by_its_line,
        test_what_leaked_elsewhere_is_refused,
        test_a_filter_that_is_none_lets_nothing_open_and_one_that_is_gone_nothing_through);
}
