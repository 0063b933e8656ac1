#include "test.h"

#include <stdio.h>
#include <string.h>

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

/* --- Parts ------------------------------------------------------------------------------------ */

#define PARTS_OF "multipart/form-data; boundary=----b1"

static enum vault_code parse_parts(const char *type, const char *body, struct form *form)
{
    return form_parse_parts(bytes_of_text(body), bytes_of_text(type), form, &test_error);
}

static void assert_parts_refused(const char *type, const char *body)
{
    struct form form;
    assert_fails(VAULT_INVALID, parse_parts(type, body, &form));
}

/* One part of a name, as a browser writes it. */
#define PART(name, value)                                                                          \
    "------b1\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"
#define PARTS_END "------b1--\r\n"

static void test_parts_are_fields_and_so_is_a_file(void **state)
{
    (void)state;
    VAULT_AUTO(form_finish) struct form form = {0};
    assert_done(parse_parts(PARTS_OF,
                            PART("token", "t") "------b1\r\ncontent-disposition: form-data; "
                                               "name=\"file\"; filename=\"a name=\"\r\n"
                                               "Content-Type: application/json\r\n\r\n"
                                               "{\"a\":\r\n--1}\r\n" PARTS_END,
                            &form));
    assert_int_equal(form.count, 2);
    assert_true(bytes_equal(form_value(&form, "token"), bytes_of_text("t")));
    assert_true(bytes_equal(form_value(&form, "file"), bytes_of_text("{\"a\":\r\n--1}")));
}

static void test_parts_may_be_empty_and_their_boundary_quoted(void **state)
{
    (void)state;
    VAULT_AUTO(form_finish) struct form form = {0};
    assert_done(
        parse_parts("Multipart/Form-Data;boundary=\"----b1\"", PART("file", "") PARTS_END, &form));
    assert_int_equal(form.count, 1);
    assert_non_null(form_value(&form, "file").data);
    assert_int_equal(form_value(&form, "file").size, 0);
}

static void test_what_is_no_form_of_parts_is_refused(void **state)
{
    (void)state;
    const char *const bodies[] = {
        "",
        "\r\n",
        "------b2--\r\n",
        PART("a", "1"),
        PART("a", "1") "------b1",
        PART("a", "1") "------b1x" PARTS_END,
        PART("a", "1") PART("a", "2") PARTS_END,
        PART("", "1") PARTS_END,
        PART("a", "1") PARTS_END "more",
        "------b1\r\n\r\n1\r\n" PARTS_END,
        "------b1\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\n1\r\n" PARTS_END,
        "------b1\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n" PARTS_END,
        "------b1\r\nContent-Disposition: form-data; name=\"a\"\r\n"
        "Content-Disposition: form-data; name=\"b\"\r\n\r\n1\r\n" PARTS_END,
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        assert_parts_refused(PARTS_OF, bodies[i]);
}

static void test_a_type_without_a_boundary_is_refused(void **state)
{
    (void)state;
    const char *const types[] = {
        "",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"",
        "multipart/form-data; boundary=----b1; charset=x",
        "multipart/mixed; boundary=----b1",
        ("multipart/form-data; boundary="
         "01234567890123456789012345678901234567890123456789012345678901234567890"),
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        assert_parts_refused(types[i], PART("a", "1") PARTS_END);
}

static void test_a_part_with_a_nul_is_refused(void **state)
{
    (void)state;
    struct form form;
    char body[] = PART("a", "1") PARTS_END;
    char *value = strstr(body, "\r\n\r\n") + 4;
    *value = 0;
    assert_fails(VAULT_INVALID, form_parse_parts((struct bytes){(uint8_t *)body, sizeof body - 1},
                                                 bytes_of_text(PARTS_OF), &form, &test_error));
}

static void test_parts_have_a_limit(void **state)
{
    (void)state;
    struct form form;
    VAULT_AUTO(buf_finish) struct buf body = buf_limited(65536);
    for (int i = 0; i <= FORM_FIELDS_MAX; i++)
        buf_format(&body, "------b1\r\nContent-Disposition: form-data; name=\"f%d\"\r\n\r\n1\r\n",
                   i);
    buf_text(&body, PARTS_END);
    assert_fails(VAULT_TOO_LARGE,
                 form_parse_parts(buf_view(&body), bytes_of_text(PARTS_OF), &form, &test_error));
    buf_clear(&body);
    buf_text(&body, "------b1\r\n");
    for (int i = 0; i < 200; i++)
        buf_text(&body, "X-Header: 1\r\n");
    buf_text(&body, "Content-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n" PARTS_END);
    assert_fails(VAULT_INVALID,
                 form_parse_parts(buf_view(&body), bytes_of_text(PARTS_OF), &form, &test_error));
}

int main(void)
{
    return TEST_RUN(
        test_parts_are_fields_and_so_is_a_file, test_parts_may_be_empty_and_their_boundary_quoted,
        test_what_is_no_form_of_parts_is_refused, test_a_type_without_a_boundary_is_refused,
        test_a_part_with_a_nul_is_refused, test_parts_have_a_limit, test_fields_are_found_by_name,
        test_an_empty_body_has_no_fields, test_an_empty_value_is_there,
        test_empty_pieces_are_no_fields, test_only_the_first_equals_sign_divides,
        test_plus_is_a_space_and_percent_plus_is_a_plus, test_percent_signs_stand_before_two_digits,
        test_an_encoded_ampersand_does_not_divide, test_a_percent_sign_is_decoded_once,
        test_no_nul_gets_in, test_a_field_twice_is_refused, test_a_refusal_does_not_quote,
        test_so_many_fields_and_no_more, test_values_of_every_byte_but_nul_come_through,
        test_a_finished_form_is_empty, test_a_cookie_is_found_among_others,
        test_a_cookies_name_is_compared_whole, test_a_cookie_there_twice_is_not_there,
        test_an_empty_cookie_is_there, test_odd_cookie_headers_are_read_to_their_end);
}
