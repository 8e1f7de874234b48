/* sched_getaffinity, and cpu.max of control groups (cpu.cfs_quota_us in their first version). */
#include "base/processors.h"

#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

size_t processors_allowed(void) {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof cores, &cores) == 0) {
    int count = CPU_COUNT(&cores);
    return count < 1 ? 1 : (size_t)count;
  }
  long online = sysconf(_SC_NPROCESSORS_ONLN); /* more cores than the set holds */
  return online < 1 ? 1 : (size_t)online;
}

/* The first line of folder/name, without its end. */
static bool read_line(char *line, size_t size, const char *folder, const char *name) {
  char path[PATH_MAX];
  int length = snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = length > 0 && (size_t)length < sizeof path ? fopen(path, "re") : NULL;
  bool read = file != NULL && fgets(line, (int)size, file) != NULL;
  if (file != NULL) fclose(file);
  if (read) line[strcspn(line, "\n")] = '\0';
  return read;
}

/* Cores that the quota of one group comes to; 0: none. */
static size_t quota_of(const char *folder, bool first_version) {
  char line[128], period_line[64];
  double quota = 0, period = 0;
  if (!first_version) {
    if (!read_line(line, sizeof line, folder, "cpu.max") || sscanf(line, "%lf %lf", &quota, &period) != 2) return 0; /* "max 100000" */
  } else {
    if (!read_line(line, sizeof line, folder, "cpu.cfs_quota_us") || sscanf(line, "%lf", &quota) != 1) return 0; /* -1: none */
    if (!read_line(period_line, sizeof period_line, folder, "cpu.cfs_period_us") || sscanf(period_line, "%lf", &period) != 1) return 0;
  }
  if (!(quota > 0) || !(period > 0) || quota / period > 1e6) return 0;
  size_t cores = (size_t)(quota / period);
  return (double)cores * period < quota ? cores + 1 : cores;
}

static size_t smaller_quota(size_t a, size_t b) { return a == 0 || (b != 0 && b < a) ? b : a; }

/* The least quota from this group up to the root. In a container the path may be that of the machine outside, which is not there: what is
 * missing has no quota, and the root is the container's own group. */
static size_t least_quota(const char *root, const char *path, bool first_version) {
  char folder[PATH_MAX];
  size_t least = 0, base = strlen(root);
  int length = snprintf(folder, sizeof folder, "%s%s", root, path);
  if (length < 0 || (size_t)length >= sizeof folder || strstr(path, "..") != NULL) return quota_of(root, first_version);
  for (;;) {
    least = smaller_quota(least, quota_of(folder, first_version));
    char *slash = strrchr(folder, '/');
    if (strlen(folder) <= base || slash == NULL || (size_t)(slash - folder) < base) return least;
    *slash = '\0';
  }
}

/* Whether the list of controllers "cpu,cpuacct" has cpu. */
static bool has_cpu(const char *controllers) {
  for (const char *at = controllers; at != NULL; at = strchr(at, ',')) {
    if (*at == ',') at++;
    if (strncmp(at, "cpu", 3) == 0 && (at[3] == ',' || at[3] == '\0')) return true;
  }
  return false;
}

size_t processors_quota(const char *membership, const char *root) {
  char line[PATH_MAX + 256], folder[PATH_MAX];
  size_t least = 0;
  FILE *file = fopen(membership, "re");
  if (file == NULL) return 0;
  while (fgets(line, sizeof line, file) != NULL) { /* "NUMBER:CONTROLLERS:PATH", the second version "0::PATH" */
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':'), *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (path == NULL) continue;
    *path++ = '\0';
    controllers++;
    if (*controllers == '\0') least = smaller_quota(least, least_quota(root, path, false));
    if (!has_cpu(controllers)) continue;
    int length = snprintf(folder, sizeof folder, "%s/%s", root, controllers); /* mounted under its list, and as /cpu beside it */
    if (length > 0 && (size_t)length < sizeof folder && access(folder, F_OK) != 0) snprintf(folder, sizeof folder, "%s/cpu", root);
    if (length > 0 && (size_t)length < sizeof folder) least = smaller_quota(least, least_quota(folder, path, true));
  }
  fclose(file);
  return least;
}

size_t processors_usable(void) {
  size_t allowed = processors_allowed(), quota = processors_quota("/proc/self/cgroup", "/sys/fs/cgroup");
  return quota != 0 && quota < allowed ? quota : allowed;
}
