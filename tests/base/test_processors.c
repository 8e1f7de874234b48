/* How many threads pay, by the quotas of made-up control groups of both versions. */
#include "base/processors.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support/support.h"

static char folder[SUPPORT_PATH], membership[SUPPORT_PATH], root[SUPPORT_PATH];

static int make_folder(void **state) {
  (void)state;
  support_folder_create(folder);
  support_path(membership, folder, "cgroup");
  support_path(root, folder, "root");
  return mkdir(root, 0700);
}

static int remove_folder(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

/* The file root/path, with its folders. */
static void write_group(const char *path, const char *text) {
  char whole[SUPPORT_PATH];
  support_path(whole, root, path);
  for (char *slash = whole + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
    *slash = '\0';
    mkdir(whole, 0700);
  }
  support_write_text(whole, text);
}

static size_t quota(const char *lines) {
  support_write_text(membership, lines);
  return processors_quota(membership, root);
}

static void the_second_version(void **state) {
  (void)state;
  write_group("box/cpu.max", "150000 100000\n");
  write_group("box/inner/cpu.max", "max 100000\n");
  write_group("box/small/cpu.max", "20000 100000\n");
  write_group("box/wide/cpu.max", "1600000 100000\n");
  assert_int_equal(quota("0::/box\n"), 2);       /* 1.5 cores */
  assert_int_equal(quota("0::/box/inner\n"), 2); /* that of the group around it */
  assert_int_equal(quota("0::/box/small\n"), 1);
  assert_int_equal(quota("0::/box/wide\n"), 2); /* the smaller of the two */
  assert_int_equal(quota("0::/\n"), 0);
  assert_int_equal(quota("0::/nowhere/at/all\n"), 0);
  assert_int_equal(quota("0::/../../box\n"), 0);
  write_group("cpu.max", "300000 100000\n"); /* a container sees its own group as the root, under the path of the machine */
  assert_int_equal(quota("0::/docker/1234\n"), 3);
  write_group("cpu.max", "max 100000\n");
}

static void the_first_version(void **state) {
  (void)state;
  write_group("cpu,cpuacct/box/cpu.cfs_quota_us", "400000\n");
  write_group("cpu,cpuacct/box/cpu.cfs_period_us", "100000\n");
  write_group("cpu,cpuacct/free/cpu.cfs_quota_us", "-1\n");
  write_group("cpu,cpuacct/free/cpu.cfs_period_us", "100000\n");
  write_group("cpu/alone/cpu.cfs_quota_us", "250000\n");
  write_group("cpu/alone/cpu.cfs_period_us", "50000\n");
  assert_int_equal(quota("5:memory:/box\n4:cpu,cpuacct:/box\n"), 4);
  assert_int_equal(quota("4:cpu,cpuacct:/free\n"), 0);
  assert_int_equal(quota("3:cpuset:/box\n"), 0);
  assert_int_equal(quota("3:cpu:/alone\n"), 5);
  assert_int_equal(quota("3:cpuacct,cpu:/alone\n"), 5); /* mounted as /cpu alone */
}

static void what_is_no_group(void **state) {
  (void)state;
  write_group("odd/cpu.max", "");
  write_group("zero/cpu.max", "0 0\n");
  write_group("text/cpu.max", "many 100000\n");
  assert_int_equal(quota("0::/odd\n"), 0);
  assert_int_equal(quota("0::/zero\n"), 0);
  assert_int_equal(quota("0::/text\n"), 0);
  assert_int_equal(quota("\n:\n::\nnothing\n"), 0);
  assert_int_equal(quota(""), 0);
  assert_int_equal(processors_quota("/nowhere", root), 0);
}

static void the_cores_of_this_process(void **state) {
  (void)state;
  cpu_set_t before, one;
  size_t allowed = processors_allowed();
  assert_true(allowed >= 1 && processors_usable() >= 1 && processors_usable() <= allowed);
  assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
  int core = 0;
  while (!CPU_ISSET(core, &before)) core++;
  CPU_ZERO(&one);
  CPU_SET(core, &one);
  assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
  size_t alone = processors_usable();
  assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
  assert_int_equal(alone, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_second_version),
      cmocka_unit_test(the_first_version),
      cmocka_unit_test(what_is_no_group),
      cmocka_unit_test(the_cores_of_this_process),
  };
  return support_run("base_processors", tests, make_folder, remove_folder);
}
