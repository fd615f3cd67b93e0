#include "server/api/grpc/wire_format.h"

#include <cstring>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"

namespace wemasy::tokens {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedOutputStream;

uint8_t* WriteTag(int number, WireFormatLite::WireType type, uint8_t* to) {
  *to = static_cast<uint8_t>(WireFormatLite::MakeTag(number, type));
  return to + 1;
}

}  // namespace

size_t SizeOfField(size_t length) {
  return 1 + CodedOutputStream::VarintSize32(static_cast<uint32_t>(length)) +
         length;
}

size_t SizeOfNumber(int value) {
  return 1 + CodedOutputStream::VarintSize32(static_cast<uint32_t>(value));
}

uint8_t* Extend(size_t length, std::string* out) {
  const size_t begin = out->size();
  out->resize(begin + length);
  return reinterpret_cast<uint8_t*>(&*out->begin()) + begin;
}

uint8_t* WriteNumber(int number, int value, uint8_t* to) {
  to = WriteTag(number, WireFormatLite::WIRETYPE_VARINT, to);
  return CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(value),
                                                 to);
}

uint8_t* WriteHead(int number, size_t length, uint8_t* to) {
  to = WriteTag(number, WireFormatLite::WIRETYPE_LENGTH_DELIMITED, to);
  return CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(length),
                                                 to);
}

uint8_t* WriteBytes(absl::string_view bytes, uint8_t* to) {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

uint8_t* WriteText(int number, absl::string_view text, uint8_t* to) {
  return WriteBytes(text, WriteHead(number, text.size(), to));
}

}  // namespace wemasy::tokens
