// What a CheckRequest says that matters, read from its bytes.
#ifndef WEMASY_SERVER_API_EXT_AUTHZ_CHECK_REQUEST_READER_H_
#define WEMASY_SERVER_API_EXT_AUTHZ_CHECK_REQUEST_READER_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "grpcpp/impl/serialization_traits.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/status.h"
#include "server/api/gateway/credential.h"
#include "server/api/gateway/route_demands.h"

namespace wemasy::tokens {

// Reads of an encoded CheckRequest the request's headers and the route's
// context_extensions, as the generated class would (ADR 17). It looks into no
// other field: what these hold may be malformed.
//
// To be used again, with the memory that it has. Not thread-safe.
class CheckRequestReader {
 public:
  CheckRequestReader() = default;
  CheckRequestReader(const CheckRequestReader&) = delete;
  CheckRequestReader& operator=(const CheckRequestReader&) = delete;

  // Reads `buffer`, and forgets what was read before.
  void Read(grpc::ByteBuffer* buffer);

  // Whether it was a CheckRequest whose texts are UTF-8. Of another one nothing
  // else is to be asked.
  bool is_readable() const { return is_readable_; }
  // Valid until the next Read, as are the texts in them. Envoy sends either all
  // headers of one name as one, or each by itself and as it came
  // (encode_raw_headers).
  absl::Span<const HeaderField> headers() const { return headers_; }
  absl::Span<const RouteSetting> settings() const { return settings_; }

 private:
  // Returns false if `buffer` is no CheckRequest.
  bool ReadRequest(grpc::ByteBuffer* buffer);
  bool ReadAttributes(absl::string_view message);
  bool ReadHttpRequest(absl::string_view message);
  bool ReadHeaderMap(absl::string_view message);

  bool is_readable_ = false;
  std::string bytes_;
  std::vector<HeaderField> headers_;
  // Those of them that did not come in a map.
  std::vector<HeaderField> raw_headers_;
  std::vector<RouteSetting> settings_;
};

}  // namespace wemasy::tokens

// How gRPC receives it. Never fails: gRPC would end the call with an error.
template <>
class grpc::SerializationTraits<wemasy::tokens::CheckRequestReader> {
 public:
  static Status Deserialize(ByteBuffer* buffer,
                            wemasy::tokens::CheckRequestReader* request) {
    request->Read(buffer);
    buffer->Clear();
    return Status::OK;
  }
};

#endif  // WEMASY_SERVER_API_EXT_AUTHZ_CHECK_REQUEST_READER_H_
