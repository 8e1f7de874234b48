/* The largest weights of each class, or where the features are pixels all of them as a picture. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "report/plot.h"
#include "report/sections.h"

enum { BARS = 10, CLASSES = 12, NAME = 256, PIXELS_A_SIDE = 40 };

static const char *feature_name(char room[NAME], const SetosaModel *model, size_t d) {
  const char *name = setosa_model_feature_name(model, d);
  if (name != NULL) return name;
  snprintf(room, NAME, "feature %zu", d + 1);
  return room;
}

static void draw_class(Markup *markup, const ReportPage *page, size_t k, double *size) {
  size_t features = setosa_model_features(page->model), count = features < BARS ? features : BARS;
  const float *weights = setosa_model_weights(page->model) + k * features;
  char rooms[BARS][NAME], keys[BARS][48], title[NAME];
  const char *names[BARS], *key[BARS];
  double values[BARS];
  for (size_t d = 0; d < features; d++) size[d] = fabs((double)weights[d]);
  size_t *largest = section_largest(markup, size, features, count), zeros = 0;
  if (largest == NULL) return;
  for (size_t i = 0; i < count; i++) {
    values[i] = weights[largest[i]];
    names[i] = feature_name(rooms[i], page->model, largest[i]);
    snprintf(keys[i], sizeof keys[i], "weights.%zu.%zu", k, largest[i]);
    key[i] = keys[i];
  }
  for (size_t d = 0; d < features; d++) zeros += weights[d] == 0;
  snprintf(title, sizeof title, "Largest weights of %s", section_class_name(page, k));
  const PlotBars bars = {
      .title = {.title = title}, .count = count, .names = names, .values = values, .digits = 4, .keys = key, .least = NAN, .most = NAN};
  markup_put(markup, "<figure><h3>");
  markup_name(markup, section_class_name(page, k), 20);
  markup_put(markup, "</h3>\n");
  plot_draw_bars(markup, &bars);
  markup_put(markup, "<figcaption>intercept ");
  snprintf(title, sizeof title, "bias.%zu", k);
  markup_number(markup, title, setosa_model_bias(page->model)[k], "%.4g");
  if (features > count) markup_put(markup, "; %zu smaller weights are left out", features - count);
  if (zeros > 0) markup_put(markup, "; %zu are 0", zeros);
  markup_put(markup, "</figcaption></figure>\n");
  free(largest);
}

static void draw_bars(Markup *markup, const ReportPage *page, size_t classes) {
  double *size = NULL;
  size_t features = setosa_model_features(page->model);
  if (markup->status != SETOSA_OK) return;
  markup->status = memory_allocate((void **)&size, features, sizeof *size, "a report", &markup->error);
  if (size == NULL) return;
  markup_put(markup, "<div class=\"grid2\">\n");
  for (size_t k = 0; k < classes; k++) draw_class(markup, page, k, size);
  markup_put(markup, "</div>\n");
  free(size);
}

/* ---- images ---------------------------------------------------------------------------------------------------------- */

/* Means of blocks of side x side pixels, so that a picture has PIXELS_A_SIDE of them at most: (rows,columns). */
static void shrink(float *small, const float *weights, size_t height, size_t width, size_t side) {
  size_t rows = (height + side - 1) / side, columns = (width + side - 1) / side;
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < columns; j++) {
      double sum = 0;
      size_t count = 0;
      for (size_t y = i * side; y < (i + 1) * side && y < height; y++)
        for (size_t x = j * side; x < (j + 1) * side && x < width; x++, count++) sum += weights[y * width + x];
      small[i * columns + j] = (float)(sum / (double)count);
    }
}

static void draw_image(Markup *markup, const ReportPage *page, size_t k, const PlotPixels *pixels) {
  char key[48];
  markup_put(markup, "<figure>");
  plot_draw_pixels(markup, pixels);
  markup_put(markup, "<figcaption>");
  markup_name(markup, section_class_name(page, k), 12);
  markup_put(markup, "<br/>intercept ");
  snprintf(key, sizeof key, "bias.%zu", k);
  markup_number(markup, key, setosa_model_bias(page->model)[k], "%.3g");
  markup_put(markup, "</figcaption></figure>\n");
}

/* All classes have the same colours for the same weights, so that they compare. */
static void draw_images(Markup *markup, const ReportPage *page, size_t classes, size_t height, size_t width) {
  float small[PIXELS_A_SIDE * PIXELS_A_SIDE] = {0};
  char title[NAME];
  size_t longer = height > width ? height : width, side = (longer + PIXELS_A_SIDE - 1) / PIXELS_A_SIDE;
  PlotPixels pixels = {
      .title = {.title = title}, .height = (height + side - 1) / side, .width = (width + side - 1) / side, .values = small};
  for (size_t k = 0; k < classes; k++) {
    shrink(small, setosa_model_weights(page->model) + k * height * width, height, width, side);
    for (size_t i = 0; i < pixels.height * pixels.width; i++) pixels.largest = fmax(pixels.largest, fabs((double)small[i]));
  }
  markup_put(markup,
             "<p>Each pixel of a picture is the weight of that pixel of an image of %zu x %zu: <span class=\"key\"><span class=\"swatch "
             "plus\"></span>speaks for the class, <span class=\"swatch minus\"></span>against it</span>, at most %.3g.%s</p>\n",
             height, width, pixels.largest, side > 1 ? " Neighbouring pixels are shown by their mean." : "");
  markup_put(markup, "<div class=\"grid4\">\n");
  for (size_t k = 0; k < classes; k++) {
    shrink(small, setosa_model_weights(page->model) + k * height * width, height, width, side);
    snprintf(title, sizeof title, "Weights of %s", section_class_name(page, k));
    draw_image(markup, page, k, &pixels);
  }
  markup_put(markup, "</div>\n");
}

void section_coefficients(Markup *markup, const ReportPage *page) {
  size_t height = 0, width = 0;
  if (page->model == NULL) return;
  size_t all = setosa_model_classes(page->model), classes = all < CLASSES ? all : CLASSES;
  bool images = setosa_dataset_image(page->dataset, &height, &width) && height * width == setosa_model_features(page->model);
  markup_put(markup, "<section id=\"coefficients\"><h2>Weights</h2>\n");
  if (images) {
    draw_images(markup, page, classes, height, width);
  } else {
    markup_put(markup, "<p>%s</p>\n",
               setosa_model_scale(page->model) != NULL
                   ? "Weights of the features as the model scales them; with --standardize for one standard deviation."
                   : "Weights for one unit of each feature as it stands: features in other units have weights of another size, and "
                     "--standardize makes "
                     "them alike.");
    draw_bars(markup, page, classes);
  }
  if (classes < all) markup_put(markup, "<p class=\"dim\">%zu more classes are left out.</p>\n", all - classes);
  markup_put(markup, "</section>\n");
}
