/* A test program of cases that pass, fail and are skipped, for test_run_cases.sh. */
#include "support/support.h"

static void passes(void **state) { (void)state; }
static void skips(void **state) {
  (void)state;
  support_skip("there is no %s", "moon");
}
static void fails(void **state) {
  (void)state;
  fail_msg("planted");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(passes), cmocka_unit_test(skips), cmocka_unit_test(fails)};
  return support_run("planted", tests, NULL, NULL);
}
