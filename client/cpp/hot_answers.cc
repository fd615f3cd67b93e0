#include "client/cpp/hot_answers.h"

namespace wemasy::tokens {

HotAnswers::Slot& HotAnswers::SlotOfThread() {
  static std::atomic<size_t> threads{0};
  thread_local const size_t number = threads.fetch_add(1);
  return (*slots_)[number % kSlots];
}

// As in WatchSession::Find the lease is captured before what is looked up, here
// the version, and the clock read after it. A grant follows the changes that it
// is for, and each of them makes a new version: who has the lease of such a
// grant sees that version, too.
absl::optional<Answer> HotAnswers::Find(const TokenDigest& digest) {
  const Holder holder(SlotOfThread());
  Slot* const slot = holder.get();
  if (slot == nullptr || slot->copies == nullptr) return absl::nullopt;
  const Copy& copy = slot->CopyOf(digest);
  const BootTime end = slot->session->lease_end();
  if (copy.version != slot->session->version()) return absl::nullopt;
  if (copy.digest != digest) return absl::nullopt;
  const BootTime now = clock_.Now();
  if (now >= end || now >= copy.answer.end) return absl::nullopt;
  slot->hits.store(slot->hits.load(std::memory_order_relaxed) + 1,
                   std::memory_order_relaxed);
  return copy.answer;
}

void HotAnswers::Keep(const WatchSession& session, uint64_t version,
                      const TokenDigest& digest, const Answer& answer) {
  const Holder holder(SlotOfThread());
  Slot* const slot = holder.get();
  if (slot == nullptr) return;
  if (slot->session != session.state()) {
    slot->session = session.state();
    // Another session counts its versions anew.
    slot->copies = std::make_unique<std::array<Copy, kAnswers>>();
  }
  Copy& copy = slot->CopyOf(digest);
  copy = {version, digest, answer};
  // The identity, too: all threads would count its users in one place.
  if (answer.identity != nullptr) {
    copy.answer.identity = std::make_shared<TokenIdentity>(*answer.identity);
  }
}

int64_t HotAnswers::hits() const {
  int64_t hits = 0;
  for (const Slot& slot : *slots_) {
    hits += slot.hits.load(std::memory_order_relaxed);
  }
  return hits;
}

}  // namespace wemasy::tokens
