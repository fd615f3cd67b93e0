// The servers that a client may ask.
#ifndef WEMASY_CLIENT_CPP_REPLICAS_H_
#define WEMASY_CLIENT_CPP_REPLICAS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/cpp/answer_cache.h"
#include "client/cpp/watch_session.h"
#include "common/clock.h"
#include "grpcpp/security/credentials.h"
#include "wemasy/tokens/v1/auth_service.grpc.pb.h"

namespace wemasy::tokens {

// What a server said.
struct FreshAnswer {
  Answer answer;
  AnswerOrigin origin;
};

// A connection to each target. Thread-safe.
class Replicas {
 public:
  // `clock` must outlive this object.
  Replicas(const std::vector<std::string>& targets,
           const std::shared_ptr<grpc::ChannelCredentials>& credentials,
           const BootClock* clock);

  size_t size() const { return stubs_.size(); }
  v1::AuthService::Stub& stub(size_t replica) { return *stubs_[replica]; }

  // Waits until there is a connection to a replica, and returns whether there
  // is one. Connections come about only while somebody waits for an answer or
  // calls this; by itself gRPC looks after them every five seconds.
  bool AwaitConnection(size_t replica, absl::Duration timeout);

  // Says which replica to ask first.
  void Prefer(size_t replica) { preferred_ = replica; }

  // Asks about a well-formed token: the preferred replica, and as long as one
  // cannot answer, the others in turn. Stream `stream` shall tell of changes to
  // the token; 0 for none.
  absl::StatusOr<FreshAnswer> Validate(absl::string_view token, int64_t stream,
                                       absl::Duration timeout);

 private:
  const BootClock& clock_;
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
  std::vector<std::unique_ptr<v1::AuthService::Stub>> stubs_;
  std::atomic<size_t> preferred_{0};
};

}  // namespace wemasy::tokens

#endif  // WEMASY_CLIENT_CPP_REPLICAS_H_
