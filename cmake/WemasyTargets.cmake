# The functions that make libraries, executables and tests. Everything includes
# from the repository's root: "common/clock.h".

function(_wemasy_check_arguments name prefix)
  if(${prefix}_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR
      "${name}: unknown arguments: ${${prefix}_UNPARSED_ARGUMENTS}")
  endif()
endfunction()

# Applies what all of our own code is compiled with.
function(_wemasy_own_code name)
  target_link_libraries(${name} PRIVATE wemasy_warnings)
  target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}")
endfunction()

# wemasy_library(NAME [SOURCES a.cc ...] [DEPS target ...]
#                [PRIVATE_DEPS target ...])
#
# A static library; a header-only one without SOURCES. DEPS are what its
# headers need, PRIVATE_DEPS what only its sources need.
function(wemasy_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS;PRIVATE_DEPS")
  _wemasy_check_arguments(${name} arg)
  if(NOT arg_SOURCES)
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE "${CMAKE_SOURCE_DIR}")
    target_link_libraries(${name} INTERFACE ${arg_DEPS} ${arg_PRIVATE_DEPS})
    return()
  endif()
  add_library(${name} STATIC ${arg_SOURCES})
  _wemasy_own_code(${name})
  target_include_directories(${name} PUBLIC "${CMAKE_SOURCE_DIR}")
  target_link_libraries(${name} PUBLIC ${arg_DEPS} PRIVATE ${arg_PRIVATE_DEPS})
endfunction()

# wemasy_executable(NAME SOURCES a.cc ... [DEPS target ...])
#
# An executable in <build directory>/bin. It exports nothing of the archives it
# is linked from, BoringSSL's least of all.
function(wemasy_executable name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS")
  _wemasy_check_arguments(${name} arg)
  add_executable(${name} ${arg_SOURCES})
  _wemasy_own_code(${name})
  target_link_libraries(${name} PRIVATE ${arg_DEPS})
  target_link_options(${name} PRIVATE -Wl,--exclude-libs,ALL)
  if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=thread")
    target_sources(${name} PRIVATE
      "${CMAKE_SOURCE_DIR}/tests/support/tsan_order.cc")
    # So that the libraries find the functions it defines.
    set_target_properties(${name} PROPERTIES ENABLE_EXPORTS ON)
    target_link_libraries(${name} PRIVATE absl::synchronization ${CMAKE_DL_LIBS})
  endif()
endfunction()

# wemasy_test(NAME LABEL unit|contract|integration|... SOURCES a_test.cc ...
#             [DEPS target ...] [TIMEOUT seconds] [NO_MAIN])
#
# One executable of GoogleTest tests, which is one test of CTest's. The target
# LABEL_tests builds all of a label. NO_MAIN if
# the sources have a main(). The tests find the source tree in
# $WEMASY_SOURCE_DIR and the executables in $WEMASY_BIN_DIR.
function(wemasy_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "NO_MAIN" "LABEL;TIMEOUT"
    "SOURCES;DEPS")
  _wemasy_check_arguments(${name} arg)
  set(main GTest::gmock_main)
  if(arg_NO_MAIN)
    set(main GTest::gmock)
  endif()
  wemasy_executable(${name} SOURCES ${arg_SOURCES} DEPS ${arg_DEPS} ${main})
  if(NOT TARGET ${arg_LABEL}_tests)
    add_custom_target(${arg_LABEL}_tests)
  endif()
  add_dependencies(${arg_LABEL}_tests ${name})
  _wemasy_add_test(${name} "${arg_LABEL}" "${arg_TIMEOUT}" ${name})
endfunction()

# wemasy_script_test(NAME LABEL check|e2e|... COMMAND program argument ...
#                    [TIMEOUT seconds])
#
# A test that is a program of its own, run with the same environment.
function(wemasy_script_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LABEL;TIMEOUT" "COMMAND")
  _wemasy_check_arguments(${name} arg)
  _wemasy_add_test(${name} "${arg_LABEL}" "${arg_TIMEOUT}" ${arg_COMMAND})
endfunction()

function(_wemasy_add_test name label timeout)
  if(NOT label)
    message(FATAL_ERROR "${name}: a test needs a LABEL")
  endif()
  if(NOT timeout)
    set(timeout 120)
    if(CMAKE_CXX_FLAGS MATCHES "-fsanitize")
      set(timeout 600)
    endif()
  endif()
  add_test(NAME ${name} COMMAND ${ARGN})
  set(environment
    "WEMASY_SOURCE_DIR=${CMAKE_SOURCE_DIR}"
    "WEMASY_BIN_DIR=${CMAKE_RUNTIME_OUTPUT_DIRECTORY}"
    "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1"
    "LSAN_OPTIONS=print_suppressions=0:suppressions=${CMAKE_SOURCE_DIR}/cmake/lsan.supp"
    "UBSAN_OPTIONS=print_stacktrace=1"
    "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=${CMAKE_SOURCE_DIR}/cmake/tsan.supp")
  set_tests_properties(${name} PROPERTIES
    LABELS ${label}
    TIMEOUT ${timeout}
    ENVIRONMENT "${environment}")
endfunction()
