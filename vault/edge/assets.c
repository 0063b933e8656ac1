#include "assets.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assets_data.h"
#include "vault/base/codec.h"
#include "vault/crypto/hash.h"

#define NAME_CHARS_MAX  128
#define TEXT_DEPTH_MAX  1
#define STYLE_FILE      "style/style.css"
#define SCRIPT_FILE     "script/passkey.js"
#define ICON_FILE       "style/icon.svg"
#define TEMPLATE_FORMAT "templates/%s.html"
#define TEXTS_FORMAT    "texts/%s.json"

const char *const assets_languages[ASSETS_LANGUAGES] = {"fr", "en"};

/* Read once, never changed, kept to the end. */
static json_t *texts[ASSETS_LANGUAGES];
static char style_version[ASSETS_VERSION_CHARS + 1];
static char script_version[ASSETS_VERSION_CHARS + 1];
static pthread_once_t prepared = PTHREAD_ONCE_INIT;

static int compare(const void *name, const void *asset)
{
    return strcmp(name, ((const struct asset *)asset)->name);
}

static const struct asset *find(const char *name)
{
    return bsearch(name, assets_data, assets_data_count, sizeof assets_data[0], compare);
}

static struct bytes bytes_of(const char *name)
{
    const struct asset *asset = find(name);
    return asset ? (struct bytes){(const uint8_t *)asset->text, asset->size} : (struct bytes){0};
}

static void write_version(struct bytes content, char out[ASSETS_VERSION_CHARS + 1])
{
    uint8_t hash[SHA256_BYTES];
    sha256_of(hash, content);
    hex_string(out, hash, ASSETS_VERSION_CHARS / 2);
}

/* A file that does not parse has no texts, which the first page shows and a test before that. */
static void prepare(void)
{
    char name[NAME_CHARS_MAX];
    for (size_t i = 0; i < ASSETS_LANGUAGES; i++) {
        snprintf(name, sizeof name, TEXTS_FORMAT, assets_languages[i]);
        if (json_parse(bytes_of(name), TEXT_DEPTH_MAX, &texts[i], NULL, NULL))
            texts[i] = NULL;
    }
    write_version(assets_style(), style_version);
    write_version(assets_script(), script_version);
}

const char *assets_template(const char *name)
{
    char path[NAME_CHARS_MAX];
    const int length = snprintf(path, sizeof path, TEMPLATE_FORMAT, name);
    if (length < 0 || (size_t)length >= sizeof path)
        return NULL;
    const struct asset *asset = find(path);
    return asset ? asset->text : NULL;
}

const char *assets_text(const char *language, const char *name)
{
    pthread_once(&prepared, prepare);
    for (size_t i = 0; i < ASSETS_LANGUAGES; i++) {
        if (strcmp(assets_languages[i], language) == 0)
            return json_string_value(json_object_get(texts[i], name));
    }
    return NULL;
}

struct bytes assets_service_components(void)
{
    return bytes_of("openapi/components.json");
}

struct bytes assets_style(void)
{
    return bytes_of(STYLE_FILE);
}

struct bytes assets_script(void)
{
    return bytes_of(SCRIPT_FILE);
}

struct bytes assets_icon(void)
{
    return bytes_of(ICON_FILE);
}

const char *assets_style_version(void)
{
    pthread_once(&prepared, prepare);
    return style_version;
}

const char *assets_script_version(void)
{
    pthread_once(&prepared, prepare);
    return script_version;
}

static const char *template_of(void *context, const char *name)
{
    (void)context;
    return assets_template(name);
}

static const char *text_of(void *context, const char *language, const char *name)
{
    (void)context;
    return assets_text(language, name);
}

const struct template_source assets_source = {template_of, text_of, NULL};
