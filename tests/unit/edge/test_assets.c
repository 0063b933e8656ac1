/* What the pages are made of, read as a whole: nothing missing, nothing unused, nothing that could
 * run or bring in markup. */
#include "test.h"

#include <glob.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

#include "edge/assets.h"
#include "edge/assets_data.h"
#include "vault/base/file.h"
#include "vault/crypto/crypto.h"

#define SOURCE_BYTES_MAX (256U * 1024)
#define NAME_CHARS       128

static bool is_template(const struct asset *asset)
{
    return strncmp(asset->name, "templates/", 10) == 0;
}

/* The texts of a language as they are in the file. */
static json_t *catalogue(const char *language)
{
    char name[NAME_CHARS];
    json_t *root = NULL;
    snprintf(name, sizeof name, "texts/%s.json", language);
    for (size_t i = 0; i < assets_data_count; i++) {
        if (strcmp(assets_data[i].name, name) == 0)
            assert_done(
                json_parse(bytes_of_text(assets_data[i].text), 1, &root, NULL, &test_error));
    }
    assert_non_null(root);
    return root;
}

static void mark_used(json_t *used, const char *name)
{
    assert_int_equal(json_object_set_new(used, name, json_true()), 0);
}

static void assert_text_exists(const char *name, const char *where)
{
    for (size_t i = 0; i < ASSETS_LANGUAGES; i++) {
        if (!assets_text(assets_languages[i], name))
            fail_msg("%s wants the text %s, which %s does not have", where, name,
                     assets_languages[i]);
    }
}

/* Call found with each mark of the text: "{{…}}" without the braces. */
static void each_mark(const char *text, void (*found)(const char *mark, const char *where, void *),
                      const char *where, void *context)
{
    for (const char *open = strstr(text, "{{"); open; open = strstr(open, "{{")) {
        char mark[NAME_CHARS];
        const char *close = strstr(open, "}}");
        assert_non_null(close);
        assert_true((size_t)(close - open) < sizeof mark);
        snprintf(mark, sizeof mark, "%.*s", (int)(close - open - 2), open + 2);
        found(mark, where, context);
        open = close;
    }
}

static void note_text(const char *mark, const char *where, void *used)
{
    if (strncmp(mark, "t ", 2) != 0 || mark[2] == '.')
        return;
    assert_text_exists(mark + 2, where);
    mark_used(used, mark + 2);
}

static void note_template(const char *mark, const char *where, void *used)
{
    if (mark[0] != '>')
        return;
    if (!assets_template(mark + 2))
        fail_msg("%s wants the template %s", where, mark + 2);
    mark_used(used, mark + 2);
}

/* Call found with each string in the C sources of the pages and of letters. */
static void each_literal(void (*found)(const char *literal, const char *where, void *),
                         void *context)
{
    glob_t sources;
    assert_int_equal(glob(EDGE_FOLDER "/pages*.c", 0, NULL, &sources), 0);
    assert_int_equal(glob(EDGE_FOLDER "/auditor*.c", GLOB_APPEND, NULL, &sources), 0);
    assert_int_equal(glob(EDGE_FOLDER "/mailer*.c", GLOB_APPEND, NULL, &sources), 0);
    for (size_t i = 0; i < sources.gl_pathc; i++) {
        VAULT_AUTO(buf_finish) struct buf text = buf_limited(SOURCE_BYTES_MAX);
        assert_done(file_read(sources.gl_pathv[i], &text, &test_error));
        for (const char *p = strchr(buf_string(&text), '"'); p; p = strchr(p, '"')) {
            char literal[NAME_CHARS];
            const size_t size = strcspn(p + 1, "\"\n");
            snprintf(literal, sizeof literal, "%.*s", (int)size, p + 1);
            found(literal, sources.gl_pathv[i], context);
            p += size + 2;
        }
    }
    globfree(&sources);
}

static regex_t text_name; /* what looks like the name of a text */

static void note_literal_text(const char *literal, const char *where, void *used)
{
    const char *ending = strrchr(literal, '.');
    const bool is_file = ending && (!strcmp(ending, ".h") || !strcmp(ending, ".json"));
    if (is_file || regexec(&text_name, literal, 0, NULL, 0) != 0)
        return;
    assert_text_exists(literal, where);
    mark_used(used, literal);
}

static void note_literal_template(const char *literal, const char *where, void *used)
{
    (void)where;
    if (assets_template(literal))
        mark_used(used, literal);
}

