// Where storage tells operators what its callers must not see.
#ifndef WEMASY_SERVER_STORAGE_LOG_SINK_H_
#define WEMASY_SERVER_STORAGE_LOG_SINK_H_

#include <functional>

#include "absl/strings/string_view.h"

namespace wemasy::tokens {

enum class StorageSeverity { kInfo, kWarning, kError };

// Takes one message: a statement's name, an SQLSTATE, what the server said of
// itself; never a value, a secret or a connection string. Called from any
// thread, must be thread-safe. May be empty.
using StorageLog =
    std::function<void(StorageSeverity severity, absl::string_view message)>;

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_STORAGE_LOG_SINK_H_
