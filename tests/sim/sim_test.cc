// Runs schedules, one seed after another, and stops at the first that breaks a
// promise. The README has the options.
#include <malloc.h>
#include <time.h>

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "tests/sim/schedule.h"
#include "tests/sim/tally.h"

namespace wemasy::tokens::sim {
namespace {

struct Settings {
  uint64_t seed = 1;
  bool has_seed = false;
  bool is_traced = false;
  int64_t schedules = 20'000;
  // Runs for that long instead, if it is set.
  double seconds = 0;
};

double Seconds(clockid_t clock) {
  timespec now = {};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) +
         static_cast<double>(now.tv_nsec) / 1e9;
}

bool ReadSettings(const std::vector<std::string>& arguments,
                  Settings& settings) {
  for (const std::string& argument : arguments) {
    absl::string_view value = argument;
    bool is_understood = true;
    if (value == "--trace") {
      settings.is_traced = true;
    } else if (absl::ConsumePrefix(&value, "--seed=")) {
      settings.has_seed = true;
      is_understood = absl::SimpleAtoi(value, &settings.seed);
    } else if (absl::ConsumePrefix(&value, "--base=")) {
      is_understood = absl::SimpleAtoi(value, &settings.seed);
    } else if (absl::ConsumePrefix(&value, "--schedules=")) {
      is_understood = absl::SimpleAtoi(value, &settings.schedules);
    } else if (absl::ConsumePrefix(&value, "--seconds=")) {
      is_understood = absl::SimpleAtod(value, &settings.seconds);
    } else {
      // What ./dev mutants says to all tests.
      is_understood = absl::StartsWith(value, "--gtest_");
    }
    if (is_understood) continue;
    std::fprintf(stderr, "cannot understand %s\n", argument.c_str());
    return false;
  }
  return true;
}

int RunOne(const Settings& settings) {
  Tally tally;
  const Outcome outcome =
      RunSchedule(settings.seed, settings.is_traced, &tally);
  std::printf("seed %" PRIu64 ": %" PRId64 " events, %s\n", settings.seed,
              outcome.events,
              outcome.violation.empty() ? "OK" : outcome.violation.c_str());
  return outcome.violation.empty() ? 0 : 1;
}

int RunMany(const Settings& settings) {
  Tally tally;
  const double begun = Seconds(CLOCK_MONOTONIC);
  const double cpu_begun = Seconds(CLOCK_PROCESS_CPUTIME_ID);
  int64_t schedules = 0;
  int64_t events = 0;
  std::string violation;
  while (violation.empty() &&
         (settings.seconds > 0
              ? Seconds(CLOCK_MONOTONIC) - begun < settings.seconds
              : schedules < settings.schedules)) {
    const Outcome outcome = RunSchedule(
        settings.seed + static_cast<uint64_t>(schedules), false, &tally);
    violation = outcome.violation;
    events += outcome.events;
    ++schedules;
  }
  const double cpu = Seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_begun;
  tally.Print();
  std::printf("%" PRId64 " schedules from seed %" PRIu64
              ", %.0f a minute of one core, %.1f events each\n",
              schedules, settings.seed,
              static_cast<double>(schedules) / cpu * 60,
              static_cast<double>(events) / static_cast<double>(schedules));
  if (!violation.empty()) {
    std::printf("sim: VIOLATION by --seed=%" PRIu64 " (--trace shows it): %s\n",
                settings.seed + static_cast<uint64_t>(schedules) - 1,
                violation.c_str());
    return 1;
  }
  // A short run need not have been everywhere.
  if (schedules >= 10'000) {
    const std::vector<std::string> missing = tally.Missing();
    for (const std::string& point : missing) {
      std::printf("sim: never happened: %s\n", point.c_str());
    }
    if (!missing.empty()) return 1;
  }
  std::printf("sim: OK\n");
  return 0;
}

}  // namespace
}  // namespace wemasy::tokens::sim

int main(int argc, char** argv) {
  // The next schedule wants again what the last one gave back.
  mallopt(M_TRIM_THRESHOLD, 1 << 26);
  wemasy::tokens::sim::Settings settings;
  if (!wemasy::tokens::sim::ReadSettings({argv + 1, argv + argc}, settings)) {
    return 2;
  }
  if (const char* seconds = std::getenv("SIM_SECONDS")) {
    settings.seconds = std::atof(seconds);
  }
  if (const char* seed = std::getenv("SIM_SEED")) {
    settings.seed = std::strtoull(seed, nullptr, 10);
  }
  return settings.has_seed ? wemasy::tokens::sim::RunOne(settings)
                           : wemasy::tokens::sim::RunMany(settings);
}
