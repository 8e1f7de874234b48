/* Axes, series, legend. */
#include "report/plot.h"

#include <math.h>
#include <string.h>

#include "report/letters.h"
#include "report/scale.h"

enum { TOP = 24, TICK_ROOM = 21, LABEL_ROOM = 16, LEGEND_ROW = 17, LEGEND_KEY = 22, LEGEND_GAP = 14, RIGHT = 14 };

typedef struct Frame {
  Scale x, y;
  double left, right, top, bottom; /* of the plot, in pixels */
  double width;                    /* of the picture */
} Frame;

/* ---- pieces ---------------------------------------------------------------------------------------------------------- */

void plot_open(Markup *markup, const PlotTitle *title, double width, double height) {
  if (title->part) {
    markup_put(markup, "<g transform=\"translate(%.1f %.1f)\">", title->x, title->y);
  } else {
    markup_put(markup, "<svg class=\"plot\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"", width, height);
    markup_text(markup, title->title);
    markup_put(markup, "\">");
  }
  markup_put(markup, "<title>");
  markup_text(markup, title->title);
  markup_put(markup, "</title>");
}

void plot_close(Markup *markup, const PlotTitle *title) { markup_put(markup, title->part ? "</g>\n" : "</svg>\n"); }

void plot_text(Markup *markup, double x, double y, const char *anchor, const char *class, const char *text, double room) {
  markup_put(markup, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\" text-anchor=\"%s\">", x, y, class, anchor);
  if (room > 0) {
    char fitting[LETTERS_ROOM];
    bool cut = letters_fit(fitting, text, room / PLOT_LETTERS);
    markup_text(markup, fitting);
    if (cut) {
      markup_put(markup, "<title>");
      markup_text(markup, text);
      markup_put(markup, "</title>");
    }
  } else {
    markup_text(markup, text);
  }
  markup_put(markup, "</text>");
}

static double across(const Frame *frame, double x) { return frame->left + scale_place(&frame->x, x) * (frame->right - frame->left); }
static double up(const Frame *frame, double y) { return frame->bottom - scale_place(&frame->y, y) * (frame->bottom - frame->top); }

/* ---- layout ---------------------------------------------------------------------------------------------------------- */

static void reach(double *least, double *most, double value, bool log) {
  if (!isfinite(value) || (log && value <= 0)) return;
  if (!(*least <= value)) *least = value;
  if (!(*most >= value)) *most = value;
}

static Scale axis_scale(const Plot *plot, bool of_x, size_t wanted) {
  const PlotAxis *axis = of_x ? &plot->x : &plot->y;
  double least = NAN, most = NAN;
  for (size_t s = 0; s < plot->series_count; s++) {
    const PlotSeries *series = &plot->series[s];
    for (size_t i = 0; i < series->count; i++) {
      double value = (of_x ? series->x : series->y)[i], room = 0;
      if (of_x && series->mark == PLOT_BARS) room = series->bar_width / 2;
      if (!of_x && series->error != NULL && isfinite(series->error[i])) room = series->error[i];
      reach(&least, &most, value - room, axis->log);
      reach(&least, &most, value + room, axis->log);
      if (!of_x && series->mark == PLOT_BARS && !axis->log) reach(&least, &most, 0, false);
    }
  }
  for (size_t r = 0; r < plot->rule_count; r++)
    if (plot->rules[r].upright == of_x) reach(&least, &most, plot->rules[r].at, axis->log);
  bool fixed = !isnan(axis->least) && !isnan(axis->most);
  if (!isnan(axis->least)) least = axis->least;
  if (!isnan(axis->most)) most = axis->most;
  return scale_make(least, most, axis->log, !of_x && !fixed, wanted);
}

static double widest_label(const Scale *scale) {
  char text[SCALE_LABEL];
  double widest = 0;
  for (size_t i = 0; i < scale->ticks; i++) {
    scale_label(text, scale, scale->tick[i]);
    widest = fmax(widest, letters_width(text) * PLOT_LETTERS);
  }
  return widest;
}

/* Labels of an axis stand apart when every stride-th is written: each takes `size` of its length. */
static size_t label_stride(const Scale *scale, double length, double size) {
  for (size_t stride = 1; stride < scale->ticks; stride++) {
    bool apart = true;
    for (size_t i = stride; i < scale->ticks; i += stride)
      apart = apart && (scale_place(scale, scale->tick[i]) - scale_place(scale, scale->tick[i - stride])) * length >= size;
    if (apart) return stride;
  }
  return scale->ticks > 0 ? scale->ticks : 1;
}

/* ---- axes ------------------------------------------------------------------------------------------------------------ */

static void draw_axes(Markup *markup, const Plot *plot, const Frame *frame) {
  char label[SCALE_LABEL];
  size_t stride = label_stride(&frame->y, frame->bottom - frame->top, PLOT_LETTERS + 4);
  for (size_t i = 0; i < frame->y.ticks; i++) {
    double y = up(frame, frame->y.tick[i]);
    markup_put(markup, "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>", frame->left, y, frame->right);
    if (i % stride != 0) continue;
    scale_label(label, &frame->y, frame->y.tick[i]);
    plot_text(markup, frame->left - 6, y + 4, "end", "tick", label, 0);
  }
  stride = label_stride(&frame->x, frame->right - frame->left, widest_label(&frame->x) + 8);
  for (size_t i = 0; i < frame->x.ticks; i++) {
    double x = across(frame, frame->x.tick[i]);
    markup_put(markup, "<path class=\"axis\" d=\"M%.1f %.1fv4\"/>", x, frame->bottom);
    if (i % stride != 0) continue;
    scale_label(label, &frame->x, frame->x.tick[i]);
    double half = letters_width(label) * PLOT_LETTERS / 2, most = frame->width - 2 - half; /* the last may stick out */
    plot_text(markup, fmin(x, fmax(most, frame->right - half)), frame->bottom + 19, "middle", "tick", label, 0);
  }
  markup_put(markup, "<path class=\"axis\" d=\"M%.1f %.1fH%.1f\"/>\n", frame->left, frame->bottom, frame->right);
  plot_text(markup, 4, 13, "start", "label", plot->y.label, frame->right - 4);
  plot_text(markup, frame->right, frame->bottom + TICK_ROOM + 13, "end", "label", plot->x.label, frame->right - 4);
}

/* ---- series ---------------------------------------------------------------------------------------------------------- */

static void draw_line(Markup *markup, const PlotSeries *series, const Frame *frame) {
  bool begun = false, drawing = false;
  for (size_t i = 0; i < series->count; i++) {
    double x = across(frame, series->x[i]), y = up(frame, series->y[i]);
    bool there = isfinite(x) && isfinite(y);
    if (there && !begun)
      markup_put(markup, "<path class=\"line c%u%s\" d=\"", series->colour % PLOT_COLOURS, series->dashed ? " dashed" : "");
    if (there) markup_put(markup, "%c%.1f %.1f", drawing ? 'L' : 'M', x, y);
    begun |= there;
    drawing = there;
  }
  if (begun) markup_put(markup, "\"/>\n");
}

/* The numbers of a point, for pointers. */
static void put_numbers(Markup *markup, const PlotSeries *series, size_t i) {
  markup_put(markup, "<title>");
  if (series->titles != NULL) {
    markup_text(markup, series->titles[i]);
    markup_put(markup, ": ");
  }
  markup_put(markup, "%.6g, %.6g", series->x[i], series->y[i]);
  if (series->error != NULL && isfinite(series->error[i])) markup_put(markup, " \u00b1 %.3g", series->error[i]);
  markup_put(markup, "</title>");
}

/* Within the plot, whatever has no place there. */
static double clip(double y, const Frame *frame) { return isfinite(y) ? fmin(fmax(y, frame->top), frame->bottom) : frame->bottom; }

static void draw_points(Markup *markup, const PlotSeries *series, const Frame *frame) {
  unsigned colour = series->colour % PLOT_COLOURS;
  for (size_t i = 0; i < series->count; i++) {
    double x = across(frame, series->x[i]), y = up(frame, series->y[i]);
    if (!isfinite(x) || !isfinite(y)) continue;
    if (series->error != NULL && isfinite(series->error[i])) {
      double low = clip(up(frame, series->y[i] - series->error[i]), frame), high = clip(up(frame, series->y[i] + series->error[i]), frame);
      markup_put(markup, "<path class=\"line thin c%u\" d=\"M%.1f %.1fh6m-3 0V%.1fm-3 0h6\"/>", colour, x - 3, high, low);
    }
    markup_put(markup, "<circle class=\"f%u\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.6\">", colour, x, y);
    put_numbers(markup, series, i);
    markup_put(markup, "</circle>\n");
  }
}

/* ---- labels of points ------------------------------------------------------------------------------------------------ */

enum { BOXES = 256, LABEL_HEIGHT = 15 };
typedef struct Boxes {
  struct Box {
    double left, top, right, bottom;
  } all[BOXES];
  size_t count;
} Boxes;

static bool is_free(const Boxes *boxes, struct Box box, const Frame *frame) {
  if (box.left < frame->left || box.right > frame->right || box.top < frame->top || box.bottom > frame->bottom) return false;
  for (size_t i = 0; i < boxes->count; i++) {
    const struct Box *other = &boxes->all[i];
    if (box.left < other->right && other->left < box.right && box.top < other->bottom && other->top < box.bottom) return false;
  }
  return boxes->count < BOXES;
}

/* Right of the point, left of it, above, below: where nothing is yet. A label without a place is left to its point's title. */
static void draw_label(Markup *markup, Boxes *boxes, const Frame *frame, double x, double y, const char *text) {
  double width = letters_width(text) * PLOT_LETTERS;
  const struct {
    const char *anchor;
    double x, y, left;
  } places[] = {{"start", x + 7, y + 4, x + 6},
                {"end", x - 7, y + 4, x - 8 - width},
                {"middle", x, y - 7, x - width / 2 - 1},
                {"middle", x, y + 16, x - width / 2 - 1}};
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    struct Box box = {places[i].left, places[i].y - LABEL_HEIGHT + 4, places[i].left + width + 2, places[i].y + 4};
    if (!is_free(boxes, box, frame)) continue;
    boxes->all[boxes->count++] = box;
    plot_text(markup, places[i].x, places[i].y, places[i].anchor, "tick", text, 0);
    return;
  }
}

