# Read by cpack before it begins. The descriptions of the packages have a first line each, which the project's would only come before.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")
# The module for MPI is loaded by its path and has no version of its own.
set(CMAKE_SUPPRESS_DEVELOPER_WARNINGS TRUE)
