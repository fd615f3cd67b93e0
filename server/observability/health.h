// What the health service says of each service.
#ifndef WEMASY_SERVER_OBSERVABILITY_HEALTH_H_
#define WEMASY_SERVER_OBSERVABILITY_HEALTH_H_

#include <string>

#include "absl/types/optional.h"
#include "common/mutex.h"

namespace wemasy::tokens {

// Where health is shown. Called by one thread at a time.
class HealthSink {
 public:
  virtual ~HealthSink() = default;
  virtual void SetServing(const std::string& service, bool is_serving) = 0;
};

// Says of each name that the health service knows whether it is serving:
//
//   ""          the server as a whole, for readiness, and the services that
//               answer from memory: while the lease is held
//   TokenService                      while the database is reached
//   "liveness"  as long as there is somebody to ask
//
// All but the last are NOT_SERVING while the server drains. Thread-safe.
class HealthState {
 public:
  // Says NOT_SERVING of all but "liveness". `sink` must outlive this object.
  explicit HealthState(HealthSink& sink);

  HealthState(const HealthState&) = delete;
  HealthState& operator=(const HealthState&) = delete;

  // Takes what is so now. Tells the sink of changes only.
  void Update(bool holds_lease, bool reaches_database);

  // From now on nothing else is serving, whatever is said.
  void StartDraining();

  // What is said of the server as a whole.
  bool is_serving() const;

 private:
  void Show() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  HealthSink& sink_ ABSL_GUARDED_BY(mutex_);
  bool holds_lease_ ABSL_GUARDED_BY(mutex_) = false;
  bool reaches_database_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_draining_ ABSL_GUARDED_BY(mutex_) = false;
  absl::optional<bool> shown_lease_ ABSL_GUARDED_BY(mutex_);
  absl::optional<bool> shown_database_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_OBSERVABILITY_HEALTH_H_
