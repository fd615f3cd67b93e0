#include "server/observability/ops_endpoint.h"

#include <CivetServer.h>
#include <prometheus/text_serializer.h>

#include <atomic>
#include <iterator>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"

namespace wemasy::tokens {
namespace {

void Reply(mg_connection* connection, absl::string_view status,
           absl::string_view type, absl::string_view body) {
  const std::string reply = absl::StrCat(
      "HTTP/1.1 ", status, "\r\nContent-Type: ", type,
      "\r\nContent-Length: ", body.size(),
      "\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n", body);
  mg_write(connection, reply.data(), reply.size());
}

class MetricsHandler final : public CivetHandler {
 public:
  explicit MetricsHandler(Metrics metrics) : metrics_(std::move(metrics)) {}

  bool handleGet(CivetServer*, mg_connection* connection) override {
    std::vector<prometheus::MetricFamily> families = metrics_.calls->Collect();
    for (std::vector<prometheus::MetricFamily> more :
         {metrics_.verdicts->Collect(), metrics_.waits->Collect(),
          metrics_.http->Collect(), metrics_.sampled->Collect()}) {
      families.insert(families.end(), std::make_move_iterator(more.begin()),
                      std::make_move_iterator(more.end()));
    }
    Reply(connection, "200 OK", "text/plain; version=0.0.4; charset=utf-8",
          prometheus::TextSerializer().Serialize(families));
    return true;
  }

 private:
  const Metrics metrics_;
};

class ReadyHandler final : public CivetHandler {
 public:
  explicit ReadyHandler(std::function<bool()> is_ready)
      : is_ready_(std::move(is_ready)) {}

  bool handleGet(CivetServer*, mg_connection* connection) override {
    if (is_ready_()) {
      Reply(connection, "200 OK", "text/plain", "serving\n");
    } else {
      Reply(connection, "503 Service Unavailable", "text/plain",
            "not serving\n");
    }
    return true;
  }

 private:
  const std::function<bool()> is_ready_;
};

class CivetOpsEndpoint final : public OpsEndpoint {
 public:
  // Throws if the address cannot be listened on.
  CivetOpsEndpoint(const std::string& address, const Metrics& metrics,
                   std::function<bool()> is_ready)
      : host_(HostOf(address)),
        metrics_(metrics),
        ready_(std::move(is_ready)),
        server_(std::vector<std::string>{"listening_ports", address,
                                         "num_threads", "2",
                                         "request_timeout_ms", "5000"}) {
    server_.addHandler("/metrics", metrics_);
    server_.addHandler("/readyz", ready_);
  }

  // Civetweb looks every two seconds whether it is to stop, and whenever
  // somebody calls. So somebody does: whoever waits for this process to end
  // waits for that, too.
  ~CivetOpsEndpoint() override {
    const int own_port = port();
    std::atomic<bool> is_closed{false};
    std::thread caller([&] {
      while (!is_closed) {
        mg_close_connection(mg_connect_client(host_.c_str(), own_port,
                                              /*use_ssl=*/0, nullptr, 0));
        absl::SleepFor(absl::Milliseconds(10));
      }
    });
    server_.close();
    is_closed = true;
    caller.join();
  }

  int port() const override {
    // The getter is not const, though it only reads.
    const std::vector<int> ports =
        const_cast<CivetServer&>(server_).getListeningPorts();
    return ports.empty() ? 0 : ports.front();
  }

 private:
  // Of `host:port`, without the brackets of an IPv6 address.
  static std::string HostOf(absl::string_view address) {
    address = address.substr(0, address.rfind(':'));
    if (absl::ConsumePrefix(&address, "[")) absl::ConsumeSuffix(&address, "]");
    return std::string(address);
  }

  const std::string host_;
  MetricsHandler metrics_;
  ReadyHandler ready_;
  CivetServer server_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<OpsEndpoint>> OpsEndpoint::Start(
    const std::string& address, const Metrics& metrics,
    std::function<bool()> is_ready) {
  // The HTTP server reports a failure by an exception, and only so.
  try {
    return std::make_unique<CivetOpsEndpoint>(address, metrics,
                                              std::move(is_ready));
  } catch (const CivetException&) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", address,
                                               " for the operations endpoint"));
  }
}

}  // namespace wemasy::tokens