static void test_every_text_exists_and_none_is_unused(void **state)
{
    (void)state;
    VAULT_AUTO(json_free) json_t *used = json_object();
    VAULT_AUTO(json_free) json_t *texts = catalogue("fr");
    assert_int_equal(
        regcomp(&text_name, "^[a-z][a-z0-9_]*([.][a-z0-9_]+)+$", REG_EXTENDED | REG_NOSUB), 0);
    for (size_t i = 0; i < assets_data_count; i++) {
        if (is_template(&assets_data[i]))
            each_mark(assets_data[i].text, note_text, assets_data[i].name, used);
    }
    each_literal(note_literal_text, used);
    regfree(&text_name);
    const char *name;
    json_t *text;
    json_object_foreach(texts, name, text)
    {
        if (!json_object_get(used, name))
            fail_msg("the text %s is not used", name);
    }
    assert_true(json_object_size(used) > 100);
}

static void test_both_languages_have_the_same_texts(void **state)
{
    (void)state;
    VAULT_AUTO(json_free) json_t *french = catalogue("fr");
    VAULT_AUTO(json_free) json_t *english = catalogue("en");
    const char *name;
    json_t *text;
    json_object_foreach(french, name, text)
    {
        if (!json_object_get(english, name))
            fail_msg("%s is not in English", name);
    }
    assert_int_equal(json_object_size(french), json_object_size(english));
}

/* The placeholders of a text, each once, in alphabetical order. */
static void placeholders(const char *text, char out[NAME_CHARS])
{
    VAULT_AUTO(json_free) json_t *found = json_object();
    VAULT_AUTO(buf_finish) struct buf written = buf_limited(NAME_CHARS);
    for (const char *p = strchr(text, '{'); p; p = strchr(p + 1, '{')) {
        char name[NAME_CHARS];
        const size_t size = strcspn(p + 1, "}");
        assert_int_equal(p[1 + size], '}');
        snprintf(name, sizeof name, "%.*s", (int)size, p + 1);
        mark_used(found, name);
    }
    json_write_value(&written, found);
    snprintf(out, NAME_CHARS, "%s", buf_string(&written));
}

static void test_placeholders_agree_between_languages(void **state)
{
    (void)state;
    VAULT_AUTO(json_free) json_t *french = catalogue("fr");
    const char *name;
    json_t *text;
    json_object_foreach(french, name, text)
    {
        char in_french[NAME_CHARS];
        char in_english[NAME_CHARS];
        placeholders(json_string_value(text), in_french);
        placeholders(assets_text("en", name), in_english);
        if (strcmp(in_french, in_english) != 0)
            fail_msg("%s: %s in French, %s in English", name, in_french, in_english);
    }
}

static void test_texts_are_plain_and_not_empty(void **state)
{
    (void)state;
    for (size_t i = 0; i < ASSETS_LANGUAGES; i++) {
        VAULT_AUTO(json_free) json_t *texts = catalogue(assets_languages[i]);
        const char *name;
        json_t *text;
        json_object_foreach(texts, name, text)
        {
            assert_true(json_is_string(text));
            if (json_string_length(text) == 0 || strpbrk(json_string_value(text), "<>&\n\t") ||
                strstr(json_string_value(text), "{{"))
                fail_msg("%s in %s is empty or holds markup", name, assets_languages[i]);
        }
    }
}

/* French sets a space before these, one at which no line is broken; English none. */
static void test_punctuation_is_each_languages_own(void **state)
{
    (void)state;
    VAULT_AUTO(json_free) json_t *french = catalogue("fr");
    VAULT_AUTO(json_free) json_t *english = catalogue("en");
    const char *name;
    json_t *text;
    json_object_foreach(french, name, text)
    {
        const char *value = json_string_value(text);
        for (size_t i = 0; value[i]; i++) {
            const bool is_open_space = i > 0 && value[i - 1] == ' ';
            const bool is_no_space = i > 0 && (unsigned char)value[i - 1] != 0xa0;
            if (strchr("?!;:", value[i]) && (is_open_space || is_no_space))
                fail_msg("%s: no unbreakable space before a sign", name);
            if (value[i] == '\'')
                fail_msg("%s: a straight apostrophe", name);
        }
    }
    json_object_foreach(english, name, text)
    {
        if (strstr(json_string_value(text), " ?") || strstr(json_string_value(text), " :") ||
            strchr(json_string_value(text), '\''))
            fail_msg("%s: a space before a sign, or a straight apostrophe", name);
    }
}

static void test_every_template_is_used_and_every_used_one_exists(void **state)
{
    (void)state;
    VAULT_AUTO(json_free) json_t *used = json_object();
    for (size_t i = 0; i < assets_data_count; i++) {
        if (is_template(&assets_data[i]))
            each_mark(assets_data[i].text, note_template, assets_data[i].name, used);
    }
    each_literal(note_literal_template, used);
    for (size_t i = 0; i < assets_data_count; i++) {
        char name[NAME_CHARS];
        if (!is_template(&assets_data[i]))
            continue;
        snprintf(name, sizeof name, "%.*s", (int)(strlen(assets_data[i].name) - 15),
                 assets_data[i].name + 10);
        if (!json_object_get(used, name))
            fail_msg("the template %s is not used", name);
    }
}

