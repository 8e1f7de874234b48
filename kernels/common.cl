// The kernels that are not made for one shape, as one program: PoCL takes 0.1 to 0.2 s for a program whatever is in it, and compiles a
// kernel when it is first launched. Macros: those of team.clh and storage.clh. Strips are for TEAM 1, the cpu family.
#include "vector.cl"
#include "rows.cl"
#if TEAM == 1
#include "strips_cpu.cl"
#endif
