/*
 * form - what a browser sends: application/x-www-form-urlencoded bodies and cookies.
 *
 * Bounded and strict: at most FORM_FIELDS_MAX fields, no field twice, percent signs followed by two
 * hexadecimal digits, no NUL. The HTML standard's serialiser, read backwards.
 */
#pragma once

#include "vault/base/buf.h"
#include "vault/base/error.h"

#define FORM_FIELDS_MAX 64

struct form {
    struct buf text; /* owned: the decoded names and values */
    size_t count;
    struct {
        struct bytes name;
        struct bytes value;
    } fields[FORM_FIELDS_MAX]; /* they point into text */
};

/* VAULT_INVALID says what is wrong without quoting; VAULT_TOO_LARGE for too many fields. */
enum vault_code form_parse(struct bytes body, struct form *out, struct vault_error *err)
    VAULT_MUST_CHECK;
void form_finish(struct form *form);

/* The value of a field; data is NULL if it is not there. */
struct bytes form_value(const struct form *form, const char *name);

/* The value of a cookie in a Cookie header (RFC 6265 section 4.2.1); data is NULL if it is not
 * there or there twice. */
struct bytes cookie_value(struct bytes header, const char *name);
