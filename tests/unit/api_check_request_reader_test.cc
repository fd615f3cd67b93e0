// What is read of a CheckRequest is what the generated class reads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "envoy/service/auth/v3/external_auth.pb.h"
#include "google/protobuf/stubs/logging.h"
#include "server/api/ext_authz/check_request_reader.h"

namespace wemasy::tokens {
namespace {

using envoy::service::auth::v3::AttributeContext;
using envoy::service::auth::v3::CheckRequest;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

using Pairs = std::vector<std::pair<std::string, std::string>>;

// Sorted, as neither a map nor what is made of it has an order.
struct Content {
  Pairs headers;
  Pairs settings;

  friend bool operator==(const Content& a, const Content& b) {
    return a.headers == b.headers && a.settings == b.settings;
  }
};

Content Sorted(Content content) {
  std::sort(content.headers.begin(), content.headers.end());
  std::sort(content.settings.begin(), content.settings.end());
  return content;
}

Content ContentOf(const CheckRequestReader& reader) {
  Content content;
  for (const HeaderField& field : reader.headers()) {
    content.headers.emplace_back(field.name, field.value);
  }
  for (const RouteSetting& setting : reader.settings()) {
    content.settings.emplace_back(setting.key, setting.value);
  }
  return Sorted(content);
}

Content ContentOf(const CheckRequest& request) {
  Content content;
  const auto& http = request.attributes().request().http();
  for (const auto& [name, value] : http.headers()) {
    content.headers.emplace_back(name, value);
  }
  for (const auto& header : http.header_map().headers()) {
    content.headers.emplace_back(header.key(), header.raw_value().empty()
                                                   ? header.value()
                                                   : header.raw_value());
  }
  for (const auto& [key, value] : request.attributes().context_extensions()) {
    content.settings.emplace_back(key, value);
  }
  return Sorted(content);
}

// A field on the wire, of fewer than 128 bytes.
std::string Field(int number, const std::string& content) {
  return std::string{static_cast<char>(number << 3 | 2),
                     static_cast<char>(content.size())} +
         content;
}
std::string InHttp(const std::string& http) {
  return Field(1, Field(4, Field(2, http)));
}
std::string Header(const std::string& name, const std::string& value) {
  return Field(3, Field(1, name) + Field(2, value));
}

class CheckRequestReaderTest : public ::testing::Test {
 protected:
  // As gRPC has it, in `pieces` slices.
  bool Read(const std::string& bytes, size_t pieces = 1) {
    std::vector<grpc::Slice> slices;
    const size_t length = bytes.size() / pieces;
    for (size_t i = 0; i < pieces; ++i) {
      slices.emplace_back(i + 1 < pieces ? bytes.substr(i * length, length)
                                         : bytes.substr(i * length));
    }
    grpc::ByteBuffer buffer(slices.data(), slices.size());
    const grpc::Status status =
        grpc::SerializationTraits<CheckRequestReader>::Deserialize(&buffer,
                                                                   &reader_);
    // gRPC would end the call with an error, which Envoy may take for "allow".
    EXPECT_TRUE(status.ok());
    return reader_.is_readable();
  }

