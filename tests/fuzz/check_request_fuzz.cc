// A CheckRequest as it comes: what is read of it is what the generated class
// reads, and whatever that can read can be read.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "envoy/service/auth/v3/external_auth.pb.h"
#include "google/protobuf/stubs/logging.h"
#include "grpcpp/support/byte_buffer.h"
#include "server/api/ext_authz/check_request_reader.h"

namespace {

using envoy::service::auth::v3::CheckRequest;
using wemasy::tokens::CheckRequestReader;
using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs HeadersOf(const CheckRequest& request) {
  Pairs pairs;
  const auto& http = request.attributes().request().http();
  for (const auto& [name, value] : http.headers()) {
    pairs.emplace_back(name, value);
  }
  for (const auto& header : http.header_map().headers()) {
    pairs.emplace_back(header.key(), header.raw_value().empty()
                                         ? header.value()
                                         : header.raw_value());
  }
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

Pairs HeadersOf(const CheckRequestReader& reader) {
  Pairs pairs;
  for (const auto& field : reader.headers()) {
    pairs.emplace_back(field.name, field.value);
  }
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

Pairs SettingsOf(const CheckRequest& request) {
  const auto& settings = request.attributes().context_extensions();
  Pairs pairs(settings.begin(), settings.end());
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

Pairs SettingsOf(const CheckRequestReader& reader) {
  Pairs pairs;
  for (const auto& setting : reader.settings()) {
    pairs.emplace_back(setting.key, setting.value);
  }
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto* const silence = new google::protobuf::LogSilencer;
  static_cast<void>(silence);
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  // In two slices, as it may come.
  const grpc::Slice slices[] = {grpc::Slice(bytes.substr(0, size / 3)),
                                grpc::Slice(bytes.substr(size / 3))};
  grpc::ByteBuffer buffer(slices, 2);
  CheckRequestReader reader;
  reader.Read(&buffer);
  CheckRequest request;
  // It looks into no other field, so that it can read more.
  if (!request.ParseFromString(bytes)) return 0;
  if (!reader.is_readable()) abort();
  if (HeadersOf(reader) != HeadersOf(request)) abort();
  if (SettingsOf(reader) != SettingsOf(request)) abort();
  return 0;
}
