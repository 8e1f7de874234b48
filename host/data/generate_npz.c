/* scipy.sparse's archive of a CSR matrix, and the labels as a further array y, which scipy leaves alone. Each array comes one after the
 * other, and wants its rows from the first to the last: they are made again for each. */
#include <string.h>

#include "base/memory.h"
#include "data/archive_write.h"
#include "data/generate_inside.h"
#include "data/npy_write.h"

/* An array while it is written. */
typedef struct ArrayMember {
  Generation *g;
  unsigned parts;                /* of the rows; 0: all is in the head */
  char head[NPY_HEAD_SIZE + 16]; /* and what comes before that of the rows */
  const char *next;              /* what is left of the head, or of the chunk */
  size_t left;
  uint64_t row, entries; /* before the next chunk */
} ArrayMember;

/* begin[i + 1] of the chunk becomes that of all rows. */
static void make_chunk(ArrayMember *member) {
  Generation *g = member->g;
  SparseArrays *arrays = &g->entries;
  size_t rows = 0;
  generate_entries(g, member->row, &rows, member->parts);
  uint64_t entries = arrays->begin[rows];
  const char *chunk[] = {[PART_LENGTHS] = (const char *)(arrays->begin + 1),
                         [PART_COLUMNS] = (const char *)arrays->columns,
                         [PART_VALUES] = (const char *)arrays->values,
                         [PART_LABELS] = (const char *)g->labels};
  member->next = chunk[member->parts];
  member->left = member->parts == PART_LENGTHS  ? rows * sizeof *arrays->begin
                 : member->parts == PART_LABELS ? rows * sizeof *g->labels
                                                : (size_t)entries * sizeof(float);
  for (size_t i = 1; member->parts == PART_LENGTHS && i <= rows; i++) arrays->begin[i] += member->entries;
  member->entries += entries;
  member->row += rows;
}

static Status read_array(void *user, void *buffer, size_t length, size_t *got, Error *error) {
  ArrayMember *member = user;
  Generation *g = member->g;
  while (member->left == 0 && member->parts != 0 && member->row < g->spec.rows) {
    make_chunk(member);
    if (member->row == g->spec.rows) g->pass++;
    Status status = generate_report(g, member->row == g->spec.rows ? 0 : member->row, error);
    if (status != SETOSA_OK) return status;
  }
  *got = length < member->left ? length : member->left;
  memcpy(buffer, member->next, *got);
  member->next += *got;
  member->left -= *got;
  return SETOSA_OK;
}

/* Rows that are dense have zeros here and there. */
static Status count_entries(uint64_t *entries, Generation *g, Error *error) {
  Status status = SETOSA_OK;
  size_t width = generate_is_sparse(g) ? synthetic_spec_entries(&g->spec) : (size_t)g->spec.features, rows = 0, most = 0, bytes = 0;
  *entries = 0;
  TRY(memory_multiply(&most, (size_t)g->spec.rows, width, "synthetic", error));
  TRY(memory_multiply(&bytes, most, 16, "synthetic", error));
  if (generate_is_sparse(g)) {
    *entries = most;
    return SETOSA_OK;
  }
  for (uint64_t row = 0; row < g->spec.rows; row += rows) {
    generate_entries(g, row, &rows, PART_LENGTHS);
    *entries += g->entries.begin[rows];
    TRY(generate_report(g, row, error));
  }
  g->pass++;
cleanup:
  return status;
}

/* more (more_bytes): what comes before that of the rows. */
static ArchiveMember describe(ArrayMember *member, const char *name, unsigned parts, const char *type, const uint64_t *shape,
                              size_t dimensions, const void *more, size_t more_bytes, uint64_t bytes) {
  size_t head = npy_head(member->head, type, shape, dimensions);
  memcpy(member->head + head, more, more_bytes);
  member->parts = parts;
  member->next = member->head;
  member->left = head + more_bytes;
  return (ArchiveMember){.name = name, .bytes = head + more_bytes + bytes, .read = read_array, .user = member};
}

Status generate_npz(Generation *g, Error *error) {
  enum { ARRAYS = 6 };
  Status status = SETOSA_OK;
  ArrayMember members[ARRAYS];
  const int64_t size[2] = {(int64_t)g->spec.rows, (int64_t)g->spec.features}, zero = 0;
  const uint64_t two = 2, rows = g->spec.rows, rows_and_one = rows + 1;
  uint64_t entries = 0, bytes = 0;
  /* About so much is sure, and said before the rows are counted. */
  double least = 0.9 * 2 * sizeof(float) * (double)rows * (double)synthetic_spec_entries(&g->spec);
  TRY(output_check_room(g->output, least < 0x1p63 ? (uint64_t)least : UINT64_MAX, error));
  g->passes = generate_is_sparse(g) ? 4 : 5;
  TRY(count_entries(&entries, g, error));
  for (size_t i = 0; i < ARRAYS; i++) members[i] = (ArrayMember){.g = g};
  const ArchiveMember arrays[ARRAYS] = {
      describe(&members[0], "indices.npy", PART_COLUMNS, "i4", &entries, 1, "", 0, entries * 4),
      describe(&members[1], "indptr.npy", PART_LENGTHS, "i8", &rows_and_one, 1, &zero, 8, rows * 8),
      describe(&members[2], "format.npy", 0, "S3", NULL, 0, "csr", 3, 0),
      describe(&members[3], "shape.npy", 0, "i8", &two, 1, size, 16, 0),
      describe(&members[4], "data.npy", PART_VALUES, "f4", &entries, 1, "", 0, entries * 4),
      describe(&members[5], "y.npy", PART_LABELS, "i4", &rows, 1, "", 0, rows * 4),
  };
  for (size_t i = 0; i < ARRAYS; i++) bytes += arrays[i].bytes;
  TRY(output_check_room(g->output, bytes, error));
  TRY(archive_write(g->output, arrays, ARRAYS, error));
cleanup:
  return status;
}
