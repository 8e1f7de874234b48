# Debian packages, one of each component of install.cmake:
#
#   cmake --preset package && cmake --build --preset package && cpack -G DEB --config build/package/CPackConfig.cmake
#
# setosa: the program; libsetosa0.2: the library; libsetosa-dev: what C and C++ programs are built with; setosa-mpi: the module for MPI.
set(library_package libsetosa${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
set(library_version "${library_package} (= ${PROJECT_VERSION}-1)")
set(SETOSA_MAINTAINER "The Setosa authors <maintainers@setosa.invalid>" CACHE STRING "Who is named in Debian packages, as NAME <MAIL>")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME setosa)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "${SETOSA_MAINTAINER}")
set(CPACK_PACKAGE_VENDOR "The Setosa authors")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL program runtime development)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR})
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)

# The libraries of the blas and clblast backends are loaded by those who ask, by the names that they have on this system.
set(suggested "")
if(OPENBLAS_FOUND)
  string(APPEND suggested "libopenblas0, ")
endif()
if(CLBLAST_FOUND)
  string(APPEND suggested "libclblast1, ")
endif()
set(devices "pocl-opencl-icd | opencl-icd")

set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME setosa)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS "${devices}")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SUGGESTS "${suggested}setosa-mpi")
set(CPACK_DEBIAN_PROGRAM_DESCRIPTION "softmax regression on any OpenCL device
Setosa fits multinomial logistic regression, from 150 rows to far beyond the
memory of one device, on GPUs and CPUs by OpenCL. It reads tables, images and
sparse data as they are, tells how near the optimum a model is, and gives the
same bits on every run. This package holds the program.")

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME ${library_package})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_RECOMMENDS "${devices}")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SUGGESTS "${suggested}setosa-mpi")
set(CPACK_DEBIAN_RUNTIME_DESCRIPTION "softmax regression on any OpenCL device, library
Setosa fits multinomial logistic regression, from 150 rows to far beyond the
memory of one device, on GPUs and CPUs by OpenCL. This package holds the
library that programs in C, C++ and Python use it by.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libsetosa-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "${library_version}")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "softmax regression on any OpenCL device, headers
Setosa fits multinomial logistic regression, from 150 rows to far beyond the
memory of one device, on GPUs and CPUs by OpenCL. This package holds what C
and C++ programs are built with: headers, pkg-config and CMake files.")

if(MPI_C_FOUND)
  list(APPEND CPACK_COMPONENTS_ALL mpi)
  set(CPACK_DEBIAN_MPI_PACKAGE_NAME setosa-mpi)
  set(CPACK_DEBIAN_MPI_PACKAGE_SECTION science)
  set(CPACK_DEBIAN_MPI_PACKAGE_DEPENDS "setosa (= ${PROJECT_VERSION}-1) | ${library_version}")
  set(CPACK_DEBIAN_MPI_PACKAGE_RECOMMENDS openmpi-bin)
  set(CPACK_DEBIAN_MPI_DESCRIPTION "softmax regression on any OpenCL device, several machines
Setosa fits multinomial logistic regression, from 150 rows to far beyond the
memory of one device, on GPUs and CPUs by OpenCL. This package holds what
lets processes on several machines train together, by Open MPI.")
endif()

# What Debian wants of every package: its licence and a changelog.
set(debian ${CMAKE_CURRENT_BINARY_DIR}/debian)
string(TIMESTAMP SETOSA_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC) # $SOURCE_DATE_EPOCH, where it is set
configure_file(${CMAKE_CURRENT_SOURCE_DIR}/debian/changelog.in ${debian}/changelog.Debian @ONLY)
configure_file(${CMAKE_CURRENT_SOURCE_DIR}/debian/copyright.in ${debian}/copyright @ONLY)
configure_file(${CMAKE_CURRENT_SOURCE_DIR}/debian/symbols.in ${debian}/symbols @ONLY)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA ${debian}/symbols ${CMAKE_CURRENT_SOURCE_DIR}/debian/triggers)
foreach(component ${CPACK_COMPONENTS_ALL})
  string(TOUPPER ${component} upper)
  set(package ${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
  install(FILES ${debian}/copyright ${debian}/changelog.Debian DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} COMPONENT ${component}
    EXCLUDE_FROM_ALL)
endforeach()
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_SOURCE_DIR}/debian/options.cmake)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_SOURCE_DIR}/debian/compress.cmake)
include(CPack)
