#include "server/storage/postgres_usage_store.h"

#include <algorithm>
#include <map>

#include "server/storage/postgres_connection.h"

namespace wemasy::tokens {
namespace {

// The last uses of one token, with any of its secrets and with the old one.
struct Uses {
  absl::Time any = absl::InfinitePast();
  absl::optional<absl::Time> old;
};

// A statement may touch a row once only.
std::map<TokenId, Uses> ByToken(const std::vector<TokenUse>& uses) {
  std::map<TokenId, Uses> by_token;
  for (const TokenUse& use : uses) {
    Uses& last = by_token[use.token];
    last.any = std::max(last.any, use.minute);
    if (use.is_old)
      last.old = std::max(last.old.value_or(use.minute), use.minute);
  }
  return by_token;
}

}  // namespace

absl::Status PostgresUsageStore::RecordUses(std::vector<TokenUse> uses,
                                            BootTime deadline) {
  if (uses.empty()) return absl::OkStatus();
  ArrayText id, any, old;
  for (const auto& [token, last] : ByToken(uses)) {
    id.Add(EncodeId(token));
    any.Add(EncodeTime(last.any));
    last.old ? old.Add(EncodeTime(*last.old)) : old.AddNull();
  }
  const Params params = Params().Array(id).Array(any).Array(old);
  // Done twice is as good as once.
  return pool_.Run(deadline, [&](PostgresConnection& connection) {
    return connection.Execute(sql::kRecordUses, params).status();
  });
}

}  // namespace wemasy::tokens
