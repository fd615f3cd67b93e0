#include "common/crypto/secret.h"

#include <openssl/mem.h>

#include <utility>

#include "common/crypto/boringssl.h"

namespace wemasy::tokens {

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    Wipe();
    text_ = std::move(other.text_);
  }
  return *this;
}

bool operator==(const Secret& a, const Secret& b) {
  return a.text_.size() == b.text_.size() &&
         CRYPTO_memcmp(a.text_.data(), b.text_.data(), a.text_.size()) == 0;
}

void Secret::Wipe() {
  WipeMemory(text_.data(), text_.size());
  text_.clear();
}

void WipeMemory(void* data, size_t size) { OPENSSL_cleanse(data, size); }

}  // namespace wemasy::tokens
