/*
 * assets - what the pages are made of, carried in the program: templates, texts, style, script,
 * icon.
 *
 * They are files in the tree (templates/, texts/, style/, script/), put into the program when it is
 * built. Nothing is read from the disk while it runs. All that is returned is constant and lives as
 * long as the program; every function may be called from any thread. json_start() and
 * crypto_start() come first.
 */
#pragma once

#include "vault/base/buf.h"
#include "vault/edge/template.h"

#define ASSETS_LANGUAGES     2
#define ASSETS_VERSION_CHARS 16

/* Their codes, "fr" and "en"; the first is the default. */
extern const char *const assets_languages[ASSETS_LANGUAGES];

/* The template of a name such as "home"; NULL if there is none. */
const char *assets_template(const char *name);

/* A text of the catalogue, by the language's code; NULL if there is none. */
const char *assets_text(const char *language, const char *name);

/* Schemas and parameters of the service API, as JSON. */
struct bytes assets_service_components(void);

struct bytes assets_style(void);
struct bytes assets_script(void);
struct bytes assets_icon(void);

/* Change with every byte of the file: for an address under which it may be kept for ever. */
const char *assets_style_version(void);
const char *assets_script_version(void);

/* Both of the above for template_render(). */
extern const struct template_source assets_source;
