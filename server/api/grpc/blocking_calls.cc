#include "server/api/grpc/blocking_calls.h"

#include <chrono>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "server/token/error.h"
#include "server/token/resource_name.h"

namespace wemasy::tokens {

BlockingCalls::BlockingCalls(absl::string_view service,
                             const ApiEnvironment& environment,
                             const BlockingCallOptions& options)
    : environment_(environment),
      mutation_timeout_(options.mutation_timeout),
      read_timeout_(options.read_timeout),
      mutations_(options.max_mutations),
      reads_(options.max_reads) {
  const std::string prefix = absl::StrCat(service, "/");
  for (size_t i = 0; i < observers_.size(); ++i) {
    const absl::string_view name = InfoOf(static_cast<Rpc>(i)).full_name;
    if (!absl::StartsWith(name, prefix)) continue;
    observers_[i] = &environment_.observer->ForMethod(name, CallKind::kUnary);
  }
}

grpc::Status BlockingCalls::Serve(Rpc rpc, grpc::ServerContext* context,
                                  absl::string_view resource, Body body) {
  ServedCall call(rpc, environment_, observers_[static_cast<size_t>(rpc)],
                  context);
  // Only a well-formed name goes into the log: callers mistake secrets for
  // names.
  if (TokenName::Parse(resource)) call.set_token(resource);
  return call.Finish(ServedCall::Guard([&] {
    RETURN_IF_ERROR(call.Admit(resource));
    return Run(call, InfoOf(rpc), *context, body);
  }));
}

absl::Status BlockingCalls::Run(ServedCall& call, const RpcInfo& info,
                                grpc::ServerContext& context, Body body) {
  const InFlightLimit::Place place(info.is_mutation ? &mutations_ : &reads_);
  if (!place.is_taken()) {
    return MakeError(ErrorReason::kOverloaded,
                     "the server has too many calls in progress");
  }
  // Nobody waits for the answer any more: begin nothing.
  if (context.IsCancelled()) return absl::CancelledError();
  CallContext call_context;
  call_context.deadline = ToBootDeadline(
      context.deadline(), std::chrono::system_clock::now(), call.start(),
      info.is_mutation ? mutation_timeout_ : read_timeout_);
  call_context.caller = std::string(call.caller());
  call_context.request_id = call.request_id();
  call_context.is_cancelled = [&context] { return context.IsCancelled(); };
  return body(call, call_context);
}

}  // namespace wemasy::tokens
