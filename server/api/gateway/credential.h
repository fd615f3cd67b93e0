// Which token an HTTP request presents (RFC 6750, section 2.1).
#ifndef WEMASY_SERVER_API_GATEWAY_CREDENTIAL_H_
#define WEMASY_SERVER_API_GATEWAY_CREDENTIAL_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace wemasy::tokens {

// A header of an HTTP request, as a gateway hands it on: several of one name
// may come apart, or as one whose values are joined by commas.
struct HeaderField {
  absl::string_view name;
  absl::string_view value;
};

// What a request presents.
struct Credential {
  enum class Kind {
    // No header that may have a token has one.
    kMissing,
    kToken,
    // More than one, or what cannot be one.
    kUnusable,
  };
  Kind kind = Kind::kMissing;
  // For kToken, as it came: any bytes, none of them a space or comma.
  absl::string_view token;
};

// Finds the credential among a request's headers. Names and the scheme are
// compared without regard to case, nothing else is forgiven: two tokens are
// refused even if they are equal, since whoever comes later may choose the
// other one.
//
// Immutable, thus thread-safe.
class CredentialReader {
 public:
  // `Authorization: Bearer` is always read. `token_headers` are the lower-case
  // names of headers that hold a token and nothing else.
  explicit CredentialReader(std::vector<std::string> token_headers);

  // The result is valid as long as `fields`.
  Credential Read(absl::Span<const HeaderField> fields) const;

  // Whether a header of that name, in any case, may have a token.
  bool Reads(absl::string_view name) const;

 private:
  // Which of `headers_` has that name, in any case.
  std::vector<std::string>::const_iterator Find(absl::string_view name) const;

  std::vector<std::string> headers_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GATEWAY_CREDENTIAL_H_
