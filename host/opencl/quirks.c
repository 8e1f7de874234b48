/* Everything Setosa does for one device or driver in particular, but for PoCL's folders (pocl_cache.c): no other file asks for its name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/processors.h"
#include "opencl/gemm.h"
#include "opencl/internal.h"

void quirks_go_without_caches(void) {
  /* Drivers that keep compiled code where the user's caches are, and believe what lies there: Mesa's and NVIDIA's. A choice that was made
   * stays. */
  setenv("MESA_SHADER_CACHE_DISABLE", "true", 0);
  setenv("MESA_GLSL_CACHE_DISABLE", "true", 0); /* its name before Mesa 22 */
  setenv("CUDA_CACHE_DISABLE", "1", 0);
}

DeviceVendor quirks_vendor(uint32_t vendor_id) {
  switch (vendor_id) {
    case 0x10de:
      return VENDOR_NVIDIA;
    case 0x1002:
      return VENDOR_AMD;
    case 0x8086:
      return VENDOR_INTEL;
    default:
      return VENDOR_OTHER;
  }
}

bool quirks_is_pocl(const char *platform) { return strcmp(platform, "Portable Computing Language") == 0; }

void quirks_share_processors(void) {
  char count[32];
  size_t usable = processors_usable();
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  if (online < 1 || usable >= (size_t)online) return;
  snprintf(count, sizeof count, "%zu", usable);
  setenv("POCL_MAX_PTHREAD_COUNT", count, 0);
}

bool quirks_binaries_useful(const DeviceRecord *device) {
  /* PoCL: asking for a binary compiles every kernel of the program for work-groups of any size: 3 to 4 s on top of 1 s, for code that
   * is slower than the code for one size. Its own cache (above) brings a program back in 0.1 s. */
  return !quirks_is_pocl(device->info.platform);
}

const char *quirks_build_options(const DeviceRecord *device) {
  /* kernels/prefetch.clh. PoCL and Intel's runtime compile for CPUs without SPIR-V. For Intel's, the builtin is worth 12 % (W1, W4), and
   * OpenCL's own prefetch, a call for each line, costs W1 a third. */
  const char *platform = device->info.platform;
  bool takes_builtins = quirks_is_pocl(platform) || strcmp(platform, "Intel(R) OpenCL") == 0;
  return takes_builtins && device->info.type == SETOSA_DEVICE_CPU ? " -DPREFETCH" : "";
}

/* ---- CLBlast's parameters, where its own database has none that fit ---------------------------------------------------- */

/* PoCL on a CPU, found by a search on an AMD EPYC (Zen 4) with PoCL 3.1 and CLBlast 1.5.3; bench/LOG.md has the numbers. One work-item
 * a group and no local memory, as in our own kernels: a tile of 16 x 8 sums in registers, vectors of 8. Up to about 64 columns copying X
 * costs more than the faster tile saves. XgemmDirect is never used
 * (min_indirect_size 0), so it has the tiles that compile fastest. */
static const GemmParameters cpu_parameters = {.tiles = {[GEMM_GEMMK] = 0,
                                                        [GEMM_KREG] = 1,
                                                        [GEMM_KWG] = 16,
                                                        [GEMM_KWI] = 2,
                                                        [GEMM_MDIMA] = 1,
                                                        [GEMM_MDIMC] = 1,
                                                        [GEMM_MWG] = 16,
                                                        [GEMM_NDIMB] = 1,
                                                        [GEMM_NDIMC] = 1,
                                                        [GEMM_NWG] = 8,
                                                        [GEMM_VWM] = 8,
                                                        [GEMM_VWN] = 1},
                                              .row_tiles = {[GEMM_GEMMK] = 1,
                                                            [GEMM_KREG] = 8,
                                                            [GEMM_KWG] = 1,
                                                            [GEMM_KWI] = 1,
                                                            [GEMM_MDIMA] = 1,
                                                            [GEMM_MDIMC] = 1,
                                                            [GEMM_MWG] = 8,
                                                            [GEMM_NDIMB] = 1,
                                                            [GEMM_NDIMC] = 1,
                                                            [GEMM_NWG] = 8,
                                                            [GEMM_VWM] = 8,
                                                            [GEMM_VWN] = 8},
                                              .row_columns = 64,
                                              .direct_tiles = {[GEMM_KWID] = 1,
                                                               [GEMM_MDIMAD] = 8,
                                                               [GEMM_MDIMCD] = 8,
                                                               [GEMM_NDIMBD] = 8,
                                                               [GEMM_NDIMCD] = 8,
                                                               [GEMM_VWMD] = 1,
                                                               [GEMM_VWND] = 1,
                                                               [GEMM_WGD] = 8},
                                              .min_indirect_size = 0};

/* NVIDIA from Ampere on: what CLBlast's database (1.5.3, src/database/kernels) has for the A100, given to every NVIDIA device, since it
 * knows none of the later ones and would take the defaults of much older cards. Not measured by us: no such card was at hand. XgemmDirect
 * (local memory, no copy of X) up to about 2000 cubed operations, as measured there. */
static const GemmParameters nvidia_parameters = {.tiles = {[GEMM_GEMMK] = 0,
                                                           [GEMM_KREG] = 1,
                                                           [GEMM_KWG] = 32,
                                                           [GEMM_KWI] = 2,
                                                           [GEMM_MDIMA] = 8,
                                                           [GEMM_MDIMC] = 8,
                                                           [GEMM_MWG] = 32,
                                                           [GEMM_NDIMB] = 16,
                                                           [GEMM_NDIMC] = 16,
                                                           [GEMM_NWG] = 64,
                                                           [GEMM_SA] = 1,
                                                           [GEMM_SB] = 1,
                                                           [GEMM_VWM] = 4,
                                                           [GEMM_VWN] = 4},
                                                 .direct_tiles = {[GEMM_KWID] = 8,
                                                                  [GEMM_MDIMAD] = 8,
                                                                  [GEMM_MDIMCD] = 16,
                                                                  [GEMM_NDIMBD] = 32,
                                                                  [GEMM_NDIMCD] = 16,
                                                                  [GEMM_PADA] = 1,
                                                                  [GEMM_PADB] = 1,
                                                                  [GEMM_VWMD] = 2,
                                                                  [GEMM_VWND] = 1,
                                                                  [GEMM_WGD] = 32},
                                                 .min_indirect_size = 1984};

const GemmParameters *gemm_known_parameters(const Context *context) {
  const SetosaDeviceInfo *info = &context->device.info;
  if (info->type == SETOSA_DEVICE_CPU) return &cpu_parameters;
  return strncasecmp(info->vendor, "NVIDIA", 6) == 0 ? &nvidia_parameters : NULL;
}
