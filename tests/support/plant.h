/* Kernels with a mistake in them: for tests that somebody finds it. */
#ifndef SETOSA_TESTS_SUPPORT_PLANT_H
#define SETOSA_TESTS_SUPPORT_PLANT_H

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

/* Copies kernels/ into folder, with `wrong` in place of the first `right` of one file. */
static inline void plant(const char *folder, const char *file, const char *right, const char *wrong) {
  char pattern[SUPPORT_PATH], target[SUPPORT_PATH];
  glob_t found;
  bool planted = false;
  support_source_path(pattern, "kernels/*.cl*");
  assert_int_equal(glob(pattern, 0, NULL, &found), 0);
  for (size_t i = 0; i < found.gl_pathc; i++) {
    const char *name = strrchr(found.gl_pathv[i], '/') + 1;
    size_t length = 0;
    char *text = support_read(found.gl_pathv[i], &length);
    support_path(target, folder, name);
    char *at = strcmp(name, file) == 0 ? strstr(text, right) : NULL;
    if (at == NULL) {
      support_write_text(target, text);
    } else {
      char *changed = malloc(length + strlen(wrong) + 1);
      assert_non_null(changed);
      memcpy(changed, text, (size_t)(at - text));
      strcpy(changed + (at - text), wrong);
      strcat(changed, at + strlen(right));
      support_write_text(target, changed);
      free(changed);
      planted = true;
    }
    free(text);
  }
  globfree(&found);
  assert_true(planted);
}

#endif
