/*
 * fetch - small requests to other people's servers, several at a time, within a stated time.
 *
 * For witnesses and time stamps: POST a body, take a bounded answer. No redirect is followed, no
 * proxy of the environment is used, no cookie is kept. http and https only; of https the
 * certificate must hold by the system's authorities or those in a file. Over libcurl; connections
 * are kept for the next time. One thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/base/error.h"

#define FETCH_MAX           32U /* at a time */
#define FETCH_PROBLEM_CHARS 128

struct fetcher;

/* Start the library, once, before any other thread is started; for others who use it too. */
void fetch_start(void);

/* Authorities of https in a PEM file, or NULL for the system's. The first call must come before any
 * other thread is started. */
enum vault_code fetcher_new(const char *ca_path, struct fetcher **out, struct vault_error *err)
    VAULT_MUST_CHECK;
void fetcher_free(struct fetcher **fetcher);

struct fetch {
    const char *url;                   /* borrowed */
    const char *content_type;          /* of the body */
    struct bytes body;                 /* borrowed */
    struct buf *answer;                /* emptied, then filled; its ceiling is the limit */
    unsigned status;                   /* out: of HTTP, or 0 if no whole answer came */
    char problem[FETCH_PROBLEM_CHARS]; /* out: why not */
};

/* POST them all and wait until each has its answer, or for at most timeout_ms. */
void fetch_all(struct fetcher *fetcher, struct fetch fetches[], size_t count, int64_t timeout_ms);

/* Whether it is an http or https URL that a fetch could be made to. */
bool fetch_url_is_valid(const char *url);

/* Whether nobody on a line can read it or answer in its place: https, or http to this machine. */
bool fetch_url_is_sheltered(const char *url);

/* The port that a fetch from there goes to; 0 if it is none that could be made. */
uint16_t fetch_url_port(const char *url);
