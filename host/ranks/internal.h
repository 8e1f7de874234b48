/* What the tests of ranks need beyond ranks.h. */
#ifndef SETOSA_RANKS_INTERNAL_H
#define SETOSA_RANKS_INTERNAL_H

#include "ranks/ranks.h"

/* Most bytes that one MPI call moves, so that pieces can be tested without gigabytes; the same on every rank. */
void ranks_set_piece(Ranks *ranks, size_t bytes);

#endif
