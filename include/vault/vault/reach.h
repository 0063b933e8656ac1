/*
 * reach - what a consent still gives under the services and rules of now.
 *
 * A consent says what the citizen allowed, and stays as it was given. What comes of it is the least
 * of three: the consent, the service's registration, and the city's rules; the last two change. So
 * nothing is written anew when they do: this works out, whenever it is asked, what is left, for
 * who wants to tell the citizen. It decides nothing (release.h does) and it never tells of more
 * than the consent has.
 */
#pragma once

#include "vault/policy/policy.h"
#include "vault/vault/consent.h"

enum reach_of {
    REACH_WHOLE,      /* all that was allowed can come */
    REACH_LESS,       /* some fields cannot, or only in a less exact form */
    REACH_NOTHING,    /* the rules let nothing of it through now, or there are no rules */
    REACH_SUSPENDED,  /* the city suspended the service */
    REACH_NO_PURPOSE, /* the city took the purpose from the service's registration */
    REACH_REMOVED,    /* the city removed the service, or it was never there */
    REACH_COUNT
};

struct reach_field {
    bool comes;
    char form[CONSENT_FORM_CHARS + 1]; /* the most that can come; empty: as the consent has it */
};

/* Of a consent that is given or suspended, as of a time; fields has consent->field_count elements.
 * policy may be NULL: no rules. A service that cannot be looked up counts as removed. */
enum reach_of reach_of_consent(struct vault *vault, const struct policy *policy,
                               const struct consent *consent, int64_t now_s,
                               struct reach_field fields[]);
