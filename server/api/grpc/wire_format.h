// Messages written as they are sent, by Protocol Buffers' encoding: for the
// calls that are made too often to fill a message first.
//
// The numbers of all fields here are below 16, so that a tag is a byte.
#ifndef WEMASY_SERVER_API_GRPC_WIRE_FORMAT_H_
#define WEMASY_SERVER_API_GRPC_WIRE_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace wemasy::tokens {

// The fields of each entry of a map.
inline constexpr int kMapKeyFieldNumber = 1;
inline constexpr int kMapValueFieldNumber = 2;

// Of a field with `length` bytes of text, or of a message.
size_t SizeOfField(size_t length);
inline size_t SizeOfField(absl::string_view text) {
  return SizeOfField(text.size());
}
// Of a field with a number.
size_t SizeOfNumber(int value);

// Makes room for `length` bytes at the end of `out`, and returns where.
uint8_t* Extend(size_t length, std::string* out);

// These write to where there is room, and return what is behind. What Extend()
// is asked for is the sum of the same sizes as what is then written.
uint8_t* WriteNumber(int number, int value, uint8_t* to);
// What is before a message, or a text, of `length` bytes.
uint8_t* WriteHead(int number, size_t length, uint8_t* to);
uint8_t* WriteBytes(absl::string_view bytes, uint8_t* to);
uint8_t* WriteText(int number, absl::string_view text, uint8_t* to);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GRPC_WIRE_FORMAT_H_
