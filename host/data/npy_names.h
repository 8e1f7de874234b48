/* The elements of an array as names: those of features or classes. Private to host/data. */
#ifndef SETOSA_DATA_NPY_NAMES_H
#define SETOSA_DATA_NPY_NAMES_H

#include "data/elements.h"

/* Zero-initialise. */
typedef struct NpyNames {
  char **names; /* (count) */
  size_t count, capacity;
  Text room;
} NpyNames;

/* ColumnTaker.take_element, of an NpyNames: texts as they are, numbers in the fewest digits that read back, booleans as True and False. */
Status npy_take_name(void *names, ElementType type, const unsigned char *element, Error *error);
void npy_names_free(NpyNames *names);

#endif
