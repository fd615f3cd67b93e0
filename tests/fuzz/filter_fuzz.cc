// The filter of a list.
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "server/lifecycle/filter.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wemasy::tokens;
  FieldViolations violations;
  ParseFilter(violations, {reinterpret_cast<const char*>(data), size});
  violations.ToStatus().IgnoreError();
  return 0;
}
