/* Matrix products by CLBlast: the one door to it. Only in builds that found it. CLBlast keeps its programs and its parameters for the whole
 * process, by device; parameters set here hold for every later product on that device. */
#ifndef SETOSA_OPENCL_GEMM_H
#define SETOSA_OPENCL_GEMM_H

#include "opencl/buffer.h"

/* A matrix of floats inside a buffer, row-major. */
typedef struct GemmMatrix {
  const Buffer *buffer;
  size_t offset, stride; /* elements */
  bool transposed;       /* as a factor it is taken transposed */
} GemmMatrix;

/* C (m,n) = beta C + op(A) (m,k) op(B) (k,n). */
typedef struct GemmProduct {
  size_t m, n, k;
  GemmMatrix a, b, c;
  float beta;
} GemmProduct;

/* Loads CLBlast for this context, unless that is done; what follows does so by itself. SETOSA_ERROR_DEVICE: it cannot be loaded. */
Status gemm_load(Context *context, Error *error);
/* Enqueues the product; 1 <= m, n, k. *temporary is the memory that CLBlast asks for (copies of factors that lie in no shape its kernel
 * takes): created, grown and kept for the next call; destroy it with buffer_destroy. The first product of a device compiles CLBlast's
 * kernels, which counts as build time of the context. */
Status gemm_multiply(Context *context, const GemmProduct *product, Buffer **temporary, Error *error);

/* Tile sizes of CLBlast's Xgemm kernel, in its own names and order. */
typedef enum GemmTile {
  GEMM_GEMMK,
  GEMM_KREG,
  GEMM_KWG,
  GEMM_KWI,
  GEMM_MDIMA,
  GEMM_MDIMC,
  GEMM_MWG,
  GEMM_NDIMB,
  GEMM_NDIMC,
  GEMM_NWG,
  GEMM_SA,
  GEMM_SB,
  GEMM_STRM,
  GEMM_STRN,
  GEMM_VWM,
  GEMM_VWN,
  GEMM_TILE_COUNT
} GemmTile;

/* Tile sizes of its XgemmDirect kernel. */
typedef enum GemmDirectTile {
  GEMM_KWID,
  GEMM_MDIMAD,
  GEMM_MDIMCD,
  GEMM_NDIMBD,
  GEMM_NDIMCD,
  GEMM_PADA,
  GEMM_PADB,
  GEMM_VWMD,
  GEMM_VWND,
  GEMM_WGD,
  GEMM_DIRECT_TILE_COUNT
} GemmDirectTile;

typedef struct GemmParameters {
  size_t tiles[GEMM_TILE_COUNT];
  size_t row_tiles[GEMM_TILE_COUNT]; /* for products of at most row_columns columns whose left factor is not transposed: GEMMK=1 takes */
  size_t row_columns;                /* that factor as it lies, where GEMMK=0 would copy it. 0: never */
  size_t direct_tiles[GEMM_DIRECT_TILE_COUNT];
  size_t min_indirect_size; /* products of fewer than this cubed operations go to XgemmDirect, which copies nothing; 0: none */
} GemmParameters;

/* Why CLBlast of that version (major * 10000 + minor * 100 + patch) must not be run with these parameters, since it would compute wrong
 * results or crash; NULL when it may. */
const char *gemm_parameters_problem(const GemmParameters *parameters, unsigned version);
/* Refuses what gemm_parameters_problem finds; else they hold from the next product on. Borrowed for the life of the context. */
Status gemm_set_parameters(Context *context, const GemmParameters *parameters, Error *error);
/* The parameters that suit this device better than CLBlast's own database, or NULL: then the database decides (quirks.c). */
const GemmParameters *gemm_known_parameters(const Context *context);

#endif
