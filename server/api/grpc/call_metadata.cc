#include "server/api/grpc/call_metadata.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/types/span.h"
#include "server/api/request_id.h"

namespace wemasy::tokens {
namespace {

constexpr size_t kNewRequestIdBytes = 16;

// A `traceparent` is version, trace id, parent id, flags, with hyphens
// between; later versions may append.
constexpr size_t kTraceIdOffset = 3;
constexpr size_t kTraceIdLength = 32;
constexpr size_t kTraceparentLength = 55;

// The value of the metadata key; empty if there is none, or more than one.
absl::string_view MetadataOf(const grpc::ServerContextBase& context,
                             const char* key) {
  const auto& metadata = context.client_metadata();
  const auto [begin, end] = metadata.equal_range(key);
  if (begin == end || std::next(begin) != end) return {};
  return {begin->second.data(), begin->second.size()};
}

bool IsLowerHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f');
  });
}

}  // namespace

std::string RequestIdOf(const grpc::ServerContextBase& context,
                        RandomSource& random) {
  const absl::string_view given = MetadataOf(context, kRequestIdKey);
  if (IsRequestIdWellFormed(given)) return std::string(given);
  std::array<uint8_t, kNewRequestIdBytes> bytes;
  random.Fill(absl::MakeSpan(bytes));
  return absl::BytesToHexString(
      {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

absl::string_view ParseTraceId(absl::string_view traceparent) {
  if (traceparent.size() < kTraceparentLength || traceparent[2] != '-' ||
      traceparent[kTraceIdOffset + kTraceIdLength] != '-') {
    return {};
  }
  const absl::string_view id =
      traceparent.substr(kTraceIdOffset, kTraceIdLength);
  const bool is_zero = id.find_first_not_of('0') == absl::string_view::npos;
  return IsLowerHex(id) && !is_zero ? id : absl::string_view();
}

absl::string_view TraceIdOf(const grpc::ServerContextBase& context) {
  return ParseTraceId(MetadataOf(context, "traceparent"));
}

BootTime ToBootDeadline(std::chrono::system_clock::time_point deadline,
                        std::chrono::system_clock::time_point wall_now,
                        BootTime boot_now, const CallTimeout& timeout) {
  if (deadline == std::chrono::system_clock::time_point::max()) {
    return boot_now + timeout.fallback;
  }
  return boot_now +
         std::min(absl::FromChrono(deadline - wall_now), timeout.max);
}

}  // namespace wemasy::tokens
