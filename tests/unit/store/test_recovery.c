#include "test.h"

#include <stdio.h>

#include <ctype.h>

#include "store/recovery.h"
#include "vault/crypto/crypto.h"

static const uint8_t counting[RECOVERY_BYTES] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,
                                                 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
                                                 20, 21, 22, 23, 24, 25, 26, 27, 28, 29};

static enum vault_code read_text(const char *text)
{
    VAULT_AUTO(secret_free) struct secret *secret = NULL;
    return recovery_read(bytes_of_text(text), &secret, &test_error);
}

static void assert_reads_as_counting(const char *text)
{
    VAULT_AUTO(secret_free) struct secret *secret = NULL;
    assert_done(recovery_read(bytes_of_text(text), &secret, &test_error));
    assert_int_equal(secret_view(secret).size, RECOVERY_BYTES);
    assert_memory_equal(secret_view(secret).data, counting, RECOVERY_BYTES);
}

static void test_what_is_written_reads_back(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        uint8_t bytes[RECOVERY_BYTES];
        char text[RECOVERY_CHARS + 1];
        random_bytes(bytes, sizeof bytes);
        recovery_write(text, bytes);
        assert_int_equal(strlen(text), RECOVERY_CHARS);
        VAULT_AUTO(secret_free) struct secret *secret = NULL;
        assert_done(recovery_read(bytes_of_text(text), &secret, &test_error));
        assert_memory_equal(secret_view(secret).data, bytes, sizeof bytes);
    }
}

static void test_the_text_of_known_bytes_never_changes(void **state)
{
    (void)state;
    /* Paper lasts longer than programs: this text must be readable for ever. */
    char text[RECOVERY_CHARS + 1];
    recovery_write(text, counting);
    assert_string_equal(text, "000G40G-R40M30F-E209186-5GR38EZ-1W8124V-GK2GAH8-C5RR346-D1P70X9");
    assert_reads_as_counting(text);
}

static void test_people_write_it_in_their_own_way(void **state)
{
    (void)state;
    char text[RECOVERY_CHARS + 1];
    recovery_write(text, counting);
    for (char *c = text; *c; c++)
        *c = (char)tolower((unsigned char)(*c == '-' ? ' ' : *c));
    assert_reads_as_counting(text);
    for (char *c = text; *c; c++) {
        if (*c == '0')
            *c = 'o';
        if (*c == '1')
            *c = 'l';
    }
    assert_reads_as_counting(text);
    for (char *c = text; *c; c++) {
        if (*c == 'l')
            *c = 'I';
    }
    assert_reads_as_counting(text);
}

/* Every other character in the place of one. */
static void assert_no_other_will_do(char *text, size_t at)
{
    const char right = text[at];
    char group[32];
    snprintf(group, sizeof group, "group %zu of 8", at / 8 + 1);
    for (const char *wrong = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; *wrong; wrong++) {
        if (*wrong == right)
            continue;
        text[at] = *wrong;
        assert_fails(VAULT_INVALID, read_text(text));
        assert_non_null(strstr(test_error.text, group));
    }
    text[at] = right;
}

static void test_every_single_wrong_character_is_found_and_its_group_named(void **state)
{
    (void)state;
    char text[RECOVERY_CHARS + 1];
    recovery_write(text, counting);
    for (size_t i = 0; i < RECOVERY_CHARS; i++) {
        if (text[i] != '-')
            assert_no_other_will_do(text, i);
    }
}

static void assert_not_the_other_way_round(char *text, size_t at)
{
    const char a = text[at];
    const char b = text[at + 1];
    if (a == '-' || b == '-' || a == b)
        return;
    text[at] = b;
    text[at + 1] = a;
    assert_fails(VAULT_INVALID, read_text(text));
    text[at] = a;
    text[at + 1] = b;
}

static void test_two_neighbours_exchanged_are_found(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        uint8_t bytes[RECOVERY_BYTES];
        char text[RECOVERY_CHARS + 1];
        random_bytes(bytes, sizeof bytes);
        recovery_write(text, bytes);
        for (size_t i = 0; i + 1 < RECOVERY_CHARS; i++)
            assert_not_the_other_way_round(text, i);
    }
}

static void test_groups_in_each_others_place_are_found(void **state)
{
    (void)state;
    char text[RECOVERY_CHARS + 1];
    char group[7];
    recovery_write(text, counting);
    memcpy(group, text, 7);
    memcpy(text, text + 8, 7);
    memcpy(text + 8, group, 7);
    assert_fails(VAULT_INVALID, read_text(text));
}

static void test_too_little_and_too_much_are_refused(void **state)
{
    (void)state;
    char text[RECOVERY_CHARS + 3];
    recovery_write(text, counting);
    text[RECOVERY_CHARS] = '0';
    text[RECOVERY_CHARS + 1] = 0;
    assert_fails(VAULT_INVALID, read_text(text));
    text[RECOVERY_CHARS - 1] = 0;
    assert_fails(VAULT_INVALID, read_text(text));
    assert_fails(VAULT_INVALID, read_text(""));
    assert_fails(VAULT_INVALID, read_text("----"));
    assert_fails(VAULT_INVALID, read_text("UUUUUUU-UUUUUUU"));
}

static void test_the_error_does_not_repeat_what_was_typed(void **state)
{
    (void)state;
    assert_fails(VAULT_INVALID, read_text("MARKER7-MARKER7"));
    assert_null(strstr(test_error.text, "MARKER"));
}

int main(void)
{
    if (crypto_start(true, &test_error))
        return 1;
    return TEST_RUN(
        test_what_is_written_reads_back, test_the_text_of_known_bytes_never_changes,
        test_people_write_it_in_their_own_way,
        test_every_single_wrong_character_is_found_and_its_group_named,
        test_two_neighbours_exchanged_are_found, test_groups_in_each_others_place_are_found,
        test_too_little_and_too_much_are_refused, test_the_error_does_not_repeat_what_was_typed);
}
