#include "server/observability/metrics.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/observability/call_recorder.h"
#include "server/observability/health.h"
#include "server/observability/ops_endpoint.h"
#include "tests/support/fake_clock.h"

namespace wemasy::tokens {
namespace {

// What Prometheus would see.
std::string Scrape(const prometheus::Collectable& collectable) {
  return prometheus::TextSerializer().Serialize(collectable.Collect());
}

testing::AssertionResult HasLine(const std::string& text,
                                 const std::string& line) {
  if (absl::StrCat("\n", text).find(absl::StrCat("\n", line, "\n")) !=
      std::string::npos) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << "no line " << line << " in\n" << text;
}

constexpr char kMethod[] =
    "grpc_type=\"unary\",grpc_service=\"a.v1.S\",grpc_method=\"M\"";

TEST(CallMetricsTest, OfAStreamCallsAreCountedAndNotMessages) {
  CallMetrics metrics;
  metrics.Add("a.v1.S", "W", CallKind::kBidiStream)->CountStarted();
  const std::string text = Scrape(metrics);
  EXPECT_TRUE(HasLine(text,
                      "grpc_server_started_total{grpc_type=\"bidi_stream\","
                      "grpc_service=\"a.v1.S\",grpc_method=\"W\"} 1"));
  EXPECT_EQ(text.find("grpc_server_msg_received_total{"), std::string::npos);
  EXPECT_EQ(text.find("grpc_server_handling_seconds_"), std::string::npos);
}

TEST(CallMetricsTest, EverySeriesIsZeroAndNotAbsentAtStart) {
  CallMetrics metrics;
  metrics.Add("a.v1.S", "M", CallKind::kUnary);
  const std::string text = Scrape(metrics);
  for (const char* name :
       {"grpc_server_started_total", "grpc_server_msg_received_total",
        "grpc_server_msg_sent_total", "grpc_server_handling_seconds_count"}) {
    EXPECT_TRUE(HasLine(text, absl::StrCat(name, "{", kMethod, "} 0")));
  }
  for (int code = 0; code < static_cast<int>(kStatusCodes); ++code) {
    EXPECT_TRUE(HasLine(
        text,
        absl::StrCat("grpc_server_handled_total{", kMethod, ",grpc_code=\"",
                     StatusCodeLabel(static_cast<absl::StatusCode>(code)),
                     "\"} 0")));
  }
}

TEST(CallMetricsTest, CodesAreNamedAsInTheEcosystem) {
  EXPECT_EQ(StatusCodeLabel(absl::StatusCode::kOk), "OK");
  EXPECT_EQ(StatusCodeLabel(absl::StatusCode::kPermissionDenied),
            "PermissionDenied");
  EXPECT_EQ(StatusCodeLabel(absl::StatusCode::kUnauthenticated),
            "Unauthenticated");
  EXPECT_EQ(StatusCodeLabel(static_cast<absl::StatusCode>(99)), "Unknown");
}

TEST(CallMetricsTest, CallsAreCountedOnceEach) {
  CallMetrics metrics;
  MethodMetrics* const method = metrics.Add("a.v1.S", "M", CallKind::kUnary);
  for (int i = 0; i < 3; ++i) method->CountStarted();
  method->CountFinished(absl::StatusCode::kOk, absl::Microseconds(25));
  method->CountFinished(absl::StatusCode::kOk, absl::Microseconds(26));
  method->CountFinished(absl::StatusCode::kNotFound, absl::Minutes(2));
  const std::string text = Scrape(metrics);
  EXPECT_TRUE(HasLine(
      text, absl::StrCat("grpc_server_started_total{", kMethod, "} 3")));
  EXPECT_TRUE(HasLine(
      text, absl::StrCat("grpc_server_msg_sent_total{", kMethod, "} 2")));
  EXPECT_TRUE(HasLine(text, absl::StrCat("grpc_server_handled_total{", kMethod,
                                         ",grpc_code=\"NotFound\"} 1")));
  const std::string bucket =
      absl::StrCat("grpc_server_handling_seconds_bucket{", kMethod, ",le=\"");
  EXPECT_NE(text.find(absl::StrCat(bucket, "2.5")), std::string::npos);
  EXPECT_TRUE(HasLine(text, absl::StrCat(bucket, "5e-05\"} 2")));
  EXPECT_TRUE(HasLine(text, absl::StrCat(bucket, "60\"} 2")));
  EXPECT_TRUE(HasLine(text, absl::StrCat(bucket, "+Inf\"} 3")));
}

TEST(ThreadCountersTest, NothingIsLostWithMoreThreadsThanSlots) {
  ThreadCounters<1> counters;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreadSlots * 2; ++i) {
    threads.emplace_back([&counters] {
      for (int n = 0; n < 1000; ++n) counters.Add(ThreadSlot(), 0);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counters.Sum(0), uint64_t{kThreadSlots} * 2 * 1000);
}

TEST(ThreadCountersTest, SlotsAreUsedAgain) {
  std::set<int> slots;
  for (int i = 0; i < kThreadSlots * 2; ++i) {
    std::thread([&slots] { slots.insert(ThreadSlot()); }).join();
  }
  EXPECT_EQ(slots.size(), 1U);
}

TEST(SampledMetricsTest, ReadsWhenAsked) {
  SampledMetrics metrics;
  double value = 1;
  metrics.AddGauge("tokend_x", "An x.", [&value] { return value; });
  metrics.AddCounter("tokend_y_total", "All y.", [] { return 7; },
                     {{"kind", "a"}});
  metrics.AddCounter("tokend_y_total", "All y.", [] { return 8; },
                     {{"kind", "b"}});
  value = 2.5;
  const std::string text = Scrape(metrics);
  EXPECT_TRUE(HasLine(text, "tokend_x 2.5"));
  EXPECT_TRUE(HasLine(text, "# TYPE tokend_y_total counter"));
  EXPECT_TRUE(HasLine(text, "tokend_y_total{kind=\"a\"} 7"));
  EXPECT_TRUE(HasLine(text, "tokend_y_total{kind=\"b\"} 8"));
}

TEST(ProcessMetricsTest, AreOfThisProcess) {
  SampledMetrics metrics;
  AddProcessMetrics(metrics);
  const auto value = [&metrics](const std::string& name) {
    for (const auto& family : metrics.Collect()) {
      if (family.name != name) continue;
      EXPECT_EQ(family.metric.size(), 1U) << name;
      const auto& metric = family.metric.front();
      return metric.gauge.value + metric.counter.value;
    }
    ADD_FAILURE() << "no " << name;
    return 0.0;
  };
  EXPECT_GT(value("process_resident_memory_bytes"), 1e6);
  EXPECT_GT(value("process_cpu_seconds_total"), 0);
  const double now = absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch());
  EXPECT_GT(value("process_start_time_seconds"), now - 3600);
  EXPECT_LT(value("process_start_time_seconds"), now + 1);
  const double open = value("process_open_fds");
  EXPECT_GT(value("process_max_fds"), open);
  const std::ifstream file("/dev/null");
  EXPECT_EQ(value("process_open_fds"), open + 1);
}

// The reply to a GET.
std::string Get(int port, const std::string& path) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string reply;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) ==
      0) {
    const std::string request =
        absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(::write(fd, request.data(), request.size()),
              static_cast<ssize_t>(request.size()));
    std::array<char, 4096> buffer;
    ssize_t size = 0;
    while ((size = ::read(fd, buffer.data(), buffer.size())) > 0) {
      reply.append(buffer.data(), static_cast<size_t>(size));
    }
  }
  ::close(fd);
  return reply;
}

