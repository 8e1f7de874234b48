/* The works of the suite. */
#include "bench/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"

typedef struct Work {
  const char *name, *source;
} Work;

static const Work works[SUITE_WORKS] = {
    {"W1", "synthetic:rows=60000,features=784,classes=10"},    /* when Fashion-MNIST is not at hand */
    {"W2", "synthetic:rows=1e6,features=32,classes=3"},        /* tall */
    {"W3", "synthetic:rows=200000,features=256,classes=16"},   /* medium */
    {"W4", "synthetic:rows=50000,features=1024,classes=100"},  /* wide */
    {"W5", "synthetic:rows=16384,features=512,classes=1000"},  /* many classes */
    {"W6", "synthetic:rows=4096,features=1024,classes=32000"}, /* vocabulary */
    /* Sparse rows, made after what people compare on, with columns of power-law frequencies. */
    {"S1", "synthetic:rows=20000,features=20000,classes=20,sparsity=0.997"},   /* 60 entries a row: small */
    {"S2", "synthetic:rows=500000,features=50000,classes=50,sparsity=0.9985"}, /* 75: rcv1 */
    {"S3", "synthetic:rows=1e6,features=1048576,classes=2,fields=39"},         /* 39, all of them 1: criteo, hashed */
    {"S4", "synthetic:rows=16000,features=62000,classes=20,sparsity=0.99871"}, /* 80: news20 */
};

static const char fashion_folder[] = "/usr/share/datasets/fashion-mnist", fashion_file[] = "train-images-idx3-ubyte.gz";

const char *suite_name(size_t work) { return works[work].name; }

Status suite_choose(bool chosen[SUITE_WORKS], const char *list, Error *error) {
  Status status = SETOSA_OK;
  char **parts = NULL;
  size_t count = 0;
  for (size_t i = 0; i < SUITE_WORKS; i++) chosen[i] = list == NULL;
  if (list == NULL) return SETOSA_OK;
  TRY(text_split(&parts, &count, list, ',', error));
  for (size_t p = 0; p < count; p++) {
    size_t found = 0;
    while (found < SUITE_WORKS && strcasecmp(parts[p], works[found].name) != 0) found++;
    if (found == SUITE_WORKS)
      TRY(error_set(error, SETOSA_ERROR_USAGE, "--work \"%s\": give some of W1 to W6 and S1 to S4, as in W1,S4", parts[p]));
    chosen[found] = true;
  }
cleanup:
  free(parts);
  return status;
}

/* A folder stands for the training images in it. */
static Status fashion_path(char *path, size_t size, const char *given, Error *error) {
  struct stat info;
  const char *folder = given != NULL ? given : fashion_folder;
  bool is_folder = stat(folder, &info) != 0 || S_ISDIR(info.st_mode);
  int length = is_folder ? snprintf(path, size, "%s/%s", folder, fashion_file) : snprintf(path, size, "%s", folder);
  if (length < 0 || (size_t)length >= size)
    return error_set(error, SETOSA_ERROR_USAGE, "--fashion: the path is too long; move the files nearer to /");
  return SETOSA_OK;
}

Status suite_load(Dataset **dataset, size_t work, const char *fashion, Error *error) {
  char path[4096];
  if (work != 0) return setosa_dataset_load(dataset, works[work].source, NULL, error);
  Status status = fashion_path(path, sizeof path, fashion, error);
  if (status != SETOSA_OK) return status;
  if (fashion == NULL && !file_exists(path)) return setosa_dataset_load(dataset, works[work].source, NULL, error);
  return setosa_dataset_load(dataset, path, NULL, error);
}
