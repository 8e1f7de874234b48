/* LIBSVM text, which libsvm_read (reader.h) reads: a row a line, "LABEL [qid:N] INDEX:VALUE INDEX:VALUE ... [# comment]". Private to
 * host/data. */
#ifndef SETOSA_DATA_LIBSVM_H
#define SETOSA_DATA_LIBSVM_H

#include <stdbool.h>
#include <stddef.h>

enum { LIBSVM_HASH_BITS = 30 }; /* at most */

/* By the first bytes of a text, of which the last line may be cut: all of its lines are such rows, and one at least has an entry. A line
 * of a label alone is not enough, for it is a table as well. */
bool libsvm_looks_so(const unsigned char *bytes, size_t count);

#endif
