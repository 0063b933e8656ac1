/*
 * keyholder_parts - the worker's end from inside, for keyholder.c and keyring_held.c.
 */
#pragma once

#include "keyholder_wire.h"
#include "vault/store/keyholder.h"

/*
 * One question and its answer, which borrows from the holder's frame: nobody else can ask until
 * keyholder_done(), which wipes it.
 *
 *     VAULT_AUTO(keyholder_done) struct keyholder_answer answer = {0};
 *     VAULT_TRY(keyholder_ask(holder, &question, &answer, err));
 *
 * Fails with the keyholder's own code and text where it refuses.
 */
struct keyholder_answer {
    struct keyholder *holder;
    struct cursor plain;
    struct bytes secret;
};

enum vault_code keyholder_ask(struct keyholder *holder, const struct keyholder_out *question,
                              struct keyholder_answer *answer, struct vault_error *err)
    VAULT_MUST_CHECK;
void keyholder_done(struct keyholder_answer *answer);

/* VAULT_CORRUPT unless the plain part was read to its end, and the secret part has that size. */
enum vault_code keyholder_read_whole(const struct keyholder_answer *answer, size_t secret_bytes,
                                     struct vault_error *err) VAULT_MUST_CHECK;

/* keyring_held.c: a keyring whose roots a keyholder has, and NULL for any other. */
struct keyring_held;
void keyring_held_close(struct keyring_held **held);
enum vault_code keyring_held_derive(const struct keyring_held *held, const char *label,
                                    size_t size_bytes, struct secret **out, struct vault_error *err)
    VAULT_MUST_CHECK;
enum vault_code keyring_held_wrap(const struct keyring_held *held,
                                  const struct keyring_binding *binding, const struct secret *key,
                                  struct bytes wrapped, struct buf *out, struct vault_error *err)
    VAULT_MUST_CHECK;
enum vault_code keyring_held_unwrap(const struct keyring_held *held,
                                    const struct keyring_binding *binding, struct bytes wrapped,
                                    bool gives_way, struct secret **out, struct vault_error *err)
    VAULT_MUST_CHECK;
enum vault_code keyring_held_rotate(struct keyring_held *held, const struct secret *secret,
                                    struct vault_error *err) VAULT_MUST_CHECK;
enum vault_code keyring_held_drop_former(struct keyring_held *held, struct vault_error *err)
    VAULT_MUST_CHECK;
enum vault_code keyring_held_log_signer(struct keyring_held *held, const char *origin,
                                        uint32_t generation, struct note_signer *out,
                                        struct vault_error *err) VAULT_MUST_CHECK;
uint32_t keyring_held_root_version(const struct keyring_held *held);
size_t keyring_held_root_count(const struct keyring_held *held);