static void draw_labels(Markup *markup, const Plot *plot, const Frame *frame) {
  Boxes boxes = {.count = 0};
  for (int drawing = 0; drawing < 2; drawing++) /* no label may lie on any point */
    for (size_t s = 0; s < plot->series_count; s++)
      for (size_t i = 0; plot->series[s].labelled && i < plot->series[s].count; i++) {
        double x = across(frame, plot->series[s].x[i]), y = up(frame, plot->series[s].y[i]);
        if (!isfinite(x) || !isfinite(y)) continue;
        if (drawing == 1)
          draw_label(markup, &boxes, frame, x, y, plot->series[s].titles[i]);
        else if (boxes.count < BOXES)
          boxes.all[boxes.count++] = (struct Box){x - 3, y - 3, x + 3, y + 3};
      }
}

static void draw_columns(Markup *markup, const PlotSeries *series, const Frame *frame) {
  for (size_t i = 0; i < series->count; i++) {
    double left = across(frame, series->x[i] - series->bar_width / 2), right = across(frame, series->x[i] + series->bar_width / 2);
    double y = up(frame, series->y[i]), base = clip(up(frame, frame->y.log ? frame->y.least : 0), frame);
    if (!isfinite(left) || !isfinite(right) || !isfinite(y)) continue;
    markup_put(markup, "<rect class=\"f%u\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\">", series->colour % PLOT_COLOURS,
               left + 0.5, fmin(y, base), fmax(right - left - 1, 0.5), fabs(base - y));
    put_numbers(markup, series, i);
    markup_put(markup, "</rect>\n");
  }
}

