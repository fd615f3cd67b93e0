// Which tokens a caching client may keep answers about, roughly.
#ifndef WEMASY_SERVER_COHERENCE_NOTED_TOKENS_H_
#define WEMASY_SERVER_COHERENCE_NOTED_TOKENS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "server/token/token_id.h"

namespace wemasy::tokens {

// A Bloom filter (Communications of the ACM 13(7), 1970) of two bits a token. A
// token that was never added may seem to be there: among 1 000 tokens for one
// in 4 000, among 10 000 for one in 50, among 100 000 for two in three.
//
// 16 KiB, from the first token on.
class NotedTokens {
 public:
  void Add(const TokenId& token) {
    if (bits_ == nullptr) bits_ = std::make_unique<Bits>();
    for (const size_t bit : BitsOf(token)) {
      (*bits_)[bit / kWordBits] |= MaskOf(bit);
    }
  }

  // Whether the token may have been added; surely if it was.
  bool MayHave(const TokenId& token) const {
    if (bits_ == nullptr) return false;
    for (const size_t bit : BitsOf(token)) {
      if (((*bits_)[bit / kWordBits] & MaskOf(bit)) == 0) return false;
    }
    return true;
  }

 private:
  static constexpr size_t kBits = size_t{1} << 17;
  static constexpr size_t kWordBits = 64;
  using Bits = std::array<uint64_t, kBits / kWordBits>;

  static uint64_t MaskOf(size_t bit) { return uint64_t{1} << bit % kWordBits; }
  // An id is random as it is.
  static std::array<size_t, 2> BitsOf(const TokenId& token) {
    std::array<uint64_t, 2> words{};
    static_assert(sizeof(words) == TokenId::kSize);
    std::memcpy(words.data(), token.bytes().data(), sizeof(words));
    return {words[0] % kBits, words[1] % kBits};
  }

  std::unique_ptr<Bits> bits_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_COHERENCE_NOTED_TOKENS_H_
