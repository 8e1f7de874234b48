/* setosa_pages FOLDER: writes manual pages and completions there, under the names that they are installed by. Run while Setosa is built. */
#include <stdlib.h>
#include <string.h>

#include "cli/pages/pages.h"

static FILE *open_page(const char *folder, const char *prefix, const char *name, const char *suffix) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s%s%s", folder, prefix, name, suffix);
  FILE *file = fopen(path, "w");
  if (file != NULL) return file;
  perror(path);
  exit(EXIT_FAILURE);
}

static void close_page(FILE *file) {
  if (ferror(file) == 0 && fclose(file) == 0) return;
  perror("setosa_pages: a page could not be written");
  exit(EXIT_FAILURE);
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return EXIT_FAILURE;
  }
  static const struct {
    const char *name;
    void (*write)(FILE *stream);
  } pages[] = {{"setosa.1", manual_write_overview},
               {"setosa", completion_write_bash},
               {"_setosa", completion_write_zsh},
               {"setosa.fish", completion_write_fish}};
  for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
    FILE *file = open_page(argv[1], pages[i].name, "", "");
    pages[i].write(file);
    close_page(file);
  }
  size_t count = 0;
  const Command *const *commands = command_list(&count);
  for (size_t i = 0; i < count; i++) {
    FILE *file = open_page(argv[1], "setosa-", commands[i]->name, ".1");
    manual_write_command(file, commands[i]);
    close_page(file);
  }
  return EXIT_SUCCESS;
}