static void assert_no_match(const struct asset *asset, const char *pattern, const char *what)
{
    regex_t regex;
    assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_ICASE | REG_NOSUB), 0);
    const bool matches = regexec(&regex, asset->text, 0, NULL, 0) == 0;
    regfree(&regex);
    if (matches)
        fail_msg("%s: %s", asset->name, what);
}

static void test_templates_hold_nothing_that_runs(void **state)
{
    (void)state;
    for (size_t i = 0; i < assets_data_count; i++) {
        if (!is_template(&assets_data[i]))
            continue;
        if (strcmp(assets_data[i].name, "templates/head.html") != 0)
            assert_no_match(&assets_data[i], "<script", "a script");
        assert_no_match(&assets_data[i], "<style", "an inline style sheet");
        assert_no_match(&assets_data[i], "[[:space:]\"]style=", "an inline style");
        assert_no_match(&assets_data[i], "[[:space:]\"]on[a-z]+=", "an event handler");
        assert_no_match(&assets_data[i], "javascript:|data:|https?://", "an address elsewhere");
        assert_no_match(&assets_data[i], "<(iframe|object|embed|base|math)", "an element");
        /* Of SVG only shapes and words. */
        assert_no_match(&assets_data[i], "<(foreignobject|use|image|animate|set|a xlink)",
                        "an element of SVG that brings in or moves something");
        assert_no_match(&assets_data[i], "<!--", "a comment");
    }
}

/* The one script is a file of ours, and only pages that name it bring it. */
static void test_the_one_script_is_a_file(void **state)
{
    (void)state;
    static const char element[] =
        "{{#script}}\n<script src=\"{{script}}\" defer></script>\n{{/script}}";
    const char *head = assets_template("head");
    const char *first = strstr(head, "<script");
    const struct bytes script = assets_script();
    const struct asset asset = {"passkey.js", (const char *)script.data, script.size};
    assert_non_null(strstr(head, element));
    assert_null(strstr(first + 1, "<script"));
    assert_true(script.size > 1000);
    assert_no_match(&asset, "innerHTML|outerHTML|document.write|eval|Function\\(|import|https?:",
                    "what could run or bring in other script");
}

/* Walk a template outside its marks: where it is in a tag, a value may stand only in quotes, and an
 * attribute's value is always in quotes. */
static void assert_marks_are_quoted(const struct asset *asset)
{
    bool in_tag = false;
    bool in_quotes = false;
    for (const char *p = asset->text; *p; p++) {
        if (p[0] == '{' && p[1] == '{') {
            if (in_tag && !in_quotes && !strchr("#^/", p[2]))
                fail_msg("%s: a value in a tag outside quotes: %.30s", asset->name, p);
            p = strstr(p, "}}") + 1;
            continue;
        }
        if (*p == '\'' && in_tag && !in_quotes)
            fail_msg("%s: an attribute in single quotes", asset->name);
        if (*p == '=' && in_tag && !in_quotes && p[1] != '"')
            fail_msg("%s: an attribute without quotes: %.30s", asset->name, p);
        if (*p == '"' && in_tag)
            in_quotes = !in_quotes;
        if (!in_quotes && (*p == '<' || *p == '>')) {
            if ((*p == '<') == in_tag)
                fail_msg("%s: a tag inside a tag, or an end without one", asset->name);
            in_tag = *p == '<';
        }
    }
    assert_false(in_tag || in_quotes);
}

static void test_values_in_tags_stand_in_double_quotes(void **state)
{
    (void)state;
    for (size_t i = 0; i < assets_data_count; i++) {
        if (is_template(&assets_data[i]))
            assert_marks_are_quoted(&assets_data[i]);
    }
}

static void test_every_form_that_is_posted_carries_the_token(void **state)
{
    (void)state;
    size_t forms = 0;
    for (size_t i = 0; i < assets_data_count; i++) {
        if (!is_template(&assets_data[i]))
            continue;
        for (const char *p = strstr(assets_data[i].text, "<form method=\"post\""); p;
             p = strstr(p + 1, "<form method=\"post\"")) {
            const char *end = strstr(p, "</form>");
            const char *token = strstr(p, "name=\"form_token\" value=\"{{form_token}}\"");
            if (!end || !token || token > end)
                fail_msg("%s: a form without the token: %.60s", assets_data[i].name, p);
            forms++;
        }
        assert_null(strstr(assets_data[i].text, "<form action"));
    }
    assert_true(forms >= 8);
}

