// Rows of the tables as values of the domain, and back.
#ifndef WEMASY_SERVER_STORAGE_RECORD_ROWS_H_
#define WEMASY_SERVER_STORAGE_RECORD_ROWS_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "server/storage/field_reader.h"
#include "server/storage/sql_values.h"
#include "server/token/audit_record.h"
#include "server/token/change.h"
#include "server/token/record.h"

namespace wemasy::tokens {

// How many fields ReadRecord() takes.
inline constexpr int kRecordFields = 18;

// Scopes and metadata that were read before, by their text: millions of tokens
// have a few hundred of them.
struct EntryCache {
  absl::flat_hash_map<std::string, ScopeSet> scopes;
  absl::flat_hash_map<std::string, Metadata> metadata;
};

// Each reads the fields of one value from where `row` is. What is malformed is
// in the reader's status.
TokenRecord ReadRecord(FieldReader& row);
// `cache` may be null.
IndexEntry ReadEntry(FieldReader& row, EntryCache* cache);
AuditRecord ReadAudit(FieldReader& row);

// The parameters of WEMASY_TOKEN_ROWS.
Params TokenRowArrays(const std::vector<TokenRecord>& records);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_STORAGE_RECORD_ROWS_H_
