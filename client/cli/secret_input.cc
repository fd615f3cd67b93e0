#include "client/cli/secret_input.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/status_macros.h"

namespace wemasy::tokens::cli {
namespace {

constexpr size_t kMostBytes = size_t{16} << 20;

// Turns a terminal's echo off for the length of a scope.
class EchoOff {
 public:
  explicit EchoOff(int fd) : fd_(fd) {
    if (!isatty(fd) || tcgetattr(fd, &before_) != 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = tcsetattr(fd, TCSAFLUSH, &quiet) == 0;
    std::fputs("secret (not shown; end with Enter): ", stderr);
  }
  ~EchoOff() {
    if (!changed_) return;
    tcsetattr(fd_, TCSAFLUSH, &before_);
    std::fputs("\n", stderr);
  }
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;

 private:
  int fd_;
  bool changed_ = false;
  termios before_{};
};

// Bytes that are wiped when they are moved elsewhere or done with.
class WipedBuffer {
 public:
  WipedBuffer() = default;
  ~WipedBuffer() { WipeMemory(bytes_.data(), bytes_.size()); }
  WipedBuffer(const WipedBuffer&) = delete;
  WipedBuffer& operator=(const WipedBuffer&) = delete;

  char* Grow(size_t size) {
    std::vector<char> larger(size);
    std::copy(bytes_.begin(), bytes_.end(), larger.begin());
    WipeMemory(bytes_.data(), bytes_.size());
    bytes_ = std::move(larger);
    return bytes_.data();
  }
  size_t size() const { return bytes_.size(); }
  char* data() { return bytes_.data(); }

 private:
  std::vector<char> bytes_;
};

// Reads to the end, or to the end of the first line at a terminal.
absl::Status ReadAll(int fd, const std::string& what, WipedBuffer* buffer,
                     size_t* length) {
  const EchoOff echo_off(fd);
  const bool terminal = isatty(fd);
  *length = 0;
  while (true) {
    if (*length == buffer->size()) {
      if (buffer->size() >= kMostBytes) {
        return absl::InvalidArgumentError(
            absl::StrCat(what, " is over ", kMostBytes, " bytes"));
      }
      buffer->Grow(std::max<size_t>(4096, 2 * buffer->size()));
    }
    const ssize_t got =
        read(fd, buffer->data() + *length, buffer->size() - *length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("cannot read ", what, ": ", std::strerror(errno)));
    }
    *length += static_cast<size_t>(got);
    if (got == 0 || terminal) return absl::OkStatus();
  }
}

absl::StatusOr<std::vector<Secret>> SplitLines(absl::string_view text,
                                               const std::string& what) {
  std::vector<Secret> secrets;
  size_t line_number = 0;
  while (!text.empty()) {
    ++line_number;
    const size_t end = std::min(text.find('\n'), text.size());
    const absl::string_view line =
        absl::StripAsciiWhitespace(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    if (!std::all_of(line.begin(), line.end(), absl::ascii_isprint)) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", line_number, " of ", what,
                       " has bytes other than printable ASCII"));
    }
    secrets.emplace_back(line);
  }
  if (secrets.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " is empty, want a secret"));
  }
  return secrets;
}

}  // namespace

absl::StatusOr<std::vector<Secret>> ReadSecrets(const std::string& path) {
  const bool from_stdin = path.empty() || path == "-";
  const std::string what = from_stdin ? "standard input" : path;
  const int fd =
      from_stdin ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot open ", what, ": ", std::strerror(errno)));
  }
  WipedBuffer buffer;
  size_t length = 0;
  const absl::Status read = ReadAll(fd, what, &buffer, &length);
  if (!from_stdin) close(fd);
  RETURN_IF_ERROR(read);
  return SplitLines({buffer.data(), length}, what);
}

absl::StatusOr<Secret> ReadOneSecret(const std::string& path) {
  ASSIGN_OR_RETURN(std::vector<Secret> secrets, ReadSecrets(path));
  if (secrets.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("got ", secrets.size(), " lines, want one secret"));
  }
  return std::move(secrets.front());
}

}  // namespace wemasy::tokens::cli
