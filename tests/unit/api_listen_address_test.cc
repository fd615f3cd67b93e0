#include <gtest/gtest.h>

#include "server/api/grpc/listen_address.h"

namespace wemasy::tokens {
namespace {

TEST(IsLoopbackAddressTest, TakesWhatOnlyThisMachineReaches) {
  for (const char* address :
       {"127.0.0.1:50051", "127.1.2.3:0", "localhost:50051", "LOCALHOST:1",
        "[::1]:50051", "[0:0:0:0:0:0:0:1]:1", "[::ffff:127.0.0.1]:1",
        "ipv4:127.0.0.1:1", "ipv6:[::1]:1", "dns:localhost:1",
        "dns:///localhost:1", "unix:/run/tokend.sock", "unix:tokend.sock",
        "unix:///run/tokend.sock", "unix-abstract:tokend"}) {
    EXPECT_TRUE(IsLoopbackAddress(address)) << address;
  }
}

TEST(IsLoopbackAddressTest, RefusesEverythingElse) {
  for (const char* address : {"",
                              ":",
                              ":50051",
                              "0.0.0.0:50051",
                              "[::]:50051",
                              "*:50051",
                              "10.0.0.1:50051",
                              "128.0.0.1:1",
                              "[::2]:1",
                              "[fe80::1]:1",
                              "[::ffff:10.0.0.1]:1",
                              "tokens.wemasy.local:1",
                              "localhost.evil.example:1",
                              "127.0.0.1.evil.example:1",
                              "127.1:1",
                              "0x7f.0.0.1:1",
                              "127.0.0.1",
                              "localhost",
                              "::1:50051",
                              "[::1]",
                              "[::1]50051",
                              "127.0.0.1:",
                              "127.0.0.1:x",
                              "127.0.0.1:-1",
                              "127.0.0.1:65536",
                              "127.0.0.1:+1",
                              "127.0.0.1:1 ",
                              "ipv4:0.0.0.0:1",
                              "dns://8.8.8.8/localhost:1",
                              "unix:",
                              "unix-abstract:",
                              "vsock:1:2",
                              "ipv4:ipv4:127.0.0.1:1",
                              "127.0.0.1:1,0.0.0.0:1",
                              "ipv4:127.0.0.1:1,0.0.0.0:1"}) {
    EXPECT_FALSE(IsLoopbackAddress(address)) << address;
  }
}

}  // namespace
}  // namespace wemasy::tokens
