/* Colours: the decision and the escape sequences. */
#include "cli/terminal/color.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool color_wanted(ColorMode mode, FILE *stream) {
  if (mode != COLOR_AUTO) return mode == COLOR_ALWAYS;
  const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
  if (no_color != NULL && no_color[0] != '\0') return false;
  if (terminal == NULL || strcmp(terminal, "dumb") == 0) return false;
  return isatty(fileno(stream)) == 1;
}

const char *color_code(bool on, Color color) {
  static const char *const codes[] = {"\033[0m", "\033[1m", "\033[2m", "\033[31m", "\033[32m", "\033[36m"};
  return on ? codes[color] : "";
}
