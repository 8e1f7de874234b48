/* Files as memory: parts of one side by side, what belongs to a mapping, and what is let go. */
#include "base/mapping.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/support.h"

enum { PAGE = 1 << 16, PAGES = 10 }; /* whole pages of every system */

static char folder[SUPPORT_PATH], path[SUPPORT_PATH];

/* Page p of the file is full of the number p. */
static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  support_path(path, folder, "pages");
  unsigned char *bytes = malloc(PAGE * PAGES);
  if (bytes == NULL) return 1;
  for (size_t i = 0; i < PAGE * PAGES; i++) bytes[i] = (unsigned char)(i / PAGE);
  support_write(path, bytes, PAGE * PAGES);
  free(bytes);
  return 0;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

static void expect_pages(const unsigned char *at, const char *pages, size_t rest) {
  size_t count = strlen(pages);
  for (size_t p = 0; p < count; p++)
    for (size_t i = 0; i < (p + 1 < count ? (size_t)PAGE : rest); i++)
      if (at[p * PAGE + i] != pages[p] - '0') fail_msg("byte %zu of page %zu is %d, not %c", i, p, at[p * PAGE + i], pages[p]);
}

static void parts_lie_side_by_side(void **state) {
  (void)state;
  Mapping mapping = {0};
  Error error = {0};
  const void *first = NULL, *second = NULL;
  const MappingRun pairs[] = {{.offset = PAGE, .part_bytes = PAGE, .stride = 2 * PAGE, .bytes = 3 * PAGE},
                              {.offset = 8 * PAGE, .part_bytes = 100, .bytes = 100}},
                   others[] = {{.offset = 0, .part_bytes = PAGE, .stride = 0, .bytes = 3 * PAGE},
                               {.offset = 4 * PAGE, .part_bytes = PAGE, .stride = PAGE, .bytes = 2 * PAGE},
                               {.offset = 9 * PAGE, .part_bytes = PAGE, .bytes = PAGE}};
  int descriptor = open(path, O_RDONLY);
  support_ok(mapping_open(&mapping, descriptor, PAGE * PAGES, path, &error), &error);
  support_ok(mapping_join(&first, &mapping, pairs, 2, descriptor, path, &error), &error);
  support_ok(mapping_join(&second, &mapping, others, 3, descriptor, path, &error), &error);
  close(descriptor);
  mapping_expect_pass(&mapping, true);
  for (int again = 0; again < 2; again++) {
    expect_pages(mapping.at, "0123456789", PAGE);
    expect_pages(first, "1358", 100);
    expect_pages(second, "000459", PAGE);
    const unsigned char *ends[] = {mapping.at, mapping.at + PAGE * PAGES - 1,
                                   first,      (const unsigned char *)first + 3 * PAGE + 99,
                                   second,     (const unsigned char *)second + 6 * PAGE - 1};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
      assert_true(mapping_holds(&mapping, ends[i]));
      mapping_let_go(&mapping, ends[i], PAGE); /* up to its end, where that is nearer */
    }
    mapping_let_go(&mapping, first, 3 * PAGE + 100);
    mapping_let_go(&mapping, &mapping, PAGE);
  }
  mapping_expect_pass(&mapping, false);
  assert_false(mapping_holds(&mapping, (const unsigned char *)first + 3 * PAGE + 100));
  assert_false(mapping_holds(&mapping, &mapping));
  assert_false(mapping_holds(&mapping, NULL));
  assert_false(mapping_is_changed(&mapping));
  mapping_close(&mapping);
  assert_null(mapping.at);
  assert_false(mapping_holds(&mapping, first));
  mapping_close(&mapping);
}

static void what_cannot_be_mapped_is_told(void **state) {
  (void)state;
  Mapping mapping = {0};
  Error error = {0};
  const void *at = NULL;
  const MappingRun crooked[] = {{.offset = PAGE, .part_bytes = PAGE, .bytes = PAGE}, {.offset = 1, .part_bytes = PAGE, .bytes = PAGE}};
  int descriptor = open(path, O_RDONLY);
  support_ok(mapping_open(&mapping, descriptor, PAGE * PAGES, path, &error), &error);
  support_fails(mapping_join(&at, &mapping, crooked, 2, descriptor, path, &error), &error, SETOSA_ERROR_DATA, path);
  assert_int_equal(mapping.joined_count, 0);
  close(descriptor);
  mapping_close(&mapping);
}

/* Last: it changes the file. */
static void a_change_is_seen(void **state) {
  (void)state;
  Mapping mapping = {0};
  Error error = {0};
  int descriptor = open(path, O_RDWR);
  support_ok(mapping_open(&mapping, descriptor, PAGE * PAGES, path, &error), &error);
  const struct timespec times[] = {{1, 0}, {1, 0}};
  assert_false(mapping_is_changed(&mapping));
  assert_int_equal(futimens(descriptor, times), 0);
  assert_true(mapping_is_changed(&mapping));
  close(descriptor);
  mapping_close(&mapping);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parts_lie_side_by_side),
      cmocka_unit_test(what_cannot_be_mapped_is_told),
      cmocka_unit_test(a_change_is_seen),
  };
  return support_run("base_mapping", tests, create, destroy);
}
