/*
 * mail - short letters, given to one relay by SMTP (RFC 5321), over libcurl.
 *
 * A relay is smtps://host[:port], or smtp://host[:port]: then the connection must become one of TLS
 * (STARTTLS, RFC 3207) before anything is said, unless the relay is this machine itself. Its
 * certificate must hold by the system's authorities or those in a file. One relay, no look-ups of
 * other people's, no password: a relay knows this machine by its address.
 *
 * A letter is text in one piece. Nothing that a person typed gets into a header but an address, and
 * only one that digest_address_is_valid() lets through. One thread at a time, but for mail_stop().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"

#define MAIL_TIMEOUT_MS     30000L /* for one letter, from connecting to its being taken */
#define MAIL_CONNECT_MS     5000L
#define MAIL_BODY_MAX_BYTES (8U * 1024)
#define MAIL_BYTES_MAX      (16U * 1024) /* as it is sent */
#define MAIL_SUBJECT_CHARS  200
#define MAIL_STOP_URL_CHARS 400

struct mail_letter {
    const char *to;
    const char *subject; /* of the catalogue */
    const char *body;    /* lines that end with \n */
    const char
        *stop_url; /* where its reader can end such letters (RFC 2369); NULL: it is one only */
    int64_t now_s;
};

struct mail_options {
    const char *relay;
    const char *from;    /* an address */
    const char *ca_path; /* a PEM file with authorities; empty: the system's */
};

struct mail;

/* Whether it is a URL of a relay, without a name or a password in it. */
bool mail_relay_is_valid(const char *url);

/* The first call must come before any other thread is started. */
enum vault_code mail_open(const struct mail_options *options, struct mail **out,
                          struct vault_error *err) VAULT_MUST_CHECK;
void mail_close(struct mail **mail);

/* Append the letter as it is sent (RFC 5322, MIME). VAULT_INVALID for an address that is none. */
enum vault_code mail_write(const char *from, const struct mail_letter *letter, struct buf *out,
                           struct vault_error *err) VAULT_MUST_CHECK;

/* VAULT_OK once the relay has it. VAULT_DENIED if the relay will never take this one (a reply of
 * 5yz), VAULT_UNAVAILABLE if it may later. Neither text names anybody. */
enum vault_code mail_send(struct mail *mail, const struct mail_letter *letter,
                          struct vault_error *err) VAULT_MUST_CHECK;

/* From any thread: what is under way ends, and nothing is sent any more. */
void mail_stop(struct mail *mail);
