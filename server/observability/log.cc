#include "server/observability/log.h"

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace wemasy::tokens {
namespace {

constexpr absl::string_view kReplacementCharacter = "\xEF\xBF\xBD";

absl::string_view SeverityName(LogSeverity severity) {
  switch (severity) {
    case LogSeverity::kDebug:
      return "DEBUG";
    case LogSeverity::kInfo:
      return "INFO";
    case LogSeverity::kWarning:
      return "WARNING";
    case LogSeverity::kError:
      return "ERROR";
  }
  return "DEFAULT";
}

bool IsContinuation(unsigned char c) { return (c & 0xC0) == 0x80; }

// The length of the well-formed UTF-8 sequence (RFC 3629) at the start of
// `text`; 0 if there is none. Over-long forms and surrogates are not
// well-formed.
size_t Utf8SequenceLength(absl::string_view text) {
  const auto at = [&](size_t i) {
    return static_cast<unsigned char>(i < text.size() ? text[i] : 0);
  };
  const unsigned char c = at(0);
  if (c < 0x80) return 1;
  if (c >= 0xC2 && c <= 0xDF) return IsContinuation(at(1)) ? 2 : 0;
  if (c >= 0xE0 && c <= 0xEF) {
    if (c == 0xE0 && at(1) < 0xA0) return 0;
    if (c == 0xED && at(1) > 0x9F) return 0;
    return IsContinuation(at(1)) && IsContinuation(at(2)) ? 3 : 0;
  }
  if (c >= 0xF0 && c <= 0xF4) {
    if (c == 0xF0 && at(1) < 0x90) return 0;
    if (c == 0xF4 && at(1) > 0x8F) return 0;
    return IsContinuation(at(1)) && IsContinuation(at(2)) &&
                   IsContinuation(at(3))
               ? 4
               : 0;
  }
  return 0;
}

void AppendAscii(char c, std::string& out) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      // DEL too: terminals act on it.
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
        absl::StrAppendFormat(&out, "\\u%04x", static_cast<unsigned>(c));
      } else {
        out += c;
      }
  }
}

// Appends a JSON string. A byte that is not part of UTF-8 becomes U+FFFD, so
// that the line stays JSON whatever a caller sent.
void AppendString(absl::string_view text, std::string& out) {
  out += '"';
  while (!text.empty()) {
    const size_t length = Utf8SequenceLength(text);
    if (length == 0) {
      absl::StrAppend(&out, kReplacementCharacter);
      text.remove_prefix(1);
    } else if (length == 1) {
      AppendAscii(text[0], out);
      text.remove_prefix(1);
    } else {
      absl::StrAppend(&out, text.substr(0, length));
      text.remove_prefix(length);
    }
  }
  out += '"';
}

struct ValueAppender {
  std::string& out;

  void operator()(absl::string_view value) const { AppendString(value, out); }
  void operator()(int64_t value) const { absl::StrAppend(&out, value); }
  void operator()(uint64_t value) const { absl::StrAppend(&out, value); }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(double value) const {
    // JSON has no infinity and no NaN.
    if (std::isfinite(value)) {
      absl::StrAppendFormat(&out, "%.9g", value);
    } else {
      AppendString(absl::StrCat(value), out);
    }
  }
  void operator()(absl::Time value) const {
    AppendString(
        absl::FormatTime("%Y-%m-%d%ET%H:%M:%E6SZ", value, absl::UTCTimeZone()),
        out);
  }
};

}  // namespace

absl::optional<LogSeverity> ParseLogSeverity(absl::string_view text) {
  if (text == "debug") return LogSeverity::kDebug;
  if (text == "info") return LogSeverity::kInfo;
  if (text == "warning") return LogSeverity::kWarning;
  if (text == "error") return LogSeverity::kError;
  return absl::nullopt;
}

void StderrLogSink::Write(absl::string_view line) {
  if (is_torn_ && !WritePart("\n")) return;
  is_torn_ = false;
  for (absl::string_view rest = line; !rest.empty();) {
    // A pipe that is ready takes as much without waiting.
    const absl::string_view part = rest.substr(0, PIPE_BUF);
    if (!WritePart(part)) {
      is_torn_ = rest.size() < line.size();
      return;
    }
    rest.remove_prefix(part.size());
  }
}

bool StderrLogSink::WritePart(absl::string_view part) {
  while (!part.empty()) {
    pollfd ready{STDERR_FILENO, POLLOUT, 0};
    if (::poll(&ready, 1, 0) < 1 || (ready.revents & POLLOUT) == 0) {
      return false;
    }
    const ssize_t written = ::write(STDERR_FILENO, part.data(), part.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) part.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

void Logger::Log(LogSeverity severity, absl::string_view message,
                 absl::Span<const LogField> fields) const {
  if (!IsOn(severity)) return;
  std::string line = "{\"time\":";
  const ValueAppender append{line};
  append(now_());
  line += ",\"severity\":";
  append(SeverityName(severity));
  line += ",\"message\":";
  append(message);
  for (const LogField& field : fields) {
    line += ',';
    append(field.name());
    line += ':';
    absl::visit(append, field.value());
  }
  line += "}\n";
  MutexLock lock(&mutex_);
  sink_.Write(line);
}

}  // namespace wemasy::tokens
