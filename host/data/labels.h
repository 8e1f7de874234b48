/* From labels as a source spells them (text or numbers) to classes 0..K-1 with names. Private to host/data. */
#ifndef SETOSA_DATA_LABELS_H
#define SETOSA_DATA_LABELS_H

#include "data/elements.h"
#include "data/reader.h"

typedef struct Labels Labels;

/* options is borrowed. With expected classes (a model) labels are looked up at once, else classes are found at the end. */
Status labels_create(Labels **labels, const DataOptions *options, Error *error);
void labels_destroy(Labels *labels);
/* The source has no others that could be chosen instead: for messages. */
void labels_are_all(Labels *labels);
/* One row each. Blanks around a text do not count, and a whole number is one class however it is spelled: 1, 1.0, 1e0. Errors
 * (SETOSA_ERROR_DATA) say what, the caller puts where before it. */
Status labels_add_text(Labels *labels, const char *text, size_t length, Error *error);
Status labels_add_integer(Labels *labels, int64_t value, Error *error);
/* An element of a binary file, as the text that it is or stands for: a boolean is "False" or "True". One that is not finite is no class. */
Status labels_add_element(Labels *labels, ElementType type, const unsigned char *element, Error *error);
/* The value of rows that have this label, without adding one; -1 where it is missing or unknown and labels are optional. A reader with
 * threads asks for each text that they found once, in the order of the source: so classes do not depend on how many there are. */
Status labels_intern(Labels *labels, const char *text, size_t length, int32_t *value, Error *error);
/* One row with a value of labels_intern, or -1. */
Status labels_push(Labels *labels, int32_t value, Error *error);
size_t labels_count(const Labels *labels);
/* Moves labels, classes and class names into the data set. The classes are the distinct values, and these are their names: sorted by value
 * when all are whole numbers, else bytewise. Applies --positive, and remarks on classes that may be meant otherwise. column: what the label
 * column is called, for messages: "" when it has no name, NULL when labels are in a file of their own. */
Status labels_finish(Labels *labels, Dataset *dataset, const char *column, Error *error);
/* The classes of the model, if any, for a source without labels. */
Status labels_name_expected_classes(Dataset *dataset, const DataOptions *options, Error *error);

/* Reads a labels file (IDX, .npy of numbers, or one label per line; .gz too) of `rows` labels into the data set. */
Status label_file_read(Dataset *dataset, Reader *reader, const char *path, size_t rows, Error *error);
/* The same of a NumPy array, for the rows of the data set. source: what holds these, for messages. */
Status label_array_read(Dataset *dataset, const Reader *reader, Stream *array, const char *source, Error *error);
/* X.npy -> X-labels.npy, or the same with the other of .gz and no .gz; NULL when there is none. Free *found. */
Status label_file_find(char **found, const char *path, Error *error);
/* train-images-idx3-ubyte.gz -> train-labels-idx1-ubyte.gz, or the same with the other of .gz and no .gz. Free *found; NULL when there is
 * none, and then tried holds what was looked for ("" when the name does not follow the custom). */
Status idx_labels_find(char **found, char *tried, size_t tried_size, const char *path, Error *error);

#endif
