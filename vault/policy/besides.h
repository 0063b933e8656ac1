/*
 * besides - what two bundles differ in though they may answer every request in the same way.
 *
 * Found by looking at the two catalogues and manifests, element by element; whoever may write, the
 * last of diff.h's list, is found by contrast.h and is no struct besides.
 */
#pragma once

#include <stdbool.h>

#include "vault/base/error.h"

struct policy_diff;

enum besides_kind {
    BESIDES_DERIVE,       /* a derived field is computed otherwise */
    BESIDES_TYPE,         /* a field has another type */
    BESIDES_SENSITIVITY,  /* a field is of a special category, or no longer */
    BESIDES_FORM,         /* a step of a ladder has come, gone, or has other parameters */
    BESIDES_CONSENT_DAYS, /* a purpose's consents may last longer or less long */
    BESIDES_EXPIRES,      /* the bundle ends at another time */
    BESIDES_KINDS
};

struct besides {
    struct besides *next;
    enum besides_kind kind;
    bool widens;
    const char *what; /* the id of the field, type or purpose */
    const char *old;  /* JSON; "null" for none */
    const char *new;
};

/* Add everything of these kinds to the diff's list. */
enum vault_code besides_find(struct policy_diff *diff, struct vault_error *err) VAULT_MUST_CHECK;

/* The kind's word in JSON. */
const char *besides_name(enum besides_kind kind);
