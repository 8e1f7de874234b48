/* Fields that are no numbers although somebody meant one. Private to host/data. */
#ifndef SETOSA_DATA_NUMBER_REMEDY_H
#define SETOSA_DATA_NUMBER_REMEDY_H

#include <stddef.h>

enum { NUMBER_REMEDY = 160 };
/* What to do about such a field, with a decimal comma say; NULL when it is none. */
const char *number_remedy(char room[NUMBER_REMEDY], const char *text, size_t length);

#endif
