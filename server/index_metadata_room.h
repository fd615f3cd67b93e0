// The bound on the memory that different metadata takes in the index.
#ifndef WEMASY_SERVER_INDEX_METADATA_ROOM_H_
#define WEMASY_SERVER_INDEX_METADATA_ROOM_H_

#include <cstdint>

#include "server/lifecycle/metadata_room.h"
#include "server/validate/token_index.h"

namespace wemasy::tokens {

// Has room for new metadata as long as that in the index takes less than the
// bound. The index itself takes whatever the database has.
//
// Thread-safe.
class IndexMetadataRoom final : public MetadataRoom {
 public:
  // `index` must outlive this object.
  IndexMetadataRoom(const TokenIndex* index, int64_t max_bytes)
      : index_(*index), max_bytes_(max_bytes) {}

  bool HasRoomFor(const Metadata& metadata) const override {
    return index_.metadata_bytes() < max_bytes_ || index_.HasMetadata(metadata);
  }
  int64_t max_bytes() const override { return max_bytes_; }

 private:
  const TokenIndex& index_;
  const int64_t max_bytes_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_INDEX_METADATA_ROOM_H_
