/*
 * crc32c - CRC-32C (Castagnoli), RFC 3720 appendix B.4: finds bytes that were torn or damaged.
 */
#pragma once

#include <stdint.h>

#include "vault/base/buf.h"

uint32_t crc32c(struct bytes bytes);

/* The same where the processor has no instruction for it; for the tests to compare. */
uint32_t crc32c_by_tables(struct bytes bytes);
