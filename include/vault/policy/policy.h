/*
 * policy - a bundle, loaded, resolved and compiled; it never changes again.
 *
 * A bundle is a folder (contract of the policy bundle, section 2): a catalogue that says which
 * fields, forms, purposes, service classes, atoms and obligations there are, rules in those words,
 * and tests. Loading either gives a struct policy in which every name is resolved and every rule
 * checked, or an error that says in which file, line and column, at which JSON Pointer, what is
 * wrong. There is nothing between the two.
 *
 *     catalogue.json  rules/x.json  tests/x.json  [manifest.json manifest.sig]
 *              \          |            /                     |
 *               policy_load(): read once, check, resolve, compile
 *                                |
 *                          struct policy ---- policy_find(): names become small numbers
 *                                |
 *          policy_decide() (decide.h)   policy_value_write() (value.h)
 *
 * Names are turned into numbers once, by policy_find(); a number counts from 0 in the order of the
 * ids' bytes and means something only with the policy that gave it: after a reload, look up again.
 * POLICY_NONE stands for every name the bundle does not know.
 *
 * This floor is pure: it reads no file but the bundle's, asks no clock and keeps no state. A
 * struct policy may be read by any number of threads. Call json_start() (and crypto_start())
 * before the first load.
 *
 * Limits, checked at load (section 6): see the constants below.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"
#include "vault/crypto/hash.h"

#define POLICY_RULES_MAX           65535
#define POLICY_FIELDS_MAX          4096
#define POLICY_PURPOSES_MAX        1024
#define POLICY_CLASSES_MAX         1024
#define POLICY_ATOMS_MAX           256
#define POLICY_CELL_RULES_MAX      64 /* that cover one (class, purpose, field) */
#define POLICY_CELL_ATOMS_MAX      12 /* distinct ones in those rules */
#define POLICY_ATOM_VALUES_MAX     64 /* of one ordered or set atom */
#define POLICY_OBLIGATIONS_MAX     64
#define POLICY_SERVICES_MAX        4096 /* that rules name by their id */
#define POLICY_FORMS_MAX           16   /* on one ladder */
#define POLICY_BANDS_MAX           4096 /* in one list of bands, table or set */
#define POLICY_CONSENT_DAYS_MAX    3660
#define POLICY_FILES_MAX           1024
#define POLICY_FILE_BYTES_MAX      (4UL * 1024 * 1024)
#define POLICY_BUNDLE_BYTES_MAX    (64UL * 1024 * 1024)
#define POLICY_DEPTH_MAX           16
#define POLICY_ID_CHARS_MAX        64
#define POLICY_SERVICE_CLASSES_MAX 16 /* known classes of one service in one request */

#define POLICY_NONE                UINT16_MAX /* a name that the bundle does not know */
#define POLICY_FORM_NONE           UINT8_MAX  /* a form that the field's ladder does not have */
#define POLICY_FORM_ANY            (UINT8_MAX - 1) /* no wish: the most revealing that is allowed */

struct policy;

/* What a name can be the name of. */
enum policy_kind {
    POLICY_FIELD,
    POLICY_PURPOSE,
    POLICY_CLASS,
    POLICY_ATOM,
    POLICY_OBLIGATION,
    POLICY_RULE,
    POLICY_SERVICE, /* only those that some rule names by their id */
    POLICY_KIND_COUNT
};

enum policy_language { POLICY_FR, POLICY_EN, POLICY_LANGUAGE_COUNT };

enum policy_type {
    POLICY_BOOLEAN,
    POLICY_CODE,
    POLICY_TEXT,
    POLICY_DATE,
    POLICY_IDENTIFIER,
    POLICY_ADDRESS,
    POLICY_NUMBER,
    POLICY_SERIES,
    POLICY_TYPE_COUNT
};

/* GDPR article 6.1, a to f. A set of them is an integer with bit 1 << basis for each. */
enum policy_basis {
    POLICY_CONSENT,
    POLICY_CONTRACT,
    POLICY_LEGAL_OBLIGATION,
    POLICY_VITAL_INTERESTS,
    POLICY_PUBLIC_TASK,
    POLICY_LEGITIMATE_INTERESTS,
    POLICY_BASIS_COUNT
};

enum policy_atom_kind { POLICY_ATOM_BOOLEAN, POLICY_ATOM_ORDERED, POLICY_ATOM_SET };

/* Where a bundle is wrong, for programs; the error's text says the same for people. */
struct policy_fault {
    char file[256];    /* within the folder, "rules/plie.json"; "" for the folder itself */
    size_t line;       /* from 1; 0 if the fault is no place in a text */
    size_t column;     /* from 1, in bytes */
    char pointer[256]; /* RFC 6901; "" is the whole text */
    char reason[256];
};

/*
 * Load a folder without asking for a signature: for the offline tools and for tests. If there is a
 * manifest.json it is held to all the same: every file listed, each with its size and hash, no
 * other. fault may be NULL.
 *
 * VAULT_INVALID    the bundle is wrong; err and fault say where and why
 * VAULT_TOO_LARGE  a limit is passed; likewise
 * VAULT_NOT_FOUND, VAULT_IO, VAULT_NO_MEMORY
 */
enum vault_code policy_load(const char *folder, struct policy **out, struct policy_fault *fault,
                            struct vault_error *err) VAULT_MUST_CHECK;

void policy_free(struct policy **policy);

/*
 * What the bundle is called: the manifest's, or "unsigned" and version 0 without one.
 * The hash is SHA-256 of the bytes of manifest.json. Without one it is that of the manifest which
 * signing the folder would write for the name "unsigned" and version 0: it still changes with every
 * byte of every file.
 */
const char *policy_name(const struct policy *policy);
uint64_t policy_version(const struct policy *policy);
const uint8_t *policy_manifest_hash(const struct policy *policy); /* SHA256_BYTES */

