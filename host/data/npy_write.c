/* NumPy's format 1.0: magic, version, length of the header, a Python dictionary. */
#include "data/npy_write.h"

#include <stdio.h>
#include <string.h>

size_t npy_head(char head[NPY_HEAD_SIZE], const char *type, const uint64_t *shape, size_t dimensions) {
  enum { PREFIX = 10, ALIGNMENT = 64 };
  char sizes[64] = "";
  const uint16_t probe = 1;
  char order = type[0] == 'S' ? '|' : *(const unsigned char *)&probe == 1 ? '<' : '>';
  if (dimensions == 2) snprintf(sizes, sizeof sizes, "%llu, %llu", (unsigned long long)shape[0], (unsigned long long)shape[1]);
  if (dimensions == 1) snprintf(sizes, sizeof sizes, "%llu,", (unsigned long long)shape[0]);
  int used =
      snprintf(head + PREFIX, NPY_HEAD_SIZE - PREFIX, "{'descr': '%c%s', 'fortran_order': False, 'shape': (%s), }", order, type, sizes);
  size_t end = PREFIX + (size_t)used, total = (end + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  memset(head + end, ' ', total - end - 1);
  head[total - 1] = '\n';
  static const char magic[8] = {'\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0};
  memcpy(head, magic, sizeof magic);
  head[8] = (char)((total - PREFIX) & 0xFF);
  head[9] = (char)((total - PREFIX) >> 8);
  return total;
}
