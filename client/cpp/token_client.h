// Validates tokens in a backend: answers from memory while that is surely
// right, and asks a server otherwise.
//
//   wemasy::tokens::TokenClientOptions options;
//   options.targets = {"tokens.internal:7443"};
//   options.credentials = grpc::SslCredentials(...);
//   wemasy::tokens::TokenClient client(options);
//   if (client.Allows(token, {{"pages:read"}})) ...
//
// Once a Revoke has returned, no Validate that begins afterwards says VALID,
// be it answered from memory: docs/coherence.md, rules 7, 8 and 14.
#ifndef WEMASY_CLIENT_CPP_TOKEN_CLIENT_H_
#define WEMASY_CLIENT_CPP_TOKEN_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "grpcpp/security/credentials.h"
#include "wemasy/tokens/v1/auth_service.pb.h"

namespace wemasy::tokens {

struct TokenClientOptions {
  // `host:port` of each server, at least one. Or just one, of a name or a
  // balancer that leads to any of them: if the server that was found first
  // cannot answer, another is asked, and once it has given no leave to keep
  // answers for some seconds, a connection is made anew. It should lead
  // elsewhere, so a name's addresses must not always come in the same order.
  std::vector<std::string> targets;
  // Null for plaintext, which is for this machine only.
  std::shared_ptr<grpc::ChannelCredentials> credentials;
  // How long a Validate that has to ask may take, all attempts together.
  absl::Duration timeout = absl::Seconds(2);
  // About how many answers to keep, and how many that are UNKNOWN: some 400 and
  // 100 bytes each. With none, every Validate asks. Each of up to 64 threads
  // has copies of its last 64 besides, so that it waits for no other.
  size_t max_answers = 100'000;
  size_t max_unknown = 10'000;
  // A subscription to the end of a token also ends when no server could vouch
  // for the token for that long.
  absl::Duration vouch_timeout = absl::Seconds(60);
};

// What a request needs of a token.
struct TokenRequirements {
  // The token must have them all.
  std::vector<std::string> scopes;
  // `projects/{project}`; any if empty.
  std::string project;
};

// Which token it is.
struct TokenIdentity {
  // `projects/{project}/tokens/{token}`.
  std::string name;
  // What follows is known of tokens that may be used, and of those that only
  // fail the requirements.
  // `projects/{project}`.
  std::string project;
  // The platform's user id of whoever created it.
  std::string creator;
  // Sorted.
  std::vector<std::string> scopes;
  std::map<std::string, std::string> metadata;
  // InfiniteFuture for never.
  absl::Time expire_time = absl::InfiniteFuture();
};

struct TokenValidation {
  v1::Verdict verdict = v1::VERDICT_UNSPECIFIED;
  // Null for MALFORMED and UNKNOWN. Immutable.
  std::shared_ptr<const TokenIdentity> identity;
  // Whether no server was asked.
  bool is_from_memory = false;

  bool is_valid() const { return verdict == v1::VERDICT_VALID; }
};

// Counts since the client was made.
struct TokenClientStats {
  // Answers from memory.
  int64_t hits = 0;
  // Answers that a server was asked for.
  int64_t misses = 0;
  // Streams of changes that came about.
  int64_t sessions = 0;
};

// Waits for the end of one token; ends the waiting when destroyed, and then
// the callback is not called any more. So destroying it waits for a callback
// that is running: not under a lock that the callback takes. Must not outlive
// the client. Movable.
class TokenSubscription {
 public:
  TokenSubscription() = default;
  explicit TokenSubscription(std::function<void()> unsubscribe)
      : unsubscribe_(std::move(unsubscribe)) {}
  ~TokenSubscription() {
    if (unsubscribe_) unsubscribe_();
  }
  TokenSubscription(TokenSubscription&& other) noexcept
      : unsubscribe_(std::exchange(other.unsubscribe_, nullptr)) {}
  TokenSubscription& operator=(TokenSubscription&& other) noexcept {
    if (this == &other) return *this;
    if (unsubscribe_) unsubscribe_();
    unsubscribe_ = std::exchange(other.unsubscribe_, nullptr);
    return *this;
  }

 private:
  std::function<void()> unsubscribe_ = nullptr;
};

// A client of AuthService that keeps answers. Has threads of its own; make one
// for each process.
//
// Thread-safe.
class TokenClient {
 public:
  explicit TokenClient(const TokenClientOptions& options);
  ~TokenClient();
  TokenClient(const TokenClient&) = delete;
  TokenClient& operator=(const TokenClient&) = delete;

  // Decides whether `token`, any bytes, may be used. A refusal is a verdict.
  // An error, such as UNAVAILABLE, DEADLINE_EXCEEDED or PERMISSION_DENIED,
  // means that nobody could say: refuse the request. Blocks for up to
  // `timeout` if a server has to be asked.
  absl::StatusOr<TokenValidation> Validate(
      absl::string_view token, const TokenRequirements& requirements = {});

  // Whether `token` may be used, as far as anybody can say.
  bool Allows(absl::string_view token,
              const TokenRequirements& requirements = {}) {
    const absl::StatusOr<TokenValidation> validation =
        Validate(token, requirements);
    return validation.ok() && validation->is_valid();
  }

  // Calls `callback` once, on a thread of the client's, when `token` may not
  // be used any more: to end what it was allowed earlier, such as a stream, a
  // WebSocket or a long download. That is soon after it was revoked, replaced
  // or has expired; at once if it is not valid now; and also if no server
  // could vouch for it for `vouch_timeout`. The callback must be short and
  // throw nothing. For some ten thousand tokens at once: each change looks at
  // all of them.
  [[nodiscard]] TokenSubscription OnRevoked(absl::string_view token,
                                            std::function<void()> callback);

  // Whether answers come from memory now.
  bool has_lease() const;
  TokenClientStats stats() const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_CLIENT_CPP_TOKEN_CLIENT_H_
