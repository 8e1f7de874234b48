/* Enumeration and selection against an OpenCL that lies, fails and repeats itself: this program answers the four calls itself, in
 * place of the loader. */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#include "opencl/device_fixture.h"

struct _cl_device_id {
  const char *name, *vendor;
  cl_device_type type;
  cl_uint units, clock;
  cl_bool missing_compiler, unavailable, big_endian, silent, divisible;
  const char *profile, *version;
  cl_device_local_mem_type local_type;
  cl_ulong memory;
};

struct _cl_platform_id {
  const char *name;
  cl_int code; /* of clGetDeviceIDs */
  cl_uint count;
  struct _cl_device_id devices[5];
};

static struct {
  cl_int code; /* of clGetPlatformIDs */
  cl_uint count;
  cl_bool repeated; /* every platform is the first one */
  struct _cl_platform_id platforms[3];
} world;

cl_int clGetPlatformIDs(cl_uint size, cl_platform_id *platforms, cl_uint *count) {
  if (count != NULL) *count = world.code == CL_SUCCESS ? world.count : 77; /* a failing loader leaves rubbish */
  for (cl_uint i = 0; platforms != NULL && i < size && i < world.count; i++) platforms[i] = &world.platforms[world.repeated ? 0 : i];
  return world.code;
}

static cl_int answer(const void *value, size_t length, size_t size, void *out, size_t *needed) {
  if (needed != NULL) *needed = length;
  if (out == NULL) return CL_SUCCESS;
  if (size < length) return CL_INVALID_VALUE;
  memcpy(out, value, length);
  return CL_SUCCESS;
}

static cl_int answer_text(const char *text, size_t size, void *out, size_t *needed) {
  return answer(text, strlen(text) + 1, size, out, needed);
}

cl_int clGetPlatformInfo(cl_platform_id platform, cl_platform_info what, size_t size, void *out, size_t *needed) {
  return answer_text(what == CL_PLATFORM_NAME ? platform->name : "OpenCL 1.2 fake", size, out, needed);
}

cl_int clGetDeviceIDs(cl_platform_id platform, cl_device_type type, cl_uint size, cl_device_id *devices, cl_uint *count) {
  (void)type;
  if (platform->code != CL_SUCCESS) return platform->code;
  if (count != NULL) *count = platform->count;
  for (cl_uint i = 0; devices != NULL && i < size && i < platform->count; i++) devices[i] = &platform->devices[i];
  return CL_SUCCESS;
}

cl_int clGetDeviceInfo(cl_device_id device, cl_device_info what, size_t size, void *out, size_t *needed) {
  const cl_bool available = !device->unavailable, compiler = !device->missing_compiler, little = !device->big_endian, unified = CL_FALSE;
  const cl_ulong memory = device->memory != 0 ? device->memory : 1000000000, local = 32768;
  const cl_device_local_mem_type local_type = device->local_type != 0 ? device->local_type : CL_LOCAL;
  const cl_uint alignment = 1024, width = 4;
  const size_t group = 256;
  const cl_device_partition_property ways[] = {CL_DEVICE_PARTITION_BY_COUNTS, device->divisible ? CL_DEVICE_PARTITION_EQUALLY : 0};
  if (device->silent) return CL_DEVICE_NOT_AVAILABLE;
  switch (what) {
    case CL_DEVICE_NAME:
      return answer_text(device->name, size, out, needed);
    case CL_DEVICE_VENDOR:
      return answer_text(device->vendor != NULL ? device->vendor : "Fake", size, out, needed);
    case CL_DRIVER_VERSION:
      return answer_text("1.0", size, out, needed);
    case CL_DEVICE_VERSION:
      return answer_text(device->version != NULL ? device->version : "OpenCL 1.2 fake", size, out, needed);
    case CL_DEVICE_PROFILE:
      return answer_text(device->profile != NULL ? device->profile : "FULL_PROFILE", size, out, needed);
    case CL_DEVICE_TYPE:
      return answer(&device->type, sizeof device->type, size, out, needed);
    case CL_DEVICE_LOCAL_MEM_TYPE:
      return answer(&local_type, sizeof local_type, size, out, needed);
    case CL_DEVICE_GLOBAL_MEM_SIZE:
      return answer(&memory, sizeof memory, size, out, needed);
    case CL_DEVICE_MAX_MEM_ALLOC_SIZE:
      return answer(&memory, sizeof memory, size, out, needed);
    case CL_DEVICE_LOCAL_MEM_SIZE:
      return answer(&local, sizeof local, size, out, needed);
    case CL_DEVICE_MAX_COMPUTE_UNITS:
      return answer(&device->units, sizeof device->units, size, out, needed);
    case CL_DEVICE_MAX_CLOCK_FREQUENCY:
      return answer(&device->clock, sizeof device->clock, size, out, needed);
    case CL_DEVICE_MEM_BASE_ADDR_ALIGN:
      return answer(&alignment, sizeof alignment, size, out, needed);
    case CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT:
      return answer(&width, sizeof width, size, out, needed);
    case CL_DEVICE_HOST_UNIFIED_MEMORY:
      return answer(&unified, sizeof unified, size, out, needed);
    case CL_DEVICE_MAX_WORK_GROUP_SIZE:
      return answer(&group, sizeof group, size, out, needed);
    case CL_DEVICE_AVAILABLE:
      return answer(&available, sizeof available, size, out, needed);
    case CL_DEVICE_COMPILER_AVAILABLE:
      return answer(&compiler, sizeof compiler, size, out, needed);
    case CL_DEVICE_PARTITION_PROPERTIES:
      return answer(ways, sizeof ways, size, out, needed);
    case CL_DEVICE_ENDIAN_LITTLE:
      return answer(&little, sizeof little, size, out, needed);
    default:
      return CL_INVALID_VALUE;
  }
}