  CheckRequestReader reader_;
  // Of texts that are not UTF-8.
  google::protobuf::LogSilencer silence_;
};

TEST_F(CheckRequestReaderTest, NothingIsARequest) {
  EXPECT_TRUE(Read(""));
  EXPECT_THAT(ContentOf(reader_).headers, IsEmpty());
}

// Fault: the first of several counts.
TEST_F(CheckRequestReaderTest, OfAHeaderThatIsRepeatedTheLastCounts) {
  ASSERT_TRUE(Read(InHttp(Header("a", "1") + Header("b", "2")) +
                   InHttp(Header("a", "3") + Header("a", "4"))));
  EXPECT_THAT(ContentOf(reader_).headers,
              ElementsAre(Pair("a", "4"), Pair("b", "2")));
  // Without a name they are all of one.
  ASSERT_TRUE(Read(InHttp(Field(3, Field(2, "1")) + Header("", "2") +
                          Field(3, Field(2, "3")))));
  EXPECT_THAT(ContentOf(reader_).headers, ElementsAre(Pair("", "3")));
}

TEST_F(CheckRequestReaderTest, RawHeadersAreAllThere) {
  const std::string raw = Field(1, "a") + Field(2, "x") + Field(3, "\xff");
  ASSERT_TRUE(
      Read(InHttp(Field(13, Field(1, raw) + Field(1, Field(1, "a"))) +
                  Header("a", "1") + Field(13, Field(1, Field(1, "a"))))));
  EXPECT_THAT(ContentOf(reader_).headers,
              UnorderedElementsAre(Pair("a", ""), Pair("a", ""), Pair("a", "1"),
                                   Pair("a", "\xff")));
}

TEST_F(CheckRequestReaderTest, ForgetsWhatItReadBefore) {
  ASSERT_TRUE(Read(InHttp(Header("a", "1")) +
                   Field(1, Field(10, Field(1, "key") + Field(2, "value")))));
  EXPECT_THAT(ContentOf(reader_).settings, ElementsAre(Pair("key", "value")));
  ASSERT_TRUE(Read(InHttp(Header("b", "2"))));
  EXPECT_THAT(ContentOf(reader_).headers, ElementsAre(Pair("b", "2")));
  EXPECT_THAT(ContentOf(reader_).settings, IsEmpty());
}

// Fault: texts are not looked at.
TEST_F(CheckRequestReaderTest, WhatIsNoTextIsNoRequest) {
  const std::string bad = "\xc3\x28";
  for (const std::string& bytes :
       {InHttp(Header(bad, "1")), InHttp(Header("a", bad)),
        InHttp(Header("a", bad) + Header("a", "1")),
        InHttp(Field(13, Field(1, Field(1, bad)))),
        InHttp(Field(13, Field(1, Field(2, bad)))),
        Field(1, Field(10, Field(1, bad))),
        Field(1, Field(10, Field(2, bad)))}) {
    EXPECT_FALSE(CheckRequest().ParseFromString(bytes));
    EXPECT_FALSE(Read(bytes));
  }
}

// Fault: what is behind a field without a length is not looked at.
TEST_F(CheckRequestReaderTest, WhatIsNoMessageIsNoRequest) {
  const std::string group_begin = "\x1b";
  for (const std::string& bytes :
       {std::string("\xff\xff\xff"), std::string("not protobuf"),
        std::string("\x0a\xff"), std::string("\x0a"),
        std::string("\x0a\x02\x08"),
        // No field has the number 0.
        std::string("\x02\x00", 2), std::string("\x00", 1),
        // The end of a group that did not begin, and the other way round.
        std::string("\x1c"), group_begin, InHttp(group_begin),
        group_begin + "\x24",
        // A number without an end, and too few bytes of one with a fixed size.
        std::string("\x18\xff"), std::string("\x19\x00\x00", 3),
        // A tag and a length of six bytes.
        std::string("\x8a\x80\x80\x80\x80\x00\x00", 7),
        std::string("\x0a\x80\x80\x80\x80\x80\x00", 7),
        // The longest length of all.
        std::string("\x0a\xff\xff\xff\xff\x0f"), InHttp("\x1a\x05\x0a"),
        InHttp(Field(3, "\x0a\x05"))}) {
    EXPECT_FALSE(CheckRequest().ParseFromString(bytes));
    EXPECT_FALSE(Read(bytes));
  }
}

// Requests that repeat themselves, and have more in them than is needed.
class RandomRequests {
 public:
  explicit RandomRequests(uint32_t seed) : engine_(seed) {}

  int Below(int end) {
    return static_cast<int>(engine_() % static_cast<uint32_t>(end));
  }

  std::string Next() {
    std::string bytes;
    for (int i = Below(3); i >= 0; --i) {
      Part().AppendToString(&bytes);
      if (Below(4) == 0) bytes += LaterField();
    }
    return bytes;
  }

  // Makes a mistake.
  void Spoil(std::string* bytes) {
    if (bytes->empty()) return;
    const auto at = static_cast<size_t>(Below(static_cast<int>(bytes->size())));
    const char byte = static_cast<char>(Below(256));
    switch (Below(3)) {
      case 0:
        (*bytes)[at] = byte;
        return;
      case 1:
        bytes->insert(at, 1, byte);
        return;
      default:
        bytes->erase(at, 1);
        return;
    }
  }

