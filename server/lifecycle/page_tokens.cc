#include "server/lifecycle/page_tokens.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/token/error.h"

namespace wemasy::tokens {
namespace {

absl::Status Refused() {
  return MakeError(ErrorReason::kPageTokenInvalid,
                   "page_token was not issued for this listing; begin at the "
                   "first page");
}

}  // namespace

std::string PageTokens::Make(const TokenPageKey& key,
                             absl::string_view listing) const {
  return sealer_.Seal(absl::StrCat(absl::ToUnixMicros(key.create_time), " ",
                                   key.token.ToString()),
                      listing);
}

std::string PageTokens::Make(const AuditPageKey& key,
                             absl::string_view listing) const {
  return sealer_.Seal(absl::StrCat(key.seq, " ", key.ordinal), listing);
}

absl::StatusOr<TokenPageKey> PageTokens::ReadTokenKey(
    absl::string_view page_token, absl::string_view listing) const {
  const absl::StatusOr<std::string> plain = sealer_.Open(page_token, listing);
  if (!plain.ok()) return Refused();
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(*plain, absl::MaxSplits(' ', 1));
  int64_t micros = 0;
  const auto token = TokenId::Parse(parts.second);
  if (!absl::SimpleAtoi(parts.first, &micros) || !token) return Refused();
  return TokenPageKey{absl::FromUnixMicros(micros), *token};
}

absl::StatusOr<AuditPageKey> PageTokens::ReadAuditKey(
    absl::string_view page_token, absl::string_view listing) const {
  const absl::StatusOr<std::string> plain = sealer_.Open(page_token, listing);
  if (!plain.ok()) return Refused();
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(*plain, absl::MaxSplits(' ', 1));
  AuditPageKey key;
  if (!absl::SimpleAtoi(parts.first, &key.seq) ||
      !absl::SimpleAtoi(parts.second, &key.ordinal)) {
    return Refused();
  }
  return key;
}

}  // namespace wemasy::tokens