TEST(WaitMetricsTest, CountsByHowTheWaitEnded) {
  WaitMetrics metrics({"acknowledged", "gone"});
  metrics.Observe("acknowledged", absl::Milliseconds(3));
  metrics.Observe("acknowledged", absl::Seconds(100));
  const std::string text = Scrape(metrics);
  constexpr char kName[] = "tokend_barrier_wait_seconds";
  EXPECT_TRUE(
      HasLine(text, absl::StrCat(kName, "_count{end=\"acknowledged\"} 2")));
  EXPECT_TRUE(HasLine(text, absl::StrCat(kName, "_count{end=\"gone\"} 0")));
  EXPECT_TRUE(HasLine(
      text, absl::StrCat(kName, "_bucket{end=\"acknowledged\",le=\"60\"} 1")));
}

TEST(OpsEndpointTest, ShowsMetricsAndReadiness) {
  Metrics metrics;
  metrics.calls->Add("a.v1.S", "M", CallKind::kUnary);
  std::atomic<bool> is_ready{false};
  const auto endpoint = OpsEndpoint::Start("127.0.0.1:0", metrics,
                                           [&] { return is_ready.load(); });
  ASSERT_TRUE(endpoint.ok()) << endpoint.status();
  const int port = (*endpoint)->port();
  EXPECT_EQ(Get(port, "/readyz").substr(0, 12), "HTTP/1.1 503");
  is_ready = true;
  EXPECT_EQ(Get(port, "/readyz").substr(0, 12), "HTTP/1.1 200");
  const std::string text = Get(port, "/metrics");
  EXPECT_EQ(text.substr(0, 12), "HTTP/1.1 200");
  EXPECT_NE(text.find("grpc_server_started_total"), std::string::npos);
  EXPECT_NE(text.find("tokend_verdicts_total"), std::string::npos);
  EXPECT_NE(text.find("tokend_barrier_wait_seconds_count"), std::string::npos);
  EXPECT_EQ(Get(port, "/etc/passwd").substr(0, 12), "HTTP/1.1 404");
}