static void reset_world(cl_int code, cl_uint platforms) {
  memset(&world, 0, sizeof world);
  world.code = code;
  world.count = platforms;
  for (int i = 0; i < 3; i++) world.platforms[i].name = i == 0 ? "First" : i == 1 ? "Second" : "Third";
}

static struct _cl_device_id *add_device(int platform, const char *name, cl_device_type type, cl_uint units) {
  struct _cl_device_id *device = &world.platforms[platform].devices[world.platforms[platform].count++];
  *device = (struct _cl_device_id){.name = name, .type = type, .units = units, .clock = 1000};
  return device;
}

static DeviceList *open_world(void) {
  DeviceList *list = NULL;
  assert_ok(device_list_open(&list, error));
  return list;
}

static void assert_selected(const DeviceList *list, const char *selector, bool force, size_t expected) {
  size_t index = 99;
  assert_ok(device_list_select(list, selector, force, &index, error));
  assert_int_equal(index, expected);
}

static void test_nothing(void **state) {
  (void)state;
  static const cl_int codes[] = {-1001, CL_SUCCESS, CL_OUT_OF_HOST_MEMORY};
  static const char *const reasons[] = {"no OpenCL platform", "no OpenCL platform", "CL_OUT_OF_HOST_MEMORY (-6)"};
  for (int i = 0; i < 3; i++) {
    size_t index = 99;
    reset_world(codes[i], 0);
    DeviceList *list = open_world();
    assert_int_equal(device_list_count(list), 0);
    assert_fails(SETOSA_ERROR_DEVICE, device_list_select(list, NULL, false, &index, error), reasons[i], "apt install pocl-opencl-icd",
                 "setosa devices --diagnose");
    assert_fails(SETOSA_ERROR_DEVICE, device_list_select(list, "0", true, &index, error), "pocl-opencl-icd");
    assert_int_equal(index, 99);
    device_list_close(list);
  }
  device_list_close(NULL);
}

/* A platform that fails and one without devices leave the third one as it is. */
static void test_failing_platforms(void **state) {
  (void)state;
  size_t index;
  reset_world(CL_SUCCESS, 3);
  world.platforms[0].code = CL_OUT_OF_RESOURCES;
  world.platforms[1].code = CL_DEVICE_NOT_FOUND;
  DeviceList *list = open_world();
  assert_int_equal(device_list_count(list), 0);
  assert_fails(SETOSA_ERROR_DEVICE, device_list_select(list, NULL, false, &index, error), "First", "CL_OUT_OF_RESOURCES (-5)",
               "platform Second shows no device", "platform Third shows no device");
  device_list_close(list);

  add_device(2, "  Padded name  ", CL_DEVICE_TYPE_CPU, 4);
  list = open_world();
  assert_int_equal(device_list_count(list), 1);
  const SetosaDeviceInfo *info = device_list_get(list, 0);
  assert_string_equal(info->name, "Padded name");
  assert_string_equal(info->platform, "Third");
  assert_true(info->usable);
  assert_string_equal(info->refusal, "");
  assert_string_equal(info->note, "");
  assert_selected(list, NULL, false, 0);
  device_list_close(list);
}

