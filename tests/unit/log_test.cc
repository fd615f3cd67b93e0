#include "server/observability/log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "absl/strings/match.h"

namespace wemasy::tokens {
namespace {

class RecordingSink final : public LogSink {
 public:
  void Write(absl::string_view line) override { lines.emplace_back(line); }

  std::vector<std::string> lines;
};

absl::Time FixedTime() {
  return absl::FromUnixMicros(1714816800'123456);  // 2024-05-04 10:00 UTC
}

class LogTest : public testing::Test {
 protected:
  // The only line, which must be one JSON object and a newline.
  nlohmann::json Line() {
    EXPECT_EQ(sink_.lines.size(), 1U);
    const std::string& line = sink_.lines.back();
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    return nlohmann::json::parse(line);
  }

  RecordingSink sink_;
  Logger logger_{LogSeverity::kInfo, FixedTime, sink_};
};

TEST_F(LogTest, LineHasTimeSeverityAndMessageFirst) {
  logger_.Warning("hello");
  EXPECT_EQ(sink_.lines.back(),
            "{\"time\":\"2024-05-04T10:00:00.123456Z\","
            "\"severity\":\"WARNING\",\"message\":\"hello\"}\n");
}

TEST_F(LogTest, FieldsKeepTheirTypes) {
  logger_.Info("m", {{"text", "x"},
                     {"owned", std::string("y")},
                     {"int", -7},
                     {"big", std::numeric_limits<uint64_t>::max()},
                     {"yes", true},
                     {"ratio", 0.5},
                     {"wait_s", absl::Milliseconds(1500)},
                     {"at", absl::UnixEpoch()}});
  const nlohmann::json line = Line();
  EXPECT_EQ(line["text"], "x");
  EXPECT_EQ(line["owned"], "y");
  EXPECT_EQ(line["int"], -7);
  EXPECT_EQ(line["big"], std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(line["yes"], true);
  EXPECT_EQ(line["ratio"], 0.5);
  EXPECT_EQ(line["wait_s"], 1.5);
  EXPECT_EQ(line["at"], "1970-01-01T00:00:00.000000Z");
}

TEST_F(LogTest, NumbersThatJsonLacksAreTexts) {
  logger_.Info("m", {{"inf", std::numeric_limits<double>::infinity()},
                     {"nan", std::nan("")}});
  EXPECT_EQ(Line()["inf"], "inf");
  EXPECT_EQ(Line()["nan"], "nan");
}

TEST_F(LogTest, AnyBytesMakeOneLineOfJson) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  logger_.Info("quote \" backslash \\ newline \n", {{"all", all}});
  EXPECT_EQ(Line()["message"], "quote \" backslash \\ newline \n");
  EXPECT_EQ(Line()["all"].get<std::string>().substr(0, 128),
            all.substr(0, 128));
}

TEST_F(LogTest, ControlCharactersDoNotReachTheTerminal) {
  logger_.Info("\x1b[2J\x7f");
  EXPECT_EQ(sink_.lines.back().find('\x1b'), std::string::npos);
  EXPECT_EQ(sink_.lines.back().find('\x7f'), std::string::npos);
}

TEST_F(LogTest, Utf8IsKeptAndWhatIsNotIsReplaced) {
  const std::string good = "\u00e9\u20ac\U0001F600";
  logger_.Info("m", {{"good", good},
                     {"truncated", "a\xE2\x82"},
                     {"overlong", "\xC0\xAF"},
                     {"surrogate", "\xED\xA0\x80"},
                     {"too_large", "\xF4\x90\x80\x80"}});
  EXPECT_EQ(Line()["good"], good);
  EXPECT_EQ(Line()["truncated"], "a\uFFFD\uFFFD");
  EXPECT_EQ(Line()["overlong"], "\uFFFD\uFFFD");
  EXPECT_EQ(Line()["surrogate"], "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(Line()["too_large"], "\uFFFD\uFFFD\uFFFD\uFFFD");
}

TEST_F(LogTest, LessSevereLinesAreDropped) {
  logger_.Debug("no");
  EXPECT_FALSE(logger_.IsOn(LogSeverity::kDebug));
  EXPECT_TRUE(sink_.lines.empty());
}

TEST_F(LogTest, LinesOfThreadsDoNotMix) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this, i] {
      for (int n = 0; n < 250; ++n) logger_.Info("m", {{"thread", i}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sink_.lines.size(), 1000U);
  for (const std::string& line : sink_.lines) {
    EXPECT_TRUE(nlohmann::json::accept(line)) << line;
  }
}

// The compiler refuses secrets and digests.
static_assert(
    !std::is_constructible_v<LogField, absl::string_view, const Secret&>);
static_assert(
    !std::is_constructible_v<LogField, absl::string_view, TokenDigest>);

TEST(ParseLogSeverityTest, KnowsFourWords) {
  EXPECT_EQ(ParseLogSeverity("debug"), LogSeverity::kDebug);
  EXPECT_EQ(ParseLogSeverity("info"), LogSeverity::kInfo);
  EXPECT_EQ(ParseLogSeverity("warning"), LogSeverity::kWarning);
  EXPECT_EQ(ParseLogSeverity("error"), LogSeverity::kError);
  EXPECT_EQ(ParseLogSeverity("INFO"), absl::nullopt);
  EXPECT_EQ(ParseLogSeverity(""), absl::nullopt);
}

// Fault: wait until somebody reads, and let all others wait for that.
TEST(StderrLogSinkTest, NeverWaitsForWhoReads) {
  int pipe_fds[2];
  ASSERT_EQ(::pipe(pipe_fds), 0);
  const int standard_error = ::dup(STDERR_FILENO);
  ASSERT_GE(::dup2(pipe_fds[1], STDERR_FILENO), 0);
  StderrLogSink sink;
  // More than any pipe holds by itself, of lines that are longer than what it
  // takes at once.
  const std::string line = std::string(6000, 'x') + "\n";
  for (int i = 0; i < 100; ++i) sink.Write(line);
  std::string read(1 << 20, '\0');
  read.resize(static_cast<size_t>(
      std::max<ssize_t>(0, ::read(pipe_fds[0], read.data(), read.size()))));
  sink.Write("the last\n");
  ::dup2(standard_error, STDERR_FILENO);
  ::close(standard_error);
  ::close(pipe_fds[1]);
  EXPECT_GT(read.size(), line.size());
  std::string rest(1024, '\0');
  rest.resize(static_cast<size_t>(
      std::max<ssize_t>(0, ::read(pipe_fds[0], rest.data(), rest.size()))));
  ::close(pipe_fds[0]);
  EXPECT_EQ(rest, absl::EndsWith(read, "\n") ? "the last\n" : "\nthe last\n");
}

}  // namespace
}  // namespace wemasy::tokens
