#include "test.h"

#include <stdio.h>

#include "vault/edge/form.h"

static struct form parsed(const char *body)
{
    struct form form;
    assert_done(form_parse(bytes_of_text(body), &form, &test_error));
    return form;
}

static void assert_value(const char *body, const char *name, const char *value)
{
    VAULT_AUTO(form_finish) struct form form = parsed(body);
    const struct bytes found = form_value(&form, name);
    if (!value) {
        assert_null(found.data);
        return;
    }
    assert_non_null(found.data);
    assert_int_equal(found.size, strlen(value));
    assert_memory_equal(found.data, value, found.size);
}

static void assert_refused(const char *body)
{
    struct form form;
    assert_fails(VAULT_INVALID, form_parse(bytes_of_text(body), &form, &test_error));
}

static void assert_cookie(const char *header, const char *name, const char *value)
{
    const struct bytes found = cookie_value(bytes_of_text(header), name);
    if (!value) {
        assert_null(found.data);
        return;
    }
    assert_non_null(found.data);
    assert_int_equal(found.size, strlen(value));
    assert_memory_equal(found.data, value, found.size);
}

static void test_fields_are_found_by_name(void **state)
{
    (void)state;
    assert_value("login=ada&password=x", "login", "ada");
    assert_value("login=ada&password=x", "password", "x");
    assert_value("login=ada&password=x", "passwor", NULL);
    assert_value("login=ada&password=x", "passwordd", NULL);
    assert_value("login=ada", "LOGIN", NULL);
}

static void test_an_empty_body_has_no_fields(void **state)
{
    (void)state;
    VAULT_AUTO(form_finish) struct form form = parsed("");
    assert_int_equal(form.count, 0);
    assert_null(form_value(&form, "").data);
}

static void test_an_empty_value_is_there(void **state)
{
    (void)state;
    assert_value("a=&b", "a", "");
    assert_value("a=&b", "b", "");
    assert_value("=x", "", "x");
}

static void test_empty_pieces_are_no_fields(void **state)
{
    (void)state;
    VAULT_AUTO(form_finish) struct form form = parsed("&&a=1&&b=2&");
    assert_int_equal(form.count, 2);
}

static void test_only_the_first_equals_sign_divides(void **state)
{
    (void)state;
    assert_value("a=b=c==", "a", "b=c==");
}

static void test_plus_is_a_space_and_percent_plus_is_a_plus(void **state)
{
    (void)state;
    assert_value("a=x+y%2Bz%20", "a", "x y+z ");
    assert_value("a+b=1", "a b", "1");
}

static void test_percent_signs_stand_before_two_digits(void **state)
{
    (void)state;
    assert_value("a=%c3%A9", "a", "\xc3\xa9");
    assert_refused("a=%");
    assert_refused("a=%4");
    assert_refused("a=%4&b=1");
    assert_refused("a=%zz");
    assert_refused("a=%4g");
    assert_refused("a=%+1");
    assert_refused("%=1");
}

static void test_an_encoded_ampersand_does_not_divide(void **state)
{
    (void)state;
    assert_value("a=1%26b%3D2", "a", "1&b=2");
    assert_value("a=1%26b%3D2", "b", NULL);
}

static void test_a_percent_sign_is_decoded_once(void **state)
{
    (void)state;
    assert_value("a=%2541", "a", "%41");
}

static void test_no_nul_gets_in(void **state)
{
    (void)state;
    struct form form;
    assert_refused("a=%00");
    assert_refused("a=x%00y");
    assert_refused("a%00=y");
    assert_fails(VAULT_INVALID, form_parse(BYTES("a=\0b"), &form, &test_error));
}

static void test_a_field_twice_is_refused(void **state)
{
    (void)state;
    assert_refused("a=1&a=2");
    assert_refused("a=1&b=2&a=1");
    assert_refused("a=1&%61=2");
    assert_refused("a&a");
}

static void test_a_refusal_does_not_quote(void **state)
{
    (void)state;
    assert_refused("password=hunter2&password=hunter2");
    assert_null(strstr(test_error.text, "hunter2"));
    assert_null(strstr(test_error.text, "password"));
}

