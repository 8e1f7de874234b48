/* Colours: when to use them, and the few there are. Bold, dim, red, green and cyan of the terminal's own palette, which read on light and
 * dark backgrounds alike; nothing is told by colour alone. */
#ifndef SETOSA_CLI_COLOR_H
#define SETOSA_CLI_COLOR_H

#include <stdbool.h>
#include <stdio.h>

typedef enum ColorMode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER } ColorMode;
typedef enum Color { COLOR_PLAIN, COLOR_BOLD, COLOR_DIM, COLOR_RED, COLOR_GREEN, COLOR_CYAN } Color;

/* AUTO: a terminal that is not TERM=dumb, and no NO_COLOR (no-color.org) in the environment. */
bool color_wanted(ColorMode mode, FILE *stream);
/* The escape sequence that begins a colour (COLOR_PLAIN ends it), or "" when colours are off. */
const char *color_code(bool on, Color color);

#endif
