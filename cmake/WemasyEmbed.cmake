# wemasy_embed_files(NAME NAMESPACE a::b FILES file ...)
#
# A library that carries the texts of FILES inside the executable, in the order
# given. Use it with
#
#   #include "embedded/NAME.h"
#
#   for (const a::b::EmbeddedFile& file : a::b::EmbeddedFiles()) ...
#
# where file.name is the name without its folders. The target's property
# EMBEDDED_FILES has the paths.
function(wemasy_embed_files name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "NAMESPACE" "FILES")
  _wemasy_check_arguments(${name} arg)
  set(out "${CMAKE_BINARY_DIR}/generated/${name}")
  set(script "${CMAKE_SOURCE_DIR}/cmake/embed_files.cmake")
  set(paths)
  foreach(file IN LISTS arg_FILES)
    cmake_path(ABSOLUTE_PATH file OUTPUT_VARIABLE path)
    list(APPEND paths "${path}")
  endforeach()
  add_custom_command(
    OUTPUT "${out}/embedded/${name}.h" "${out}/embedded/${name}.cc"
    COMMAND "${CMAKE_COMMAND}" "-DNAME=${name}" "-DNAMESPACE=${arg_NAMESPACE}"
            "-DFILES=${paths}" "-DOUT=${out}/embedded" -P "${script}"
    DEPENDS ${paths} "${script}"
    COMMENT "Embedding the files of ${name}"
    VERBATIM)
  add_library(${name} STATIC
    "${out}/embedded/${name}.h" "${out}/embedded/${name}.cc")
  set_target_properties(${name} PROPERTIES EMBEDDED_FILES "${paths}")
  target_include_directories(${name} SYSTEM PUBLIC "${out}")
  target_link_libraries(${name} PUBLIC absl::span absl::strings)
endfunction()
