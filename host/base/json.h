/* What jansson does not tell: that a document could not be read, or was written with a part left out, because memory is short. */
#ifndef SETOSA_BASE_JSON_H
#define SETOSA_BASE_JSON_H

#include <jansson.h>

#include "base/error.h"

/* *document = the text; json_decref it. A text that is no JSON is no failure: then *document is NULL and *problem (NULL: nobody asks) says
 * why. Memory that is short is SETOSA_ERROR_INTERNAL. */
Status json_parse(json_t **document, const char *text, size_t length, size_t flags, json_error_t *problem, Error *error);
/* *text = the document, or NULL; free() it. document NULL: memory ran out while it was made. */
Status json_write(char **text, const json_t *document, size_t flags, Error *error);

#endif
