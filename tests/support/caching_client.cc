// A caching client that does what it is told by lines on its standard input,
// for the end-to-end tests and the fault harness.
//
//   caching_client --target=HOST:PORT...
//
//   V NUMBER TOKEN [SCOPE]   Validate; answered, in any order, by
//                            V NUMBER CALL_NS RETURN_NS OUTCOME CACHED NAME
//   W NUMBER TOKEN           OnRevoked; R NUMBER NS when it is called
//   U NUMBER                 no more OnRevoked
//   S                        S hits=N misses=N sessions=N lease=0|1
//
// Times are of the boot-time clock, which the harness reads, too. OUTCOME is a
// verdict or the name of a status code, NAME that of the token or "-". Ends
// with its input.
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "client/cpp/token_client.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "wemasy/tokens/v1/auth_service.pb.h"

namespace wemasy::tokens {
namespace {

// Calls that wait for a server that does not answer must not hold up others,
// least of all what would be answered from memory.
constexpr size_t kMaxThreads = 1'000;

// Writes whole lines. Thread-safe.
class Output {
 public:
  void Write(absl::string_view line) {
    const std::string text = absl::StrCat(line, "\n");
    MutexLock lock(&mutex_);
    absl::string_view left = text;
    while (!left.empty()) {
      const ssize_t written = write(STDOUT_FILENO, left.data(), left.size());
      if (written <= 0) return;  // Nobody reads any more.
      left.remove_prefix(static_cast<size_t>(written));
    }
  }

 private:
  Mutex mutex_;
};

// Runs tasks on threads of its own, as many as it takes, and ends when all were
// run. To be used by one thread.
class Workers {
 public:
  Workers() = default;
  ~Workers() {
    {
      MutexLock lock(&mutex_);
      is_ending_ = true;
      changed_.SignalAll();
    }
    for (std::thread& thread : threads_) thread.join();
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void Add(std::function<void()> task) {
    MutexLock lock(&mutex_);
    tasks_.push_back(std::move(task));
    if (tasks_.size() > idle_ && threads_.size() < kMaxThreads) {
      threads_.emplace_back([this] { Run(); });
    } else {
      changed_.Signal();
    }
  }

 private:
  void Run() {
    while (true) {
      std::function<void()> task;
      {
        MutexLock lock(&mutex_);
        ++idle_;
        while (tasks_.empty() && !is_ending_) changed_.Wait(&mutex_);
        --idle_;
        if (tasks_.empty()) return;
        task = std::move(tasks_.front());
        tasks_.pop_front();
      }
      task();
    }
  }

  Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> tasks_ ABSL_GUARDED_BY(mutex_);
  // Threads that wait for a task.
  size_t idle_ ABSL_GUARDED_BY(mutex_) = 0;
  bool is_ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

std::string OutcomeOf(const absl::StatusOr<TokenValidation>& validation) {
  if (!validation.ok()) {
    return absl::StatusCodeToString(validation.status().code());
  }
  return std::string(
      absl::StripPrefix(v1::Verdict_Name(validation->verdict), "VERDICT_"));
}

class Driver {
 public:
  explicit Driver(const TokenClientOptions& options) : client_(options) {}

  void Run() {
    Workers workers;
    std::string line;
    while (std::getline(std::cin, line)) {
      const std::vector<std::string> words =
          absl::StrSplit(line, ' ', absl::SkipEmpty());
      if (words.empty()) continue;
      if (words[0] == "V" && words.size() >= 3) {
        workers.Add([this, words] { Validate(words); });
      } else if (words[0] == "W" && words.size() == 3) {
        // Not here: it may ask a server.
        workers.Add([this, words] { Subscribe(words[1], words[2]); });
      } else if (words[0] == "U" && words.size() == 2) {
        workers.Add([this, words] { Unsubscribe(words[1]); });
      } else if (words[0] == "S") {
        WriteStats();
      }
    }
  }

 private:
  void Validate(const std::vector<std::string>& words) {
    TokenRequirements requirements;
    if (words.size() > 3) requirements.scopes = {words[3]};
    const int64_t call = clock_.Now().nanos();
    const absl::StatusOr<TokenValidation> validation =
        client_.Validate(words[2], requirements);
    const int64_t returned = clock_.Now().nanos();
    const bool is_named = validation.ok() && validation->identity != nullptr &&
                          !validation->identity->name.empty();
    const bool is_cached = validation.ok() && validation->is_from_memory;
    output_.Write(
        absl::StrCat("V ", words[1], " ", call, " ", returned, " ",
                     OutcomeOf(validation), " ", is_cached ? 1 : 0, " ",
                     is_named ? validation->identity->name : std::string("-")));
  }

  void Subscribe(const std::string& number, const std::string& token) {
    TokenSubscription subscription = client_.OnRevoked(token, [this, number] {
      output_.Write(absl::StrCat("R ", number, " ", clock_.Now().nanos()));
    });
    MutexLock lock(&mutex_);
    subscriptions_[number] = std::move(subscription);
  }

  void Unsubscribe(const std::string& number) {
    TokenSubscription subscription;
    MutexLock lock(&mutex_);
    const auto found = subscriptions_.find(number);
    if (found == subscriptions_.end()) return;
    subscription = std::move(found->second);
    subscriptions_.erase(found);
  }

  void WriteStats() {
    const TokenClientStats stats = client_.stats();
    output_.Write(absl::StrCat("S hits=", stats.hits, " misses=", stats.misses,
                               " sessions=", stats.sessions,
                               " lease=", client_.has_lease() ? 1 : 0));
  }

  const SystemBootClock clock_;
  Output output_;
  TokenClient client_;
  Mutex mutex_;
  // Before the client is destroyed.
  std::map<std::string, TokenSubscription> subscriptions_
      ABSL_GUARDED_BY(mutex_);
};

int Main(int argc, char** argv) {
  TokenClientOptions options;
  // Longer than any fault: a token is to be told of only if it has ended.
  options.vouch_timeout = absl::Minutes(10);
  for (int i = 1; i < argc; ++i) {
    absl::string_view argument = argv[i];
    if (!absl::ConsumePrefix(&argument, "--target=")) {
      std::fprintf(stderr, "usage: caching_client --target=HOST:PORT...\n");
      return 2;
    }
    options.targets.emplace_back(argument);
  }
  Driver driver(options);
  driver.Run();
  return 0;
}

}  // namespace
}  // namespace wemasy::tokens

int main(int argc, char** argv) { return wemasy::tokens::Main(argc, argv); }
