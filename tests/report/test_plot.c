/* Pictures and text without a browser: names are cut to their room, texts of a picture stand apart by the widths of letters.c, and markup
 * is escaped. How browsers show it is looked at by test_screens.py. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/text.h"
#include "report/letters.h"
#include "report/plot.h"
#include "report/report.h"
#include "support/support.h"

enum { SEED = 20261129, TEXTS = 600 };

static double draw(uint32_t i, uint32_t j) { return random_symmetric(SEED, RANDOM_STREAM_CHECK, i, j); }

/* ---- letters --------------------------------------------------------------------------------------------------------- */

static void names_are_cut_to_their_room(void **state) {
  (void)state;
  static const char *const names[] = {"setosa",
                                      "",
                                      "a very long name of a class that goes on and on",
                                      "日本語のとても長いクラスの名前です",
                                      "WWWWWWWWWWWWWWWWWWWWWWWWWWW",
                                      "\xF0\x9F\x99\x82\xF0\x9F\x99\x82\xF0\x9F\x99\x82",
                                      "bad \xFF\xFE end \xE3\x81",
                                      "tab\tand\nline"};
  char room[LETTERS_ROOM];
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    for (double ems = 3; ems < 40; ems += 1) {
      bool cut = letters_fit(room, names[i], ems);
      if (letters_width(room) > ems + 1e-9) fail_msg("\"%s\" is %.2f wide, not %.2f", room, letters_width(room), ems);
      assert_true(text_is_utf8(room, strlen(room)));
      assert_int_equal(cut, letters_width(names[i]) > ems);
      assert_int_equal(cut, strstr(room, "\u2026") != NULL);
    }
  assert_true(letters_fit(room, "prefix_that_is_common_a", 8));
  char other[LETTERS_ROOM];
  assert_true(letters_fit(other, "prefix_that_is_common_b", 8));
  assert_string_not_equal(room, other); /* names often differ at their ends */
}

static void endless_names_have_an_end(void **state) {
  (void)state;
  size_t length = 1 << 20;
  char *name = malloc(length + 1), room[LETTERS_ROOM];
  assert_non_null(name);
  memset(name, 'i', length);
  name[length] = '\0';
  assert_true(letters_fit(room, name, 1e9));
  assert_true(strlen(room) < LETTERS_ROOM);
  Markup markup = {.status = SETOSA_OK};
  markup_name(&markup, name, 10);
  assert_true(markup.text.length < 3000);
  markup_free(&markup);
  free(name);
}

static void markup_is_escaped(void **state) {
  (void)state;
  Markup markup = {.status = SETOSA_OK};
  markup_text(&markup, "<a href=\"x\" b='y'>&amp;</a>\x01\xEF\xBF\xBF\xE2\x80");
  assert_string_equal(markup.text.text, "&#60;a href=&#34;x&#34; b=&#39;y&#39;&#62;&#38;amp;&#60;/a&#62;??????");
  markup_free(&markup);
  markup_number(&markup, "a.b", 0.1, "%.2f");
  markup_number(&markup, NULL, NAN, "%.2f");
  assert_string_equal(markup.text.text, "<data id=\"a.b\" value=\"0.10000000000000001\">0.10</data><data value=\"\">-</data>");
  markup_free(&markup);
}

/* ---- pictures -------------------------------------------------------------------------------------------------------- */

typedef struct Box {
  double left, right, top, bottom;
  char words[128];
} Box;

static double attribute(const char *from, const char *name) {
  char key[16];
  snprintf(key, sizeof key, " %s=\"", name);
  const char *at = strstr(from, key);
  assert_non_null(at);
  return strtod(at + strlen(key), NULL);
}

