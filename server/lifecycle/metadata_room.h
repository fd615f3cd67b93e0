// The memory that tokens' metadata may take at every replica.
#ifndef WEMASY_SERVER_LIFECYCLE_METADATA_ROOM_H_
#define WEMASY_SERVER_LIFECYCLE_METADATA_ROOM_H_

#include <cstdint>

#include "server/token/record.h"

namespace wemasy::tokens {

// Every replica keeps each different metadata once, so that only new metadata
// takes room. Says what one replica knows: changes at others, and those in
// flight, are not counted yet, so that the bound can be passed by a little.
//
// Implementations are thread-safe.
class MetadataRoom {
 public:
  virtual ~MetadataRoom() = default;

  // Whether a token may be given `metadata`: always, if a token has the same
  // already.
  virtual bool HasRoomFor(const Metadata& metadata) const = 0;

  // How many bytes different metadata may take.
  virtual int64_t max_bytes() const = 0;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_LIFECYCLE_METADATA_ROOM_H_
