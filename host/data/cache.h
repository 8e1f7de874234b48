/* The cache of conversions: what was read from text once lies there as a table that is mapped. Readers do not know of it: it stands between
 * them and the data set, as the sink of their rows. Private to host/data. */
#ifndef SETOSA_DATA_CACHE_H
#define SETOSA_DATA_CACHE_H

#include "base/cache_folder.h"
#include "base/hash.h"
#include "base/text.h"
#include "data/reader.h"

typedef struct Cache Cache;

enum { CACHE_NOTE_SIZE = 512 };
static const uint64_t CACHE_LEAST_BYTES = 8000000; /* of the source as stored: below, reading is as fast */

/* Reads a source through the cache into a bare data set: from the entry of it where there is one, else by `read`, whose rows go into an
 * entry where one can be made and are mapped from there. What the cache cannot do costs time, never the data; note says why what was read
 * was not kept, or is "". Where another process is at work on the same entry this waits for it. */
Status cache_read(Dataset **dataset, Reader *reader, ReadFunction read, char note[CACHE_NOTE_SIZE], Error *error);

/* ---- shared by cache*.c ------------------------------------------------------------------------- */

/* The entry of the reader's source under its options, whether or not there is one. NULL: nothing is kept of this source, because it is
 * small or no file, or no_cache says so, or the folder cannot be used (then note, else ""). */
Cache *cache_open(const Reader *reader, char note[CACHE_NOTE_SIZE]);
void cache_close(Cache *cache);
/* Fills a bare data set from the entry, verified to the last byte (of its rows, those of this process's part). *hit is false, and the data
 * set still bare, when there is no entry or it is of another time or damaged. Fails only when progress says stop, or memory is short. */
Status cache_load(bool *hit, Cache *cache, Dataset *dataset, Reader *reader, Error *error);

/* Begins an entry. *begun is false when no file can be made (the note says why): rows then go elsewhere. SETOSA_ERROR_WRITE with `appeared`
 * when another process has made the entry meanwhile, so that reading on is wasted. Fails otherwise only when progress says stop. */
Status cache_begin(bool *begun, Cache *cache, Reader *reader, Error *error);
/* Values in their order. SETOSA_ERROR_WRITE on a full disk, say: `failed` is true then, and the source has to be read again without the
 * cache. */
Status cache_write(Cache *cache, const float *values, size_t count, Error *error);
/* As if nothing was written since the entry was begun. */
Status cache_restart(Cache *cache, Error *error);
/* Rows as their entries, in their order; `base` is what their columns call the first. Values go with cache_write, and no entry has both. */
Status cache_write_sparse(Cache *cache, const SparsePiece *piece, uint32_t base, Error *error);
/* Adds labels and names (and the values, when the data set holds them), and puts the entry in its place; where only that fails, the note
 * says why. Values that the data set does not hold are mapped into it. */
Status cache_commit(Cache *cache, Dataset *dataset, const Reader *reader, Error *error);

/* Blocks are hashed one by one, so that the rows of a part can be verified alone. Entries of sparse rows come in stripes of CACHE_STRIPE,
 * and their arrays begin at multiples of CACHE_ALIGNMENT: a page of every system that Setosa has been seen on. */
enum { CACHE_FORMAT = 7, CACHE_PAGE = 4096, CACHE_BLOCK = 1 << 22, CACHE_STRIPE = 1 << 22, CACHE_ALIGNMENT = 1 << 16 };

/* What the entry was made from. */
typedef struct CacheSource {
  FileIdentity data, labels, weights; /* labels and weights zero where no file is named */
  uint64_t also;                      /* hash of the identities of the files that follow the first; 0: there are none */
} CacheSource;

/* The first CACHE_PAGE bytes, in the machine's byte order: another order is another format. Then pages of rows (N,D) f32, or of sparse rows
 * (cache_sparse.c); pages of labels (N) i32, pages of weights (N) f32, pages of the rows of the source that were left out, u64, the names,
 * terminated: D of features, K of classes, columns of label and weights, positive; the description, JSON, terminated; and the hash of each
 * block of all these, as text, terminated. */
typedef struct CacheHeader {
  char magic[8];                   /* "SETOSADC" */
  char page_hash[HASH_HEX_SIZE];   /* of the rest of the page, from here on */
  char blocks_hash[HASH_HEX_SIZE]; /* of the hashes of the blocks */
  char key[HASH_HEX_SIZE];
  uint8_t has_labels, has_weights, has_weights_name, has_feature_names, has_label_name, has_positive, has_description, sparse;
  int16_t index_base;
  uint32_t format, hash_bits;
  CacheSource source;
  uint64_t rows, features, classes, left_out, text_bytes;
  uint64_t entries, ones_stripes; /* of sparse rows: all, and stripes at the beginning whose values are all 1 */
  double default_scale;
  float byte_scale;
} CacheHeader;

