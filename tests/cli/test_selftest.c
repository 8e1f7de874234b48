/* The self-test before a command covers the kernels that the command launches, and no others: what is wrong in those refuses the device. */
#include "cli/run.h"

typedef struct Mistake {
  const char *file, *edit; /* of a copy of kernels/, by sed */
  const char *arguments[4];
  const char *named; /* the quantity that is found wrong; NULL: the command launches no such kernel, and works */
} Mistake;

#define SLOPE "s/weighted = fma(e, slope - target_slope, weighted)/weighted = fma(e, slope, weighted)/"
#define PRODUCT "s/vstorev(vloadv(0, a + i) \\* vloadv(0, b + i), 0, out + i)/vstorev(vloadv(0, a + i), 0, out + i)/"
#define LOGIT "s/logit = high + low/logit = high + 0.01f/"

static const Mistake mistakes[] = {
    {"strips_cpu.cl", SLOPE, {"train", "synthetic:rows=1000,features=10,classes=3"}, "line slope of"},
    {"strips_cpu.cl", SLOPE, {"train", "@iris"}, NULL}, /* of small data a line search needs no kernels */
    {"strips_cpu.cl", SLOPE, {"train", "@iris", "--solver=sgd"}, NULL},
    {"vector.cl", PRODUCT, {"train", "@iris", "--solver=adam"}, "element-wise of"},
    {"accurate_logits.cl", LOGIT, {"train", "@iris", "--solver=gd"}, "logits of"},
    {"accurate_logits.cl", LOGIT, {"eval", "@model", "@iris"}, "logits of"},
    {"rows_cpu.cl", "s|vload8(0, z + k) / total|vload8(0, z + k) / (total + 0.01f)|", {"predict", "@model", "@iris"}, "probabilities of"},
};

static void a_command_tests_what_it_launches(void **state) {
  (void)state;
  run_need_device();
  char folder[SUPPORT_PATH], iris[SUPPORT_PATH], model[SUPPORT_PATH], source[SUPPORT_PATH], kernels[SUPPORT_PATH];
  char command[10 * SUPPORT_PATH];
  support_folder_create(folder);
  support_source_path(iris, "data/iris.csv");
  support_source_path(source, "kernels");
  support_path(model, folder, "m.safetensors");
  support_path(kernels, folder, "kernels");
  Run run = RUN("train", iris, "--backend", "reference", "--max-iterations", "20", "--model", model);
  run_expect(&run, 0);
  run_free(&run);
  for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
    const Mistake *mistake = &mistakes[i];
    const char *arguments[7] = {NULL};
    size_t count = 0;
    for (; count < 4 && mistake->arguments[count] != NULL; count++) {
      const char *argument = mistake->arguments[count];
      arguments[count] = strcmp(argument, "@iris") == 0 ? iris : strcmp(argument, "@model") == 0 ? model : argument;
    }
    arguments[count++] = "--family";
    arguments[count] = "cpu";
    snprintf(command, sizeof command, "rm -rf '%s' && cp -r '%s' '%s' && sed -i '%s' '%s/%s' && ! cmp -s '%s/%s' '%s/%s'", kernels, source,
             kernels, mistake->edit, kernels, mistake->file, source, mistake->file, kernels, mistake->file);
    run = run_shell(command);
    run_expect(&run, 0); /* the line that is made wrong is there */
    run_free(&run);
    setenv("SETOSA_KERNEL_DIR", kernels, 1);
    run = run_setosa(arguments);
    unsetenv("SETOSA_KERNEL_DIR");
    run_expect(&run, mistake->named != NULL ? 4 : 0);
    if (mistake->named != NULL) {
      run_expect_text(run.err, "computes wrong results in the self-test");
      run_expect_text(run.err, mistake->named);
    }
    run_free(&run);
  }
  support_folder_remove(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_command_tests_what_it_launches),
  };
  return support_run("self-test of commands", tests, NULL, NULL);
}