static void draw_rule(Markup *markup, const PlotRule *rule, const Frame *frame) {
  double at = rule->upright ? across(frame, rule->at) : up(frame, rule->at);
  if (!isfinite(at)) return;
  markup_put(markup, "<path class=\"line thin dashed c%u\" d=\"", rule->colour % PLOT_COLOURS);
  if (rule->upright)
    markup_put(markup, "M%.1f %.1fV%.1f\"/>\n", at, frame->top, frame->bottom);
  else
    markup_put(markup, "M%.1f %.1fH%.1f\"/>\n", frame->left, at, frame->right);
}

/* ---- legend ---------------------------------------------------------------------------------------------------------- */

typedef struct Entry {
  const char *name;
  PlotMark mark;
  bool dashed;
  unsigned colour;
} Entry;

static bool legend_entry(Entry *entry, const Plot *plot, size_t i) {
  if (i < plot->series_count) {
    const PlotSeries *series = &plot->series[i];
    *entry = (Entry){series->name, series->mark, series->dashed, series->colour % PLOT_COLOURS};
  } else {
    const PlotRule *rule = &plot->rules[i - plot->series_count];
    *entry = (Entry){rule->name, PLOT_LINE, true, rule->colour % PLOT_COLOURS};
  }
  return entry->name != NULL;
}

