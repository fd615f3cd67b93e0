// Rows of the tables as values of the domain, and back.
#ifndef WEMASY_SERVER_STORAGE_RECORD_ROWS_H_
#define WEMASY_SERVER_STORAGE_RECORD_ROWS_H_

#include <deque>
#include <string>
#include <vector>

#include "absl/container/node_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/storage/field_reader.h"
#include "server/storage/rows.h"
#include "server/storage/sql_values.h"
#include "server/token/audit_record.h"
#include "server/token/change.h"
#include "server/token/record.h"

namespace wemasy::tokens {

// Each reads the fields of one value from where `row` is. What is malformed is
// in the reader's status.
TokenRecord ReadRecord(FieldReader& row);
IndexEntry ReadEntry(FieldReader& row);
AuditRecord ReadAudit(FieldReader& row);

// Reads the entries of a load. Scopes and metadata are parsed when their text
// is new: millions of tokens have a few hundred of them. Thread-compatible.
class EntryReader {
 public:
  // Reads the entries in `rows`, which are in binary format; they are valid
  // until the next call. Returns Internal if one is malformed.
  absl::StatusOr<absl::Span<const SharedEntry>> Read(const Rows& rows);

 private:
  // Values by their texts. Its nodes stay where they are.
  template <typename T>
  using Known = absl::node_hash_map<std::string, T>;

  // Takes the next field's value, parsed by `parse` if it is not in `known`;
  // there, or in `passing` if that is full.
  template <typename T, typename Parse>
  static const T* Take(FieldReader& row, Known<T>& known,
                       std::deque<T>& passing, Parse parse);
  void Read(FieldReader& row, SharedEntry& entry);

  Known<ScopeSet> scopes_;
  Known<Metadata> metadata_;
  std::deque<ScopeSet> passing_scopes_;
  std::deque<Metadata> passing_metadata_;
  std::vector<SharedEntry> entries_;
};

// The parameters of WEMASY_TOKEN_ROWS.
Params TokenRowArrays(const std::vector<TokenRecord>& records);

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_STORAGE_RECORD_ROWS_H_
