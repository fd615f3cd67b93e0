// The servers that a client may ask.
#ifndef WEMASY_CLIENT_CPP_REPLICAS_H_
#define WEMASY_CLIENT_CPP_REPLICAS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "client/cpp/answer_cache.h"
#include "client/cpp/watch_session.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "grpcpp/channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"
#include "wemasy/tokens/v1/auth_service.grpc.pb.h"

namespace wemasy::tokens {

// What a server said.
struct FreshAnswer {
  Answer answer;
  AnswerOrigin origin;
};

// A connection to each target, which stays with one replica. Thread-safe.
class Replicas {
 public:
  // `clock` must outlive this object. A list of addresses, such as
  // `ipv4:HOST:PORT,HOST:PORT`, is a target each.
  Replicas(const std::vector<std::string>& targets,
           std::shared_ptr<grpc::ChannelCredentials> credentials,
           const BootClock* clock);

  size_t size() const { return targets_.size(); }
  std::shared_ptr<v1::AuthService::Stub> stub(size_t replica);

  // Waits until there is a connection to a replica, and returns whether there
  // is one. Connections come about only while somebody waits for an answer or
  // calls this; by itself gRPC looks after them every five seconds.
  bool AwaitConnection(size_t replica, absl::Duration timeout);

  // Makes a connection anew that leads to a replica of no use: the target may
  // lead to others.
  void Renew(size_t replica);

  // Says which replica to ask first: the one whose answers can be kept. Nothing
  // for any.
  void Prefer(absl::optional<size_t> replica);

  // Asks about a well-formed token: the preferred replica, and as long as one
  // cannot answer, the others in turn. Stream `stream` shall tell of changes to
  // the token; 0 for none.
  absl::StatusOr<FreshAnswer> Validate(absl::string_view token, int64_t stream,
                                       absl::Duration timeout);

 private:
  struct Connection {
    std::shared_ptr<grpc::Channel> channel;
    std::shared_ptr<v1::AuthService::Stub> stub;
    BootTime made_at;
  };

  Connection Connect(const std::string& target,
                     const grpc::ChannelArguments& settings) const;

  size_t First();
  // What was to be asked first could not answer, and another one did.
  void RememberAnswer(size_t first, size_t replica);

  const BootClock& clock_;
  const std::shared_ptr<grpc::ChannelCredentials> credentials_;
  std::vector<std::string> targets_;
  // Of a single target: to any replica that it leads to.
  Connection any_;
  Mutex mutex_;
  std::vector<Connection> connections_ ABSL_GUARDED_BY(mutex_);
  absl::optional<size_t> preferred_ ABSL_GUARDED_BY(mutex_);
  // Whom to ask first if none is preferred.
  size_t answering_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_CLIENT_CPP_REPLICAS_H_
