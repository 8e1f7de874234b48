/* How classes are called: numbers by their value however they are spelled, and what looks meant otherwise. Private to host/data. */
#ifndef SETOSA_DATA_CLASS_NAMES_H
#define SETOSA_DATA_CLASS_NAMES_H

#include "data/reader.h"

enum { CLASS_WHOLE = 48 };

/* A whole number of 40 digits or less, however it is spelled: 3, +3, 03, 3.0 and 3e0 are "3". False for any other text. */
bool class_whole_number(char whole[CLASS_WHOLE], const char *text, size_t length);
/* It has zeros in front, as 03: what is a name of its own beside text (007), and a number among numbers. */
bool class_is_padded(const char *text, size_t length);
/* The texts name one class: they are equal, or equal as whole numbers. */
bool class_is_same(const char *text, size_t length, const char *name);
/* Below, at or above 0, of two whole numbers as class_whole_number writes them. */
int class_compare_whole(const char *a, const char *b);

/* Warnings about the classes of a data set that may be meant otherwise: some that differ by case or blanks alone, and one that is the name
 * of the column. column: as for labels_finish. */
Status class_names_remark(Dataset *dataset, const DataOptions *options, const char *column, Error *error);

#endif
