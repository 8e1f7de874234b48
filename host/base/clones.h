/* Code that is compiled once for each width of vectors. */
#ifndef SETOSA_BASE_CLONES_H
#define SETOSA_BASE_CLONES_H

/* One copy for each width of vector, chosen when the program starts; the same bits from all, since nothing is contracted. Sanitizers are
 * not ready when that choice is made. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define FOR_EACH_CPU __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_EACH_CPU
#endif

/* What a copy calls must become part of it, or it stays at the default width. */
#ifdef __GNUC__
#define ALWAYS_INLINE inline __attribute__((always_inline))
#else
#define ALWAYS_INLINE inline
#endif

#endif
