/*
 * keyholder_wire - the messages between a worker and its keyholder (keyholder.h).
 *
 *     u8 kind, or in an answer the code   u32 size of the plain part   u16 size of the secret part
 *     plain part
 *     secret part
 *
 * One message is one packet. A request and its answer have, in this order, all integers big-endian:
 *
 *     kind         plain                                secret          answer: plain, secret
 *     open         labels, each u8 size and text        provider's      state, 32 public keys of
 *                                                       secret or none  the log; the keys by label
 *     close                                                             nothing
 *     rotate                                            the same        state
 *     drop_former                                                       state
 *     unwrap       u8 1 if it gives way, binding,                       secret: the key
 *                  wrapped key
 *     wrap         binding, wrapped key or none         key or none     wrapped key
 *     sign         u32 generation, text                                 signature
 *     status                                                            four u64
 *
 *     binding      owner, u32 version, u8 size of the use, the use
 *     state        vault's id, u32 version of the newest root, u32 number of roots
 *
 * An answer whose code is not VAULT_OK has the error's text as its plain part.
 */
#pragma once

#include <stdint.h>

#include "vault/base/buf.h"
#include "vault/crypto/secret.h"
#include "vault/store/keyring.h"

enum keyholder_kind {
    KEYHOLDER_OPEN = 1,
    KEYHOLDER_CLOSE,
    KEYHOLDER_ROTATE,
    KEYHOLDER_DROP_FORMER,
    KEYHOLDER_UNWRAP,
    KEYHOLDER_WRAP,
    KEYHOLDER_SIGN,
    KEYHOLDER_STATUS,
    KEYHOLDER_KIND_COUNT
};

#define KEYHOLDER_PLAIN_MAX_BYTES  (160UL * 1024) /* a receipt to be signed is the largest */
#define KEYHOLDER_SECRET_MAX_BYTES 1024
#define KEYHOLDER_LABELS_MAX       (KEYHOLDER_SECRET_MAX_BYTES / SECRET_KEY_BYTES)

/* One to be sent: what is in it is borrowed. */
struct keyholder_out {
    uint8_t kind;
    struct bytes plain;
    struct bytes secret;
};

/* One that was received: what is in it borrows from the frame. */
struct keyholder_in {
    uint8_t kind;
    struct bytes plain;
    struct bytes secret;
};

/* Where messages are received: their secret parts into secret memory. */
struct keyholder_frame {
    struct buf plain;
    struct secret *secret;
};

enum vault_code keyholder_frame_make(struct keyholder_frame *out, struct vault_error *err)
    VAULT_MUST_CHECK;
void keyholder_frame_wipe(struct keyholder_frame *frame);
void keyholder_frame_finish(struct keyholder_frame *frame);

enum vault_code keyholder_send(int socket, const struct keyholder_out *message,
                               struct vault_error *err) VAULT_MUST_CHECK;

/* VAULT_NOT_FOUND  the other end is closed
 * VAULT_INVALID    not one message */
enum vault_code keyholder_receive(int socket, struct keyholder_frame *frame,
                                  struct keyholder_in *out, struct vault_error *err)
    VAULT_MUST_CHECK;

void keyholder_write_binding(struct buf *out, const struct keyring_binding *binding);

/* The use is a text inside use. */
#define KEYHOLDER_USE_CHARS 31
void keyholder_read_binding(struct cursor *cursor, struct keyring_binding *out,
                            char use[KEYHOLDER_USE_CHARS + 1]);
