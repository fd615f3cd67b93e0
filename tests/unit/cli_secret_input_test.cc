#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/cli/secret_input.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wemasy::tokens::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A file that goes away with it.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content)
      : path_(absl::StrCat(
            ::testing::TempDir(), "/secret-", getpid(), "-",
            ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~TemporaryFile() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(ReadSecretsTest, TakesLinesAndTrimsThem) {
  const TemporaryFile file("one\r\n\n  two \nthree");
  const auto secrets = ReadSecrets(file.path());
  ASSERT_TRUE(secrets.ok()) << secrets.status();
  ASSERT_EQ(secrets->size(), 3u);
  EXPECT_EQ((*secrets)[0].Reveal(), "one");
  EXPECT_EQ((*secrets)[1].Reveal(), "two");
  EXPECT_EQ((*secrets)[2].Reveal(), "three");
}

TEST(ReadSecretsTest, TakesManyLines) {
  std::string content;
  for (int i = 0; i < 20'000; ++i) absl::StrAppend(&content, "line", i, "\n");
  const TemporaryFile file(content);
  const auto secrets = ReadSecrets(file.path());
  ASSERT_TRUE(secrets.ok()) << secrets.status();
  ASSERT_EQ(secrets->size(), 20'000u);
  EXPECT_EQ(secrets->back().Reveal(), "line19999");
}

TEST(ReadSecretsTest, NeverRepeatsWhatItRefuses) {
  const TemporaryFile file("good\nhush\xFF\n");
  const auto status = ReadSecrets(file.path()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("line 2"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("hush")));
}

TEST(ReadSecretsTest, RefusesEmptyMissingAndHugeFiles) {
  const TemporaryFile empty("\n \n");
  EXPECT_FALSE(ReadSecrets(empty.path()).ok());
  EXPECT_FALSE(ReadSecrets("/nonexistent/secret").ok());
  EXPECT_FALSE(ReadSecrets("/dev/zero").ok());
}

TEST(ReadOneSecretTest, WantsExactlyOne) {
  const TemporaryFile two("one\ntwo\n");
  EXPECT_FALSE(ReadOneSecret(two.path()).ok());
}

TEST(ReadOneSecretTest, TakesOneWithItsLineFeed) {
  const TemporaryFile one("one\n");
  const auto secret = ReadOneSecret(one.path());
  ASSERT_TRUE(secret.ok()) << secret.status();
  EXPECT_EQ(secret->Reveal(), "one");
}

}  // namespace
}  // namespace wemasy::tokens::cli
