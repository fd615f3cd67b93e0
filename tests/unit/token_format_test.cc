#include "common/token_format.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wemasy::tokens {
namespace {

using ::testing::SizeIs;

constexpr absl::string_view kAlphabet =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// Gives the bytes 0, 1, 2 and so on, around at 256.
class CountingRandom final : public RandomSource {
 public:
  explicit CountingRandom(uint8_t first) : next_(first) {}
  void Fill(absl::Span<uint8_t> bytes) override {
    for (uint8_t& byte : bytes) byte = next_++;
  }

 private:
  uint8_t next_;
};

// The checksum as docs/token-format.md words it, written a second time.
std::string ExpectedChecksum(const std::string& text) {
  uint32_t crc = 0xFFFFFFFF;
  for (unsigned char c : text) {
    crc ^= c;
    for (int i = 0; i < 8; ++i) {
      crc = (crc >> 1) ^ ((crc & 1) ? 0xEDB88320 : 0);
    }
  }
  crc = ~crc;
  std::string digits;
  for (int i = 0; i < 6; ++i, crc /= 62) digits += kAlphabet[crc % 62];
  std::reverse(digits.begin(), digits.end());
  return digits;
}

std::string WithChecksum(const std::string& body) {
  return absl::StrCat(body, ExpectedChecksum(body));
}

const std::string& GoodToken() {
  static const auto* const token =
      new std::string(WithChecksum("wmsy_" + std::string(30, 'a')));
  return *token;
}

TEST(GenerateTokenTest, HasPublishedForm) {
  SystemRandom random;
  for (int i = 0; i < 1000; ++i) {
    const Secret token = GenerateToken(random);
    const std::string text(token.Reveal());
    ASSERT_THAT(text, SizeIs(41));
    ASSERT_TRUE(absl::StartsWith(text, "wmsy_"));
    ASSERT_TRUE(std::all_of(text.begin() + 5, text.end(), absl::ascii_isalnum));
    ASSERT_EQ(text, WithChecksum(text.substr(0, 35)));
    ASSERT_TRUE(IsTokenWellFormed(text));
  }
}

TEST(GenerateTokenTest, NeverRepeats) {
  SystemRandom random;
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i) {
    seen.insert(std::string(GenerateToken(random).Reveal()));
  }
  EXPECT_THAT(seen, SizeIs(10'000));
}

TEST(GenerateTokenTest, BytesThatWouldFavourSomeCharactersAreThrownAway) {
  // 248 to 255 are skipped, so that the random part begins with byte 0.
  CountingRandom random(248);
  EXPECT_EQ(GenerateToken(random).Reveal(),
            WithChecksum("wmsy_0123456789ABCDEFGHIJKLMNOPQRST"));
}

TEST(GenerateTokenTest, CharactersAreUniform) {
  SystemRandom random;
  std::array<int, 256> counts{};
  constexpr int kTokens = 20'000;
  for (int i = 0; i < kTokens; ++i) {
    const Secret token = GenerateToken(random);
    for (unsigned char c : token.Reveal().substr(5, 30)) ++counts[c];
  }
  const double expected = kTokens * 30 / 62.0;
  double chi_squared = 0;
  for (unsigned char c : kAlphabet) {
    chi_squared += (counts[c] - expected) * (counts[c] - expected) / expected;
  }
  // 61 degrees of freedom: above 150 about once in 10^9 runs.
  EXPECT_LT(chi_squared, 150);
}

TEST(IsTokenWellFormedTest, EveryChangedCharacterIsRefused) {
  const std::string& good = GoodToken();
  ASSERT_TRUE(IsTokenWellFormed(good));
  for (size_t i = 0; i < good.size(); ++i) {
    for (char c : kAlphabet) {
      std::string changed = good;
      changed[i] = c;
      EXPECT_EQ(IsTokenWellFormed(changed), changed == good) << i << " " << c;
    }
  }
}

struct BadToken {
  std::string name;
  std::string text;
};

class MalformedTest : public ::testing::TestWithParam<BadToken> {};

TEST_P(MalformedTest, IsRefused) {
  EXPECT_FALSE(IsTokenWellFormed(GetParam().text));
}

INSTANTIATE_TEST_SUITE_P(
    Tokens, MalformedTest,
    ::testing::Values(
        BadToken{"Empty", ""}, BadToken{"PrefixOnly", "wmsy_"},
        BadToken{"OneShort", GoodToken().substr(0, 40)},
        BadToken{"OneLong", GoodToken() + "0"},
        BadToken{"LineFeed", GoodToken() + "\n"},
        BadToken{"SpaceBefore", " " + GoodToken()},
        BadToken{"OtherPrefix", WithChecksum("wmsx_" + std::string(30, 'a'))},
        BadToken{"UpperPrefix", WithChecksum("WMSY_" + std::string(30, 'a'))},
        BadToken{"HyphenForUnderscore",
                 WithChecksum("wmsy-" + std::string(30, 'a'))},
        BadToken{"NotBase62", WithChecksum("wmsy_" + std::string(30, '-'))},
        BadToken{"NotAscii", WithChecksum("wmsy_" + std::string(30, '\xE9'))},
        BadToken{"NullBytes", WithChecksum("wmsy_" + std::string(30, '\0'))},
        BadToken{"AllNull", std::string(41, '\0')},
        BadToken{"OneMegabyte", std::string(1 << 20, 'a')},
        BadToken{"SecretTokenUri", "secret-token:" + GoodToken()}),
    [](const auto& info) { return info.param.name; });

TEST(TokenHintTest, IsTheLastFourCharacters) {
  EXPECT_EQ(TokenHint(Secret(GoodToken())), GoodToken().substr(37));
}

// The rows `| wmsy_... | digest |` of the document's table, as the pairs of a
// token and what the document says about it.
std::vector<std::pair<std::string, std::string>> DocumentedVectors() {
  const char* root = std::getenv("WEMASY_SOURCE_DIR");
  std::ifstream file(
      absl::StrCat(root != nullptr ? root : ".", "/docs/token-format.md"));
  std::ostringstream text;
  text << file.rdbuf();
  std::vector<std::pair<std::string, std::string>> vectors;
  for (absl::string_view line : absl::StrSplit(text.str(), '\n')) {
    if (!absl::ConsumePrefix(&line, "| `")) continue;
    const std::vector<std::string> cells =
        absl::StrSplit(line, absl::ByString("` | "));
    if (cells.size() < 2) continue;
    vectors.emplace_back(cells[0],
                         std::string(absl::StripSuffix(cells[1], " |")));
  }
  return vectors;
}

TEST(DocumentTest, TestVectorsHold) {
  int well_formed = 0;
  int malformed = 0;
  for (const auto& [token, meaning] : DocumentedVectors()) {
    SCOPED_TRACE(token);
    if (absl::StartsWith(meaning, "well-formed")) {
      EXPECT_TRUE(IsTokenWellFormed(token));
      ++well_formed;
    } else {
      EXPECT_FALSE(IsTokenWellFormed(token));
      ++malformed;
    }
  }
  EXPECT_GE(well_formed, 5);
  EXPECT_GE(malformed, 5);
}

}  // namespace
}  // namespace wemasy::tokens
