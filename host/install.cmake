# What `cmake --install` puts in place: the program with its manual pages and completions, libsetosa.so with setosa.h and setosa_bench.h, files
# for pkg-config and find_package(Setosa), and the pages to read. The components are the packages that cpack makes of them.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(runtime COMPONENT runtime) # libsetosa.so alone
set(program COMPONENT program)
set(development COMPONENT development)

# One shared library out of all layers; only setosa_* is visible.
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/no_source.c "/* libsetosa.so is made of the layers' libraries. */\ntypedef int setosa_no_source;\n")
add_library(setosa_shared SHARED ${CMAKE_CURRENT_BINARY_DIR}/no_source.c)
target_link_libraries(setosa_shared PRIVATE -Wl,--whole-archive setosa_base setosa_options setosa_ranks setosa_data setosa_opencl setosa_compute setosa_optim
  setosa_model setosa_exchange setosa_inference setosa_train setosa_bench -Wl,--no-whole-archive)
target_link_options(setosa_shared PRIVATE -Wl,--version-script=${CMAKE_CURRENT_SOURCE_DIR}/libsetosa.map)
if(NOT SETOSA_SANITIZE AND NOT SETOSA_FUZZ)
  target_link_options(setosa_shared PRIVATE -Wl,--no-undefined)
endif()
# Until 1.0 the second number changes with the ABI.
set_target_properties(setosa_shared PROPERTIES OUTPUT_NAME setosa EXPORT_NAME setosa VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR} LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}
  LINK_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/libsetosa.map)
target_include_directories(setosa_shared INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

# From the folder of setosa.pc back to the prefix, so that an installed tree can be moved.
file(RELATIVE_PATH relative_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" relative_prefix ${relative_prefix})
configure_file(${CMAKE_CURRENT_SOURCE_DIR}/setosa.pc.in ${CMAKE_CURRENT_BINARY_DIR}/setosa.pc @ONLY)

install(TARGETS setosa_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} ${program})
install(TARGETS setosa_shared EXPORT Setosa
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ${runtime} NAMELINK_COMPONENT development)
if(MPI_C_FOUND)
  # Program and library find it beside them or in its folder, wherever the installed tree is moved to.
  file(RELATIVE_PATH module_folder /prefix/${CMAKE_INSTALL_BINDIR} /prefix/${CMAKE_INSTALL_LIBDIR}/setosa)
  set_target_properties(setosa_program PROPERTIES BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "$ORIGIN;$ORIGIN/${module_folder}")
  set_target_properties(setosa_shared PROPERTIES BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "$ORIGIN;$ORIGIN/setosa")
  install(TARGETS setosa_mpi LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/setosa COMPONENT mpi)
endif()
install(FILES ${CMAKE_CURRENT_SOURCE_DIR}/include/setosa.h ${CMAKE_CURRENT_SOURCE_DIR}/include/setosa_bench.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} ${development})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/setosa.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig ${development})

# find_package(Setosa), target Setosa::setosa.
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/Setosa)
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/SetosaConfig.cmake "include(\${CMAKE_CURRENT_LIST_DIR}/SetosaTargets.cmake)\n")
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/SetosaConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(EXPORT Setosa NAMESPACE Setosa:: FILE SetosaTargets.cmake DESTINATION ${package_folder} ${development})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/SetosaConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/SetosaConfigVersion.cmake
  DESTINATION ${package_folder} ${development})

# Where each shell looks for completions of its own accord.
install(DIRECTORY ${SETOSA_PAGES}/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 ${program} FILES_MATCHING PATTERN "*.1")
install(FILES ${SETOSA_PAGES}/setosa DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions ${program})
install(FILES ${SETOSA_PAGES}/_setosa DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions ${program})
install(FILES ${SETOSA_PAGES}/setosa.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d ${program})

# README.md links to the other pages, so they come along, in the same folders.
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE ${CMAKE_SOURCE_DIR}/README.md ${CMAKE_SOURCE_DIR}/CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR}
  ${program})
foreach(page bench/LOG.md bench/README.md data/README.md host/README.md host/python/README.md kernels/README.md tests/README.md tests/tables/README.md)
  get_filename_component(folder ${page} DIRECTORY)
  install(FILES ${CMAKE_SOURCE_DIR}/${page} DESTINATION ${CMAKE_INSTALL_DOCDIR}/${folder} ${program})
endforeach()

include(package.cmake)
