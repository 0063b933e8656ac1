/*
 * client - what a local service needs to ask citizens for consent and to read what they gave.
 *
 * The service API of a Citizen Vault (vault/edge/service-api.md) in C, over libcurl and jansson. A
 * client holds one connection, kept between calls, with the service's own certificate; the vault's
 * certificate must hold by the authority the city gave. Every call is one request, and each that
 * could be counted twice carries an Idempotency-Key of its own, so that a broken connection is
 * tried again without a second access in the citizen's log.
 *
 * This header stands alone: it needs nothing else of the project, and no names but those that begin
 * with vault_client or VAULT_CLIENT. Texts are UTF-8 and end with NUL. What a call returns is one
 * block that its own _free gives back, values overwritten; the pointers in it live as long. Calls
 * wait at most the client's time-out for each try, those with a wait so much longer. An answer may
 * have 1 MiB. One thread at a time may use a client; have one for each thread.
 *
 *     struct vault_client_error err;
 *     struct vault_client *client = NULL;
 *     if (vault_client_open(&options, &client, &err) != VAULT_CLIENT_OK)
 *         fprintf(stderr, "%s\n", err.text);
 *
 * Manual: vault_client(3). A whole program: vault/client/example/first_read.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

#define VAULT_CLIENT_FIELDS_MAX 64  /* in one question */
#define VAULT_CLIENT_WAIT_MAX_S 60U /* of a call that waits */
#define VAULT_CLIENT_ID_CHARS   63  /* of a request, a consent, a subject */

/* What became of a call. What to do is the same for all of a kind, whatever the HTTP status. */
enum vault_client_code {
    VAULT_CLIENT_OK,
    VAULT_CLIENT_USAGE, /* an argument of the call: correct the program */
    VAULT_CLIENT_NO_MEMORY,
    VAULT_CLIENT_UNREACHABLE, /* no connection, or no whole answer in time: try later */
    VAULT_CLIENT_UNTRUSTED,   /* a certificate is not accepted, the vault's or ours: ask the city */
    VAULT_CLIENT_NOT_ALLOWED, /* 401, 403: this service may not, or not any more: ask the city */
    VAULT_CLIENT_NOT_FOUND,   /* 404: no such request of this service */
    VAULT_CLIENT_OVER,        /* 409: ended already; do not repeat it */
    VAULT_CLIENT_WRONG,       /* 400, 413, 415, 422: correct what was asked; see pointer */
    VAULT_CLIENT_LATER,       /* 429, 503: wait retry_after_s */
    VAULT_CLIENT_FAILED       /* 500, or an answer that this library does not understand */
};

/* The code's name, such as "not allowed". */
const char *vault_client_code_name(enum vault_client_code code);

/* Filled when a call fails; text has what was wrong and never a value, a subject or a key. */
struct vault_client_error {
    enum vault_client_code code;
    unsigned status;        /* of HTTP, or 0 if there was no answer */
    unsigned retry_after_s; /* 0 unless LATER */
    char pointer[256];      /* RFC 6901, into the body that was sent; empty if there is none */
    char text[256];
};

struct vault_client;

struct vault_client_options {
    const char *address;          /* "https://vault.ville.example:8443" */
    const char *ca_file;          /* PEM: the authority of the vault's own certificate */
    const char *certificate_file; /* PEM: the service's, as the city signed it */
    const char *key_file;         /* PEM: the service's own, which only it can read */
    unsigned timeout_s;           /* of one try; 0 is 10 */
    unsigned tries;               /* of a call whose connection broke; 0 is 3, at most 10 */
};

/* Copy the options and look at the files; no connection is made yet. USAGE for an address that is
 * not https or a file that cannot be read. Not while other threads start: libcurl begins here. */
enum vault_client_code vault_client_open(const struct vault_client_options *options,
                                         struct vault_client **out, struct vault_client_error *err);

/* End the connection; NULL is nothing. The pointer is cleared. */
void vault_client_close(struct vault_client **client);

/* A field that is asked for. A form of NULL means the most revealing one that is allowed. */
struct vault_client_field {
    const char *name; /* "identity.birth_date" */
    const char *form; /* "year", or NULL */
};

/* --- Ask a citizen ---------------------------------------------------------------------------- */

struct vault_client_ask {
    const char *purpose;
    const struct vault_client_field *fields;
    size_t field_count;     /* 1 to VAULT_CLIENT_FIELDS_MAX */
    unsigned period_days;   /* 0: what the policy says */
    unsigned uses;          /* 0: as often as needed within the period */
    const char *message_fr; /* to the citizen, or NULL: both languages or none */
    const char *message_en;
    const char *reference; /* one's own, or NULL */
};

/* Show the code or the link to the citizen; nobody else can use them. */
struct vault_client_request {
    char id[VAULT_CLIENT_ID_CHARS + 1];
    char code[16];
    char link[512];
    char expires[32]; /* RFC 3339 */
};