static void test_refusals(void **state) {
  (void)state;
  static const char *const reasons[] = {"compiler",         "not available",  "little-endian",
                                        "embedded profile", "older than 1.2", "does not answer"};
  size_t index;
  reset_world(CL_SUCCESS, 2);
  add_device(0, "a", CL_DEVICE_TYPE_GPU, 64)->missing_compiler = CL_TRUE;
  add_device(0, "b", CL_DEVICE_TYPE_GPU, 64)->unavailable = CL_TRUE;
  add_device(0, "c", CL_DEVICE_TYPE_GPU, 64)->big_endian = CL_TRUE;
  add_device(0, "d", CL_DEVICE_TYPE_GPU, 64)->profile = "EMBEDDED_PROFILE";
  add_device(1, "e", CL_DEVICE_TYPE_GPU, 64)->version = "OpenCL 1.1 Mesa";
  add_device(1, "f", CL_DEVICE_TYPE_GPU, 64)->silent = CL_TRUE;
  DeviceList *list = open_world();
  assert_int_equal(device_list_count(list), 6);
  for (size_t i = 0; i < 6; i++) {
    const SetosaDeviceInfo *info = device_list_get(list, i);
    char selector[2] = {(char)('0' + i), '\0'};
    assert_false(info->usable);
    assert_non_null(strstr(info->refusal, reasons[i]));
    assert_non_null(strchr(info->refusal, ';')); /* and what to do */
    assert_fails(SETOSA_ERROR_DEVICE, device_list_select(list, selector, false, &index, error), "refused", reasons[i]);
    assert_selected(list, selector, true, i);
  }
  assert_fails(SETOSA_ERROR_DEVICE, device_list_select(list, NULL, false, &index, error), "refused");
  device_list_close(list);

  add_device(1, "slow but sound", CL_DEVICE_TYPE_CPU, 1);
  list = open_world();
  assert_selected(list, NULL, false, 6);
  assert_selected(list, NULL, true, 6); /* force does not prefer a refused device */
  device_list_close(list);
}

static void test_selectors(void **state) {
  (void)state;
  size_t index;
  reset_world(CL_SUCCESS, 2);
  add_device(0, "Small CPU", CL_DEVICE_TYPE_CPU, 2);
  add_device(0, "Large CPU", CL_DEVICE_TYPE_CPU, 16);
  add_device(0, "Strange", CL_DEVICE_TYPE_ACCELERATOR, 999);
  add_device(1, "Radiant 50", CL_DEVICE_TYPE_GPU, 8);
  add_device(1, "Radiant 500", CL_DEVICE_TYPE_GPU, 4)->clock = 3000;
  DeviceList *list = open_world();
  assert_selected(list, NULL, false, 4); /* a GPU, by units x clock */
  assert_selected(list, "gpu", false, 4);
  assert_selected(list, "CPU", false, 1);
  assert_selected(list, "0", false, 0);
  assert_selected(list, "02", false, 2);
  assert_selected(list, "large", false, 1);
  assert_selected(list, "STRANGE", false, 2);
  assert_selected(list, "radiant 50", false, 3); /* the whole name wins over a part of another */
  assert_fails(SETOSA_ERROR_DEVICE, device_list_select(list, "radiant", false, &index, error), "2 devices", "3 Radiant 50 (gpu)",
               "4 Radiant 500 (gpu)");
  assert_fails(SETOSA_ERROR_DEVICE, device_list_select(list, "5", false, &index, error), "no device 5", "0 Small CPU (cpu)",
               "4 Radiant 500");
  assert_fails(SETOSA_ERROR_DEVICE, device_list_select(list, "99999999999999999999999", false, &index, error), "no device 9999");
  assert_fails(SETOSA_ERROR_DEVICE, device_list_select(list, "-1", false, &index, error), "-1", "0 Small CPU (cpu)");
  assert_fails(SETOSA_ERROR_DEVICE, device_list_select(list, "tpu", false, &index, error), "tpu", "0 Small CPU (cpu)", "2 Strange (other)");
  assert_fails(SETOSA_ERROR_DEVICE, device_list_select(list, "", false, &index, error), "empty", "0 Small CPU (cpu)");
  device_list_close(list);

  reset_world(CL_SUCCESS, 1);
  add_device(0, "Only", CL_DEVICE_TYPE_CPU, 2);
  list = open_world();
  assert_fails(SETOSA_ERROR_DEVICE, device_list_select(list, "gpu", false, &index, error), "gpu", "0 Only (cpu)");
  device_list_close(list);
}

