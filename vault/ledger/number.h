/*
 * number - decimal numbers as the formats of this floor spell them: digits only, no leading zero.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vault/base/buf.h"

/* Whether the text is a number of at most max in its one spelling. */
bool number_read(struct bytes text, uint64_t max, uint64_t *out);
