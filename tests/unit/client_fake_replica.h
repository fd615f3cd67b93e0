// A replica whose every answer is made up.
#ifndef WEMASY_TESTS_UNIT_CLIENT_FAKE_REPLICA_H_
#define WEMASY_TESTS_UNIT_CLIENT_FAKE_REPLICA_H_

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/mutex.h"
#include "wemasy/tokens/v1/auth_service.grpc.pb.h"

namespace wemasy::tokens {

// Every token is VALID. Thread-safe.
class FakeReplica final : public v1::AuthService::Service {
 public:
  FakeReplica() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~FakeReplica() override {
    server_->Shutdown(std::chrono::system_clock::now());
  }

  // What Validate ends with; and whether Watch gives leave.
  std::atomic<grpc::StatusCode> outcome{grpc::StatusCode::OK};
  std::atomic<bool> gives_leave{true};
  // This is an address that leads to two replicas: the first connection to one
  // that cannot answer and ends Validate with that, later ones to another.
  std::atomic<grpc::StatusCode> outcome_at_first_connection{
      grpc::StatusCode::OK};

  std::string target() const { return absl::StrCat("127.0.0.1:", port_); }
  // How often Validate was asked.
  int asked() const { return asked_; }
  // How many streams there are.
  int streams() const { return streams_; }

  grpc::Status Validate(grpc::ServerContext* context,
                        const v1::ValidateRequest* request,
                        v1::ValidateResponse* response) override {
    ++asked_;
    const grpc::StatusCode code =
        IsAtFirst(*context) ? outcome_at_first_connection : outcome;
    if (code != grpc::StatusCode::OK) return {code, "told so"};
    response->set_verdict(v1::VERDICT_VALID);
    response->set_token("projects/demo/tokens/one");
    response->mutable_freshness()->set_incarnation(target());
    response->mutable_freshness()->set_watch_stream_number(
        request->watch_stream_number());
    return grpc::Status::OK;
  }

  grpc::Status Watch(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<v1::WatchResponse, v1::WatchRequest>* stream)
      override {
    ++streams_;
    v1::WatchResponse response;
    response.mutable_hello()->set_incarnation(target());
    response.mutable_hello()->set_timeline("00000001");
    response.mutable_hello()->set_stream_number(1);
    stream->Write(response);
    v1::WatchRequest request;
    while (stream->Read(&request)) {
      v1::WatchGrant& grant = *response.mutable_grant();
      grant.set_ping_number(request.ping_number());
      const bool gives = gives_leave && !IsAtFirst(*context);
      grant.mutable_ttl()->set_seconds(gives ? 1 : 0);
      stream->Write(response);
    }
    --streams_;
    return grpc::Status::OK;
  }

 private:
  bool IsAtFirst(const grpc::ServerContext& context) {
    if (outcome_at_first_connection == grpc::StatusCode::OK) return false;
    MutexLock lock(&mutex_);
    if (first_.empty()) first_ = context.peer();
    return first_ == context.peer();
  }

  std::atomic<int> asked_{0};
  std::atomic<int> streams_{0};
  Mutex mutex_;
  std::string first_ ABSL_GUARDED_BY(mutex_);
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_TESTS_UNIT_CLIENT_FAKE_REPLICA_H_
