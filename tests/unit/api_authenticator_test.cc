#include <gtest/gtest.h>

#include <utility>

#include "absl/status/status.h"
#include "server/api/authenticator.h"
#include "server/token/error.h"

namespace wemasy::tokens {
namespace {

constexpr char kRoles[] = R"({"bindings": [
    {"identity": "spiffe://wemasy.local/gateway", "roles": ["validator"]},
    {"identity": "b.wemasy.local", "roles": ["manager"]},
    {"identity": "urn:wemasy:backend", "roles": ["manager"]},
    {"identity": "local", "roles": ["security"]},
    {"identity": "plaintext", "roles": ["validator"]}]})";

class AuthenticatorTest : public ::testing::Test {
 protected:
  static RoleTable Roles() { return *RoleTable::Parse(kRoles); }
  static PeerNames Tls() {
    PeerNames peer;
    peer.is_tls = true;
    return peer;
  }

  absl::StatusOr<Caller> Authenticate(const PeerNames& peer) const {
    return authenticator_.Authenticate(peer);
  }
  void ExpectUnauthenticated(const PeerNames& peer) const {
    const auto caller = Authenticate(peer);
    ASSERT_FALSE(caller.ok()) << caller->identity;
    EXPECT_EQ(caller.status().code(), absl::StatusCode::kUnauthenticated);
    EXPECT_EQ(GetErrorDetail(caller.status())->reason,
              ErrorReason::kCallerUnauthenticated);
  }

  const Authenticator authenticator_{Roles(), PlaintextCallers::kLocal};
};

TEST_F(AuthenticatorTest, PrefersTheSpiffeId) {
  PeerNames peer = Tls();
  peer.spiffe_id = "spiffe://wemasy.local/gateway";
  peer.dns_names = {"b.wemasy.local"};
  const auto caller = Authenticate(peer);
  ASSERT_TRUE(caller.ok());
  EXPECT_EQ(caller->identity, "spiffe://wemasy.local/gateway");
  ASSERT_NE(caller->grants, nullptr);
  EXPECT_TRUE(caller->grants->Has(Role::kValidator));
}

TEST_F(AuthenticatorTest, UnboundSpiffeIdDoesNotFallBackToAnotherName) {
  PeerNames peer = Tls();
  peer.spiffe_id = "spiffe://wemasy.local/other";
  peer.dns_names = {"b.wemasy.local"};
  const auto caller = Authenticate(peer);
  ASSERT_TRUE(caller.ok());
  EXPECT_EQ(caller->identity, "spiffe://wemasy.local/other");
  EXPECT_EQ(caller->grants, nullptr);
}

TEST_F(AuthenticatorTest, TakesTheFirstBoundDnsName) {
  PeerNames peer = Tls();
  peer.dns_names = {"a.wemasy.local", "b.wemasy.local"};
  peer.uris = {"urn:wemasy:backend"};
  const auto caller = Authenticate(peer);
  ASSERT_TRUE(caller.ok());
  EXPECT_EQ(caller->identity, "b.wemasy.local");
  ASSERT_NE(caller->grants, nullptr);
}

TEST_F(AuthenticatorTest, TakesTheFirstDnsNameIfNoneIsBound) {
  PeerNames peer = Tls();
  peer.dns_names = {"x.wemasy.local", "y.wemasy.local"};
  const auto caller = Authenticate(peer);
  ASSERT_TRUE(caller.ok());
  EXPECT_EQ(caller->identity, "x.wemasy.local");
  EXPECT_EQ(caller->grants, nullptr);
}

TEST_F(AuthenticatorTest, TakesAUriIfThereIsNothingElse) {
  PeerNames peer = Tls();
  peer.uris = {"urn:wemasy:backend"};
  const auto caller = Authenticate(peer);
  ASSERT_TRUE(caller.ok());
  EXPECT_EQ(caller->identity, "urn:wemasy:backend");
}

TEST_F(AuthenticatorTest, RefusesACertificateWithoutNames) {
  ExpectUnauthenticated(Tls());
}

TEST_F(AuthenticatorTest, NoCertificateClaimsTheIdentityOfPlaintext) {
  for (const absl::string_view name :
       {"local", "plaintext", "", "spiffe://wemasy.local/gateway"}) {
    PeerNames peer = Tls();
    peer.dns_names = {name};
    ExpectUnauthenticated(peer);
  }
  PeerNames peer = Tls();
  peer.uris = {"local"};
  ExpectUnauthenticated(peer);
}

// Two URIs are no SPIFFE certificate, so gRPC finds no SPIFFE id in it.
TEST_F(AuthenticatorTest, RefusesASpiffeIdThatIsOnlyAUri) {
  PeerNames peer = Tls();
  peer.uris = {"spiffe://wemasy.local/gateway", "SPIFFE://wemasy.local/x"};
  ExpectUnauthenticated(peer);
}

TEST_F(AuthenticatorTest, PlaintextIsWhatTheOperatorAllows) {
  PeerNames peer;
  // Names without TLS are nothing anybody vouches for.
  peer.spiffe_id = "spiffe://wemasy.local/gateway";
  const auto local = Authenticate(peer);
  ASSERT_TRUE(local.ok());
  EXPECT_EQ(local->identity, "local");
  EXPECT_TRUE(local->grants->Has(Role::kSecurity));
  ASSERT_NE(authenticator_.everyone(), nullptr);
  EXPECT_EQ(authenticator_.everyone()->identity, "local");

  const Authenticator anyone(Roles(), PlaintextCallers::kAnyone);
  const auto plaintext = anyone.Authenticate(peer);
  ASSERT_TRUE(plaintext.ok());
  EXPECT_EQ(plaintext->identity, "plaintext");
  EXPECT_FALSE(plaintext->grants->Has(Role::kSecurity));

  const Authenticator refused(Roles(), PlaintextCallers::kRefused);
  EXPECT_EQ(refused.Authenticate(peer).status().code(),
            absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(refused.everyone(), nullptr);
}

TEST_F(AuthenticatorTest, UnboundPlaintextMayDoNothing) {
  const Authenticator authenticator(RoleTable(), PlaintextCallers::kLocal);
  const auto caller = authenticator.Authenticate(PeerNames());
  ASSERT_TRUE(caller.ok());
  EXPECT_EQ(caller->grants, nullptr);
}

}  // namespace
}  // namespace wemasy::tokens
