// Who is told that nobody vouches for a token any more.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "client/cpp/revocation_monitor.h"

namespace wemasy::tokens {
namespace {

constexpr int kTokens = 40;

FreshAnswer RevokedAnswer() {
  FreshAnswer fresh;
  fresh.answer.verdict = v1::VERDICT_REVOKED;
  return fresh;
}

// Fault: ask in vain about each of them, one after the other.
TEST(RevocationMonitorTest, OneQuestionInVainIsEnoughForAll) {
  const SystemBootClock clock;
  std::atomic<int> asked{0};
  std::atomic<int> ended{0};
  RevocationMonitor monitor(
      [&](absl::string_view) -> absl::StatusOr<FreshAnswer> {
        ++asked;
        absl::SleepFor(absl::Milliseconds(100));
        return absl::UnavailableError("nobody");
      },
      /*vouch_timeout=*/absl::Seconds(1), &clock);
  std::vector<TokenSubscription> subscriptions;
  for (int i = 0; i < kTokens; ++i) {
    subscriptions.push_back(
        monitor.Subscribe(absl::StrCat("token ", i), [&] { ++ended; }));
  }
  while (ended < kTokens) absl::SleepFor(absl::Milliseconds(10));
  EXPECT_LT(asked, kTokens / 2);
}

// Fault: ask about the same one again and again.
TEST(RevocationMonitorTest, AnAnswerIsFoundForAllButTheOneWithout) {
  const SystemBootClock clock;
  std::atomic<int> refused{0};
  RevocationMonitor monitor(
      [&](absl::string_view token) -> absl::StatusOr<FreshAnswer> {
        if (token == "token 0") return absl::UnavailableError("nobody");
        return RevokedAnswer();
      },
      /*vouch_timeout=*/absl::Hours(1), &clock);
  std::vector<TokenSubscription> subscriptions;
  for (int i = 0; i < kTokens; ++i) {
    subscriptions.push_back(
        monitor.Subscribe(absl::StrCat("token ", i), [&] { ++refused; }));
  }
  while (refused < kTokens - 1) absl::SleepFor(absl::Milliseconds(10));
}

// Fault: ask about one after the other.
TEST(RevocationMonitorTest, AnAnswerThatIsLongInComingHoldsUpNoOther) {
  const SystemBootClock clock;
  absl::Notification told;
  RevocationMonitor monitor(
      [&](absl::string_view token) -> absl::StatusOr<FreshAnswer> {
        if (token == "slow") {
          EXPECT_TRUE(told.WaitForNotificationWithTimeout(absl::Seconds(20)));
        }
        return RevokedAnswer();
      },
      /*vouch_timeout=*/absl::Hours(1), &clock);
  const TokenSubscription slow = monitor.Subscribe("slow", [] {});
  const TokenSubscription other =
      monitor.Subscribe("other", [&] { told.Notify(); });
  told.WaitForNotification();
}

// Fault: call back from all threads at once.
TEST(RevocationMonitorTest, CallbacksComeOneAtATime) {
  const SystemBootClock clock;
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  std::atomic<int> ended{0};
  RevocationMonitor monitor(
      [](absl::string_view) -> absl::StatusOr<FreshAnswer> {
        return RevokedAnswer();
      },
      /*vouch_timeout=*/absl::Hours(1), &clock);
  std::vector<TokenSubscription> subscriptions;
  for (int i = 0; i < kTokens; ++i) {
    subscriptions.push_back(monitor.Subscribe(absl::StrCat("token ", i), [&] {
      most = std::max<int>(most, ++running);
      absl::SleepFor(absl::Milliseconds(2));
      --running;
      ++ended;
    }));
  }
  while (ended < kTokens) absl::SleepFor(absl::Milliseconds(10));
  EXPECT_EQ(most, 1);
}

// Of replica "one", with a lease or without.
std::shared_ptr<WatchSession> MakeSession(const BootClock& clock,
                                          bool has_lease) {
  auto session =
      std::make_shared<WatchSession>(AnswerOrigin{"one", 10}, 10, 10, &clock);
  if (has_lease) session->Grant(clock.Now(), absl::Hours(1), 10);
  return session;
}

FreshAnswer ValidAnswer(const AnswerOrigin& origin) {
  FreshAnswer fresh;
  fresh.origin = origin;
  fresh.answer.verdict = v1::VERDICT_VALID;
  auto identity = std::make_shared<TokenIdentity>();
  identity->name = "a";
  fresh.answer.identity = std::move(identity);
  return fresh;
}

// Fault: ask again soon for what only another replica can say.
TEST(RevocationMonitorTest, AnswersOfAnotherReplicaAreAskedForNowAndThen) {
  const SystemBootClock clock;
  std::atomic<int> asked{0};
  RevocationMonitor monitor(
      [&](absl::string_view) -> absl::StatusOr<FreshAnswer> {
        ++asked;
        return ValidAnswer({"two", 20});
      },
      /*vouch_timeout=*/absl::Hours(1), &clock);
  monitor.OnSession(MakeSession(clock, /*has_lease=*/true));
  const TokenSubscription subscription = monitor.Subscribe("token", [] {});
  absl::SleepFor(absl::Seconds(1));
  EXPECT_LT(asked, 5);
}

// Fault: take an answer of the session's replica that is too old for one of
// another replica.
TEST(RevocationMonitorTest, OldAnswersOfTheReplicaAreAskedForAgainSoon) {
  const SystemBootClock clock;
  absl::Notification settled;
  std::atomic<int> asked{0};
  RevocationMonitor monitor(
      [&](absl::string_view) -> absl::StatusOr<FreshAnswer> {
        if (++asked == 5) settled.Notify();
        // One that the stream will not tell of, and one that is too old.
        if (asked % 2 == 0) return ValidAnswer({"one", 10, 1});
        return ValidAnswer({"one", 9});
      },
      /*vouch_timeout=*/absl::Hours(1), &clock);
  monitor.OnSession(MakeSession(clock, /*has_lease=*/true));
  const BootTime begun = clock.Now();
  const TokenSubscription subscription = monitor.Subscribe("token", [] {});
  settled.WaitForNotification();
  EXPECT_LT(clock.Now() - begun, absl::Seconds(4));
}

// Fault: ask again about those that are to be called back.
TEST(RevocationMonitorTest, WhatWaitsForItsCallbackIsNotAskedAboutAgain) {
  const SystemBootClock clock;
  std::atomic<int> asked{0};
  std::atomic<int> ended{0};
  RevocationMonitor monitor(
      [&](absl::string_view) -> absl::StatusOr<FreshAnswer> {
        ++asked;
        return RevokedAnswer();
      },
      /*vouch_timeout=*/absl::Hours(1), &clock);
  const auto end = [&] {
    while (asked < 2) absl::SleepFor(absl::Milliseconds(1));
    absl::SleepFor(absl::Milliseconds(100));
    ++ended;
  };
  const TokenSubscription one = monitor.Subscribe("one", end);
  const TokenSubscription other = monitor.Subscribe("other", end);
  while (ended < 2) absl::SleepFor(absl::Milliseconds(10));
  EXPECT_EQ(asked, 2);
}

// Fault: end what was not vouched for once, whatever was said meanwhile.
TEST(RevocationMonitorTest, WhatIsVouchedForMeanwhileIsNotEnded) {
  const SystemBootClock clock;
  std::atomic<bool> is_back{false};
  std::array<std::atomic<int>, kTokens> vouched{};
  std::array<std::atomic<bool>, kTokens> is_ended{};
  absl::Notification begun;
  {
    RevocationMonitor monitor(
        [&](absl::string_view token) -> absl::StatusOr<FreshAnswer> {
          if (!is_back) return absl::UnavailableError("nobody");
          ++vouched[std::stoi(std::string(token))];
          FreshAnswer fresh = ValidAnswer({"one", 10});
          fresh.answer.end = clock.Now() + absl::Milliseconds(50);
          return fresh;
        },
        /*vouch_timeout=*/absl::Seconds(2), &clock);
    std::vector<TokenSubscription> subscriptions;
    for (int i = 0; i < kTokens; ++i) {
      subscriptions.push_back(monitor.Subscribe(absl::StrCat(i), [&, i] {
        is_ended[i] = true;
        if (is_back.exchange(true)) return;
        // With a second question the first answer is known.
        while (std::none_of(vouched.begin(), vouched.end(),
                            [](int times) { return times >= 2; })) {
          absl::SleepFor(absl::Milliseconds(1));
        }
        begun.Notify();
      }));
    }
    begun.WaitForNotification();
    absl::SleepFor(absl::Milliseconds(100));
  }
  for (int i = 0; i < kTokens; ++i) {
    EXPECT_FALSE(vouched[i] >= 2 && is_ended[i]) << i;
  }
}

// Fault: believe an answer that may be older than the change.
TEST(RevocationMonitorTest, AChangeDuringAQuestionIsAskedAboutSoon) {
  const SystemBootClock clock;
  std::atomic<int> asked{0};
  absl::Notification asked_again;
  RevocationMonitor* changed = nullptr;
  RevocationMonitor monitor(
      [&](absl::string_view) -> absl::StatusOr<FreshAnswer> {
        FreshAnswer fresh = ValidAnswer({"one", 10});
        ++asked;
        // It tells the name, and is soon asked for again.
        if (asked == 1) fresh.answer.end = clock.Now() + absl::Milliseconds(1);
        if (asked == 2) changed->OnChange("a");
        if (asked == 3) asked_again.Notify();
        return fresh;
      },
      /*vouch_timeout=*/absl::Hours(1), &clock);
  changed = &monitor;
  monitor.OnSession(MakeSession(clock, /*has_lease=*/false));
  const TokenSubscription subscription = monitor.Subscribe("token", [] {});
  EXPECT_TRUE(
      asked_again.WaitForNotificationWithTimeout(absl::Milliseconds(1500)));
}

}  // namespace
}  // namespace wemasy::tokens
