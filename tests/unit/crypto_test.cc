// The values and primitives of common/crypto.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/crypto/digest.h"
#include "common/crypto/random.h"
#include "common/crypto/sealer.h"
#include "common/crypto/secret.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wemasy::tokens {
namespace {

template <typename T, typename = void>
struct IsStreamable : std::false_type {};
template <typename T>
struct IsStreamable<T, std::void_t<decltype(std::declval<std::ostream&>()
                                            << std::declval<const T&>())>>
    : std::true_type {};

static_assert(!IsStreamable<Secret>::value, "a secret must not be printed");
static_assert(!IsStreamable<TokenDigest>::value,
              "a digest must not be printed");
static_assert(!std::is_copy_constructible_v<Secret>);
static_assert(!std::is_copy_assignable_v<Secret>);
static_assert(!std::is_convertible_v<Secret, absl::string_view>);

std::string Hex(const TokenDigest& digest) {
  return absl::BytesToHexString(digest.bytes());
}

TEST(TokenDigestTest, IsSha256) {
  // FIPS 180-4's examples.
  EXPECT_EQ(Hex(TokenDigest::Of("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Hex(TokenDigest::Of("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(TokenDigestTest, TakesExactly32Bytes) {
  const TokenDigest digest = TokenDigest::Of("abc");
  EXPECT_EQ(TokenDigest::FromBytes(digest.bytes()), digest);
  EXPECT_FALSE(TokenDigest::FromBytes("").has_value());
  EXPECT_FALSE(TokenDigest::FromBytes(std::string(31, 'a')).has_value());
  EXPECT_FALSE(TokenDigest::FromBytes(std::string(33, 'a')).has_value());
}

TEST(TokenDigestTest, DiffersInAnyByte) {
  const TokenDigest digest = TokenDigest::Of("abc");
  for (size_t i = 0; i < TokenDigest::kSize; ++i) {
    std::string bytes(digest.bytes());
    bytes[i] = static_cast<char>(bytes[i] ^ 1);
    EXPECT_NE(TokenDigest::FromBytes(bytes), digest) << i;
  }
}

TEST(TokenDigestTest, IsTotallyOrdered) {
  const TokenDigest a = TokenDigest::Of("a");
  const TokenDigest b = TokenDigest::Of("b");
  EXPECT_NE(a < b, b < a);
  EXPECT_FALSE(a < a);
}

TEST(TokenDigestTest, PrefixIsOfItsOwnBytes) {
  EXPECT_NE(TokenDigest::Of("a").Prefix(), TokenDigest::Of("b").Prefix());
  EXPECT_EQ(TokenDigest().Prefix(), 0u);
}

TEST(SecretTest, RevealsWhatItWasGiven) {
  const std::string text("with\0null", 9);
  EXPECT_EQ(Secret(text).Reveal(), text);
  EXPECT_TRUE(Secret().empty());
  EXPECT_FALSE(Secret("a").empty());
}

TEST(SecretTest, ComparesByContent) {
  EXPECT_EQ(Secret("abc"), Secret("abc"));
  EXPECT_NE(Secret("abc"), Secret("abd"));
  EXPECT_NE(Secret("abc"), Secret("abcd"));
  EXPECT_EQ(Secret(), Secret(""));
}

TEST(SecretTest, LeavesNothingBehindWhenMoved) {
  Secret from("abc");
  const Secret to = std::move(from);
  EXPECT_EQ(to.Reveal(), "abc");
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move)

  Secret assigned("old");
  assigned = Secret("new");
  EXPECT_EQ(assigned.Reveal(), "new");
}

TEST(SecretTest, AssignmentToItselfKeepsIt) {
  Secret secret("abc");
  Secret& alias = secret;
  secret = std::move(alias);
  EXPECT_EQ(secret.Reveal(), "abc");
}

TEST(WipeMemoryTest, Overwrites) {
  std::string text = "abc";
  WipeMemory(text.data(), text.size());
  EXPECT_EQ(text, std::string(3, '\0'));
  WipeMemory(nullptr, 0);
}

TEST(SystemRandomTest, FillsEverything) {
  SystemRandom random;
  // A byte that stays zero in 64 draws would do so once in 2^512.
  std::array<uint8_t, 37> seen{};
  for (int i = 0; i < 64; ++i) {
    std::array<uint8_t, 37> bytes{};
    random.Fill(absl::MakeSpan(bytes));
    for (size_t j = 0; j < bytes.size(); ++j) seen[j] |= bytes[j];
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 0), 0);
}

class SealerTest : public ::testing::Test {
 protected:
  Sealer NewSealer(char key) {
    return *Sealer::Create(Secret(std::string(Sealer::kKeySize, key)),
                           &random_);
  }

  SystemRandom random_;
};

TEST_F(SealerTest, WantsAKeyOf32Bytes) {
  for (size_t size : {0, 16, 31, 33}) {
    EXPECT_EQ(Sealer::Create(Secret(std::string(size, 'k')), &random_)
                  .status()
                  .code(),
              absl::StatusCode::kInvalidArgument)
        << size;
  }
}

TEST_F(SealerTest, OpensWhatItSealed) {
  const Sealer sealer = NewSealer('k');
  for (const std::string& plain :
       {std::string(), std::string("a"), std::string(1000, '\xFF')}) {
    const auto opened = sealer.Open(sealer.Seal(plain, "page"), "page");
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(*opened, plain);
  }
}

TEST_F(SealerTest, IsOpaqueAndFitForUrls) {
  const Sealer sealer = NewSealer('k');
  const std::string once = sealer.Seal("projects/demo", "page");
  EXPECT_NE(once, sealer.Seal("projects/demo", "page"));
  EXPECT_THAT(once, ::testing::MatchesRegex("[A-Za-z0-9_-]+"));
  std::string raw;
  ASSERT_TRUE(absl::WebSafeBase64Unescape(once, &raw));
  EXPECT_THAT(raw, ::testing::Not(::testing::HasSubstr("demo")));
}

TEST_F(SealerTest, RefusesAnotherContextOrKey) {
  const Sealer sealer = NewSealer('k');
  const std::string sealed = sealer.Seal("plain", "page");
  EXPECT_FALSE(sealer.Open(sealed, "other").ok());
  EXPECT_FALSE(NewSealer('l').Open(sealed, "page").ok());
}

TEST_F(SealerTest, RefusesEveryChangedBit) {
  const Sealer sealer = NewSealer('k');
  std::string raw;
  ASSERT_TRUE(absl::WebSafeBase64Unescape(sealer.Seal("plain", "page"), &raw));
  for (size_t bit = 0; bit < raw.size() * 8; ++bit) {
    std::string changed = raw;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    const auto opened = sealer.Open(absl::WebSafeBase64Escape(changed), "page");
    EXPECT_EQ(opened.status().code(), absl::StatusCode::kInvalidArgument)
        << bit;
  }
}

TEST_F(SealerTest, RefusesWhatWasNeverSealed) {
  const Sealer sealer = NewSealer('k');
  const std::string sealed = sealer.Seal("plain", "page");
  const std::vector<std::string> forgeries = {
      "",
      "a",
      "?",
      "not base64!",
      std::string(27, 'A'),
      std::string(10'000, 'A'),
      sealed + "AAAA",
      sealed.substr(0, sealed.size() - 4)};
  for (const std::string& forgery : forgeries) {
    EXPECT_EQ(sealer.Open(forgery, "page").status().code(),
              absl::StatusCode::kInvalidArgument)
        << forgery;
  }
}

}  // namespace
}  // namespace wemasy::tokens