/* The boxes of all <text>, in their order. */
static size_t find_texts(Box boxes[TEXTS], const char *svg) {
  size_t count = 0;
  for (const char *at = strstr(svg, "<text"); at != NULL; at = strstr(at + 1, "<text")) {
    assert_true(count < TEXTS);
    Box *box = &boxes[count++];
    const char *begin = strchr(at, '>') + 1;
    size_t length = strcspn(begin, "<");
    snprintf(box->words, sizeof box->words, "%.*s", (int)length, begin);
    double size = strstr(at, "class=\"cell") != NULL && strstr(at, "class=\"cell") < begin ? 9 : PLOT_LETTERS;
    double width = letters_width(box->words) * size, x = attribute(at, "x"), y = attribute(at, "y");
    const char *anchor = strstr(at, "text-anchor=\"") + strlen("text-anchor=\"");
    box->left = anchor[0] == 's' ? x : anchor[0] == 'e' ? x - width : x - width / 2;
    box->right = box->left + width;
    box->top = y - 0.93 * size; /* ascent and descent of the usual letters */
    box->bottom = y + 0.24 * size;
  }
  return count;
}

static void expect_apart(const char *svg, double width, double height) {
  static Box boxes[TEXTS];
  size_t count = find_texts(boxes, svg);
  for (size_t i = 0; i < count; i++) {
    const Box *one = &boxes[i];
    if (one->left < -0.5 || one->right > width + 0.5 || one->top < -0.5 || one->bottom > height + 0.5)
      fail_msg("\"%s\" leaves the picture: %.1f to %.1f, %.1f to %.1f\n%s", one->words, one->left, one->right, one->top, one->bottom, svg);
    for (size_t k = 0; k < i; k++) {
      const Box *other = &boxes[k];
      if (fmin(one->right, other->right) - fmax(one->left, other->left) > 0.5 &&
          fmin(one->bottom, other->bottom) - fmax(one->top, other->top) > 0.5)
        fail_msg("\"%s\" and \"%s\" overlap\n%s", one->words, other->words, svg);
    }
  }
}

static void texts_of_plots_stand_apart(void **state) {
  (void)state;
  enum { POINTS = 30 };
  static const char *const names[] = {"objective", "a name that is much too long to have room beside others in a legend", "log-loss", NULL};
  double x[POINTS], y[POINTS], error[POINTS];
  const char *titles[POINTS];
  for (uint32_t round = 0; round < 2000; round++) {
    bool log_x = round % 2 == 1, log_y = round % 3 == 1;
    double size = pow(10, 7 * draw(round, 0)), spread = pow(10, 3 * draw(round, 1));
    for (uint32_t i = 0; i < POINTS; i++) {
      x[i] = log_x ? exp(8 * draw(round, 10 + i)) * spread : (double)i * spread;
      y[i] = log_y ? size * exp(5 * draw(round, 50 + i)) : size * (draw(round, 2) + draw(round, 50 + i) * 1e-3);
      error[i] = fabs(y[i]) * 0.1;
      titles[i] = "W1 hessian";
    }
    if (round % 7 == 0) y[3] = NAN, x[5] = -1;
    const PlotSeries series[] = {{.name = names[round % 4], .x = x, .y = y, .count = POINTS},
                                 {.name = names[(round + 1) % 4],
                                  .mark = PLOT_POINTS,
                                  .labelled = round % 5 == 0,
                                  .x = x,
                                  .y = y,
                                  .error = round % 2 == 0 ? error : NULL,
                                  .titles = titles,
                                  .count = POINTS},
                                 {.name = "rows", .mark = PLOT_BARS, .x = x, .y = y, .count = POINTS, .bar_width = spread / 2}};
    const PlotRule rule = {.name = "lambda", .upright = true, .at = x[0], .colour = 1};
    const Plot plot = {.title = {.title = "test", .height = round % 6 == 0 ? 110 : PLOT_HEIGHT},
                       .x = {"passes over the data", log_x, NAN, NAN},
                       .y = {"objective", log_y, NAN, NAN},
                       .series = series,
                       .series_count = 1 + round % 3,
                       .rules = &rule,
                       .rule_count = round % 4 == 0 ? 1 : 0};
    Markup markup = {.status = SETOSA_OK};
    plot_draw(&markup, &plot);
    assert_int_equal(markup.status, SETOSA_OK);
    assert_null(strstr(markup.text.text, "nan\""));
    assert_null(strstr(markup.text.text, "inf\""));
    expect_apart(markup.text.text, PLOT_WIDTH, plot.title.height);
    markup_free(&markup);
  }
}

