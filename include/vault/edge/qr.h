/*
 * qr - an address as a QR code (ISO/IEC 18004), drawn as SVG: to print in a letter, or for a
 * service to show beside the address itself.
 *
 * Over libqrencode; byte mode, error correction M, which stands a crease and a stain. The picture
 * is one path of dark squares on white, with the four light squares around it that readers need,
 * and nothing in it can run.
 */
#pragma once

#include "vault/base/buf.h"
#include "vault/base/error.h"

#define QR_TEXT_BYTES_MAX 1024
#define QR_SVG_BYTES_MAX  (256U * 1024)

/* Append the picture, of so many units as it has squares a side. VAULT_INVALID: the text is empty,
 * longer than QR_TEXT_BYTES_MAX or has a NUL. */
enum vault_code qr_write_svg(struct bytes text, struct buf *out, struct vault_error *err)
    VAULT_MUST_CHECK;