static void draw_entry(Markup *markup, const Entry *entry, double x, double y, double room) {
  if (entry->mark == PLOT_LINE)
    markup_put(markup, "<path class=\"line c%u%s\" d=\"M%.1f %.1fh16\"/>", entry->colour, entry->dashed ? " dashed" : "", x, y - 4);
  else if (entry->mark == PLOT_BARS)
    markup_put(markup, "<rect class=\"f%u\" x=\"%.1f\" y=\"%.1f\" width=\"12\" height=\"9\"/>", entry->colour, x + 2, y - 8);
  else
    markup_put(markup, "<circle class=\"f%u\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>", entry->colour, x + 8, y - 4);
  plot_text(markup, x + LEGEND_KEY, y, "start", "label", entry->name, room - LEGEND_KEY);
}

/* Rows of the legend below `top`, drawn when markup is not NULL. How many there are. */
static size_t legend(Markup *markup, const Plot *plot, double top) {
  double x = 4, width = plot_width(&plot->title) - 8;
  size_t rows = 0;
  Entry entry;
  for (size_t i = 0; i < plot->series_count + plot->rule_count; i++) {
    if (!legend_entry(&entry, plot, i)) continue;
    double needed = fmin(width, LEGEND_KEY + letters_width(entry.name) * PLOT_LETTERS + 1);
    if (rows == 0 || x + needed > 4 + width) x = 4, rows++;
    if (markup != NULL) draw_entry(markup, &entry, x, top + LEGEND_ROW * (double)rows - 4, needed);
    x += needed + LEGEND_GAP;
  }
  return rows;
}

/* ---- a plot ---------------------------------------------------------------------------------------------------------- */

void plot_draw(Markup *markup, const Plot *plot) {
  double height = plot->title.height > 0 ? plot->title.height : PLOT_HEIGHT;
  double inside = height - TOP - TICK_ROOM - LABEL_ROOM - (double)(LEGEND_ROW * legend(NULL, plot, 0));
  Frame frame = {.x = axis_scale(plot, true, 6), .y = axis_scale(plot, false, (size_t)fmax(2, fmin(5, inside / TICK_ROOM - 1)))};
  frame.left = widest_label(&frame.y) + 12;
  frame.width = plot_width(&plot->title);
  frame.right = frame.width - RIGHT;
  frame.top = TOP;
  frame.bottom = TOP + inside;
  plot_open(markup, &plot->title, frame.width, height);
  draw_axes(markup, plot, &frame);
  for (size_t r = 0; r < plot->rule_count; r++) draw_rule(markup, &plot->rules[r], &frame);
  for (size_t s = 0; s < plot->series_count; s++) {
    const PlotSeries *series = &plot->series[s];
    if (series->mark == PLOT_LINE)
      draw_line(markup, series, &frame);
    else if (series->mark == PLOT_POINTS)
      draw_points(markup, series, &frame);
    else
      draw_columns(markup, series, &frame);
  }
  draw_labels(markup, plot, &frame);
  legend(markup, plot, frame.bottom + TICK_ROOM + LABEL_ROOM);
  plot_close(markup, &plot->title);
}
