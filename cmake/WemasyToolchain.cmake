# How everything is compiled and linked: warnings, linker, compiler cache.

# For our own code only; generated code is exempt.
add_library(wemasy_warnings INTERFACE)
target_compile_options(wemasy_warnings INTERFACE
  -Wall -Wextra -Werror
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>)

find_program(WEMASY_CCACHE ccache)
if(WEMASY_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Relative paths, so that build directories share what they compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER
    "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}"
    CCACHE_NOHASHDIR=1 "${WEMASY_CCACHE}")
endif()

# The first of these that the compiler can drive; otherwise its own.
include(CheckLinkerFlag)
foreach(linker IN ITEMS mold lld)
  check_linker_flag(CXX -fuse-ld=${linker} WEMASY_HAVE_${linker})
  if(WEMASY_HAVE_${linker})
    add_link_options(-fuse-ld=${linker})
    break()
  endif()
endforeach()
