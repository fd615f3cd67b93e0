#include "server/api/http/check_endpoint.h"

#include <pthread.h>

#include <atomic>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "server/api/http/route_query.h"

namespace wemasy::tokens {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::asio::ip::tcp;
using boost::system::error_code;

constexpr uint32_t kMaxHeaderBytes = 64 * 1024;
constexpr std::chrono::seconds kIdleTimeout{60};
constexpr std::chrono::seconds kExchangeTimeout{5};
constexpr size_t kReadBytes = 4096;
constexpr unsigned kHttp11 = 11;
constexpr absl::string_view kPath = "/check";

using Request = http::request<http::empty_body>;
using Response = http::response<http::string_body>;
using RequestParser = http::request_parser<http::empty_body>;

// Whether only the sender knows where its end is, as with a transfer coding
// other than chunked (RFC 9112, section 6.1).
bool HasUnknownLength(const RequestParser& parser) {
  return parser.get().count(http::field::transfer_encoding) > 0 &&
         !parser.chunked();
}

// Whether it is no request, and not just the connection's end.
bool IsMalformed(error_code error) {
  return error.category() == http::make_error_code(http::error{}).category() &&
         error != http::error::end_of_stream &&
         error != http::error::partial_message;
}

absl::string_view View(beast::string_view text) {
  return {text.data(), text.size()};
}
beast::string_view View(absl::string_view text) {
  return {text.data(), text.size()};
}

// What all connections share.
struct Shared {
  const GatewayCheck& check;
  HttpRecorder& recorder;
  const BootClock& clock;
  std::atomic<bool> is_retired{false};
  std::atomic<int> connections{0};
};

// The status by which the decision to let a request pass is told.
http::status StatusOf(const GatewayAnswer& answer) {
  return answer.is_allowed() ? http::status::no_content
                             : http::int_to_status(answer.http_status);
}

std::vector<HeaderField> FieldsOf(const Request& request) {
  std::vector<HeaderField> fields;
  for (const auto& field : request) {
    fields.push_back({View(field.name_string()), View(field.value())});
  }
  return fields;
}

GatewayAnswer Decide(const GatewayCheck& check, const Request& request,
                     absl::Span<const HeaderField> fields) {
  const auto query = ParseQuery(View(request.target()));
  if (!query) {
    return Undecided(absl::InvalidArgumentError(
        "the query of GET /check is malformed, want name=value&name=value"));
  }
  std::vector<RouteSetting> settings;
  for (const auto& [key, value] : *query) settings.push_back({key, value});
  return check.Check(fields, settings);
}

// One connection. Lives as long as one of its operations does.
class Connection : public std::enable_shared_from_this<Connection> {
  // What goes on with the connection, and keeps it alive. First, so that its
  // type is known.
  template <typename Method>
  auto Then(Method method) {
    return beast::bind_front_handler(method, shared_from_this());
  }

 public:
  Connection(tcp::socket socket, Shared& shared)
      : shared_(shared), stream_(std::move(socket)) {
    ++shared_.connections;
  }
  ~Connection() { --shared_.connections; }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Start() {
    asio::dispatch(stream_.get_executor(), Then(&Connection::AwaitRequest));
  }

 private:
  // The next request may take long to begin, but not to arrive.
  void AwaitRequest() {
    if (buffer_.size() > 0) return ReadRequest();
    stream_.expires_after(kIdleTimeout);
    stream_.async_read_some(buffer_.prepare(kReadBytes),
                            Then(&Connection::OnFirstBytes));
  }

  void OnFirstBytes(error_code error, size_t bytes) {
    if (error) return;
    buffer_.commit(bytes);
    ReadRequest();
  }

  void ReadRequest() {
    parser_.emplace();
    parser_->header_limit(kMaxHeaderBytes);
    parser_->body_limit(0);
    stream_.expires_after(kExchangeTimeout);
    http::async_read(stream_, buffer_, *parser_, Then(&Connection::OnRequest));
  }

  void OnRequest(error_code error, size_t /*bytes*/) {
    arrived_ = shared_.clock.Now();
    if (error == http::error::header_limit) {
      Reject(http::status::request_header_fields_too_large);
    } else if (error == http::error::body_limit ||
               error == http::error::unexpected_body) {
      Reject(http::status::payload_too_large);
    } else if (IsMalformed(error) || (!error && HasUnknownLength(*parser_))) {
      Reject(http::status::bad_request);
    } else if (!error) {
      Answer(parser_->get());
    }
  }

