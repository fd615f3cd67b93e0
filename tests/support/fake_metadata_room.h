// Room for metadata, as much as a test says.
#ifndef WEMASY_TESTS_SUPPORT_FAKE_METADATA_ROOM_H_
#define WEMASY_TESTS_SUPPORT_FAKE_METADATA_ROOM_H_

#include <cstdint>

#include "server/lifecycle/metadata_room.h"

namespace wemasy::tokens {

// Thread-compatible.
class FakeMetadataRoom final : public MetadataRoom {
 public:
  bool HasRoomFor(const Metadata& metadata) const override {
    return !is_full || metadata == known;
  }
  int64_t max_bytes() const override { return 1000; }

  bool is_full = false;
  // What a token has already.
  Metadata known;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_TESTS_SUPPORT_FAKE_METADATA_ROOM_H_