/* Whether it may decide at that time: from not_before on, and before expires. Without a manifest
 * always. policy_decide() asks this itself. */
bool policy_is_available(const struct policy *policy, int64_t now_s);

/* --- names ------------------------------------------------------------------------------------ */

size_t policy_count(const struct policy *policy, enum policy_kind kind);
uint16_t policy_find(const struct policy *policy, enum policy_kind kind, struct bytes id);
const char *policy_id(const struct policy *policy, enum policy_kind kind, uint16_t index);

/* The title (fields, purposes, classes) or the longer text (purposes; of a rule its "why"). In the
 * other language if this one is missing; NULL if there is none at all. */
const char *policy_title(const struct policy *policy, enum policy_kind kind, uint16_t index,
                         enum policy_language language);
const char *policy_text(const struct policy *policy, enum policy_kind kind, uint16_t index,
                        enum policy_language language);

const char *policy_basis_name(enum policy_basis basis); /* "public_task" */
const char *policy_type_name(enum policy_type type);

/* --- fields and their forms ------------------------------------------------------------------- */

enum policy_type policy_field_type(const struct policy *policy, uint16_t field);

/* Special categories of data, GDPR article 9. */
bool policy_field_is_special(const struct policy *policy, uint16_t field);

/* A derived field is computed, never stored. Its sources are borrowed; a source may be derived in
 * its turn. Count 0 and NULL for a field that is stored. */
bool policy_field_is_derived(const struct policy *policy, uint16_t field);
const uint16_t *policy_field_sources(const struct policy *policy, uint16_t field, size_t *count);

/* A form is a step on the ladder of the field's type, 0 the most revealing. A larger number is
 * stricter. POLICY_FORM_NONE for a name that the ladder does not have. */
size_t policy_form_count(const struct policy *policy, uint16_t field);
uint8_t policy_form_find(const struct policy *policy, uint16_t field, struct bytes name);
const char *policy_form_name(const struct policy *policy, uint16_t field, uint8_t form);

/* --- purposes, rules, obligations --------------------------------------------------------------
 */

/* The longest consent for the purpose in days ("consent_at_most_days" in the catalogue), or 0 if
 * the policy leaves it to the vault. */
unsigned policy_purpose_consent_days(const struct policy *policy, uint16_t purpose);

/* Whether an obligation is merged as the smallest number ("min"); else it is a yes ("or"). */
bool policy_obligation_is_number(const struct policy *policy, uint16_t obligation);

/* --- atoms -------------------------------------------------------------------------------------
 */

/*
 * The atoms of a request: one bit for a boolean atom, one for each value of an ordered atom ("at
 * least this") and of a set ("this holds"). A bit is true, false or unknown; unknown when the
 * request does not say or says something malformed. An array of policy_atom_words() of these is
 * what policy_decide() reads.
 */
struct policy_atom_word {
    uint64_t is_true;
    uint64_t is_unknown; /* never together with is_true */
};

#define POLICY_ATOM_WORDS_MAX POLICY_ATOMS_MAX

size_t policy_atom_words(const struct policy *policy); /* 1 to POLICY_ATOM_WORDS_MAX */

/* Make every atom unknown. */
void policy_atoms_clear(const struct policy *policy, struct policy_atom_word atoms[]);

enum policy_atom_kind policy_atom_kind(const struct policy *policy, uint16_t atom);

/* Set a boolean atom; a value of an ordered one, by its name; all values of a set, by their names
 * (none of them: count 0). A call of the wrong kind or with a name that the atom does not have
 * makes the atom unknown. */
void policy_atom_set_boolean(const struct policy *policy, struct policy_atom_word atoms[],
                             uint16_t atom, bool value);
void policy_atom_set_ordered(const struct policy *policy, struct policy_atom_word atoms[],
                             uint16_t atom, struct bytes value);
void policy_atom_set_values(const struct policy *policy, struct policy_atom_word atoms[],
                            uint16_t atom, const struct bytes values[], size_t count);

/* --- what could ever be released ----------------------------------------------------------------
 */

/* Who asks: the known classes of a service, and the service itself if rules name it. */
struct policy_actor {
    uint16_t service; /* policy_find(POLICY_SERVICE), often POLICY_NONE */
    uint16_t class_count;
    uint16_t classes[POLICY_SERVICE_CLASSES_MAX]; /* known ones only */
};

/* One field that could be released, whatever the citizen and the atoms turn out to be. */
struct policy_prospect {
    uint16_t field;
    uint8_t most;         /* the most revealing form in which it could ever come */
    uint8_t least;        /* the strictest form that a permit for it gives */
    uint8_t with_consent; /* the most revealing form that a permit on consent gives, or FORM_NONE */
    uint8_t bases;        /* the set of bases of the permits that could release it */
    uint64_t must;        /* the set of obligations that could come with it */
};

/*
 * For consent screens, the API's own-registration answer and access requests: the fields that some
 * rule of the bundle could release to this actor for this purpose at now or later, in the order of
 * their numbers. A field that an unconditional forbid takes away is not among them. Writes at most
 * policy_count(POLICY_FIELD) elements and returns how many.
 */
size_t policy_prospects(const struct policy *policy, const struct policy_actor *actor,
                        uint16_t purpose, int64_t now_s, struct policy_prospect out[]);

/*
 * What a consent page may promise of an obligation merged by "min", such as how long a service
 * keeps a value: the largest number that could come with it when the field is released to this
 * actor for this purpose on consent, at now or later. 0 if it could come without the obligation.
 */
int64_t policy_prospect_number(const struct policy *policy, const struct policy_actor *actor,
                               uint16_t purpose, uint16_t field, int64_t now_s,
                               uint16_t obligation);
