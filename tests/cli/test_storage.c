/* --storage as a user meets it: what is reported, what is refused, and that bytes change nothing. */
#include "cli/run.h"

static char folder[SUPPORT_PATH], digits[SUPPORT_PATH], iris[SUPPORT_PATH];

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  support_source_path(digits, "data/digits.csv.gz");
  support_source_path(iris, "data/iris.csv");
  return 0;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

static const char *text_of(const json_t *document, const char *name) {
  const char *text = json_string_value(json_object_get(document, name));
  if (text == NULL) fail_msg("%s is no text", name);
  return text;
}

/* The whole way of a training: the digits are whole numbers 0..16, which bytes hold exactly. */
static void bytes_train_the_same_model(void **state) {
  (void)state;
  run_need_device();
  static const char *const families[] = {"cpu", "gpu"};
  for (int f = 0; f < 2; f++) {
    char hash[64] = "";
    static const char *const storages[] = {"f32", "u8"};
    for (int s = 0; s < 2; s++) {
      Run run = RUN("train", digits, "--family", families[f], "--storage", storages[s], "--reproducible", "--max-iterations", "20",
                    "--json", "-q");
      run_expect(&run, 0);
      json_t *document = run_json(&run);
      assert_string_equal(text_of(document, "storage"), storages[s]);
      assert_true(run_number(document, "storage_error", "rms") == 0);
      assert_true(run_number(document, "storage_error", "largest") == 0);
      if (s == 1) assert_string_equal(text_of(document, "weights_hash"), hash);
      snprintf(hash, sizeof hash, "%s", text_of(document, "weights_hash"));
      json_decref(document);
      run_free(&run);
    }
  }
}

/* f16 changes iris a little, and says by how much: half a unit in the last of 11 bits at most. */
static void halves_tell_their_error(void **state) {
  (void)state;
  run_need_device();
  Run run = RUN("train", iris, "--storage", "f16", "--json", "-v");
  run_expect(&run, 0);
  run_expect_text(run.err, "the features were held as f16: rounding changed them by ");
  json_t *document = run_json(&run);
  assert_string_equal(text_of(document, "storage"), "f16");
  double rms = run_number(document, "storage_error", "rms"), largest = run_number(document, "storage_error", "largest");
  assert_true(rms > 0 && rms < largest && largest <= 1.0 / 2048);
  assert_true(run_number(document, "train", "accuracy") > 0.95);
  json_decref(document);
  run_free(&run);
}

static void check_tells_rounding_apart(void **state) {
  (void)state;
  run_need_device();
  Run run = RUN("check", iris, "--storage", "f16");
  run_expect(&run, 0);
  run_expect_text(run.out, "rounding to f16");
  run_expect_text(run.out, "The reference computed on the features as f16 holds them");
  run_free(&run);
  run = RUN("check", digits, "--storage", "u8", "--json");
  run_expect(&run, 0);
  assert_null(strstr(run.out, "rounding"));
  run_free(&run);
}

static void refuses(const char *const *arguments, int code, const char *message) {
  Run run = run_setosa(arguments);
  run_expect(&run, code);
  run_expect_text(run.err, message);
  if (code != 0) assert_string_equal(run.out, "");
  run_free(&run);
}
#define REFUSES(code, message, ...) refuses((const char *const[]){__VA_ARGS__, NULL}, code, message)

static void refusals(void **state) {
  (void)state;
  char large[SUPPORT_PATH], model[SUPPORT_PATH];
  REFUSES(2, "--storage", "train", iris, "--storage", "f64");
  REFUSES(2, "--storage is for the native backend alone", "train", iris, "--storage", "f16", "--backend", "reference");
  run_need_device();
  support_path(large, folder, "large.csv");
  support_write_text(large, "x,y,kind\n1,2,a\n3,-70000,b\n5,65519,a\n");
  REFUSES(3, "large.csv: row 2, feature 2: -70000 is the largest value, and f16 ends at 65504; use --standardize, --scale or --storage f32",
          "train", large, "--storage", "f16", "-q");
  REFUSES(0, "", "train", large, "--storage", "f16", "--standardize", "-q");
  REFUSES(3, "iris.csv: row ", "train", iris, "--storage", "u8", "-q");
  REFUSES(3, "so u8 would change it; use --storage f16 or f32", "train", iris, "--storage", "u8", "-q");
  REFUSES(3, "so u8 would change it; use --storage f16 or f32", "train", digits, "--storage", "u8", "--standardize", "-q");
  support_path(model, folder, "iris.safetensors");
  REFUSES(0, "", "train", iris, "--model", model, "--max-iterations", "3", "-q");
  REFUSES(3, "so u8 would change it", "predict", model, iris, "--storage", "u8", "-q");
  REFUSES(3, "so u8 would change it", "eval", model, iris, "--storage", "u8", "-q");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bytes_train_the_same_model),
      cmocka_unit_test(halves_tell_their_error),
      cmocka_unit_test(check_tells_rounding_apart),
      cmocka_unit_test(refusals),
  };
  return support_run("storage on the command line", tests, create, destroy);
}
