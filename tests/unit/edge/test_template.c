#include "test.h"

#include "vault/edge/template.h"

struct source {
    const char *names[8];
    const char *templates[8];
    const char *texts[16]; /* language, name, text, … */
};

static const char *template_of(void *context, const char *name)
{
    const struct source *source = context;
    for (size_t i = 0; i < 8 && source->names[i]; i++) {
        if (strcmp(source->names[i], name) == 0)
            return source->templates[i];
    }
    return NULL;
}

static const char *text_of(void *context, const char *language, const char *name)
{
    const struct source *source = context;
    for (size_t i = 0; i + 2 < 16 && source->texts[i]; i += 3) {
        if (strcmp(source->texts[i], language) == 0 && strcmp(source->texts[i + 1], name) == 0)
            return source->texts[i + 2];
    }
    return NULL;
}

static struct buf page;

static enum vault_code render_from(struct source *source, const char *name, const char *language,
                                   const char *json)
{
    VAULT_AUTO(json_free) json_t *data = NULL;
    assert_done(json_parse(bytes_of_text(json), 32, &data, NULL, &test_error));
    const struct template_source from = {template_of, text_of, source};
    page = buf_limited(64 * 1024);
    return template_render(&from, name, language, data, &page, &test_error);
}

static enum vault_code render(const char *text, const char *json)
{
    struct source source = {.names = {"page"}, .templates = {text}};
    return render_from(&source, "page", "en", json);
}

static void assert_page(const char *text, const char *json, const char *expected)
{
    assert_done(render(text, json));
    assert_string_equal(buf_string(&page), expected);
    buf_finish(&page);
}

static void assert_broken(const char *text, const char *json)
{
    assert_fails(VAULT_INVALID, render(text, json));
    buf_finish(&page);
}

static void test_plain_text_comes_out_as_it_is(void **state)
{
    (void)state;
    assert_page("", "{}", "");
    assert_page("<p class=\"a\">é & { } {a}</p>\n", "{}", "<p class=\"a\">é & { } {a}</p>\n");
}

static void test_a_value_is_escaped_for_text_and_quoted_attributes(void **state)
{
    (void)state;
    assert_page("<a title=\"{{x}}\">{{x}}</a>", "{\"x\":\"<i>'\\\"&\"}",
                "<a title=\"&lt;i&gt;&#39;&quot;&amp;\">&lt;i&gt;&#39;&quot;&amp;</a>");
}

static void test_a_script_in_a_value_is_text(void **state)
{
    (void)state;
    assert_page("{{x}}", "{\"x\":\"</title><script>alert(1)</script>\"}",
                "&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;");
    assert_page("<input value=\"{{x}}\">", "{\"x\":\"\\\" autofocus onfocus=\\\"x()\"}",
                "<input value=\"&quot; autofocus onfocus=&quot;x()\">");
}

static void test_marks_in_a_value_are_not_read_again(void **state)
{
    (void)state;
    assert_page("{{x}}", "{\"x\":\"{{y}}{{> page}}\",\"y\":\"no\"}", "{{y}}{{&gt; page}}");
}

static void test_escaping_twice_shows_what_was_typed(void **state)
{
    (void)state;
    assert_page("{{x}}", "{\"x\":\"&lt;b&gt;\"}", "&amp;lt;b&amp;gt;");
}

static void test_escape_leaves_every_other_byte(void **state)
{
    (void)state;
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(2048);
    uint8_t all[256];
    for (unsigned i = 0; i < 256; i++)
        all[i] = (uint8_t)i;
    template_escape(&out, (struct bytes){all, sizeof all});
    assert_int_equal(out.size, 256 - 5 + strlen("&amp;&lt;&gt;&quot;&#39;"));
}

static void test_a_missing_name_is_empty(void **state)
{
    (void)state;
    assert_page("[{{x}}][{{x.y.z}}][{{}}]", "{}", "[][][]");
}

static void test_numbers_are_written_and_other_kinds_are_not(void **state)
{
    (void)state;
    assert_page("{{i}} {{n}}|{{t}}|{{o}}|{{l}}|{{u}}",
                "{\"i\":42,\"n\":-7,\"t\":true,\"o\":{\"a\":1},\"l\":[1],\"u\":null}", "42 -7||||");
}

static void test_a_dotted_name_goes_into_members(void **state)
{
    (void)state;
    assert_page("{{a.b.c}}{{a.x}}", "{\"a\":{\"b\":{\"c\":\"deep\"}}}", "deep");
}

static void test_spaces_in_a_mark_mean_nothing_before_the_name(void **state)
{
    (void)state;
    assert_page("{{ x}}{{# x}}y{{/ x}}", "{\"x\":\"v\"}", "vy");
}