/* POST /v1/access-requests. */
enum vault_client_code vault_client_ask(struct vault_client *client,
                                        const struct vault_client_ask *ask,
                                        struct vault_client_request *out,
                                        struct vault_client_error *err);

enum vault_client_state {
    VAULT_CLIENT_PENDING,
    VAULT_CLIENT_GRANTED,
    VAULT_CLIENT_REFUSED,
    VAULT_CLIENT_EXPIRED,
    VAULT_CLIENT_CANCELLED
};

struct vault_client_answer {
    enum vault_client_state state;
    char subject[VAULT_CLIENT_ID_CHARS + 1]; /* of a granted one: what this service calls them */
    char consent[VAULT_CLIENT_ID_CHARS + 1];
    char expires[32];  /* of the consent */
    int64_t uses_left; /* -1: as often as needed */
};

/* GET /v1/access-requests/{id}, which returns when there is an answer, or PENDING after wait_s. */
enum vault_client_code vault_client_wait(struct vault_client *client, const char *id,
                                         unsigned wait_s, struct vault_client_answer *out,
                                         struct vault_client_error *err);

/* DELETE /v1/access-requests/{id}: take back what was not answered yet; OVER if it was. */
enum vault_client_code vault_client_cancel(struct vault_client *client, const char *id,
                                           struct vault_client_error *err);

/* --- Read ------------------------------------------------------------------------------------- */

/* What the service itself says of the occasion, if its registration lets it. */
struct vault_client_context {
    const char *atom;  /* "assurance_at_least" */
    const char *value; /* "substantial" */
};

struct vault_client_question {
    const char *subject;
    const char *purpose;
    const struct vault_client_field *fields;
    size_t field_count; /* 1 to VAULT_CLIENT_FIELDS_MAX */
    const struct vault_client_context *context;
    size_t context_count;  /* 0 to 16 */
    const char *reference; /* one's own, or NULL */
};

struct vault_client_value {
    const char *field;
    const char *form;
    const char *text;   /* the value if it is a text, else NULL */
    const char *json;   /* the value as JSON, always */
    const char *as_of;  /* since when it has been so, or NULL */
    const char *source; /* or NULL */
};

/* What came, and what did not: never why, so that nothing can be told from it. */
struct vault_client_release {
    const char *id;
    const struct vault_client_value *values;
    size_t value_count;
    const char *const *withheld; /* names of fields */
    size_t withheld_count;
    const char *obligations; /* JSON: what binds who received this */
    unsigned retain_days;    /* the obligation to keep it no longer, or 0 if there is none */
    int64_t log_index;       /* where the public log has this access */
};

/* POST /v1/releases. Nothing released is OK, with everything withheld. OVER when the consent ended
 * between a first try and its repetition. */
enum vault_client_code vault_client_read(struct vault_client *client,
                                         const struct vault_client_question *question,
                                         struct vault_client_release **out,
                                         struct vault_client_error *err);

/* The value of a field, or NULL if it was withheld. */
const struct vault_client_value *vault_client_value_of(const struct vault_client_release *release,
                                                       const char *field);

void vault_client_release_free(struct vault_client_release **release);

/* --- Bring values ----------------------------------------------------------------------------- */

struct vault_client_deposit {
    const char *field;
    const char *json;  /* the value as JSON: "\"training\"", "{\"city\":\"Rennes\"}" */
    const char *as_of; /* "2026-03-01", or NULL for now */
};

/* PUT /v1/subjects/{subject}/fields: all are taken or none. NOT_ALLOWED without a deposit rule. */
enum vault_client_code vault_client_deposit(struct vault_client *client, const char *subject,
                                            const struct vault_client_deposit *deposits,
                                            size_t count, struct vault_client_error *err);

/* --- Hear what changed ------------------------------------------------------------------------ */

struct vault_client_change {
    int64_t n;
    const char *change; /* given narrowed withdrawn suspended resumed erased */
    const char *subject;
    const char *purpose; /* NULL when a citizen was erased: all of theirs, for any purpose */
    const char *at;      /* RFC 3339 */
    const char *fields;  /* JSON: {field: form} */
};

struct vault_client_changes {
    const struct vault_client_change *changes;
    size_t count;
    int64_t next; /* keep it once the changes are done, and say it as after */
};

/* GET /v1/consents: what came behind `after` (first 0), at most 100; waits for one up to wait_s. */
enum vault_client_code vault_client_changes_after(struct vault_client *client, int64_t after,
                                                  unsigned wait_s,
                                                  struct vault_client_changes **out,
                                                  struct vault_client_error *err);

void vault_client_changes_free(struct vault_client_changes **changes);

/* --- Oneself ---------------------------------------------------------------------------------- */

/* GET /v1/me as JSON text: the registration, and for each purpose the fields that could ever come.
 * Free it with free(). */
enum vault_client_code vault_client_me(struct vault_client *client, char **out,
                                       struct vault_client_error *err);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif
