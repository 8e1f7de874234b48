/* Numbers with their units. */
#include "cli/terminal/units.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *units_count(char text[UNITS_SIZE], double count) {
  if (count < 1e3)
    snprintf(text, UNITS_SIZE, "%.0f", count);
  else if (count < 999.5e3)
    snprintf(text, UNITS_SIZE, "%.3gk", count / 1e3);
  else if (count < 999.5e6)
    snprintf(text, UNITS_SIZE, "%.3gM", count / 1e6);
  else
    snprintf(text, UNITS_SIZE, "%.3gG", count / 1e9);
  return text;
}

const char *units_sum(char text[UNITS_SIZE], double sum) {
  snprintf(text, UNITS_SIZE, sum == floor(sum) && sum < 1e15 ? "%.0f" : "%.6g", sum);
  return text;
}

const char *units_bytes(char text[UNITS_SIZE], double bytes) {
  if (bytes < 1e3)
    snprintf(text, UNITS_SIZE, "%.0f B", bytes);
  else if (bytes < 999.5e3)
    snprintf(text, UNITS_SIZE, "%.3g kB", bytes / 1e3);
  else if (bytes < 999.5e6)
    snprintf(text, UNITS_SIZE, "%.3g MB", bytes / 1e6);
  else if (bytes < 999.5e9)
    snprintf(text, UNITS_SIZE, "%.3g GB", bytes / 1e9);
  else
    snprintf(text, UNITS_SIZE, "%.3g TB", bytes / 1e12);
  return text;
}

const char *units_seconds(char text[UNITS_SIZE], double seconds) {
  if (!(seconds >= 0)) seconds = 0;
  if (seconds < 9.995)
    snprintf(text, UNITS_SIZE, "%.2f s", seconds);
  else if (seconds < 59.5)
    snprintf(text, UNITS_SIZE, "%.0f s", seconds);
  else if (seconds < 3599.5)
    snprintf(text, UNITS_SIZE, "%d min %02d s", (int)(seconds + 0.5) / 60, (int)(seconds + 0.5) % 60);
  else if (seconds < 1e9)
    snprintf(text, UNITS_SIZE, "%lld h %02lld min", (long long)seconds / 3600, (long long)seconds / 60 % 60);
  else
    snprintf(text, UNITS_SIZE, "ages");
  return text;
}

const char *units_shell_word(char *text, size_t size, const char *word) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,+@%";
  size_t used = 0;
  if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
    snprintf(text, size, "%s", word);
    return text;
  }
  text[used++] = '\'';
  for (; *word != '\0' && used + 6 < size; word++) {
    if (*word == '\'') {
      memcpy(text + used, "'\\''", 4);
      used += 4;
    } else {
      text[used++] = *word;
    }
  }
  text[used++] = '\'';
  text[used] = '\0';
  return text;
}

const char *units_list_word(char *text, size_t size, const char *name) {
  size_t length = strlen(name), used = 0;
  bool plain = length > 0 && name[strcspn(name, ",;()\"\r\n")] == '\0' && name[0] != ' ' && name[length - 1] != ' ';
  if (plain) {
    snprintf(text, size, "%s", name);
    return text;
  }
  text[used++] = '"';
  for (; *name != '\0' && used + 4 < size; name++) {
    if (*name == '"') text[used++] = '"';
    text[used++] = *name;
  }
  text[used++] = '"';
  text[used] = '\0';
  return text;
}
