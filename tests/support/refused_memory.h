/*
 * refused_memory - an allocator that refuses when it is told to: malloc() and calloc() of a program
 * that links this, as its own code calls them; not as other libraries do.
 */
#pragma once

/* So many calls get memory first, and so many then do not, whichever thread's they are. */
void refuse_memory(unsigned first, unsigned refusals);

/* From here on none is refused any more. How many were not come to. */
unsigned refused_memory_left(void);
