/* Data options written as text: "label=y header=0 classes=p,q". Shared by the tests of the readers. */
#ifndef SETOSA_TESTS_DATA_OPTIONS_H
#define SETOSA_TESTS_DATA_OPTIONS_H

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "support/support.h"

/* Owns what the options borrow. */
typedef struct TestOptions {
  SetosaDataOptions options;
  char *text;
  char **names, **classes;
} TestOptions;

static inline void test_options_free(TestOptions *test) {
  free(test->text);
  free(test->names);
  free(test->classes);
}

/* Keys: header label labels weights features drop categorical numeric id missing unseen na separator decimal unshifted sparse positive
 * scale optional expect base hash names expect-label expect-weights classes. */
static inline void test_options_parse(TestOptions *test, const char *text) {
  *test = (TestOptions){.options = setosa_data_options_default(), .text = strdup(text)};
  SetosaDataOptions *o = &test->options;
  char *rest = NULL;
  for (char *key = strtok_r(test->text, " ", &rest); key != NULL; key = strtok_r(NULL, " ", &rest)) {
    char *value = strchr(key, '=');
    if (value != NULL) *value++ = '\0';
    if (strcmp(key, "header") == 0)
      o->header = atoi(value);
    else if (strcmp(key, "label") == 0)
      o->label = value;
    else if (strcmp(key, "labels") == 0)
      o->labels_path = value;
    else if (strcmp(key, "weights") == 0)
      o->weights = value;
    else if (strcmp(key, "features") == 0)
      o->features = value;
    else if (strcmp(key, "drop") == 0)
      o->drop = value;
    else if (strcmp(key, "categorical") == 0)
      o->categorical = value;
    else if (strcmp(key, "numeric") == 0)
      o->numeric = value;
    else if (strcmp(key, "id") == 0)
      o->id = value;
    else if (strcmp(key, "missing") == 0)
      o->missing = value[0] == 'd' ? SETOSA_MISSING_DROP : value[0] == 'm' ? SETOSA_MISSING_MEAN : SETOSA_MISSING_ERROR;
    else if (strcmp(key, "unseen") == 0)
      o->unseen = value[0] == 'z' ? SETOSA_UNSEEN_ZERO : SETOSA_UNSEEN_ERROR;
    else if (strcmp(key, "na") == 0)
      o->na = value;
    else if (strcmp(key, "separator") == 0)
      o->separator = value;
    else if (strcmp(key, "decimal") == 0)
      o->decimal = value;
    else if (strcmp(key, "unshifted") == 0)
      o->unshifted = true;
    else if (strcmp(key, "sparse") == 0)
      o->sparse = value[0] == 'n' ? SETOSA_SPARSE_NEVER : value[1] == 'l' ? SETOSA_SPARSE_ALWAYS : SETOSA_SPARSE_AUTO;
    else if (strcmp(key, "positive") == 0)
      o->positive = value;
    else if (strcmp(key, "scale") == 0)
      o->scale = strtod(value, NULL);
    else if (strcmp(key, "optional") == 0)
      o->labels_optional = true;
    else if (strcmp(key, "expect") == 0)
      o->expect_features = strtoul(value, NULL, 10);
    else if (strcmp(key, "expect-label") == 0)
      o->expect_label = value;
    else if (strcmp(key, "expect-weights") == 0)
      o->expect_weights = value;
    else if (strcmp(key, "base") == 0)
      o->expect_index_base = atoi(value);
    else if (strcmp(key, "hash") == 0)
      o->hash_features = strtoul(value, NULL, 10);
    else if (strcmp(key, "names") == 0)
      support_ok(text_split(&test->names, &o->expect_features, value, ',', NULL), NULL);
    else if (strcmp(key, "classes") == 0)
      support_ok(text_split(&test->classes, &o->expect_classes, value, ',', NULL), NULL);
    else
      fail_msg("unknown test option %s", key);
  }
  o->expect_feature_names = (const char *const *)test->names;
  o->expect_class_names = (const char *const *)test->classes;
}

static inline SetosaStatus test_load(SetosaDataset **dataset, const char *source, const char *options, SetosaError *error) {
  TestOptions test;
  test_options_parse(&test, options);
  SetosaStatus status = setosa_dataset_load(dataset, source, &test.options, error);
  test_options_free(&test);
  return status;
}

#endif
