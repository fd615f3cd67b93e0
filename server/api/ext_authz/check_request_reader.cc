#include "server/api/ext_authz/check_request_reader.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "envoy/service/auth/v3/external_auth.pb.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "grpcpp/support/proto_buffer_reader.h"

namespace wemasy::tokens {
namespace {

using envoy::config::core::v3::HeaderMap;
using envoy::config::core::v3::HeaderValue;
using envoy::service::auth::v3::AttributeContext;
using envoy::service::auth::v3::CheckRequest;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using HttpRequest = AttributeContext::HttpRequest;

// Of each entry of a map, by the encoding's definition.
constexpr int kKeyFieldNumber = 1;
constexpr int kValueFieldNumber = 2;

// Reads a tag or a length. Returns what is behind, or null if there is none.
const char* ReadVarint(const char* at, const char* end, uint32_t* value) {
  constexpr uint32_t kMore = 0x80;
  constexpr int kMaxBits = 35;
  *value = 0;
  for (int shift = 0; shift < kMaxBits && at != end; shift += 7) {
    const auto byte = static_cast<uint8_t>(*at++);
    *value |= (byte & ~kMore) << shift;
    if (byte < kMore) return at;
  }
  return nullptr;
}

// Skips what comes after the tag of a field that has no length. Returns what is
// behind, or null if it is malformed.
const char* SkipField(uint32_t tag, const char* at, const char* end) {
  CodedInputStream input(reinterpret_cast<const uint8_t*>(at),
                         static_cast<int>(end - at));
  if (!WireFormatLite::SkipField(&input, tag)) return nullptr;
  return at + input.CurrentPosition();
}

// Calls `visit(number, content)` for each field of `message` that is text,
// bytes or a message itself, in their order, until it returns false. Returns
// whether it never did and the message is well-formed.
template <typename Visitor>
bool VisitFields(absl::string_view message, Visitor visit) {
  const char* at = message.data();
  const char* const end = at + message.size();
  while (at != end) {
    uint32_t tag = 0;
    at = ReadVarint(at, end, &tag);
    if (at == nullptr) return false;
    if (WireFormatLite::GetTagWireType(tag) !=
        WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      at = SkipField(tag, at, end);
      if (at == nullptr) return false;
      continue;
    }
    const int number = WireFormatLite::GetTagFieldNumber(tag);
    uint32_t length = 0;
    at = ReadVarint(at, end, &length);
    if (at == nullptr || number == 0) return false;
    if (length > static_cast<size_t>(end - at)) return false;
    if (!visit(number, absl::string_view(at, length))) return false;
    at += length;
  }
  return true;
}

// Looks at eight bytes at a time.
bool IsAscii(absl::string_view text) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  uint64_t all = 0;
  for (; text.size() >= sizeof(all); text.remove_prefix(sizeof(all))) {
    uint64_t part = 0;
    std::memcpy(&part, text.data(), sizeof(part));
    all |= part;
  }
  for (const char c : text) all |= static_cast<uint8_t>(c);
  return (all & kHighBits) == 0;
}

bool ReadText(absl::string_view content, const char* field,
              absl::string_view* text) {
  *text = content;
  return IsAscii(content) ||
         WireFormatLite::VerifyUtf8String(content.data(),
                                          static_cast<int>(content.size()),
                                          WireFormatLite::PARSE, field);
}

// Reads an entry of the map `field`. Where there is no key, that is empty, but
// still has a place.
bool ReadEntry(absl::string_view message, const char* field,
               absl::string_view* key, absl::string_view* value) {
  *key = message.substr(0, 0);
  return VisitFields(message, [&](int number, absl::string_view content) {
    switch (number) {
      case kKeyFieldNumber:
        return ReadText(content, field, key);
      case kValueFieldNumber:
        return ReadText(content, field, value);
      default:
        return true;
    }
  });
}

// Makes the entries of a map a map: of several with one key, the last counts.
// Their keys are all of one string. Sorts, as there may be very many.
template <typename Entry>
void KeepLast(absl::string_view Entry::*key, std::vector<Entry>* entries) {
  std::sort(entries->begin(), entries->end(),
            [key](const Entry& a, const Entry& b) {
              const int order = (a.*key).compare(b.*key);
              if (order != 0) return order < 0;
              return (a.*key).data() > (b.*key).data();
            });
  const auto end = std::unique(
      entries->begin(), entries->end(),
      [key](const Entry& a, const Entry& b) { return a.*key == b.*key; });
  entries->erase(end, entries->end());
}

bool ReadHeader(absl::string_view message, HeaderField* header) {
  absl::string_view raw_value;
  const bool is_read =
      VisitFields(message, [&](int number, absl::string_view content) {
        switch (number) {
          case HeaderValue::kKeyFieldNumber:
            return ReadText(content, "HeaderValue.key", &header->name);
          case HeaderValue::kValueFieldNumber:
            return ReadText(content, "HeaderValue.value", &header->value);
          case HeaderValue::kRawValueFieldNumber:
            raw_value = content;
            return true;
          default:
            return true;
        }
      });
  if (!raw_value.empty()) header->value = raw_value;
  return is_read;
}

}  // namespace

