/* Another value for an option, whatever its kind. */
#ifndef SETOSA_TESTS_OPTIONS_CHANGE_H
#define SETOSA_TESTS_OPTIONS_CHANGE_H

#include <string.h>

#include "options/table.h"
#include "support/support.h"

/* Sets the option of `home` to a value in its range that it does not have. */
static inline void change_option(const OptionRow *row, void *home) {
  static const double reals[] = {0.25, 0.5, 2.0};
  char before[OPTION_VALUE], after[OPTION_VALUE];
  void *place = (char *)home + row->offset;
  snprintf(before, sizeof before, "%s", option_print(after, row, home));
  switch (row->kind) {
    case OPTION_FLAG:
    case OPTION_NOT:
      *(bool *)place = !*(bool *)place;
      break;
    case OPTION_SET:
      assert_int_equal(option_parse(row, home, NULL, NULL), SETOSA_OK);
      break;
    case OPTION_TEXT:
      *(const char **)place = *(const char **)place == NULL ? "a text" : "another text";
      break;
    case OPTION_COUNT:
      *(uint64_t *)place += (double)*(uint64_t *)place < row->most ? 1 : -1;
      break;
    case OPTION_SIZE:
      *(size_t *)place += (double)*(size_t *)place < row->most ? 1 : -1;
      break;
    case OPTION_BYTES:
      *(uint64_t *)place += 1 << 20;
      break;
    case OPTION_REAL:
      for (size_t i = 0; i < 3 && strcmp(option_print(after, row, home), before) == 0; i++) {
        double was = *(double *)place;
        *(double *)place = reals[i];
        if (option_check(row, home, NULL) != SETOSA_OK) *(double *)place = was;
      }
      break;
    case OPTION_CHOICE: {
      int value = 0, count = (int)row->choice_count;
      for (; row->choice_count == 0 && row->choices[count] != NULL; count++) continue;
      memcpy(&value, place, sizeof value);
      value = (value + 1) % count;
      memcpy(place, &value, sizeof value);
      break;
    }
    case OPTION_LIST:
      fail_msg("--%s: of a kind that the library's rows do not have", option_flag(row));
  }
  if (strcmp(option_print(after, row, home), before) == 0) fail_msg("--%s is still %s after its change", option_flag(row), before);
  support_ok(option_check(row, home, NULL), NULL);
}

#endif
