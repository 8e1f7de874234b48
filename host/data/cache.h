/* The cache of conversions: what was read from text once lies there as a table that is mapped. Private to host/data. */
#ifndef SETOSA_DATA_CACHE_H
#define SETOSA_DATA_CACHE_H

#include "base/hash.h"
#include "data/reader.h"

typedef struct Cache Cache;

enum { CACHE_NOTE_SIZE = 512 };
static const uint64_t CACHE_LEAST_BYTES = 8000000; /* of the source as stored: below, reading is as fast */

/* The entry of the reader's source under its options, whether or not there is one. NULL: nothing is kept of this source, because it is
 * small or no file, or no_cache says so, or the folder cannot be used (then note, else ""). */
Cache *cache_open(const Reader *reader, char note[CACHE_NOTE_SIZE]);
void cache_close(Cache *cache);

/* Fills a bare data set from the entry, verified to the last byte. *hit is false, and the data set still bare, when there is no entry or it
 * is of another time or damaged. Fails only when progress says stop, or memory is short. */
Status cache_load(bool *hit, Cache *cache, Dataset *dataset, Reader *reader, Error *error);

/* A reader that wants its values kept begins an entry, writes values in their order, and leaves dataset->values NULL. begin is false when
 * no file can be made (cache_note says why): the reader then goes on alone. */
bool cache_begin(Cache *cache);
/* SETOSA_ERROR_WRITE on a full disk, say: cache_failed is true then, and the source has to be read again without the cache. */
Status cache_write(Cache *cache, const float *values, size_t count, Error *error);
bool cache_begun(const Cache *cache);
bool cache_failed(const Cache *cache);
/* Adds labels and names, maps the values into the data set, and puts the entry in its place; where only that fails, cache_note says why. */
Status cache_commit(Cache *cache, Dataset *dataset, const Reader *reader, Error *error);
/* "" when all went well. */
const char *cache_note(const Cache *cache);

/* ---- shared by cache.c and cache_write.c ------------------------------------------------------------------------- */

enum { CACHE_FORMAT = 1, CACHE_PAGE = 4096 };

/* What the entry was made from. */
typedef struct CacheSource {
  FileIdentity data, labels; /* labels zero without --labels */
} CacheSource;

/* The first CACHE_PAGE bytes, in the machine's byte order: another order is another format. Then pages of rows (N,D) f32, pages of labels
 * (N) i32, and the names, terminated: D of features, K of classes, label column, positive. */
typedef struct CacheHeader {
  char magic[8];                    /* "SETOSADC" */
  char page_hash[HASH_HEX_SIZE];    /* of the rest of the page, from here on */
  char payload_hash[HASH_HEX_SIZE]; /* of all after the page */
  char key[HASH_HEX_SIZE];
  uint8_t has_labels, has_feature_names, has_label_name, has_positive;
  uint32_t format;
  CacheSource source;
  uint64_t rows, features, classes, text_bytes;
  double default_scale;
  float byte_scale;
} CacheHeader;

typedef union CachePage {
  CacheHeader header;
  unsigned char bytes[CACHE_PAGE];
} CachePage;

/* Where things lie in the file. */
typedef struct CacheLayout {
  size_t labels_at, text_at, bytes;
} CacheLayout;

struct Cache {
  char *path, *temporary_path; /* temporary_path NULL: nothing is being written, or it stands in its place already */
  char key[HASH_HEX_SIZE], note[CACHE_NOTE_SIZE];
  CacheSource source;
  bool fresh; /* the source changed so shortly ago that a further change might carry the same time */
  int descriptor;
  uint64_t position, unsynced;
  Hash *hash;
  bool failed;
};

extern const char cache_magic[8];
/* False when the header asks for more than can be addressed. */
bool cache_layout(CacheLayout *layout, const CacheHeader *header);
/* Hash of the page after page_hash. */
Status cache_page_hash(const CachePage *page, char hex[HASH_HEX_SIZE], Error *error);
bool cache_identify(CacheSource *source, const Reader *reader);

#endif
