/*
 * memory - SQLCipher's memory, wiped when it is given back.
 *
 * Pages stand in it in clear, and values between a statement and us. SQLCipher's own way
 * (cipher_memory_security) wipes them too, and locks them, and makes every read seven times slower;
 * wiping alone costs nothing that can be measured. The keys among it are SQLCipher's to wipe.
 */
#pragma once

/* Once per process, before anything else of SQLCipher. */
void memory_start(void);
