/* How a page and its pictures look: text of a style sheet. */
#ifndef SETOSA_REPORT_STYLE_H
#define SETOSA_REPORT_STYLE_H

extern const char style_colours[]; /* the variables, for light, dark and paper */
extern const char style_pictures[];
extern const char style_page[];

#endif
