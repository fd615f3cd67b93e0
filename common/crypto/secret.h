// Text that must not be seen: tokens, passwords, keys.
#ifndef WEMASY_COMMON_CRYPTO_SECRET_H_
#define WEMASY_COMMON_CRYPTO_SECRET_H_

#include <cstddef>
#include <vector>

#include "absl/strings/string_view.h"

namespace wemasy::tokens {

// Owns a secret text, and wipes it when destroyed or moved from.
//
// There is no stream operator and no conversion: Reveal() is the only way to
// the text, so that `grep Reveal` finds every use. Not copyable. Thread-
// compatible.
class Secret {
 public:
  // Empty.
  Secret() = default;
  explicit Secret(absl::string_view text) : text_(text.begin(), text.end()) {}
  ~Secret() { Wipe(); }

  Secret(Secret&& other) noexcept = default;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  // The text. Valid as long as this object, and until it is moved from.
  absl::string_view Reveal() const { return {text_.data(), text_.size()}; }
  bool empty() const { return text_.empty(); }

  // In constant time for texts of one length.
  friend bool operator==(const Secret& a, const Secret& b);
  friend bool operator!=(const Secret& a, const Secret& b) { return !(a == b); }

 private:
  void Wipe();

  // No std::string: its short form would leave copies behind when moved.
  std::vector<char> text_;
};

// Overwrites the memory of `size` bytes at `data` in a way that no compiler
// leaves out.
void WipeMemory(void* data, size_t size);

}  // namespace wemasy::tokens

#endif  // WEMASY_COMMON_CRYPTO_SECRET_H_
