// The decision on a presented token.
#ifndef WEMASY_SERVER_TOKEN_VERDICT_H_
#define WEMASY_SERVER_TOKEN_VERDICT_H_

namespace wemasy::tokens {

// In the order of the checks: the first that fails is the verdict. The numbers
// are the contract's.
enum class Verdict {
  kMalformed = 1,
  kUnknown = 2,
  kRevoked = 3,
  kExpired = 4,
  kWrongProject = 5,
  kInsufficientScope = 6,
  kValid = 7,
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_TOKEN_VERDICT_H_
