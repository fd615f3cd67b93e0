// What happened in all schedules together, to see that a run proves something.
#ifndef WEMASY_TESTS_SIM_TALLY_H_
#define WEMASY_TESTS_SIM_TALLY_H_

#include <cstdint>
#include <cstdio>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/strings/string_view.h"

namespace wemasy::tokens::sim {

// Counts by what is counted: a literal text, so that its address will do.
class Tally {
 public:
  void Count(const char* what, int64_t by = 1) { counts_[what] += by; }

  // Prints all, sorted.
  void Print() const;
  // The points of the list that no schedule has come to.
  std::vector<std::string> Missing() const;

 private:
  std::unordered_map<const char*, int64_t> counts_;
};

}  // namespace wemasy::tokens::sim

#endif  // WEMASY_TESTS_SIM_TALLY_H_
