/* The report of `setosa devices --diagnose`, in parts. Private to this folder; no OpenCL needed. */
#ifndef SETOSA_OPENCL_DIAGNOSE_H
#define SETOSA_OPENCL_DIAGNOSE_H

#include "opencl/device.h"

/* Where the lines go. */
typedef struct Report {
  SetosaTextCallback print;
  void *user;
} Report;

void report_line(Report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "  -> remedy" */
void report_remedy(Report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* diagnose_icd.c: environment overrides in force; each ICD file, the library it names and whether that loads. */
void diagnose_environment(Report *report);
void diagnose_icd_files(Report *report);
/* diagnose_nodes.c: GPUs that the kernel shows (/dev) and whether this user may open them and a platform shows them. */
void diagnose_nodes(Report *report, const DeviceList *list);

#endif
