# After a test program is built: asks it for its cases and writes an entry of CTest for each.
#   cmake -DNAME= -DPROGRAM= -DLAUNCHER= -DLABEL= -DENVIRONMENT= -DCOSTS= -DLEFT_OUT= -DOUTPUT= -P list_cases.cmake
# The program is asked, and not its source searched, so that no case can be forgotten. A case named nightly_* has the label nightly.
# COSTS: pairs PATTERN=SECONDS, the first whose pattern matches NAME.case counts; from 10 s on a test has the label slow.
# LEFT_OUT: cases whose names match get no entry.
execute_process(COMMAND ${CMAKE_COMMAND} -E env ${ENVIRONMENT} SETOSA_TEST_LIST=1 ${PROGRAM}
  OUTPUT_VARIABLE cases RESULT_VARIABLE code OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT code EQUAL 0 OR cases STREQUAL "")
  message(FATAL_ERROR "${PROGRAM} does not list its cases (${code}): main has to end with support_run")
endif()
string(REPLACE "\n" ";" cases "${cases}")
if(NOT LEFT_OUT STREQUAL "")
  list(FILTER cases EXCLUDE REGEX "${LEFT_OUT}")
endif()
set(text "")
foreach(case IN LISTS cases)
  set(entry ${NAME}.${case})
  set(labels ${LABEL})
  set(cost 0)
  if(case MATCHES "^nightly_")
    list(APPEND labels nightly)
  endif()
  foreach(pair IN LISTS COSTS)
    string(REGEX MATCH "^(.*)=([0-9]+)$" matched "${pair}")
    if(cost EQUAL 0 AND entry MATCHES "^${CMAKE_MATCH_1}$")
      string(REGEX MATCH "[0-9]+$" cost "${pair}")
    endif()
  endforeach()
  if(cost GREATER_EQUAL 10)
    list(APPEND labels slow)
  endif()
  set(command "")
  foreach(word IN LISTS LAUNCHER PROGRAM)
    string(APPEND command " [==[${word}]==]")
  endforeach()
  string(APPEND text "add_test([==[${entry}]==]${command})\n"
    "set_tests_properties([==[${entry}]==] PROPERTIES TIMEOUT 900 SKIP_RETURN_CODE 77 COST ${cost} LABELS [==[${labels}]==]\n"
    "  ENVIRONMENT [==[${ENVIRONMENT};SETOSA_TEST_CASE=${case}]==])\n")
endforeach()
file(WRITE ${OUTPUT} "${text}")
