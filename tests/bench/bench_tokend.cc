// tokend with one more rpc, which does nothing and is served as Validate is, so
// that both can be measured in one process.
#include "server/tokend.h"
#include "tests/bench/empty_handler.h"

int main(int argc, char** argv) {
  using wemasy::tokens::EmptyHandler;
  using wemasy::tokens::UnaryServer;
  EmptyHandler handler;
  return wemasy::tokens::RunTokend(
      argc, argv, "bench",
      [&handler](UnaryServer& server) { server.Add(&handler); });
}
