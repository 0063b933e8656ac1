#include "vault/edge/qr.h"

#include <qrencode.h>
#include <string.h>

#define QUIET 4 /* squares, section 6.3.8 of the standard */

/* The lowest bit of each byte of the library's says whether a square is dark. */
static void draw_row(const QRcode *code, int y, struct buf *out)
{
    const unsigned char *row = code->data + (ptrdiff_t)y * code->width;
    for (int x = 0; x < code->width; x++) {
        int dark = 0;
        while (x + dark < code->width && row[x + dark] & 1)
            dark++;
        if (dark)
            buf_format(out, "M%d %dh%dv1h-%dz", x + QUIET, y + QUIET, dark, dark);
        x += dark;
    }
}

static void draw(const QRcode *code, struct buf *out)
{
    const int side = code->width + 2 * QUIET;
    buf_format(out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
               "shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h%dv%dh-%dz\"/>"
               "<path fill=\"#000\" d=\"",
               side, side, side, side, side);
    for (int y = 0; y < code->width; y++)
        draw_row(code, y, out);
    buf_text(out, "\"/></svg>");
}

enum vault_code qr_write_svg(struct bytes text, struct buf *out, struct vault_error *err)
{
    if (!text.size || text.size > QR_TEXT_BYTES_MAX || memchr(text.data, 0, text.size))
        return vault_fail(err, VAULT_INVALID, "a QR code has 1 to %d bytes of text",
                          QR_TEXT_BYTES_MAX);
    QRcode *code = QRcode_encodeData((int)text.size, text.data, 0, QR_ECLEVEL_M);
    if (!code)
        return vault_fail(err, VAULT_NO_MEMORY, "out of memory");
    draw(code, out);
    QRcode_free(code);
    return buf_check(out, err);
}
