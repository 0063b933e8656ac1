/*
 * memory - SQLCipher's memory, wiped when it is given back.
 *
 * Pages stand in it in clear, and values between a statement and us. SQLCipher's own way
 * (cipher_memory_security) wipes them too, and locks them, and makes every read seven times slower;
 * wiping alone costs nothing that can be measured. The keys among it are SQLCipher's to wipe.
 *
 * None is refused (vault/base/insist.h): SQLite bears it, and SQLCipher 4.6 does not. Where it gets
 * no memory while a key is set or derived it leaves the key behind, falls, or frees it twice.
 */
#pragma once

/* Once per process, before anything else of SQLCipher. */
void memory_start(void);
