/* Buffers of one size for parts of a text, which any thread gives back. Private to host/data. */
#ifndef SETOSA_DATA_TABLE_BUFFERS_H
#define SETOSA_DATA_TABLE_BUFFERS_H

#include <pthread.h>
#include <stdbool.h>

#include "base/error.h"

typedef struct Buffer {
  char *bytes; /* (capacity); whoever has the buffer may make it larger */
  size_t capacity;
  bool used;
} Buffer;

typedef struct Buffers {
  size_t size;           /* of most: one that was made much larger is not kept so */
  pthread_mutex_t mutex; /* of what follows */
  Buffer **all;
  size_t count, capacity;
} Buffers;

void buffers_begin(Buffers *buffers, size_t size);
void buffers_end(Buffers *buffers);
/* One that nobody has. */
Status buffers_take(Buffers *buffers, Buffer **buffer, Error *error);
/* NULL is fine. */
void buffers_let_go(Buffers *buffers, Buffer *buffer);
/* The one that these bytes are in; NULL: none. */
Buffer *buffers_find(Buffers *buffers, const char *bytes);

#endif
