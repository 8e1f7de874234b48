# cmake -DSOURCES=a.cl;b.clh -DOUTPUT=embedded.c -P embed.cmake
# Writes the table `embedded_sources` of host/opencl/embedded.h. Files go in as byte arrays, so any content and any length is safe.
set(arrays "")
set(table "")
set(count 0)
foreach(source IN LISTS SOURCES)
  get_filename_component(name "${source}" NAME)
  file(READ "${source}" bytes HEX)
  string(LENGTH "${bytes}" digits)
  math(EXPR length "${digits} / 2")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
  string(APPEND arrays "/* ${name} */\nstatic const unsigned char source_${count}[] = {\n${bytes}0};\n\n")
  string(APPEND table "    {\"${name}\", (const char *)source_${count}, ${length}},\n")
  math(EXPR count "${count} + 1")
endforeach()

file(WRITE "${OUTPUT}" "/* Made by kernels/embed.cmake. */\n#include \"opencl/embedded.h\"\n\n${arrays}"
  "const EmbeddedSource embedded_sources[] = {\n${table}    {0, 0, 0}};\nconst size_t embedded_source_count = ${count};\n")
