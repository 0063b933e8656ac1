/*
 * torture - one allocation, or one call of the system, fails in a stretch of work, of whatever
 * thread, of the program or of a library.
 *
 * malloc and its kin, and the calls by which the vault, its libraries and theirs reach the disk,
 * the network, the memory and other threads, stand in this program in place of the C library's.
 * While it is armed they are told apart by place: the way by which the program came to the call,
 * from the thread's first function on. They go on to the C library (under AddressSanitizer to its
 * own, which so sees all of it) or to the kernel but for the one that fails, in one of the ways
 * that call has of failing: the first whose place is wanted. Which call of a run that is may change
 * with what other threads do; which place it is does not.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum torture_kind { TORTURE_MEMORY, TORTURE_CALL, TORTURE_KINDS };

/* Once, before any thread. */
void torture_begin(void);

/* Know of no place, and want none; to be called before another kind, or other work. */
void torture_forget(void);

/* Places are numbered from 0 as they were found: let this one fail once. Or let all fail that are
 * known or come to be known, each in each of its ways. None may be armed. */
void torture_want(unsigned place);
void torture_want_all(void);

enum torture_look {
    TORTURE_LEARN, /* at every call, and nothing fails */
    TORTURE_NEAR,  /* where a wanted place, or a new one, may be: much faster, and may miss one */
    TORTURE_ALL    /* at every call until one fails */
};

/* From now on the first of that kind whose place is wanted fails; the turn says in which of its
 * ways it does first. What comes after it is not looked at. */
void torture_arm(enum torture_kind kind, enum torture_look look, unsigned turn);

/* Nothing fails any more. How many of the kind there were. */
unsigned torture_disarm(void);

struct torture_sum {
    unsigned places;
    unsigned failed;      /* of them, at least once */
    unsigned ways;        /* of all of them */
    unsigned ways_failed; /* of those */
    unsigned left;        /* places that are wanted still */
};

/* Of what is known. */
struct torture_sum torture_sum(void);

/* Wait, for a moment at the most, until other threads make no calls any more: what they do of their
 * own accord, after a start or an answer, is not the work's. */
void torture_rest(void);

/* What this thread does is not the work's, or is again: a client's, say. */
void torture_spare(bool spares);

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
