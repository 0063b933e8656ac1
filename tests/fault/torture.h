/*
 * torture - one allocation, or one call of the system, fails in a stretch of work: the n-th, of
 * whatever thread, of the program or of a library.
 *
 * malloc and its kin, and the calls by which the vault, SQLCipher and OpenSSL reach the disk, the
 * memory and other threads, stand in this program in place of the C library's. They are counted
 * while it is armed, and go on to the C library (under AddressSanitizer to its own, which so sees
 * all of it) or to the kernel but for the one that fails, in one of the ways that call has of
 * failing. Two kinds are counted apart: there are some hundred allocations to a call.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum torture_kind { TORTURE_MEMORY, TORTURE_CALL, TORTURE_KINDS };

/* Once, before any thread. */
void torture_begin(void);

/* The nth of that kind from now on fails, counted from 1; the turn chooses among its ways. */
void torture_arm(enum torture_kind kind, unsigned nth, unsigned turn);

/* Nothing fails any more. How many of the kind there were. */
unsigned torture_disarm(void);

/* The same without a failure: from where each was called is kept in mind until it is learned anew.
 * Loops ask for the same again and again: which of them are worth a failure, at most so many from
 * the same place, is a list of numbers for torture_arm(). Returns how many. */
void torture_learn(enum torture_kind kind);
unsigned torture_learned(unsigned of_a_place_max, const unsigned **list);

/* In how many ways that one of them can fail: as many turns are each another. */
unsigned torture_ways(unsigned nth);

/* Which function failed since it was armed: "pwrite64"; NULL: none. With VAULT_TORTURE_SHOW set,
 * it was also said where. */
const char *torture_struck(void);

/* How it failed: an error number, or 0 for a write of half. */
int torture_error(void);

/* Memory that is in use, in bytes, and open descriptors: before and after, they are the same. */
size_t torture_memory_in_use(void);
unsigned torture_open_files(void);

/* Pointers to memory that is in use may also be where this one points to: in the heap for keys,
 * which no sanitizer knows. */
void torture_look_through(const void *inside);

/* Whether memory is in use that nothing points to; says where it is from. Only sanitizers know. */
bool torture_leaks(void);
