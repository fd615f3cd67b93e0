// A bound on how many calls are in progress at once.
#ifndef WEMASY_SERVER_API_GRPC_IN_FLIGHT_LIMIT_H_
#define WEMASY_SERVER_API_GRPC_IN_FLIGHT_LIMIT_H_

#include <atomic>

namespace wemasy::tokens {

// Thread-safe.
class InFlightLimit {
 public:
  explicit InFlightLimit(int max) : max_(max) {}
  InFlightLimit(const InFlightLimit&) = delete;
  InFlightLimit& operator=(const InFlightLimit&) = delete;

  // How many calls are in progress.
  int in_flight() const { return count_.load(std::memory_order_relaxed); }

  // One call's place, if there was one left; given back by the destructor.
  class Place {
   public:
    // `limit` must outlive this object.
    explicit Place(InFlightLimit* limit) : limit_(*limit) {
      is_taken_ = limit_.count_.fetch_add(1) < limit_.max_;
    }
    ~Place() { limit_.count_.fetch_sub(1); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    bool is_taken() const { return is_taken_; }

   private:
    InFlightLimit& limit_;
    bool is_taken_;
  };

 private:
  const int max_;
  // Counts those turned away too, for the moment it takes.
  std::atomic<int> count_{0};
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GRPC_IN_FLIGHT_LIMIT_H_
