/* Which driver libraries the OpenCL loader would load, and how to make it load others. Two loaders are known: ocl-icd and Khronos's. */
#ifndef SETOSA_OPENCL_VENDORS_H
#define SETOSA_OPENCL_VENDORS_H

#include <stdbool.h>

#include "base/error.h"

/* One library that the loader would load. */
typedef struct Vendor {
  char *file;    /* the .icd file that names it; NULL when the environment names the library itself */
  char *library; /* as the loader hands it to dlopen; NULL: the file cannot be read, "": it names none */
} Vendor;

typedef struct Vendors {
  Vendor *vendor;
  size_t count, capacity;
  char *folder; /* that was searched for .icd files; NULL: the environment names one file or library */
} Vendors;

/* Zero-initialise *vendors. What is not there makes a short list, not an error. */
Status vendors_find(Vendors *vendors, Error *error);
void vendors_free(Vendors *vendors);
/* "/etc/OpenCL/vendors/pocl.icd", or the library where there is no file. */
const char *vendor_place(const Vendor *vendor);

/* The NULL-ended names of the environment variables that loaders and drivers are known to heed. */
const char *const *vendors_variables(void);
/* Whether the value of OCL_ICD_VENDORS must be a folder: Khronos's loader wants one, ocl-icd takes a file and a library, too. */
bool vendors_need_folder(void);

/* In a process that has not used OpenCL yet: the loader will load this one library, and no other. */
void vendors_restrict(const char *library);

/* What vendors_use changed in the environment. */
typedef struct VendorsChange {
  char *before[3]; /* NULL: was not set */
  bool changed;
} VendorsChange;
/* The loader will look at `place` alone, as OCL_ICD_VENDORS; restore undoes that once it has looked. Zero-initialise *change. */
Status vendors_use(VendorsChange *change, const char *place, Error *error);
void vendors_restore(VendorsChange *change);

#endif
