// The structured log: one JSON object a line.
//
// A field has a type and a fixed name. There is no way to log a Secret or a
// digest: both are refused by the compiler.
#ifndef WEMASY_SERVER_OBSERVABILITY_LOG_H_
#define WEMASY_SERVER_OBSERVABILITY_LOG_H_

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "absl/types/variant.h"
#include "common/crypto/digest.h"
#include "common/crypto/secret.h"
#include "common/mutex.h"

namespace wemasy::tokens {

// How much a line matters. In rising order.
enum class LogSeverity { kDebug, kInfo, kWarning, kError };

// Parses `debug`, `info`, `warning` or `error`; nothing for anything else.
absl::optional<LogSeverity> ParseLogSeverity(absl::string_view text);

// One name and value of a line. Refers to the texts it is made of.
class LogField {
 public:
  using Value = absl::variant<absl::string_view, int64_t, uint64_t, double,
                              bool, absl::Time>;

  LogField(absl::string_view name, absl::string_view value)
      : name_(name), value_(value) {}
  // So that a literal is no bool.
  LogField(absl::string_view name, const char* value)
      : LogField(name, absl::string_view(value)) {}
  LogField(absl::string_view name, const std::string& value)
      : LogField(name, absl::string_view(value)) {}
  LogField(absl::string_view name, double value) : name_(name), value_(value) {}
  // RFC 3339, UTC.
  LogField(absl::string_view name, absl::Time value)
      : name_(name), value_(value) {}
  // Seconds: name the field `…_s`.
  LogField(absl::string_view name, absl::Duration value)
      : LogField(name, absl::ToDoubleSeconds(value)) {}
  // Any integer, or bool.
  template <typename T, typename = std::enable_if_t<std::is_integral<T>::value>>
  LogField(absl::string_view name, T value)
      : name_(name), value_(FromIntegral(value)) {}
  LogField(absl::string_view name, const Secret& value) = delete;
  LogField(absl::string_view name, const TokenDigest& value) = delete;

  absl::string_view name() const { return name_; }
  const Value& value() const { return value_; }

 private:
  template <typename T>
  static Value FromIntegral(T value) {
    if constexpr (std::is_same<T, bool>::value) {
      return Value(value);
    } else if constexpr (std::is_signed<T>::value) {
      return Value(static_cast<int64_t>(value));
    } else {
      return Value(static_cast<uint64_t>(value));
    }
  }

  absl::string_view name_;
  Value value_;
};

// Where lines go. Called by one thread at a time.
class LogSink {
 public:
  virtual ~LogSink() = default;
  // `line` ends with a newline.
  virtual void Write(absl::string_view line) = 0;
};

// Standard error. A line of up to PIPE_BUF bytes is one write, so that lines of
// several processes do not mix. Never waits: what cannot be written, or would
// have to wait for whoever reads a full pipe, is lost.
class StderrLogSink final : public LogSink {
 public:
  void Write(absl::string_view line) override;

 private:
  // Returns false if not all of it was written.
  bool WritePart(absl::string_view part);

  // Whether the last line lacks its end.
  bool is_torn_ = false;
};

// Writes lines such as
//
//   {"time":"2024-05-04T10:00:00.123456Z","severity":"INFO",
//    "message":"sync point","seq":17}
//
// Thread-safe.
class Logger {
 public:
  // Drops lines below `min_severity`. `sink` must outlive this object.
  Logger(LogSeverity min_severity, std::function<absl::Time()> now,
         LogSink& sink)
      : min_severity_(min_severity), now_(std::move(now)), sink_(sink) {}

  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  // Whether a line of `severity` would be written.
  bool IsOn(LogSeverity severity) const { return severity >= min_severity_; }

  void Log(LogSeverity severity, absl::string_view message,
           absl::Span<const LogField> fields) const;

  void Debug(absl::string_view message,
             std::initializer_list<LogField> fields = {}) const {
    Log(LogSeverity::kDebug, message, AsSpan(fields));
  }
  void Info(absl::string_view message,
            std::initializer_list<LogField> fields = {}) const {
    Log(LogSeverity::kInfo, message, AsSpan(fields));
  }
  void Warning(absl::string_view message,
               std::initializer_list<LogField> fields = {}) const {
    Log(LogSeverity::kWarning, message, AsSpan(fields));
  }
  void Error(absl::string_view message,
             std::initializer_list<LogField> fields = {}) const {
    Log(LogSeverity::kError, message, AsSpan(fields));
  }

 private:
  static absl::Span<const LogField> AsSpan(
      std::initializer_list<LogField> fields) {
    return {fields.begin(), fields.size()};
  }

  const LogSeverity min_severity_;
  const std::function<absl::Time()> now_;
  mutable Mutex mutex_;
  LogSink& sink_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_OBSERVABILITY_LOG_H_
