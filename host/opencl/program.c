/* Programs: built once per context, source and options; a failure is told in one line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/memory.h"
#include "opencl/internal.h"

/* Argument kinds are checked at every launch, so the compiler is asked to keep them. Never a flag that loosens arithmetic. Warnings are for
 * who edits kernels (SETOSA_KERNEL_DIR): PoCL's compiler writes to standard error, for one that float16 needs two registers without
 * AVX-512. */
static const char base_options[] = "-cl-std=CL1.2 -cl-kernel-arg-info", quiet_option[] = " -w";

/* The lines of a build log that matter, joined: those with "error", else the first ones. */
static void digest_log(const char *log, char *digest, size_t size) {
  bool errors_only = strstr(log, "error") != NULL;
  size_t used = 0, lines = 0;
  digest[0] = '\0';
  for (const char *line = log; *line != '\0' && lines < 3;) {
    size_t length = strcspn(line, "\n");
    const char *hit = strstr(line, "error");
    bool wanted = length > 0 && strspn(line, " \t\r") < length && (!errors_only || (hit != NULL && hit < line + length));
    if (wanted) {
      int written = snprintf(digest + used, size - used, "%s%.*s", lines > 0 ? " | " : "", (int)(length < 240 ? length : 240), line);
      if (written < 0 || (size_t)written >= size - used) return;
      used += (size_t)written;
      lines++;
    }
    line += length + (line[length] == '\n');
  }
  if (used == 0) snprintf(digest, size, "the compiler gives no reason");
}

/* A compiler that writes files ends the process, or says nothing of use, when it cannot. */
static Status check_compiler_folder(const Context *context, bool failed, Error *error) {
  const char *folder = NULL;
  int failure = quirks_is_pocl(context->device.info.platform) ? pocl_cache_failure(&folder, failed) : 0;
  if (failure == 0) return SETOSA_OK;
  return error_set(error, SETOSA_ERROR_DEVICE, "%s: PoCL cannot write the kernels that it compiles: %s; %s", folder, strerror(failure),
                   failure == EFBIG ? file_remedy(failure, "") : "free some space there, or set XDG_CACHE_HOME to another folder");
}

static Status build_failed(const Context *context, cl_program program, cl_int code, const char *source, const char *options, Error *error) {
  size_t bytes = 0;
  char *log = NULL, digest[640], limits[256];
  clGetProgramBuildInfo(program, context->device.id, CL_PROGRAM_BUILD_LOG, 0, NULL, &bytes);
  if (memory_allocate_zero((void **)&log, bytes + 1, 1, "a build log", NULL) == SETOSA_OK && bytes > 0)
    clGetProgramBuildInfo(program, context->device.id, CL_PROGRAM_BUILD_LOG, bytes, log, NULL);
  digest_log(log != NULL ? log : "", digest, sizeof digest);
  free(log);
  Status status = check_compiler_folder(context, true, error);
  if (status != SETOSA_OK) return status;
  limits_name(limits, sizeof limits);
  return error_set_opencl(error, SETOSA_ERROR_DEVICE, code, "kernels/%s.cl does not build on %s with \"%s\": %s (%d): %s%s%s%s", source,
                          context->device.info.name, options, opencl_code_name(code), code, digest, limits[0] != '\0' ? "; " : "", limits,
                          limits[0] != '\0' ? ": raise it" : "");
}

static Status build_source(cl_program *out, const Context *context, const char *text, const char *source, const char *options,
                           Error *error) {
  Status status = SETOSA_OK;
  cl_int code = CL_SUCCESS;
  cl_program program = NULL;
  TRY(check_compiler_folder(context, false, error));
  program = clCreateProgramWithSource(context->handle, 1, &text, NULL, &code);
  TRY_CL(code, "kernels/%s.cl: cannot create a program on %s", source, context->device.info.name);
  code = clBuildProgram(program, 1, &context->device.id, options, NULL, NULL);
  if (code != CL_SUCCESS) TRY(build_failed(context, program, code, source, options, error));
  *out = program;
  program = NULL;
cleanup:
  if (program != NULL) clReleaseProgram(program);
  return status;
}

static Status build(cl_program *program, const Context *context, const char *source, const char *options, Error *error) {
  Status status = SETOSA_OK;
  Text text = {0}, name = {0};
  char path[4096];
  bool cached;
  *program = NULL;
  TRY(text_append(&name, error, "%s.cl", source));
  TRY(source_load(&text, name.text, error));
  cached = !context->remembers_nothing && source_folder() == NULL && quirks_binaries_useful(&context->device) &&
           binary_path(path, sizeof path, context, text.text, options);
  if (cached) *program = binary_load(context, path, options);
  if (*program != NULL) goto cleanup;
  TRY(build_source(program, context, text.text, source, options, error));
  if (cached) binary_save(path, *program);
cleanup:
  text_free(&text);
  text_free(&name);
  return status;
}

Status program_get(cl_program *out, Context *context, const char *source, const char *options, Error *error) {
  Status status = SETOSA_OK;
  Text key = {0}, all_options = {0};
  Program *program = NULL;
  TRY(text_append(&key, error, "%s\n%s", source, options));
  for (const Program *known = context->programs; known != NULL; known = known->next) {
    if (strcmp(known->key, key.text) != 0) continue;
    *out = known->handle;
    goto cleanup;
  }
  TRY(text_append(&all_options, error, "%s%s%s %s", base_options, source_folder() == NULL ? quiet_option : "",
                  quirks_build_options(&context->device), options));
  TRY(memory_allocate_zero((void **)&program, 1, sizeof *program, "a program", error));
  double begin = clock_seconds();
  status = build(&program->handle, context, source, all_options.text, error);
  context->build_seconds += clock_seconds() - begin;
  TRY(status);
  program->key = key.text;
  key.text = NULL;
  program->next = context->programs;
  context->programs = program;
  *out = program->handle;
  program = NULL;
cleanup:
  free(program);
  text_free(&key);
  text_free(&all_options);
  return status;
}

void program_free_all(Context *context) {
  for (Program *program = context->programs, *next; program != NULL; program = next) {
    next = program->next;
    clReleaseProgram(program->handle);
    free(program->key);
    free(program);
  }
  context->programs = NULL;
}
