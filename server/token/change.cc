#include "server/token/change.h"

#include <algorithm>

namespace wemasy::tokens {

SharedEntry Share(const IndexEntry& entry) {
  return {entry.digest,    entry.name,        entry.creator, &entry.scopes,
          &entry.metadata, entry.expire_time, entry.dead_at, entry.is_old};
}

IndexEntry Unshare(const SharedEntry& entry) {
  return {entry.digest,    entry.name,        entry.creator, *entry.scopes,
          *entry.metadata, entry.expire_time, entry.dead_at, entry.is_old};
}

IndexEntry MakeIndexEntry(const TokenRecord& record,
                          const SecretRecord& secret) {
  IndexEntry entry;
  entry.digest = secret.digest;
  entry.name = record.name;
  entry.creator = record.creator;
  entry.scopes = record.scopes;
  entry.metadata = record.metadata;
  entry.expire_time = std::min(record.expire_time, secret.ends_at);
  if (record.revocation) entry.dead_at = record.revocation->time;
  entry.is_old = !secret.is_current;
  return entry;
}

}  // namespace wemasy::tokens
