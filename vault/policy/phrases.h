/*
 * phrases - what "explain" and "diff" say, in each language.
 *
 * A phrase has places in it, {field} for instance, which phrase_write() fills in. So a sentence
 * stands in one piece, in the order that its language wants.
 */
#pragma once

#include "model.h"
#include "vault/base/buf.h"
#include "vault/policy/decide.h"

/* One text for each language. */
struct phrase {
    const char *in[POLICY_LANGUAGE_COUNT];
};

/* What a reason means, and what would have to change. */
struct reason_phrases {
    struct phrase what;
    struct phrase change;
};

extern const struct reason_phrases reason_phrases[REASON_COUNT];
extern const struct phrase form_phrases[FORM_COUNT];
extern const struct phrase basis_phrases[POLICY_BASIS_COUNT];

enum sentence {
    SAY_REQUEST,
    SAY_RELEASED,
    SAY_NOT_RELEASED,
    SAY_RULES_RELEASE,
    SAY_RULES_FORBID,
    SAY_RULES_NEAREST,
    SAY_RULE,
    SAY_RULE_OF_BASIS,
    SAY_NO_WHY,
    SAY_DUTIES,
    SAY_CHANGE,
    SAY_NEEDS_FROM,
    SAY_NEEDS_UNTIL,
    SAY_NEEDS_TRUE,
    SAY_NEEDS_FALSE,
    SAY_NEEDS_AT_LEAST,
    SAY_NEEDS_VALUE,
    SAY_NEEDS_CONSENT,
    SAY_NEEDS_NO_OBJECTION,
    SAY_NEEDS_DUTY,
    SAY_IS_UNKNOWN,
    SAY_IS_OTHERWISE,
    SAY_FORBID_UNKNOWN,
    SAY_ONE_CLASS,
    SAY_SEVERAL_CLASSES,
    SAY_SERVICE,
    SAY_SERVICE_OF,
    SAY_GAINS,
    SAY_LOSES,
    SAY_WEAKER,
    SAY_STRICTER,
    SAY_OTHER_DUTIES,
    SAY_NO_DUTIES,
    SAY_BY_RULES,
    SAY_WITNESS,
    SAY_MAY_DEPOSIT,
    SAY_MAY_NOT_DEPOSIT,
    SAY_DERIVE,
    SAY_TYPE,
    SAY_SENSITIVITY,
    SAY_FORM,
    SAY_CONSENT_DAYS,
    SAY_EXPIRES,
    SAY_WIDER,
    SAY_BESIDES,
    SAY_SAME,
    SAY_COMPUTED,
    SAY_COUNTS,
    SAY_CUT,
    SENTENCE_COUNT
};

extern const struct phrase sentences[SENTENCE_COUNT];

/* What stands for {name}; the list ends with name NULL. */
struct place {
    const char *name;
    const char *text;
};

/* Append a phrase with its places filled in. Every place of it must be in the list. */
void phrase_write(struct buf *out, const char *phrase, const struct place places[]);
