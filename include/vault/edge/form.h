/*
 * form - what a browser sends: bodies of forms, and cookies.
 *
 * Bounded and strict: at most FORM_FIELDS_MAX fields, no field twice, no NUL, percent signs
 * followed by two hexadecimal digits. The HTML standard's serialisers, read backwards.
 */
#pragma once

#include "vault/base/buf.h"
#include "vault/base/error.h"

#define FORM_TYPE       "application/x-www-form-urlencoded"
#define FORM_PARTS_TYPE "multipart/form-data"
#define FORM_FIELDS_MAX 64

struct form {
    struct buf text; /* owned: the decoded names and values */
    size_t count;
    struct {
        struct bytes name;
        struct bytes value;
    } fields[FORM_FIELDS_MAX]; /* they point into text */
};

/* Read application/x-www-form-urlencoded. VAULT_INVALID says what is wrong without quoting;
 * VAULT_TOO_LARGE for too many fields. */
enum vault_code form_parse(struct bytes body, struct form *out, struct vault_error *err)
    VAULT_MUST_CHECK;
/* The same of multipart/form-data (RFC 7578), which a form with a file has: what a file holds is
 * its field's value, and its name is not looked at. The type is the Content-Type header's value.
 * VAULT_INVALID too for a type that is another. */
enum vault_code form_parse_parts(struct bytes body, struct bytes type, struct form *out,
                                 struct vault_error *err) VAULT_MUST_CHECK;

void form_finish(struct form *form);

/* The value of a field; data is NULL if it is not there. */
struct bytes form_value(const struct form *form, const char *name);

/* The value of a cookie in a Cookie header (RFC 6265 section 4.2.1); data is NULL if it is not
 * there or there twice. */
struct bytes cookie_value(struct bytes header, const char *name);