typedef union CachePage {
  CacheHeader header;
  unsigned char bytes[CACHE_PAGE];
} CachePage;

/* Where things lie in the file. */
typedef struct CacheLayout {
  size_t rows_end;          /* of values, or of the stripes of entries: what is behind is used whole by every process */
  size_t ones_at, begin_at; /* of sparse rows: a stripe of values that are 1, and begins */
  size_t labels_at, weights_at, left_out_at, text_at, blocks_at, blocks, bytes;
} CacheLayout;

/* Bytes of the file. */
typedef struct CacheRange {
  size_t begin, end;
} CacheRange;

/* Sparse rows on their way into an entry. Zero-initialise. */
typedef struct CacheStripes {
  uint64_t *ends; /* (rows) entries of all rows up to and with this one */
  size_t rows, row_capacity;
  uint32_t *columns; /* (CACHE_STRIPE) of the stripe at hand, of which `filled` are there; NULL: no row came as yet */
  float *values;
  size_t filled;
  uint64_t entries, ones_stripes; /* written */
} CacheStripes;

struct Cache {
  char *path, *temporary_path; /* temporary_path NULL: nothing is being written, or it stands in its place already */
  char key[HASH_HEX_SIZE], note[CACHE_NOTE_SIZE];
  CacheSource source;
  bool fresh; /* the source changed so shortly ago that a further change might carry the same time */
  int descriptor;
  uint64_t position, unsynced;
  Hash *hash; /* of the block that is being written */
  Text blocks;
  CacheStripes stripes;
  bool begun, failed, appeared;
  bool from_zero;     /* columns were taken for numbers from 1 while they were written, and are from 0: all has to be read once more */
  FileIdentity tried; /* the entry that could not be loaded; zeroed: there was none */
  int lock;           /* held while this process is at work on the entry; -1: not */
  char *lock_path;
};

extern const char cache_magic[8];
/* False when the header asks for more than can be addressed. */
bool cache_layout(CacheLayout *layout, const CacheHeader *header);
/* Hash of the page after page_hash. */
Status cache_page_hash(const CachePage *page, char hex[HASH_HEX_SIZE], Error *error);
/* *sum bytes, and a * b more, rounded up to whole multiples. False when that cannot be addressed. */
bool cache_add_bytes(size_t *sum, uint64_t a, uint64_t b, size_t multiple);
bool cache_identify(CacheSource *source, const Reader *reader);
/* The first page of an open file is that of a whole entry of this source as it is now. */
bool cache_read_page(CachePage *page, const Cache *cache, int descriptor);
/* cache_description.c: what else there is to know of a data set, as JSON. *text NULL: nothing; free() it. */
Status cache_describe(char **text, const Dataset *dataset, Error *error);
/* Into a data set whose shape is known. *good is false for a text that is none of these. */
Status cache_take_description(bool *good, Dataset *dataset, const Reader *reader, const char *text, Error *error);
/* cache_write.c: appends to the file; zeros, up to a position. */
Status cache_append(Cache *cache, const void *bytes, size_t length, Error *error);
Status cache_pad(Cache *cache, uint64_t position, Error *error);
/* cache_sparse.c: where stripes and begins lie; *at is where rows begin, and becomes where they end. */
bool cache_sparse_layout(CacheLayout *layout, size_t *at, const CacheHeader *header);
/* What is still to be written of stripes and begins; then the header's entries and ones_stripes are known. */
Status cache_sparse_end(CacheHeader *header, Cache *cache, Error *error);
/* The stripes of the entries of these rows. */
CacheRange cache_sparse_range(const CacheLayout *layout, const CacheHeader *header, const uint64_t *begin, RowRange rows);
/* The arrays in the mapping of the entry, whose file the descriptor is; SETOSA_ERROR_DATA where it cannot be mapped so. */
Status cache_sparse_map(SparseArrays *arrays, Mapping *mapping, int descriptor, const CacheHeader *header, const CacheLayout *layout,
                        const char *path, Error *error);
void cache_sparse_free(CacheStripes *stripes);
/* cache_lock.c: waits until no other process is at work on the entry. *turn is false when this one shall not write an entry: one was
 * written meanwhile (appeared), or the other process could not. */
Status cache_take_turn(bool *turn, Cache *cache, Reader *reader, Error *error);
/* A sign of life for those who wait. */
void cache_show_life(const Cache *cache);
/* Lets the others go on; made: the entry is in its place. */
void cache_end_turn(Cache *cache, bool made);

#endif