 private:
  std::string Text() {
    static const char* const kTexts[] = {"",  "a", "authorization",
                                         "b", "é", "x-wemasy-token"};
    return Below(10) == 0 ? std::string(static_cast<size_t>(Below(400)), 'x')
                          : kTexts[Below(6)];
  }

  CheckRequest Part() {
    CheckRequest request;
    AttributeContext* const attributes = request.mutable_attributes();
    for (int i = Below(3); i > 0; --i) {
      (*attributes->mutable_context_extensions())[Text()] = Text();
    }
    if (Below(2) == 0) {
      auto* const address = attributes->mutable_source()
                                ->mutable_address()
                                ->mutable_socket_address();
      address->set_address("127.0.0.1");
      address->set_port_value(static_cast<uint32_t>(Below(65536)));
    }
    if (Below(8) == 0) return request;
    attributes->mutable_request()->mutable_time()->set_seconds(Below(1000));
    auto* const http = attributes->mutable_request()->mutable_http();
    http->set_path(Text());
    http->set_size(Below(3) - 1);
    http->set_raw_body("\xff");
    for (int i = Below(6); i > 0; --i) {
      (*http->mutable_headers())[Text()] = Text();
    }
    for (int i = Below(3); i > 0; --i) {
      auto* const header = http->mutable_header_map()->add_headers();
      header->set_key(Text());
      header->set_value(Text());
      if (Below(2) == 0) header->set_raw_value(Text());
    }
    return request;
  }

  // Of each wire type, at the end of the request.
  std::string LaterField() {
    switch (Below(5)) {
      case 0:
        return std::string("\x78\x96\x01");
      case 1:
        return std::string("\x79") + "12345678";
      case 2:
        return std::string("\x7d") + "1234";
      case 3:
        return std::string("\x7b\x7c");
      default:
        return "\x7a\x02\xff\xff";
    }
  }

  std::mt19937 engine_;
};

TEST_F(CheckRequestReaderTest, ReadsWhatTheGeneratedClassReads) {
  RandomRequests requests(1);
  for (int i = 0; i < 3000; ++i) {
    const std::string bytes = requests.Next();
    CheckRequest request;
    ASSERT_TRUE(request.ParseFromString(bytes));
    ASSERT_TRUE(Read(bytes, static_cast<size_t>(requests.Below(3)) + 1));
    ASSERT_EQ(ContentOf(reader_), ContentOf(request)) << request.DebugString();
  }
}

TEST_F(CheckRequestReaderTest, RefusesWhatIsCutOff) {
  RandomRequests requests(2);
  for (int i = 0; i < 100; ++i) {
    const std::string bytes = requests.Next();
    for (size_t size = 0; size < bytes.size(); ++size) {
      const std::string part = bytes.substr(0, size);
      CheckRequest request;
      const bool is_request = request.ParseFromString(part);
      ASSERT_EQ(Read(part), is_request);
      if (!is_request) continue;
      ASSERT_EQ(ContentOf(reader_), ContentOf(request));
    }
  }
}

// It need not refuse the mistakes in what it skips.
TEST_F(CheckRequestReaderTest, SpoiledRequestsAreReadTheSameOrRefused) {
  RandomRequests requests(3);
  int both = 0;
  int neither = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = requests.Next();
    for (int j = requests.Below(3); j >= 0; --j) requests.Spoil(&bytes);
    CheckRequest request;
    const bool is_request = request.ParseFromString(bytes);
    const bool is_read = Read(bytes);
    if (!is_request) {
      if (!is_read) ++neither;
      continue;
    }
    ++both;
    ASSERT_TRUE(is_read) << request.DebugString();
    ASSERT_EQ(ContentOf(reader_), ContentOf(request)) << request.DebugString();
  }
  EXPECT_GT(both, 1000);
  EXPECT_GT(neither, 1000);
}

}  // namespace
}  // namespace wemasy::tokens