TEST(OpsEndpointTest, TakenAddressIsAnError) {
  Metrics metrics;
  const auto is_ready = [] { return true; };
  const auto first = OpsEndpoint::Start("127.0.0.1:0", metrics, is_ready);
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = OpsEndpoint::Start(
      absl::StrCat("127.0.0.1:", (*first)->port()), metrics, is_ready);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
}

class RecordingSink final : public LogSink {
 public:
  void Write(absl::string_view line) override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

class CallRecorderTest : public testing::Test {
 protected:
  static CallReport Report(absl::StatusCode code) {
    CallReport report;
    report.code = static_cast<int>(code);
    report.latency = absl::Microseconds(40);
    return report;
  }

  // What the API does at a call's end.
  void Finish(MethodObserver& method, CallReport report) {
    if (method.AdmitDetail(report.code)) report.request_id = "r-1";
    method.Finished(report);
  }

  Metrics metrics_;
  RecordingSink sink_;
  Logger logger_{LogSeverity::kInfo, absl::UnixEpoch, sink_};
  FakeBootClock clock_;
  CallRecorder recorder_{metrics_, logger_, clock_};
  MethodObserver& validate_ = recorder_.ForMethod(
      "wemasy.tokens.v1.AuthService/Validate", CallKind::kUnary);
  MethodObserver& create_ = recorder_.ForMethod(
      "wemasy.tokens.v1.TokenService/CreateToken", CallKind::kUnary);
};

TEST_F(CallRecorderTest, ValidateIsCountedByVerdictAndNotLogged) {
  CallReport report = Report(absl::StatusCode::kOk);
  report.verdict = static_cast<int>(Verdict::kRevoked);
  Finish(validate_, report);
  EXPECT_TRUE(sink_.lines.empty());
  EXPECT_TRUE(HasLine(Scrape(*metrics_.verdicts),
                      "tokend_verdicts_total{verdict=\"revoked\"} 1"));
  EXPECT_TRUE(HasLine(Scrape(*metrics_.verdicts),
                      "tokend_verdicts_total{verdict=\"valid\"} 0"));
}

TEST_F(CallRecorderTest, FailingClosedIsCounted) {
  Finish(validate_, Report(absl::StatusCode::kUnavailable));
  EXPECT_TRUE(
      HasLine(Scrape(*metrics_.verdicts), "tokend_failed_closed_total 1"));
}

TEST_F(CallRecorderTest, TokenServiceIsLoggedWithItsDetail) {
  CallReport report = Report(absl::StatusCode::kInternal);
  report.caller = "spiffe://wemasy.local/ui";
  report.error = "what went wrong";
  Finish(create_, report);
  ASSERT_EQ(sink_.lines.size(), 1U);
  const nlohmann::json line = nlohmann::json::parse(sink_.lines[0]);
  EXPECT_EQ(line["severity"], "ERROR");
  EXPECT_EQ(line["method"], "wemasy.tokens.v1.TokenService/CreateToken");
  EXPECT_EQ(line["code"], "Internal");
  EXPECT_EQ(line["latency_us"], 40);
  EXPECT_EQ(line["request_id"], "r-1");
  EXPECT_EQ(line["caller"], "spiffe://wemasy.local/ui");
  EXPECT_EQ(line["error"], "what went wrong");
  EXPECT_EQ(line.count("token"), 0U);
}

TEST_F(CallRecorderTest, FloodOfFailuresDoesNotFloodTheLog) {
  for (int i = 0; i < 1000; ++i) {
    Finish(validate_, Report(absl::StatusCode::kUnavailable));
  }
  EXPECT_EQ(sink_.lines.size(), CallRecorder::kFailureLinesPerSecond);
  EXPECT_EQ(recorder_.suppressed_lines(),
            1000 - CallRecorder::kFailureLinesPerSecond);
  clock_.Advance(absl::Seconds(1));
  Finish(validate_, Report(absl::StatusCode::kUnavailable));
  EXPECT_EQ(sink_.lines.size(), CallRecorder::kFailureLinesPerSecond + 1);
}

class RecordingHealthSink final : public HealthSink {
 public:
  void SetServing(const std::string& service, bool is_serving) override {
    calls.push_back(absl::StrCat(service, is_serving ? "+" : "-"));
  }
  std::vector<std::string> calls;
};

using Calls = std::vector<std::string>;

// What is said where the lease is lost, or the database.
Calls NoLease() {
  return {"-", "wemasy.tokens.v1.AuthService-", "wemasy.tokens.v1.SelfService-",
          "envoy.service.auth.v3.Authorization-"};
}
constexpr char kNoDatabase[] = "wemasy.tokens.v1.TokenService-";

Calls With(Calls calls, std::string last) {
  calls.push_back(std::move(last));
  return calls;
}

TEST(HealthStateTest, NothingServesAtStartButThereIsSomebody) {
  RecordingHealthSink sink;
  HealthState health(sink);
  Calls want = With(NoLease(), kNoDatabase);
  want.insert(want.begin(), "liveness+");
  EXPECT_EQ(sink.calls, want);
}

TEST(HealthStateTest, LeaseAndDatabaseAreShownApart) {
  RecordingHealthSink sink;
  HealthState health(sink);
  sink.calls.clear();
  health.Update(/*holds_lease=*/true, /*reaches_database=*/false);
  EXPECT_EQ(sink.calls, (Calls{"+", "wemasy.tokens.v1.AuthService+",
                               "wemasy.tokens.v1.SelfService+",
                               "envoy.service.auth.v3.Authorization+"}));
  sink.calls.clear();
  health.Update(true, true);
  EXPECT_EQ(sink.calls, (Calls{"wemasy.tokens.v1.TokenService+"}));
  sink.calls.clear();
  health.Update(true, true);
  EXPECT_EQ(sink.calls, Calls{});
  health.Update(false, true);
  EXPECT_EQ(sink.calls, NoLease());
}

TEST(HealthStateTest, DrainingIsForGood) {
  RecordingHealthSink sink;
  HealthState health(sink);
  health.Update(true, true);
  sink.calls.clear();
  EXPECT_TRUE(health.is_serving());
  health.StartDraining();
  EXPECT_FALSE(health.is_serving());
  EXPECT_EQ(sink.calls, With(NoLease(), kNoDatabase));
  sink.calls.clear();
  health.Update(true, true);
  EXPECT_EQ(sink.calls, Calls{});
}

}  // namespace
}  // namespace wemasy::tokens