static void test_a_section_repeats_for_each_element(void **state)
{
    (void)state;
    assert_page("{{#l}}<{{n}}>{{/l}}", "{\"l\":[{\"n\":1},{\"n\":2},{\"n\":3}]}", "<1><2><3>");
    assert_page("{{#l}}x{{/l}}", "{\"l\":[]}", "");
}

static void test_an_element_comes_before_what_is_around_it(void **state)
{
    (void)state;
    assert_page("{{#l}}{{a}}{{b}} {{/l}}{{a}}",
                "{\"a\":\"outer\",\"b\":\"!\",\"l\":[{\"a\":\"inner\"},{}]}",
                "inner! outer! outer");
}

static void test_a_section_of_an_object_opens_it(void **state)
{
    (void)state;
    assert_page("{{#o}}{{a}}{{/o}}", "{\"o\":{\"a\":\"in\"}}", "in");
}

static void test_what_counts_as_there(void **state)
{
    (void)state;
    static const char text[] = "{{#x}}yes{{/x}}{{^x}}no{{/x}}";
    assert_page(text, "{\"x\":true}", "yes");
    assert_page(text, "{\"x\":\"a\"}", "yes");
    assert_page(text, "{\"x\":0}", "yes");
    assert_page(text, "{\"x\":{}}", "yes");
    assert_page(text, "{\"x\":[{}]}", "yes");
    assert_page(text, "{\"x\":false}", "no");
    assert_page(text, "{\"x\":null}", "no");
    assert_page(text, "{\"x\":\"\"}", "no");
    assert_page(text, "{\"x\":[]}", "no");
    assert_page(text, "{}", "no");
}

static void test_sections_of_the_same_name_nest(void **state)
{
    (void)state;
    assert_page("{{#x}}a{{#x}}b{{/x}}c{{/x}}", "{\"x\":true}", "abc");
    assert_page("{{^x}}a{{^x}}b{{/x}}c{{/x}}d", "{}", "abcd");
    assert_page("{{#x}}a{{^x}}b{{/x}}c{{/x}}d", "{\"x\":true}", "acd");
}

static void test_a_section_that_does_not_end_is_an_error(void **state)
{
    (void)state;
    assert_broken("{{#x}}a", "{\"x\":true}");
    assert_broken("{{#x}}a", "{}");
    assert_broken("{{#x}}{{#x}}{{/x}}", "{\"x\":true}");
    assert_broken("{{#x}}{{/y}}", "{\"x\":true}");
}

static void test_an_end_without_a_beginning_is_an_error(void **state)
{
    (void)state;
    assert_broken("{{/x}}", "{}");
    assert_broken("{{#x}}{{/y}}{{/x}}", "{\"x\":true}");
}

static void test_a_mark_that_does_not_close_is_an_error(void **state)
{
    (void)state;
    assert_broken("a {{x", "{\"x\":\"v\"}");
    assert_broken("{{x}} {{> page ", "{\"x\":\"v\"}");
}

static void test_another_template_is_brought_in(void **state)
{
    (void)state;
    struct source source = {.names = {"page", "part"},
                            .templates = {"[{{> part}}][{{#l}}{{> part}}{{/l}}]", "{{x}}"}};
    assert_done(render_from(&source, "page", "en", "{\"x\":\"<\",\"l\":[{\"x\":1},{\"x\":2}]}"));
    assert_string_equal(buf_string(&page), "[&lt;][12]");
    buf_finish(&page);
}

static void test_an_unknown_template_is_named(void **state)
{
    (void)state;
    assert_broken("{{> nowhere}}", "{}");
    assert_non_null(strstr(test_error.text, "nowhere"));
}

static void test_a_template_that_brings_in_itself_ends(void **state)
{
    (void)state;
    assert_broken("a{{> page}}", "{}");
}

static void test_sections_nest_only_so_deep(void **state)
{
    (void)state;
    struct source source = {.names = {"page"}, .templates = {"{{#x}}{{> page}}{{/x}}"}};
    assert_fails(VAULT_INVALID, render_from(&source, "page", "en", "{\"x\":true}"));
    buf_finish(&page);
}

static void test_a_text_comes_in_the_pages_language(void **state)
{
    (void)state;
    struct source source = {.names = {"page"},
                            .templates = {"{{t hello}}"},
                            .texts = {"fr", "hello", "bonjour", "en", "hello", "good day"}};
    assert_done(render_from(&source, "page", "fr", "{}"));
    assert_string_equal(buf_string(&page), "bonjour");
    buf_finish(&page);
    assert_done(render_from(&source, "page", "en", "{}"));
    assert_string_equal(buf_string(&page), "good day");
    buf_finish(&page);
}

