// tokend with two more rpcs, which decide nothing and are served as Validate
// is, so that all can be measured in one process.
#include "server/tokend.h"
#include "tests/bench/empty_handler.h"
#include "tests/bench/payload_handler.h"

int main(int argc, char** argv) {
  wemasy::tokens::EmptyHandler empty;
  wemasy::tokens::PayloadHandler payload;
  return wemasy::tokens::RunTokend(
      argc, argv, {"bench", [&](wemasy::tokens::QueueServer& server) {
                     server.Add(&empty);
                     server.Add(&payload);
                   }});
}
