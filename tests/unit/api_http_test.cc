// GET /check over a real socket, byte for byte.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/mutex.h"
#include "server/api/http/check_endpoint.h"
#include "server/api/http/route_query.h"
#include "tests/support/entries.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_random.h"

namespace wemasy::tokens {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;

// A connection of a client that says exactly what it is told to.
class Wire {
 public:
  explicit Wire(int port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval patience = {10, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&address),
                        sizeof(address)),
              0);
  }
  ~Wire() { ::close(fd_); }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  void Send(const std::string& text) {
    EXPECT_EQ(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  // What comes up to the end of one response's head.
  std::string ReadHead() { return ReadUntil("\r\n\r\n"); }
  // What comes until the other side closes.
  std::string ReadAll() { return ReadUntil(""); }

 private:
  std::string ReadUntil(const std::string& end) {
    std::string text;
    char byte = 0;
    while (::recv(fd_, &byte, 1, 0) == 1) {
      text.push_back(byte);
      if (!end.empty() && absl::EndsWith(text, end)) break;
    }
    return text;
  }

  const int fd_;
};

class TextSink final : public LogSink {
 public:
  void Write(absl::string_view line) override {
    MutexLock lock(&mutex_);
    text_ += std::string(line);
  }
  std::string text() {
    MutexLock lock(&mutex_);
    return text_;
  }

 private:
  Mutex mutex_;
  std::string text_ ABSL_GUARDED_BY(mutex_);
};

class CheckEndpointTest : public ::testing::Test {
 protected:
  CheckEndpointTest() {
    lease_.SetDatabaseTime(clock_.Now(), absl::FromUnixSeconds(1'800'000'000),
                           clock_.Now());
    lease_.Extend(clock_.Now() + absl::Seconds(30));
    index_.Put(token_.entry);
    Listen();
  }

  void Listen(int max_connections = 16) {
    endpoint_.reset();
    CheckEndpointOptions options;
    options.address = "127.0.0.1:0";
    options.threads = 2;
    options.max_connections = max_connections;
    endpoint_ = *CheckEndpoint::Start(options, &check_, &recorder_, &clock_);
  }

  // The whole answer to one request, after which the connection is closed.
  std::string Ask(const std::string& target, const std::string& headers = "",
                  const std::string& method = "GET") {
    Wire wire(endpoint_->port());
    wire.Send(absl::StrCat(method, " ", target, " HTTP/1.1\r\nHost: tokend\r\n",
                           headers, "Connection: close\r\n\r\n"));
    return wire.ReadAll();
  }
  std::string Bearer() const {
    return absl::StrCat("Authorization: Bearer ", token_.secret.Reveal(),
                        "\r\n");
  }

  FakeBootClock clock_;
  FakeRandom random_;
  TestToken token_ = MakeTestToken(random_);
  TokenIndex index_;
  Lease lease_;
  const Validator validator_{&index_, &lease_, &clock_};
  const GatewayCheck check_{&validator_, CredentialReader({"x-api-key"})};
  Metrics metrics_;
  TextSink log_;
  Logger logger_{LogSeverity::kInfo, absl::UnixEpoch, log_};
  HttpRecorder recorder_{metrics_, logger_, clock_};
  std::unique_ptr<CheckEndpoint> endpoint_;
};

TEST_F(CheckEndpointTest, AValidTokenPassesWithItsIdentity) {
  EXPECT_EQ(Ask("/check", Bearer()),
            absl::StrCat("HTTP/1.1 204 No Content\r\n"
                         "x-wemasy-project: projects/demo\r\n"
                         "x-wemasy-token: ",
                         token_.entry.name.ToString(),
                         "\r\n"
                         "x-wemasy-scopes: pages:read pages:write\r\n"
                         "Connection: close\r\n\r\n"));
}

TEST_F(CheckEndpointTest, ARefusalIsAWholeResponse) {
  EXPECT_EQ(Ask("/check"),
            "HTTP/1.1 401 Unauthorized\r\n"
            "content-type: application/json\r\n"
            "cache-control: no-store\r\n"
            "www-authenticate: Bearer realm=\"wemasy\"\r\n"
            "Connection: close\r\n"
            "Content-Length: 42\r\n\r\n"
            "{\"error\":\"a valid API token is required\"}\n");
}

TEST_F(CheckEndpointTest, RepeatedHeadersAreTwoCredentials) {
  EXPECT_THAT(Ask("/check", Bearer() + Bearer()), StartsWith("HTTP/1.1 400 "));
}

TEST_F(CheckEndpointTest, TheQuerySaysWhatATokenMustHave) {
  EXPECT_THAT(Ask("/check?required_scopes=pages%3Aread+pages:write", Bearer()),
              StartsWith("HTTP/1.1 204 "));
  EXPECT_THAT(Ask("/check?required_scopes=pages:delete", Bearer()),
              HasSubstr("error=\"insufficient_scope\""));
  EXPECT_THAT(Ask("/check?project=projects/other", Bearer()),
              StartsWith("HTTP/1.1 403 "));
  for (const char* query :
       {"project", "project=%4", "projects=projects/demo"}) {
    EXPECT_THAT(Ask(absl::StrCat("/check?", query), Bearer()),
                StartsWith("HTTP/1.1 500 "))
        << query;
  }
}

TEST_F(CheckEndpointTest, WithoutALeaseNothingPasses) {
  lease_.Close();
  EXPECT_THAT(Ask("/check", Bearer() + "X-Request-Id: of-the-gateway\r\n"),
              HasSubstr("\r\nretry-after: 1\r\n"));
  EXPECT_THAT(log_.text(), HasSubstr("\"http_status\":503"));
  EXPECT_THAT(log_.text(), HasSubstr("\"request_id\":\"of-the-gateway\""));
}

TEST_F(CheckEndpointTest, NothingElseIsServed) {
  EXPECT_THAT(Ask("/", Bearer()), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(Ask("/check/", Bearer()), StartsWith("HTTP/1.1 404 "));
  const std::string answer = Ask("/check", Bearer(), "POST");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(answer, HasSubstr("\r\nAllow: GET\r\n"));
}

TEST_F(CheckEndpointTest, WhatIsNoRequestEndsTheConnection) {
  const auto reply = [this](const std::string& text) {
    Wire wire(endpoint_->port());
    wire.Send(text);
    return wire.ReadAll();
  };
  EXPECT_THAT(reply("hello\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(reply("GET /check HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(reply("GET /check HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "3\r\nabc\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(reply("GET /check HTTP/1.1\r\nA: " + std::string(70'000, 'a') +
                    "\r\n\r\n"),
              StartsWith("HTTP/1.1 431 "));
}

TEST_F(CheckEndpointTest, AConnectionServesManyAndIsClosedOnceRetired) {
  Wire wire(endpoint_->port());
  const std::string request =
      absl::StrCat("GET /check HTTP/1.1\r\nHost: tokend\r\n", Bearer(), "\r\n");
  wire.Send(request + request);  // Two at once.
  EXPECT_THAT(wire.ReadHead(), Not(HasSubstr("Connection: close")));
  EXPECT_THAT(wire.ReadHead(), StartsWith("HTTP/1.1 204 "));
  endpoint_->Retire();
  wire.Send(request);
  EXPECT_THAT(wire.ReadAll(), HasSubstr("Connection: close"));
}

TEST_F(CheckEndpointTest, ConnectionsAboveTheBoundAreClosed) {
  Listen(/*max_connections=*/1);
  Wire first(endpoint_->port());
  first.Send(absl::StrCat("GET /check HTTP/1.1\r\n", Bearer(), "\r\n"));
  EXPECT_THAT(first.ReadHead(), StartsWith("HTTP/1.1 204 "));
  Wire second(endpoint_->port());
  EXPECT_THAT(second.ReadAll(), IsEmpty());
}

TEST_F(CheckEndpointTest, ATakenAddressIsAnError) {
  CheckEndpointOptions options;
  options.address = absl::StrCat("127.0.0.1:", endpoint_->port());
  const auto second =
      CheckEndpoint::Start(options, &check_, &recorder_, &clock_);
  EXPECT_TRUE(absl::IsUnavailable(second.status()));
  EXPECT_THAT(second.status().message(), HasSubstr(options.address));
}

TEST(RouteQueryTest, IsDecodedAsFormsAre) {
  EXPECT_EQ(PathOf("/check?a=b?c"), "/check");
  EXPECT_EQ(PathOf("/check"), "/check");
  EXPECT_THAT(*ParseQuery("/check"), IsEmpty());
  EXPECT_THAT(*ParseQuery("/check?a=b+c%2Fd&&e=%3d="),
              ElementsAre(Pair("a", "b c/d"), Pair("e", "==")));
  for (const char* bad : {"?a", "?a=%", "?a=%1", "?a=%zz", "?%=a"}) {
    EXPECT_FALSE(ParseQuery(bad)) << bad;
  }
}

}  // namespace
}  // namespace wemasy::tokens
