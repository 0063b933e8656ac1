/*
 * memory - SQLCipher's memory, wiped when it is given back.
 *
 * Pages stand in it in clear, and values between a statement and us. SQLCipher's own way
 * (cipher_memory_security) wipes them too, and locks them, and makes every read seven times slower;
 * wiping alone costs nothing that can be measured. The keys among it are SQLCipher's to wipe.
 */
#pragma once

#include <stdbool.h>

/* Once per process, before anything else of SQLCipher. */
void memory_start(void);

/* Whether what this thread asks for is insisted on (vault/base/insist.h) until it is told
 * otherwise: for calls of SQLCipher that do not look whether they got memory. */
void memory_insist(bool insists);