static void test_so_many_fields_and_no_more(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(4096);
    struct form form;
    for (int i = 0; i < FORM_FIELDS_MAX; i++)
        buf_format(&body, "f%d=%d&", i, i);
    assert_done(form_parse(buf_view(&body), &form, &test_error));
    assert_int_equal(form.count, FORM_FIELDS_MAX);
    assert_non_null(form_value(&form, "f63").data);
    form_finish(&form);
    buf_text(&body, "one_more");
    assert_fails(VAULT_TOO_LARGE, form_parse(buf_view(&body), &form, &test_error));
}

static void test_values_of_every_byte_but_nul_come_through(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(4096);
    struct form form;
    buf_text(&body, "a=");
    for (unsigned i = 1; i < 256; i++)
        buf_format(&body, "%%%02x", i);
    assert_done(form_parse(buf_view(&body), &form, &test_error));
    const struct bytes value = form_value(&form, "a");
    assert_int_equal(value.size, 255);
    for (unsigned i = 0; i < 255; i++)
        assert_int_equal(value.data[i], i + 1);
    form_finish(&form);
}

static void test_a_finished_form_is_empty(void **state)
{
    (void)state;
    struct form form = parsed("a=1");
    form_finish(&form);
    assert_null(form_value(&form, "a").data);
    form_finish(&form);
}

static void test_a_cookie_is_found_among_others(void **state)
{
    (void)state;
    assert_cookie("a=1; b=2; c=3", "a", "1");
    assert_cookie("a=1; b=2; c=3", "b", "2");
    assert_cookie("a=1; b=2; c=3", "c", "3");
    assert_cookie("a=1;b=2", "b", "2");
    assert_cookie("", "a", NULL);
    assert_cookie("a=1", "b", NULL);
}

static void test_a_cookies_name_is_compared_whole(void **state)
{
    (void)state;
    assert_cookie("__Host-sid2=x; x__Host-sid=y", "__Host-sid", NULL);
    assert_cookie("__host-sid=x", "__Host-sid", NULL);
    assert_cookie("__Host-sid", "__Host-sid", NULL);
    assert_cookie("a=__Host-sid=x", "__Host-sid", NULL);
}

static void test_a_cookie_there_twice_is_not_there(void **state)
{
    (void)state;
    assert_cookie("sid=a; sid=b", "sid", NULL);
    assert_cookie("sid=a; x=1; sid=a", "sid", NULL);
    assert_cookie("sid=; sid=b", "sid", NULL);
    assert_cookie("sid=a;  sid=b;", "sid", NULL);
}

static void test_an_empty_cookie_is_there(void **state)
{
    (void)state;
    assert_cookie("sid=; b=1", "sid", "");
    assert_cookie("sid=", "sid", "");
}

static void test_odd_cookie_headers_are_read_to_their_end(void **state)
{
    (void)state;
    assert_cookie(";;; ; a=1;;", "a", "1");
    assert_cookie("=; ==; a=1", "a", "1");
    assert_cookie("    a=1", "a", NULL);
    assert_cookie("a=b=c", "a", "b=c");
    assert_cookie("a=1 ", "a", "1 ");
}

int main(void)
{
    return TEST_RUN(
        test_fields_are_found_by_name, test_an_empty_body_has_no_fields,
        test_an_empty_value_is_there, test_empty_pieces_are_no_fields,
        test_only_the_first_equals_sign_divides, test_plus_is_a_space_and_percent_plus_is_a_plus,
        test_percent_signs_stand_before_two_digits, test_an_encoded_ampersand_does_not_divide,
        test_a_percent_sign_is_decoded_once, test_no_nul_gets_in, test_a_field_twice_is_refused,
        test_a_refusal_does_not_quote, test_so_many_fields_and_no_more,
        test_values_of_every_byte_but_nul_come_through, test_a_finished_form_is_empty,
        test_a_cookie_is_found_among_others, test_a_cookies_name_is_compared_whole,
        test_a_cookie_there_twice_is_not_there, test_an_empty_cookie_is_there,
        test_odd_cookie_headers_are_read_to_their_end);
}
