// One connection of a load generator: unary gRPC calls over HTTP/2 in plain
// text (RFC 9113), framed by nghttp2. It takes a small part of the processor
// time that a gRPC client does, which the measured server has in common with
// it.
#ifndef WEMASY_TESTS_BENCH_H2_CONNECTION_H_
#define WEMASY_TESTS_BENCH_H2_CONNECTION_H_

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace wemasy::tokens {

// Prints it and exits with 1, at once: calls may be in flight.
[[noreturn]] void Die(const std::string& message);

// Not thread-safe. Whatever fails, a call that does not end with OK included,
// ends the process: what it would measure means nothing.
class H2Connection {
 public:
  // Told of each call that was answered, by its number.
  using OnAnswer = std::function<void(int64_t number)>;

  // To `address`, "127.0.0.1:443", for calls of `path`,
  // "/package.Service/Method".
  H2Connection(const std::string& address, const std::string& path,
               OnAnswer on_answer);
  H2Connection(const H2Connection&) = delete;
  H2Connection& operator=(const H2Connection&) = delete;
  ~H2Connection();

  // Readable when Receive has something to do.
  int socket() const { return socket_; }

  // Sends a request, as gRPC frames it; `message` must live until the answer.
  void Call(int64_t number, const std::string& message);

  // Takes what has come, without waiting.
  void Receive();

 private:
  // A call in flight.
  struct Stream;
  struct Callbacks;

  // Writes what nghttp2 has to say.
  void Flush();

  const std::string authority_;
  const std::string path_;
  const OnAnswer on_answer_;
  int socket_ = -1;
  std::unique_ptr<nghttp2_session, void (*)(nghttp2_session*)> session_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_TESTS_BENCH_H2_CONNECTION_H_