static void test_a_text_is_escaped_and_so_is_what_it_holds(void **state)
{
    (void)state;
    struct source source = {
        .names = {"page"}, .templates = {"{{t a}}"}, .texts = {"en", "a", "<b> & {x} {n} {gone}."}};
    assert_done(render_from(&source, "page", "en", "{\"x\":\"<s>{n}\",\"n\":3}"));
    assert_string_equal(buf_string(&page), "&lt;b&gt; &amp; &lt;s&gt;{n} 3 .");
    buf_finish(&page);
}

static void test_a_text_can_be_named_by_a_value(void **state)
{
    (void)state;
    struct source source = {
        .names = {"page"}, .templates = {"{{t .which}}"}, .texts = {"en", "a.b", "found"}};
    assert_done(render_from(&source, "page", "en", "{\"which\":\"a.b\"}"));
    assert_string_equal(buf_string(&page), "found");
    buf_finish(&page);
    assert_fails(VAULT_INVALID, render_from(&source, "page", "en", "{\"which\":\"zzz\"}"));
    buf_finish(&page);
    assert_fails(VAULT_INVALID, render_from(&source, "page", "en", "{}"));
    buf_finish(&page);
}

static void test_an_unknown_text_is_an_error_and_not_a_gap(void **state)
{
    (void)state;
    assert_broken("{{t nothing}}", "{}");
    assert_non_null(strstr(test_error.text, "nothing"));
    assert_non_null(strstr(test_error.text, "page"));
}

static void test_a_text_whose_brace_does_not_close_ends(void **state)
{
    (void)state;
    struct source source = {
        .names = {"page"}, .templates = {"{{t a}}|"}, .texts = {"en", "a", "x {y"}};
    assert_done(render_from(&source, "page", "en", "{\"y\":\"z\"}"));
    assert_string_equal(buf_string(&page), "x z|");
    buf_finish(&page);
}

static void test_a_name_that_begins_with_t_is_a_value(void **state)
{
    (void)state;
    assert_page("{{title}}{{t}}", "{\"title\":\"a\",\"t\":\"b\"}", "ab");
}

static void test_a_page_over_its_ceiling_is_an_error(void **state)
{
    (void)state;
    struct source source = {.names = {"page"}, .templates = {"{{#l}}0123456789{{/l}}"}};
    const struct template_source from = {template_of, text_of, &source};
    VAULT_AUTO(json_free) json_t *data = NULL;
    assert_done(json_parse(BYTES("{\"l\":[1,2,3]}"), 4, &data, NULL, &test_error));
    VAULT_AUTO(buf_finish) struct buf out = buf_limited(25);
    assert_fails(VAULT_TOO_LARGE, template_render(&from, "page", "en", data, &out, &test_error));
}

static void test_elements_that_are_no_objects_still_count(void **state)
{
    (void)state;
    assert_page("{{#l}}{{x}}.{{/l}}", "{\"x\":\"o\",\"l\":[1,\"s\",null]}", "o.o.o.");
}

int main(void)
{
    json_start();
    return TEST_RUN(
        test_plain_text_comes_out_as_it_is, test_a_value_is_escaped_for_text_and_quoted_attributes,
        test_a_script_in_a_value_is_text, test_marks_in_a_value_are_not_read_again,
        test_escaping_twice_shows_what_was_typed, test_escape_leaves_every_other_byte,
        test_a_missing_name_is_empty, test_numbers_are_written_and_other_kinds_are_not,
        test_a_dotted_name_goes_into_members, test_spaces_in_a_mark_mean_nothing_before_the_name,
        test_a_section_repeats_for_each_element, test_an_element_comes_before_what_is_around_it,
        test_a_section_of_an_object_opens_it, test_what_counts_as_there,
        test_sections_of_the_same_name_nest, test_a_section_that_does_not_end_is_an_error,
        test_an_end_without_a_beginning_is_an_error, test_a_mark_that_does_not_close_is_an_error,
        test_another_template_is_brought_in, test_an_unknown_template_is_named,
        test_a_template_that_brings_in_itself_ends, test_sections_nest_only_so_deep,
        test_a_text_comes_in_the_pages_language, test_a_text_is_escaped_and_so_is_what_it_holds,
        test_a_text_can_be_named_by_a_value, test_an_unknown_text_is_an_error_and_not_a_gap,
        test_a_text_whose_brace_does_not_close_ends, test_a_name_that_begins_with_t_is_a_value,
        test_a_page_over_its_ceiling_is_an_error, test_elements_that_are_no_objects_still_count);
}
