#include "server/api/request_id.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace wemasy::tokens {

bool IsRequestIdWellFormed(absl::string_view id) {
  constexpr size_t kMaxLength = 128;
  return !id.empty() && id.size() <= kMaxLength &&
         std::all_of(id.begin(), id.end(), [](unsigned char c) {
           return absl::ascii_isgraph(c) && c != '"' && c != '\\';
         });
}

}  // namespace wemasy::tokens