static void texts_of_matrices_and_bars_stand_apart(void **state) {
  (void)state;
  enum { MOST = 20 };
  static double shade[MOST * MOST], values[MOST * MOST];
  static const char *const kinds[] = {"0", "versicolor", "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWW", "日本語のとても長いクラスの名前です"};
  const char *names[MOST];
  for (uint32_t round = 0; round < 400; round++) {
    size_t count = 1 + round % MOST;
    double size = pow(10, round % 8);
    for (size_t i = 0; i < count; i++) names[i] = kinds[(round / MOST + i) % 4];
    for (size_t i = 0; i < count * count; i++) {
      shade[i] = fabs(draw(round, (uint32_t)i));
      values[i] = floor(shade[i] * size);
    }
    const PlotHeat heat = {.title = {.title = "Confusion matrix"},
                           .rows_label = "true class",
                           .columns_label = "predicted class",
                           .count = count,
                           .names = names,
                           .shade = shade,
                           .values = values,
                           .key = "confusion"};
    Markup markup = {.status = SETOSA_OK};
    PlotHeatText how = plot_draw_heat(&markup, &heat);
    assert_true(how != PLOT_HEAT_VALUES || count < 20 || size < 1e4);
    const char *box = strstr(markup.text.text, "viewBox=\"0 0 360 ");
    assert_non_null(box);
    expect_apart(markup.text.text, PLOT_WIDTH, strtod(box + strlen("viewBox=\"0 0 360 "), NULL));
    markup_free(&markup);
    for (size_t i = 0; i < count; i++) values[i] = draw(round, (uint32_t)i) * size * size * 1e-5;
    const PlotBars bars = {
        .title = {.title = "Weights"}, .count = count, .names = names, .values = values, .digits = 4, .least = NAN, .most = NAN};
    plot_draw_bars(&markup, &bars);
    expect_apart(markup.text.text, PLOT_WIDTH, plot_bars_height(&bars));
    markup_free(&markup);
  }
}

/* ---- steps ----------------------------------------------------------------------------------------------------------- */

static void long_trainings_are_thinned_out(void **state) {
  (void)state;
  static ReportTrace trace;
  static ReportStep steps[REPORT_STEPS + 1];
  for (uint64_t total = 0; total < 100000; total = total * 3 + 1) {
    size_t count = 0;
    trace = (ReportTrace){.count = 0};
    for (uint64_t i = 0; i < total; i++) report_trace_add(&trace, &(SetosaProgress){.iteration = i + 1, .passes = (double)(i + 1)});
    report_trace_get(&trace, steps, &count);
    if (total <= REPORT_STEPS) assert_int_equal(count, total);
    assert_true(count <= REPORT_STEPS + 1 && (total < REPORT_STEPS || count > REPORT_STEPS / 2));
    if (total > 0) assert_true(steps[0].iteration == 1 && steps[count - 1].iteration == total);
    for (size_t i = 1; i < count; i++) assert_true(steps[i].iteration > steps[i - 1].iteration);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_are_cut_to_their_room),
      cmocka_unit_test(endless_names_have_an_end),
      cmocka_unit_test(markup_is_escaped),
      cmocka_unit_test(texts_of_plots_stand_apart),
      cmocka_unit_test(texts_of_matrices_and_bars_stand_apart),
      cmocka_unit_test(long_trainings_are_thinned_out),
  };
  return support_run("report_plot", tests, NULL, NULL);
}
