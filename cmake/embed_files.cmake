# Writes OUT/NAME.h and OUT/NAME.cc, which hold the texts of FILES.
set(delimiter "EMBEDDED")
set(entries "")
foreach(file IN LISTS FILES)
  file(READ "${file}" text)
  string(FIND "${text}" ")${delimiter}\"" position)
  if(NOT position EQUAL -1)
    message(FATAL_ERROR "${file} has the text that ends a literal")
  endif()
  cmake_path(GET file FILENAME name)
  string(APPEND entries
    "    {\"${name}\", R\"${delimiter}(${text})${delimiter}\"},\n")
endforeach()

string(TOUPPER "EMBEDDED_${NAME}_H_" guard)
file(WRITE "${OUT}/${NAME}.h" "// Generated. Do not edit.
#ifndef ${guard}
#define ${guard}

#include \"absl/strings/string_view.h\"
#include \"absl/types/span.h\"

namespace ${NAMESPACE} {

// A file of the source tree. Both views last as long as the process.
struct EmbeddedFile {
  absl::string_view name;  // Without folders.
  absl::string_view text;
};

// Returns the files in the order they were listed. Thread-safe.
absl::Span<const EmbeddedFile> EmbeddedFiles();

}  // namespace ${NAMESPACE}

#endif  // ${guard}
")
file(WRITE "${OUT}/${NAME}.cc" "// Generated. Do not edit.
#include \"embedded/${NAME}.h\"

namespace ${NAMESPACE} {

absl::Span<const EmbeddedFile> EmbeddedFiles() {
  static constexpr EmbeddedFile kFiles[] = {
${entries}  };
  return kFiles;
}

}  // namespace ${NAMESPACE}
")