static void test_the_hooks_are_those_of_the_contract(void **state)
{
    (void)state;
    static const char *const hooks[] = {
        "login",        "logout",         "lang-fr",     "lang-en",          "request-open",
        "consent-give", "consent-refuse", "withdraw",    "withdraw-confirm", "suspend",
        "resume",       "pause-all",      "resume-all",  "object",           "reauth",
        "export",       "erase",          "passkey-add", "passkey-login",    "mandate-give",
        "mandate-end",  "field-edit",     "report",
    };
    const size_t count = sizeof hooks / sizeof hooks[0];
    bool seen[sizeof hooks / sizeof hooks[0]] = {false};
    for (size_t i = 0; i < assets_data_count; i++) {
        for (const char *p = strstr(assets_data[i].text, "data-action=\""); p;
             p = strstr(p + 1, "data-action=\"")) {
            char hook[NAME_CHARS];
            size_t j = 0;
            snprintf(hook, sizeof hook, "%.*s", (int)strcspn(p + 13, "\""), p + 13);
            while (j < count && strcmp(hooks[j], hook) != 0)
                j++;
            if (j == count)
                fail_msg("%s: a hook that the contract does not have: %s", assets_data[i].name,
                         hook);
            seen[j] = true;
        }
    }
    for (size_t j = 0; j < count; j++)
        assert_true(seen[j]);
}

static void test_the_style_brings_in_nothing_from_elsewhere(void **state)
{
    (void)state;
    const struct bytes style = assets_style();
    const struct asset asset = {"style.css", (const char *)style.data, style.size};
    assert_true(style.size > 1000);
    assert_no_match(&asset, "@import|@font-face|https?:|//|data:|expression", "from elsewhere");
    const char *address = strstr(asset.text, "url(");
    assert_non_null(address);
    assert_memory_equal(address, "url(\"/icon.svg\")", 16);
    assert_null(strstr(address + 1, "url("));
}

static void test_the_icon_is_a_picture_without_script(void **state)
{
    (void)state;
    const struct bytes icon = assets_icon();
    const struct asset asset = {"icon.svg", (const char *)icon.data, icon.size};
    assert_memory_equal(asset.text, "<svg ", 5);
    assert_no_match(&asset, "<script|style=|<foreignObject|href|on[a-z]+=", "more than a picture");
}

static void test_assets_are_found_by_name_and_others_are_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < assets_data_count; i++) {
        assert_int_equal(strlen(assets_data[i].text), assets_data[i].size);
        if (i)
            assert_true(strcmp(assets_data[i - 1].name, assets_data[i].name) < 0);
    }
    assert_non_null(assets_template("home"));
    assert_null(assets_template("hom"));
    assert_null(assets_template("homes"));
    assert_null(assets_template(""));
    assert_null(assets_template("../texts/fr.json"));
    char name[400];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = 0;
    assert_null(assets_template(name));
    assert_null(assets_text("fr", "nothing.like.it"));
    assert_null(assets_text("de", "site.name"));
    assert_null(assets_text("", "site.name"));
    assert_string_equal(assets_text("en", "site.name"), "Citizen Vault");
}

static void test_the_styles_version_is_of_its_bytes(void **state)
{
    (void)state;
    assert_int_equal(strlen(assets_style_version()), ASSETS_VERSION_CHARS);
    assert_int_equal(strspn(assets_style_version(), "0123456789abcdef"), ASSETS_VERSION_CHARS);
}

static void test_the_source_gives_templates_and_texts(void **state)
{
    (void)state;
    assert_ptr_equal(assets_source.template_of(assets_source.context, "home"),
                     assets_template("home"));
    assert_ptr_equal(assets_source.text_of(assets_source.context, "fr", "site.name"),
                     assets_text("fr", "site.name"));
}

int main(void)
{
    json_start();
    if (crypto_start(true, NULL))
        return 1;
    return TEST_RUN(
        test_every_text_exists_and_none_is_unused, test_both_languages_have_the_same_texts,
        test_placeholders_agree_between_languages, test_texts_are_plain_and_not_empty,
        test_punctuation_is_each_languages_own,
        test_every_template_is_used_and_every_used_one_exists,
        test_templates_hold_nothing_that_runs, test_the_one_script_is_a_file,
        test_values_in_tags_stand_in_double_quotes,
        test_every_form_that_is_posted_carries_the_token, test_the_hooks_are_those_of_the_contract,
        test_the_style_brings_in_nothing_from_elsewhere, test_the_icon_is_a_picture_without_script,
        test_assets_are_found_by_name_and_others_are_not, test_the_styles_version_is_of_its_bytes,
        test_the_source_gives_templates_and_texts);
}