static void test_shadows(void **state) {
  (void)state;
  reset_world(CL_SUCCESS, 3);
  add_device(0, "Card", CL_DEVICE_TYPE_GPU, 8)->missing_compiler = CL_TRUE; /* the first platform cannot use it */
  add_device(1, "Card", CL_DEVICE_TYPE_GPU, 8);
  add_device(1, "Card", CL_DEVICE_TYPE_GPU, 8); /* a twin on the same platform is another card */
  add_device(2, "Card", CL_DEVICE_TYPE_GPU, 8);
  add_device(2, "Card", CL_DEVICE_TYPE_GPU, 9); /* differs */
  DeviceList *list = open_world();
  assert_int_equal(device_list_count(list), 5);
  assert_string_equal(device_list_get(list, 0)->note, "");
  assert_string_equal(device_list_get(list, 1)->note, "");
  assert_string_equal(device_list_get(list, 2)->note, "");
  assert_string_equal(device_list_get(list, 3)->note, "the same physical device as 1");
  assert_true(device_list_get(list, 3)->usable);
  assert_string_equal(device_list_get(list, 4)->note, "");
  assert_selected(list, NULL, false, 4);
  assert_selected(list, "3", false, 3); /* by index one may insist */
  device_list_close(list);

  /* One device, two platforms: its name is not ambiguous. */
  reset_world(CL_SUCCESS, 2);
  add_device(0, "Card", CL_DEVICE_TYPE_GPU, 8);
  add_device(1, "Card", CL_DEVICE_TYPE_GPU, 8)->clock = 9000;
  list = open_world();
  assert_selected(list, "card", false, 0);
  assert_selected(list, "gpu", false, 0);
  assert_selected(list, NULL, false, 0);
  device_list_close(list);
}

/* Two ICD files that name one library: the same platform and the same devices twice. */
static void test_repeated_platform(void **state) {
  (void)state;
  reset_world(CL_SUCCESS, 2);
  world.repeated = CL_TRUE;
  add_device(0, "Twin", CL_DEVICE_TYPE_CPU, 2);
  add_device(0, "Twin", CL_DEVICE_TYPE_CPU, 2);
  DeviceList *list = open_world();
  assert_int_equal(device_list_count(list), 4);
  assert_string_equal(device_list_get(list, 1)->note, "");
  assert_string_equal(device_list_get(list, 2)->note, "the same physical device as 0");
  assert_string_equal(device_list_get(list, 3)->note, "the same physical device as 1");
  assert_selected(list, NULL, false, 0);
  device_list_close(list);
}

/* ---- several ------------------------------------------------------------------------------------------------------- */

/* 0 and 1 are CPUs that can be cut, 2 and 3 GPUs, 4 a GPU that is refused, 5 is GPU 2 again, 6 a CPU of 128 units. */
static DeviceList *open_many(void) {
  reset_world(CL_SUCCESS, 3);
  add_device(0, "Small CPU", CL_DEVICE_TYPE_CPU, 2)->divisible = CL_TRUE;
  add_device(0, "Large CPU 15/45, odd", CL_DEVICE_TYPE_CPU, 16)->divisible = CL_TRUE;
  add_device(1, "Card", CL_DEVICE_TYPE_GPU, 8);
  add_device(1, "Other card", CL_DEVICE_TYPE_GPU, 4);
  add_device(1, "Old card", CL_DEVICE_TYPE_GPU, 4)->missing_compiler = CL_TRUE;
  add_device(2, "Card", CL_DEVICE_TYPE_GPU, 8);
  add_device(2, "Huge CPU", CL_DEVICE_TYPE_CPU, 128)->divisible = CL_TRUE;
  return open_world();
}

