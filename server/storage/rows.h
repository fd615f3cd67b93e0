// The result of a statement.
#ifndef WEMASY_SERVER_STORAGE_ROWS_H_
#define WEMASY_SERVER_STORAGE_ROWS_H_

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "server/storage/field_reader.h"

namespace wemasy::tokens {

// Rows of fields, with the memory they are in. Movable, thread-compatible.
class Rows {
 public:
  Rows() = default;
  // `fields` are those of all rows, and refer to memory that `owner` keeps.
  Rows(size_t columns, std::vector<Field> fields, size_t affected,
       std::shared_ptr<const void> owner)
      : columns_(columns),
        fields_(std::move(fields)),
        affected_(affected),
        owner_(std::move(owner)) {}

  size_t size() const { return columns_ == 0 ? 0 : fields_.size() / columns_; }
  bool empty() const { return size() == 0; }
  // How many rows an INSERT, UPDATE or DELETE touched.
  size_t affected() const { return affected_; }

  // Valid as long as this object.
  FieldReader Row(size_t index, FieldFormat format = FieldFormat::kText) const {
    return FieldReader(
        absl::MakeConstSpan(fields_).subspan(index * columns_, columns_),
        format);
  }

 private:
  size_t columns_ = 0;
  std::vector<Field> fields_;
  size_t affected_ = 0;
  std::shared_ptr<const void> owner_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_STORAGE_ROWS_H_
