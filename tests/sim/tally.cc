#include "tests/sim/tally.h"

#include <cinttypes>
#include <map>

namespace wemasy::tokens::sim {
namespace {

// Where a run must have been, or it proves nothing.
constexpr const char* kPoints[] = {
    "validate: VALID",
    "validate: UNKNOWN",
    "validate: REVOKED",
    "validate: EXPIRED",
    "validate: UNAVAILABLE",
    "VALID of the just revoked",
    "UNKNOWN of the just created",
    "client: VALID from memory",
    "client: UNKNOWN from memory",
    "client: others from memory",
    "client: answers kept",
    "client: not kept, not noted",
    "client: not kept, of another memory",
    "client: not kept, too old",
    "client: not kept, the stream is over",
    "client: told of the next change",
    "client: not told of what does not matter",
    "Hello refused",
    "streams refused",
    "streams broken",
    "streams that were silent",
    "grants",
    "pings that gave no leave",
    "waits ended: acknowledged",
    "waits ended: gone",
    "waits ended: ran out",
    "waits for leases longer than the own",
    "waits ended: given up",
    "looks again",
    "commits whose answer was lost",
    "commits whose session ended before the list",
    "changes refused",
    "changes lost by a failover",
    "exchanges that failed",
    "statements done late",
    "loads of another timeline",
    "rows reaped",
    "rows reaped before their timeline was adopted",
    "timelines adopted",
    "stayed closed for lost history",
    "losses accepted",
    "closed: stopped",
    "closed: row gone",
    "closed: history lost",
    "processes ended by themselves",
    "crashes",
    "drains",
    "pauses of a server",
    "pauses of a client",
    "times without a database",
    "servers cut off",
    "changes just after a renewal",
    "failovers to a synchronous standby",
    "failovers to a lagging standby",
};

std::map<std::string, int64_t> Sorted(
    const std::unordered_map<const char*, int64_t>& counts) {
  std::map<std::string, int64_t> sorted;
  for (const auto& [what, count] : counts) sorted[what] += count;
  return sorted;
}

}  // namespace

void Tally::Print() const {
  for (const auto& [what, count] : Sorted(counts_)) {
    std::printf("%12" PRId64 "  %s\n", count, what.c_str());
  }
}

std::vector<std::string> Tally::Missing() const {
  const auto sorted = Sorted(counts_);
  std::vector<std::string> missing;
  for (const char* point : kPoints) {
    if (sorted.count(point) == 0) missing.emplace_back(point);
  }
  return missing;
}

}  // namespace wemasy::tokens::sim