/* selectors and expected, "0 1:0/2 1:1/2" for device 0 and both halves of 1, separated by blanks. */
static void assert_chosen(const DeviceList *list, const char *selectors, SetosaFamily family, bool force, const char *expected) {
  char copy[128], found[512] = "", *next = copy;
  const char *words[8];
  size_t count = 0;
  SetosaDeviceChoices choices;
  snprintf(copy, sizeof copy, "%s", selectors);
  for (char *word; (word = strsep(&next, ";")) != NULL;) words[count++] = word;
  if (selectors[0] == '\0') count = 0;
  memset(&choices, 0xff, sizeof choices);
  assert_ok(device_list_choose(list, count, words, family, force, &choices, error));
  for (size_t i = 0; i < choices.count; i++) {
    const SetosaDeviceChoice *c = &choices.choice[i];
    char text[64];
    snprintf(text, sizeof text, c->parts == 1 ? "%s%zu" : "%s%zu:%zu/%zu", i > 0 ? " " : "", c->index, c->part, c->parts);
    strncat(found, text, sizeof found - strlen(found) - 1);
  }
  assert_string_equal(found, expected);
}

static void test_several(void **state) {
  (void)state;
  DeviceList *list = open_many();
  assert_int_equal(device_list_count(list), 7);
  assert_chosen(list, "", SETOSA_FAMILY_AUTO, false, "2");
  assert_chosen(list, "gpu", SETOSA_FAMILY_AUTO, false, "2");
  assert_chosen(list, "1;0", SETOSA_FAMILY_AUTO, false, "1 0");
  assert_chosen(list, "3,2", SETOSA_FAMILY_AUTO, false, "3 2");
  assert_chosen(list, "0;6,1", SETOSA_FAMILY_AUTO, false, "0 6 1");
  assert_chosen(list, "2;5", SETOSA_FAMILY_AUTO, false, "2 5"); /* by index one may insist */
  assert_chosen(list, "small/2;1/3", SETOSA_FAMILY_AUTO, false, "0:0/2 0:1/2 1:0/3 1:1/3 1:2/3");
  assert_chosen(list, "0/2,1", SETOSA_FAMILY_AUTO, false, "0:0/2 0:1/2 1");
  assert_chosen(list, "cpu/2", SETOSA_FAMILY_AUTO, false, "6:0/2 6:1/2");
  /* What selectors are made of, in a name. */
  assert_chosen(list, "CPU 15/45", SETOSA_FAMILY_AUTO, false, "1");
  assert_chosen(list, "15/45, odd", SETOSA_FAMILY_AUTO, false, "1");
  assert_chosen(list, "CPU 15/45/2", SETOSA_FAMILY_AUTO, false, "1:0/2 1:1/2");
  /* Different kernels, unless the same are asked of all. */
  assert_chosen(list, "0;2", SETOSA_FAMILY_GPU, false, "0 2");
  assert_chosen(list, "2;0", SETOSA_FAMILY_CPU, false, "2 0");
  assert_chosen(list, "4;2", SETOSA_FAMILY_AUTO, true, "4 2");
  device_list_close(list);
}

static void test_all(void **state) {
  (void)state;
  static const char *const all[] = {"all"};
  SetosaDeviceChoices choices;
  DeviceList *list = open_many();
  assert_chosen(list, "all", SETOSA_FAMILY_AUTO, false, "2 3");
  assert_chosen(list, "ALL", SETOSA_FAMILY_AUTO, true, "2 3 4");
  assert_chosen(list, "all", SETOSA_FAMILY_CPU, false, "0 1 2 3 6");
  assert_ok(device_list_choose(list, 1, all, SETOSA_FAMILY_AUTO, false, &choices, error));
  assert_string_equal(choices.left_out,
                      "0 Small CPU (CPU kernels), 1 Large CPU 15/45, odd (CPU kernels), 4 Old card (refused), 5 Card (the "
                      "same physical device as 2), 6 Huge CPU (CPU kernels)");
  device_list_close(list);

  reset_world(CL_SUCCESS, 1);
  add_device(0, "Twin", CL_DEVICE_TYPE_CPU, 2)->divisible = CL_TRUE;
  add_device(0, "Twin", CL_DEVICE_TYPE_CPU, 2)->divisible = CL_TRUE;
  list = open_world();
  assert_chosen(list, "all", SETOSA_FAMILY_AUTO, false, "0 1"); /* POCL_DEVICES="pthread pthread" */
  assert_chosen(list, "all/2", SETOSA_FAMILY_AUTO, false, "0:0/2 0:1/2 1:0/2 1:1/2");
  assert_ok(device_list_choose(list, 1, all, SETOSA_FAMILY_AUTO, false, &choices, error));
  assert_string_equal(choices.left_out, "");
  device_list_close(list);
}

