// The slots of one shard of the index.
#ifndef WEMASY_SERVER_VALIDATE_SLOT_LIST_H_
#define WEMASY_SERVER_VALIDATE_SLOT_LIST_H_

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace wemasy::tokens {

// A list in pieces of a page each: to grow moves nothing, and leaves no holes
// in memory that are too small for the next size. Thread-compatible.
template <typename T>
class SlotList {
 public:
  size_t size() const { return size_; }
  T& operator[](size_t position) {
    return (*pages_[position / kPerPage])[position % kPerPage];
  }
  const T& operator[](size_t position) const {
    return (*pages_[position / kPerPage])[position % kPerPage];
  }
  const T& back() const { return (*this)[size_ - 1]; }

  void push_back(const T& slot) {
    if (size_ == pages_.size() * kPerPage) {
      pages_.push_back(std::make_unique<Page>());
    }
    (*this)[size_++] = slot;
  }
  void pop_back() {
    --size_;
    if (size_ % kPerPage == 0) pages_.pop_back();
  }

 private:
  static constexpr size_t kPageSize = 4096;
  static constexpr size_t kPerPage = kPageSize / sizeof(T);
  using Page = std::array<T, kPerPage>;

  std::vector<std::unique_ptr<Page>> pages_;
  size_t size_ = 0;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_VALIDATE_SLOT_LIST_H_
