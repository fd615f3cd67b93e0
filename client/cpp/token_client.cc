#include "client/cpp/token_client.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "client/cpp/hot_answers.h"
#include "client/cpp/replicas.h"
#include "client/cpp/revocation_monitor.h"
#include "client/cpp/watch_loop.h"
#include "client/cpp/watch_session.h"
#include "common/clock.h"
#include "common/crypto/digest.h"
#include "common/mutex.h"
#include "common/status_macros.h"
#include "common/token_format.h"

namespace wemasy::tokens {
namespace {

bool HasScopes(const TokenIdentity& identity,
               const std::vector<std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(),
                     [&](const std::string& scope) {
                       return std::binary_search(identity.scopes.begin(),
                                                 identity.scopes.end(), scope);
                     });
}

// The checks that depend on the request, in the published order.
TokenValidation Decide(const Answer& answer,
                       const TokenRequirements& requirements) {
  TokenValidation validation;
  validation.verdict = answer.verdict;
  validation.identity = answer.identity;
  if (answer.verdict != v1::VERDICT_VALID) return validation;
  if (!requirements.project.empty() &&
      answer.identity->project != requirements.project) {
    validation.verdict = v1::VERDICT_WRONG_PROJECT;
  } else if (!HasScopes(*answer.identity, requirements.scopes)) {
    validation.verdict = v1::VERDICT_INSUFFICIENT_SCOPE;
  }
  return validation;
}

TokenValidation FromMemory(TokenValidation validation) {
  validation.is_from_memory = true;
  return validation;
}

TokenValidation Malformed() {
  TokenValidation malformed;
  malformed.verdict = v1::VERDICT_MALFORMED;
  return FromMemory(std::move(malformed));
}

}  // namespace

class TokenClient::Impl {
 public:
  explicit Impl(const TokenClientOptions& options)
      : timeout_(options.timeout),
        replicas_(options.targets, options.credentials, &clock_),
        monitor_([this](absl::string_view token) { return AskAgain(token); },
                 options.vouch_timeout, &clock_),
        loop_(
            {options.max_answers, options.max_unknown}, &replicas_, &clock_,
            {[this](const std::shared_ptr<WatchSession>& session) {
               SetSession(session);
             },
             [this](const std::string& token) { monitor_.OnChange(token); }}) {}

  absl::StatusOr<TokenValidation> Validate(
      absl::string_view token, const TokenRequirements& requirements) {
    // Nothing of another length is worth a digest.
    if (token.size() != kTokenLength) return Malformed();
    const TokenDigest digest = TokenDigest::Of(token);
    if (const absl::optional<Answer> hot = hot_.Find(digest)) {
      return FromMemory(Decide(*hot, requirements));
    }
    // One session for the rest of the call, whatever becomes of it meanwhile.
    const std::shared_ptr<WatchSession> session = GetSession();
    if (session != nullptr) {
      const uint64_t version = session->state()->version();
      if (const absl::optional<Answer> kept = session->Find(digest)) {
        hot_.Keep(*session, version, digest, *kept);
        ++hits_;
        return FromMemory(Decide(*kept, requirements));
      }
    }
    // Whatever is kept is well-formed, and need not be looked at again.
    if (!IsTokenWellFormed(token)) return Malformed();
    ++misses_;
    ASSIGN_OR_RETURN(const FreshAnswer fresh, Ask(token, session));
    if (session != nullptr) {
      session->Keep(digest, fresh.answer, fresh.origin);
    }
    return Decide(fresh.answer, requirements);
  }

  TokenSubscription OnRevoked(absl::string_view token,
                              std::function<void()> callback) {
    return monitor_.Subscribe(token, std::move(callback));
  }

  bool has_lease() const {
    const std::shared_ptr<WatchSession> session = GetSession();
    return session != nullptr && session->has_lease();
  }

  TokenClientStats stats() const {
    return {hits_ + hot_.hits(), misses_, sessions_};
  }

 private:
  // For the session, which may be null, to keep.
  absl::StatusOr<FreshAnswer> Ask(
      absl::string_view token, const std::shared_ptr<WatchSession>& session) {
    const int64_t stream = session == nullptr ? 0 : session->stream();
    return replicas_.Validate(token, stream, timeout_);
  }

  // About any bytes.
  absl::StatusOr<FreshAnswer> AskAgain(absl::string_view token) {
    if (IsTokenWellFormed(token)) return Ask(token, GetSession());
    FreshAnswer malformed;
    malformed.answer.verdict = v1::VERDICT_MALFORMED;
    return malformed;
  }

  std::shared_ptr<WatchSession> GetSession() const {
    MutexLock lock(&mutex_);
    return session_;
  }

  void SetSession(const std::shared_ptr<WatchSession>& session) {
    if (session != nullptr) ++sessions_;
    {
      MutexLock lock(&mutex_);
      session_ = session;
    }
    monitor_.OnSession(session);
  }

  const SystemBootClock clock_;
  const absl::Duration timeout_;
  HotAnswers hot_{&clock_};
  // But for hot ones.
  std::atomic<int64_t> hits_{0};
  std::atomic<int64_t> misses_{0};
  std::atomic<int64_t> sessions_{0};
  mutable Mutex mutex_;
  std::shared_ptr<WatchSession> session_ ABSL_GUARDED_BY(mutex_);
  Replicas replicas_;
  RevocationMonitor monitor_;
  // Last: its threads use all the others.
  WatchLoop loop_;
};

TokenClient::TokenClient(const TokenClientOptions& options)
    : impl_(std::make_unique<Impl>(options)) {}

TokenClient::~TokenClient() = default;

absl::StatusOr<TokenValidation> TokenClient::Validate(
    absl::string_view token, const TokenRequirements& requirements) {
  return impl_->Validate(token, requirements);
}

TokenSubscription TokenClient::OnRevoked(absl::string_view token,
                                         std::function<void()> callback) {
  return impl_->OnRevoked(token, std::move(callback));
}

bool TokenClient::has_lease() const { return impl_->has_lease(); }

TokenClientStats TokenClient::stats() const { return impl_->stats(); }

}  // namespace wemasy::tokens
