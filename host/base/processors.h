/* How many threads pay: the cores that this process may run on, as far as its group's share of CPU time (a container's quota) goes. */
#ifndef SETOSA_BASE_PROCESSORS_H
#define SETOSA_BASE_PROCESSORS_H

#include <stddef.h>

/* At least 1. */
size_t processors_usable(void);
/* The cores that this process may run on, whatever time it gets on them. */
size_t processors_allowed(void);
/* The cores that the quotas of this process's control group, and of those around it, come to, rounded up; 0: there are none. membership is
 * /proc/self/cgroup, root the folder /sys/fs/cgroup, or others in their form. Both versions of the interface are understood. */
size_t processors_quota(const char *membership, const char *root);

#endif