  void Answer(const Request& request) {
    if (PathOf(View(request.target())) != kPath) {
      return Refuse(request, http::status::not_found);
    }
    if (request.method() != http::verb::get) {
      return Refuse(request, http::status::method_not_allowed);
    }
    GatewayAnswer answer;
    HttpReport report;
    try {
      const std::vector<HeaderField> fields = FieldsOf(request);
      report.request_id = RequestIdIn(fields);
      answer = Decide(shared_.check, request, fields);
    } catch (const std::exception& e) {
      answer =
          Undecided(absl::InternalError(absl::StrCat("exception: ", e.what())));
    }
    response_ = Response(StatusOf(answer), kHttp11);
    for (const auto& [name, value] : answer.headers) {
      response_.set(View(name), value);
    }
    response_.body() = std::string(answer.body);
    report.error = answer.status;
    report.token = answer.token;
    if (answer.validation) report.verdict = answer.validation->verdict;
    Write(request.keep_alive(), std::move(report));
  }

  // The answer to what no correctly configured gateway asks.
  void Refuse(const Request& request, http::status status) {
    response_ = Response(status, kHttp11);
    if (status == http::status::method_not_allowed) {
      response_.set(http::field::allow, "GET");
    }
    Write(request.keep_alive(), {});
  }
  // What follows on the connection cannot be told apart.
  void Reject(http::status status) {
    response_ = Response(status, kHttp11);
    Write(/*keep_alive=*/false, {});
  }

  // `report` lacks what is so of every answer.
  void Write(bool keep_alive, HttpReport report) {
    response_.keep_alive(keep_alive && !shared_.is_retired);
    // A response that must not have a body has no length either.
    if (response_.result() != http::status::no_content) {
      response_.prepare_payload();
    }
    report.http_status = static_cast<int>(response_.result_int());
    report.latency = shared_.clock.Now() - arrived_;
    shared_.recorder.Finished(report);
    stream_.expires_after(kExchangeTimeout);
    http::async_write(stream_, response_, Then(&Connection::OnWritten));
  }

  void OnWritten(error_code error, size_t /*bytes*/) {
    if (error) return;
    if (response_.keep_alive()) return AwaitRequest();
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  }

  Shared& shared_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  absl::optional<RequestParser> parser_;
  Response response_;
  BootTime arrived_;
};

class BeastCheckEndpoint final : public CheckEndpoint {
 public:
  BeastCheckEndpoint(const CheckEndpointOptions& options,
                     const GatewayCheck& check, HttpRecorder& recorder,
                     const BootClock& clock)
      : options_(options),
        shared_{check, recorder, clock},
        context_(options.threads),
        acceptor_(context_),
        accept_pause_(context_) {}

  ~BeastCheckEndpoint() override {
    context_.stop();
    for (std::thread& thread : threads_) thread.join();
  }

  // False if the address cannot be listened on.
  bool Listen() {
    const size_t colon = options_.address.rfind(':');
    std::string host = options_.address.substr(0, colon);
    if (host.size() > 1 && host.front() == '[') {
      host = host.substr(1, host.size() - 2);
    }
    error_code error;
    tcp::resolver resolver(context_);
    const auto found =
        resolver.resolve(host, options_.address.substr(colon + 1),
                         tcp::resolver::passive, error);
    if (error || found.empty()) return false;
    const tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor_.open(endpoint.protocol(), error);
    if (!error) {
      acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    }
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) {
      acceptor_.listen(asio::socket_base::max_listen_connections, error);
    }
    if (error) return false;
    Accept();
    for (int i = 0; i < options_.threads; ++i) {
      threads_.emplace_back([this] {
        pthread_setname_np(pthread_self(), "check");
        context_.run();
      });
    }
    return true;
  }

  void Retire() override { shared_.is_retired = true; }

  int port() const override {
    error_code error;
    return acceptor_.local_endpoint(error).port();
  }

 private:
  void Accept() {
    acceptor_.async_accept(
        asio::make_strand(context_),
        [this](error_code error, tcp::socket socket) {
          if (!error && shared_.connections < options_.max_connections) {
            error_code ignored;
            socket.set_option(tcp::no_delay(true), ignored);
            std::make_shared<Connection>(std::move(socket), shared_)->Start();
          }
          if (!error) return Accept();
          // Without a free file descriptor the next attempt fails at once, too.
          accept_pause_.expires_after(kAcceptPause);
          accept_pause_.async_wait([this](error_code) { Accept(); });
        });
  }

  static constexpr std::chrono::milliseconds kAcceptPause{10};

  const CheckEndpointOptions options_;
  Shared shared_;
  // Its connections are gone before what they share.
  asio::io_context context_;
  tcp::acceptor acceptor_;
  asio::steady_timer accept_pause_;
  std::vector<std::thread> threads_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<CheckEndpoint>> CheckEndpoint::Start(
    const CheckEndpointOptions& options, const GatewayCheck* check,
    HttpRecorder* recorder, const BootClock* clock) {
  auto endpoint =
      std::make_unique<BeastCheckEndpoint>(options, *check, *recorder, *clock);
  if (endpoint->Listen()) return endpoint;
  return absl::UnavailableError(absl::StrCat(
      "cannot listen on ", options.address, " for gateways' checks"));
}

}  // namespace wemasy::tokens
