// What the API tells of the calls it serves, for metrics and the log.
//
// Made for calls of a few microseconds: what belongs to a method is looked up
// once, at the start, and a call that nobody wants to read about costs no
// allocation.
#ifndef WEMASY_SERVER_OBSERVABILITY_CALL_OBSERVER_H_
#define WEMASY_SERVER_OBSERVABILITY_CALL_OBSERVER_H_

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace wemasy::tokens {

// A call of one message each way, or a stream of messages each way.
enum class CallKind { kUnary, kBidiStream };

// How a call ended. The texts are valid during MethodObserver::Finished only.
struct CallReport {
  // The number of the gRPC status code.
  int code = 0;
  // From the request's arrival to the reply's being ready.
  absl::Duration latency;
  // Of Validate and Check, with code OK: the number of the verdict; 0 for none.
  int verdict = 0;

  // What follows is set only if AdmitDetail said so. None of it has a secret
  // in it; empty is unknown.

  // The call's id in the log: the caller's `x-request-id`, or a new one.
  absl::string_view request_id;
  // The authenticated identity of the caller.
  absl::string_view caller;
  // The caller's network address, as gRPC writes it.
  absl::string_view peer;
  // The resource name of the token it was about.
  absl::string_view token;
  // The trace id of the caller's `traceparent` header (W3C Trace Context).
  absl::string_view trace_id;
  // What went wrong, for operators: the reply has a public text.
  absl::string_view error;
};

// Observes the calls of one method. Implementations are thread-safe.
class MethodObserver {
 public:
  virtual ~MethodObserver() = default;

  // A call has arrived. Followed by one Finished.
  virtual void Started() noexcept = 0;
  // Whether a call that ends with `code` shall be told of in detail, which is
  // limited: to be asked once for each call.
  virtual bool AdmitDetail(int code) const noexcept = 0;
  virtual void Finished(const CallReport& report) noexcept = 0;
};

// Observes all calls. Implementations are thread-safe.
class CallObserver {
 public:
  virtual ~CallObserver() = default;

  // The observer of one method, such as
  // `wemasy.tokens.v1.AuthService/Validate`. Valid as long as this object.
  // Called once a method, at the start.
  virtual MethodObserver& ForMethod(absl::string_view full_name,
                                    CallKind kind) = 0;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_OBSERVABILITY_CALL_OBSERVER_H_