void CheckRequestReader::Read(grpc::ByteBuffer* buffer) {
  is_readable_ = ReadRequest(buffer);
}

bool CheckRequestReader::ReadRequest(grpc::ByteBuffer* buffer) {
  bytes_.clear();
  headers_.clear();
  raw_headers_.clear();
  settings_.clear();
  grpc::ProtoBufferReader reader(buffer);
  const void* data = nullptr;
  int size = 0;
  while (reader.Next(&data, &size)) {
    bytes_.append(static_cast<const char*>(data), static_cast<size_t>(size));
  }
  if (!reader.status().ok()) return false;
  const bool is_read =
      VisitFields(bytes_, [this](int number, absl::string_view content) {
        return number != CheckRequest::kAttributesFieldNumber ||
               ReadAttributes(content);
      });
  KeepLast(&HeaderField::name, &headers_);
  KeepLast(&RouteSetting::key, &settings_);
  headers_.insert(headers_.end(), raw_headers_.begin(), raw_headers_.end());
  return is_read;
}

// A message that comes twice is one with the fields of both.
bool CheckRequestReader::ReadAttributes(absl::string_view message) {
  return VisitFields(message, [this](int number, absl::string_view content) {
    switch (number) {
      case AttributeContext::kRequestFieldNumber:
        return VisitFields(content, [this](int n, absl::string_view http) {
          return n != AttributeContext::Request::kHttpFieldNumber ||
                 ReadHttpRequest(http);
        });
      case AttributeContext::kContextExtensionsFieldNumber:
        settings_.emplace_back();
        return ReadEntry(content, "AttributeContext.context_extensions",
                         &settings_.back().key, &settings_.back().value);
      default:
        return true;
    }
  });
}

bool CheckRequestReader::ReadHttpRequest(absl::string_view message) {
  return VisitFields(message, [this](int number, absl::string_view content) {
    switch (number) {
      case HttpRequest::kHeadersFieldNumber:
        headers_.emplace_back();
        return ReadEntry(content, "HttpRequest.headers", &headers_.back().name,
                         &headers_.back().value);
      case HttpRequest::kHeaderMapFieldNumber:
        return ReadHeaderMap(content);
      default:
        return true;
    }
  });
}

bool CheckRequestReader::ReadHeaderMap(absl::string_view message) {
  return VisitFields(message, [this](int number, absl::string_view content) {
    if (number != HeaderMap::kHeadersFieldNumber) return true;
    raw_headers_.emplace_back();
    return ReadHeader(content, &raw_headers_.back());
  });
}

}  // namespace wemasy::tokens