static void assert_not_chosen(const DeviceList *list, SetosaStatus expected, const char *one, const char *other, const char *part) {
  const char *const words[] = {one, other};
  SetosaDeviceChoices choices;
  assert_fails(expected, device_list_choose(list, other != NULL ? 2 : 1, words, SETOSA_FAMILY_AUTO, false, &choices, error), part);
}

static void test_not_several(void **state) {
  (void)state;
  DeviceList *list = open_many();
  assert_not_chosen(list, SETOSA_ERROR_USAGE, "0", "small", "device 0 (Small CPU) is named twice");
  assert_not_chosen(list, SETOSA_ERROR_USAGE, "0,0/2", NULL, "is named twice");
  assert_not_chosen(list, SETOSA_ERROR_USAGE, "all", "gpu", "device 2 (Card) is named twice");
  assert_not_chosen(list, SETOSA_ERROR_USAGE, "0", "2", "device 0 (Small CPU) has CPU kernels and device 2 (Card) GPU kernels");
  assert_not_chosen(list, SETOSA_ERROR_USAGE, "2", "0", "--family cpu or gpu");
  static const char *const malformed[] = {"0/1", "0/0", "0/", "0/x", "0/-2", "cpu/two", "0/2/"};
  for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
    assert_not_chosen(list, SETOSA_ERROR_USAGE, malformed[i], NULL, "2 or more, as in 0/2");
  assert_not_chosen(list, SETOSA_ERROR_USAGE, "6/65", NULL, "more than 64 devices");
  assert_not_chosen(list, SETOSA_ERROR_USAGE, "6/60", "1/5", "more than 64 devices");
  assert_not_chosen(list, SETOSA_ERROR_DEVICE, "0/3", NULL, "device 0 (Small CPU) has 2 compute units, too few for 3 parts");
  assert_not_chosen(list, SETOSA_ERROR_DEVICE, "2/2", NULL, "device 2 (Card) cannot be cut into parts");
  assert_not_chosen(list, SETOSA_ERROR_DEVICE, "15/45", NULL, "no device 15");
  assert_not_chosen(list, SETOSA_ERROR_DEVICE, "0", "7", "no device 7");
  assert_not_chosen(list, SETOSA_ERROR_DEVICE, "0,,1", NULL, "empty device selector");
  assert_not_chosen(list, SETOSA_ERROR_DEVICE, "/2", NULL, "empty device selector");
  assert_not_chosen(list, SETOSA_ERROR_DEVICE, "2", "4", "device 4 (Old card) is refused");
  device_list_close(list);
  reset_world(CL_SUCCESS, 0);
  list = open_world();
  assert_not_chosen(list, SETOSA_ERROR_DEVICE, "all", NULL, "no OpenCL device");
  assert_not_chosen(list, SETOSA_ERROR_DEVICE, "0/2", NULL, "no OpenCL device");
  device_list_close(list);
}

static void test_open_out_of_range(void **state) {
  (void)state;
  Context *context = NULL;
  reset_world(CL_SUCCESS, 1);
  add_device(0, "Only", CL_DEVICE_TYPE_CPU, 2);
  DeviceList *list = open_world();
  assert_fails(SETOSA_ERROR_DEVICE, context_open(&context, list, 1, error), "no device 1");
  assert_null(context);
  device_list_close(list);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_nothing),           cmocka_unit_test(test_failing_platforms), cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_selectors),         cmocka_unit_test(test_shadows),           cmocka_unit_test(test_repeated_platform),
      cmocka_unit_test(test_open_out_of_range), cmocka_unit_test(test_several),           cmocka_unit_test(test_all),
      cmocka_unit_test(test_not_several),
  };
  return support_run("opencl_fake_devices", tests, NULL, NULL);
}
