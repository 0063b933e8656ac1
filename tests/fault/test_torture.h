/*
 * test_torture - the parts of one program: to make a world takes as long as much of what is done in
 * it. Those that take long by themselves are tests of their own (CMakeLists.txt). Each returns how
 * many of its tests failed.
 */
#pragma once

/* The steps of a release: its request is written, after a start too, and sent. */
void release_write(void);
void release_start_again(void);
void release_run(void);

int test_requests(void);
int test_chores(void);
int test_start(void);
int test_restart(void);
int test_keyholder(void);
int test_listener(void); /* the last one: from then on a listener stands before the vault */
