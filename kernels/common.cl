// The kernels that depend on no shape, as one program: PoCL takes 0.1 to 0.2 s for a program whatever is in it, and compiles a
// kernel when it is first launched. Small data have vector.cl and accurate_logits.cl in the program of their fused kernels instead (SMALL).
// Macros: those of team.clh and storage.clh, and LANES (lanes.clh) of TEAM 1, the CPU family, or those of rows_gpu.cl.
#include "vector.cl"
#include "accurate_logits.cl"
#if TEAM == 1
#include "rows_cpu.cl"
#include "strips_cpu.cl"
#else
#include "rows_gpu.cl"
#endif
