/* `setosa inspect MODEL` of a model of a table: what its columns were. */
#include "cli/run.h"

static char folder[SUPPORT_PATH], model[SUPPORT_PATH], numbers[SUPPORT_PATH];

static void train(const char *name, const char *text, const char *out, const char *na) {
  char data[SUPPORT_PATH];
  support_path(data, folder, name);
  support_write(data, text, strlen(text));
  Run run = RUN("train", data, "--backend", "reference", "--max-iterations", "3", "--model", out, "-q", "--na", na, "--id", "who");
  run_expect(&run, 0);
  run_free(&run);
}

static int create(void **state) {
  (void)state;
  support_folder_create(folder);
  support_path(model, folder, "m.safetensors");
  support_path(numbers, folder, "n.safetensors");
  train("m.csv", "who,sex,age,kind\nann,f,30,p\nbob,m,40,q\ncid,m,-9,p\ndee,f,20,q\n", model, "-9");
  train("n.csv", "who,a,b,kind\nann,1,2,p\nbob,3,1,q\n", numbers, "-");
  return 0;
}

static int destroy(void **state) {
  (void)state;
  support_folder_remove(folder);
  return 0;
}

static void columns_are_shown(void **state) {
  (void)state;
  Run run = RUN("inspect", model);
  run_expect(&run, 0);
  run_expect_text(run.out,
                  "  features    sex=f, sex=m, age\n"
                  "  categorical sex: f, m\n"
                  "  ids         who\n"
                  "  missing     drop: rows that lack a value are left out; -9 stands for one, too\n"
                  "  unseen      zero: a value that is none of these counts as none of them\n"
                  "  scaling     none\n");
  run_free(&run);
  run = RUN("inspect", numbers);
  run_expect(&run, 0);
  if (strstr(run.out, "unseen") != NULL || strstr(run.out, "categorical") != NULL) fail_msg("of numbers alone:\n%s", run.out);
  run_free(&run);
}

static void columns_are_in_the_document(void **state) {
  (void)state;
  Run run = RUN("inspect", model, "--json");
  run_expect(&run, 0);
  json_t *document = run_json(&run), *columns = json_object_get(document, "columns");
  char *text = json_dumps(columns, JSON_COMPACT);
  assert_string_equal(text,
                      "{\"features\":[{\"name\":\"sex\",\"number\":2,\"kind\":\"categorical\",\"levels\":[\"f\",\"m\"],\"shift\":null,"
                      "\"mean\":null},{\"name\":\"age\",\"number\":3,\"kind\":\"numeric\",\"levels\":null,\"shift\":0.0,\"mean\":30.0}],"
                      "\"ids\":[\"who\"],\"missing\":\"drop\",\"unseen\":\"zero\",\"na\":\"-9\",\"separator\":null,\"decimal\":null}");
  free(text);
  json_decref(document);
  run_free(&run);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(columns_are_shown),
      cmocka_unit_test(columns_are_in_the_document),
  };
  return support_run("cli_inspect_model", tests, create, destroy);
}
