// A reply that is sent as the bytes that it already is.
#ifndef WEMASY_SERVER_API_GRPC_ENCODED_MESSAGE_H_
#define WEMASY_SERVER_API_GRPC_ENCODED_MESSAGE_H_

#include <string>

#include "grpcpp/impl/serialization_traits.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"
#include "grpcpp/support/status.h"

namespace wemasy::tokens {

// An encoded protocol buffer, of which type the rpc says. To be used again,
// with the memory that it has.
struct EncodedMessage {
  std::string bytes;

  void Clear() { bytes.clear(); }
};

}  // namespace wemasy::tokens

// How gRPC sends it.
template <>
class grpc::SerializationTraits<wemasy::tokens::EncodedMessage> {
 public:
  static Status Serialize(const wemasy::tokens::EncodedMessage& message,
                          ByteBuffer* buffer, bool* own_buffer) {
    const Slice slice(message.bytes);
    *own_buffer = true;
    ByteBuffer encoded(&slice, 1);
    buffer->Swap(&encoded);
    return Status::OK;
  }
};

#endif  // WEMASY_SERVER_API_GRPC_ENCODED_MESSAGE_H_
