// Who calls, as a real TLS handshake tells it. Makes its certificates with the
// program openssl.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/api/authenticator.h"
#include "server/api/grpc/peer_names.h"
#include "server/api/grpc/server_options.h"
#include "server/api/grpc/status.h"
#include "server/api/grpc/tls_credentials.h"
#include "wemasy/tokens/v1/token_service.grpc.pb.h"

namespace wemasy::tokens {
namespace {

using ::testing::HasSubstr;

constexpr char kRoles[] = R"({"bindings": [
    {"identity": "b.wemasy.local", "roles": ["manager"]}]})";

// Answers with the caller's identity in place of an error's text.
class WhoAmI final : public v1::TokenService::Service {
 public:
  grpc::Status GetToken(grpc::ServerContext* context,
                        const v1::GetTokenRequest*,
                        v1::GetTokenResponse* response) override {
    const auto auth_context = context->auth_context();
    const auto caller =
        authenticator_.Authenticate(ReadPeerNames(*auth_context));
    if (!caller.ok()) return ToGrpcStatus(caller.status());
    response->mutable_token()->set_name(std::string(caller->identity));
    return grpc::Status::OK;
  }

 private:
  const Authenticator authenticator_{*RoleTable::Parse(kRoles),
                                     PlaintextCallers::kRefused};
};

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file),
          std::istreambuf_iterator<char>()};
}

class MtlsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(system("openssl version > /dev/null 2>&1"), 0)
        << "no openssl: apt-get install openssl";
    char pattern[] = "/tmp/api_mtls_test.XXXXXX";
    ASSERT_NE(mkdtemp(pattern), nullptr);
    directory_ = pattern;
    MakeAuthority("ca");
    MakeAuthority("other-ca");
    Issue("server", "ca", "subjectAltName=DNS:localhost");
    Serve();
  }

  void TearDown() override {
    if (server_ != nullptr) server_->Shutdown();
    if (!directory_.empty()) Run(absl::StrCat("rm -r ", directory_));
  }

  std::string Path(absl::string_view name) const {
    return absl::StrCat(directory_, "/", name);
  }

  static void Run(const std::string& command) {
    ASSERT_EQ(
        system(absl::StrCat("{ ", command, "; } > /dev/null 2>&1").c_str()), 0)
        << command;
  }

  void MakeAuthority(const std::string& name) {
    Run(absl::StrCat(
        "openssl req -x509 -newkey ec -pkeyopt "
        "ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=",
        name, " -keyout ", Path(name), ".key -out ", Path(name), ".crt"));
  }

  // Makes NAME.key and NAME.crt.
  void Issue(const std::string& name, const std::string& authority,
             const std::string& extensions, int days = 2) {
    std::ofstream(Path("extensions")) << extensions << "\n";
    Run(absl::StrCat(
        "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
        "-subj /CN=b.wemasy.local -keyout ",
        Path(name), ".key -out ", Path(name), ".csr && openssl x509 -req -in ",
        Path(name), ".csr -CA ", Path(authority), ".crt -CAkey ",
        Path(authority), ".key -CAcreateserial -days ", days, " -extfile ",
        Path("extensions"), " -out ", Path(name), ".crt"));
  }

  void Serve() {
    TlsFiles files;
    files.key = Path("server.key");
    files.certificate_chain = Path("server.crt");
    files.client_ca = Path("ca.crt");
    files.refresh_interval = absl::Milliseconds(500);
    const auto tls = MakeTlsCredentials(files);
    ASSERT_TRUE(tls.ok()) << tls.status();
    reloads_ = tls->reloads;
    grpc::ServerBuilder builder;
    ApplyServerOptions({}, &builder);
    builder.AddListeningPort("127.0.0.1:0", tls->credentials, &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
  }

  // Calls with the certificate NAME, or with none, and returns the identity,
  // or the error's code and text.
  std::string CallAs(const std::string& name,
                     const std::string& authority = "ca") {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = ReadFile(Path(authority + ".crt"));
    if (!name.empty()) {
      options.pem_private_key = ReadFile(Path(name + ".key"));
      options.pem_cert_chain = ReadFile(Path(name + ".crt"));
    }
    grpc::ChannelArguments arguments;
    arguments.SetSslTargetNameOverride("localhost");
    arguments.SetInt("grpc.use_local_subchannel_pool", 1);
    const auto stub = v1::TokenService::NewStub(
        grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", port_),
                                  grpc::SslCredentials(options), arguments));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() +
                         std::chrono::seconds(10));
    v1::GetTokenResponse response;
    const grpc::Status status =
        stub->GetToken(&context, v1::GetTokenRequest(), &response);
    if (status.ok()) return response.token().name();
    return absl::StrCat("code ", status.error_code(), ": ",
                        status.error_message());
  }

  std::string directory_;
  int port_ = 0;
  WhoAmI service_;
  const TlsReloads* reloads_ = nullptr;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(MtlsTest, TellsCallersByTheirCertificates) {
  Issue("spiffe", "ca",
        "subjectAltName=URI:spiffe://wemasy.local/gateway,"
        "DNS:b.wemasy.local");
  EXPECT_EQ(CallAs("spiffe"), "spiffe://wemasy.local/gateway");
  Issue("dns", "ca", "subjectAltName=DNS:a.wemasy.local,DNS:b.wemasy.local");
  EXPECT_EQ(CallAs("dns"), "b.wemasy.local");
  Issue("uri", "ca", "subjectAltName=URI:urn:wemasy:backend");
  EXPECT_EQ(CallAs("uri"), "urn:wemasy:backend");
}

TEST_F(MtlsTest, NobodyIsKnownByTheCommonName) {
  Issue("common-name", "ca", "basicConstraints=CA:FALSE");
  EXPECT_THAT(CallAs("common-name"), HasSubstr("code 16: the client"));
  Issue("email", "ca", "subjectAltName=email:a@wemasy.local,IP:10.0.0.1");
  EXPECT_THAT(CallAs("email"), HasSubstr("code 16: the client"));
  Issue("reserved", "ca", "subjectAltName=DNS:local");
  EXPECT_THAT(CallAs("reserved"), HasSubstr("code 16: the client"));
  Issue("two-spiffe", "ca",
        "subjectAltName=URI:spiffe://wemasy.local/a,"
        "URI:spiffe://wemasy.local/b");
  EXPECT_THAT(CallAs("two-spiffe"), HasSubstr("code 16: the client"));
}

TEST_F(MtlsTest, RefusesTheHandshakeWithoutAGoodCertificate) {
  EXPECT_THAT(CallAs(""), HasSubstr("code 14"));
  Issue("foreign", "other-ca",
        "subjectAltName=URI:spiffe://wemasy.local/gateway");
  EXPECT_THAT(CallAs("foreign"), HasSubstr("code 14"));
  Issue("expired", "ca", "subjectAltName=DNS:b.wemasy.local", -1);
  EXPECT_THAT(CallAs("expired"), HasSubstr("code 14"));
}

TEST_F(MtlsTest, ReadsItsFilesAgain) {
  Issue("dns", "ca", "subjectAltName=DNS:b.wemasy.local");
  EXPECT_EQ(CallAs("dns"), "b.wemasy.local");
  // From now on the other authority's clients are let in.
  Run(absl::StrCat("cp ", Path("other-ca.crt"), " ", Path("ca.new"), " && cp ",
                   Path("ca.crt"), " ", Path("old.crt"), " && mv ",
                   Path("ca.new"), " ", Path("ca.crt")));
  Issue("foreign", "other-ca", "subjectAltName=DNS:x.wemasy.local");
  std::string identity;
  for (int i = 0; i < 100 && identity != "x.wemasy.local"; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    identity = CallAs("foreign", "old");
  }
  EXPECT_EQ(identity, "x.wemasy.local");
  EXPECT_THAT(CallAs("dns", "old"), HasSubstr("code 14"));
}

// Somebody replaced the key, and not yet the certificate.
TEST_F(MtlsTest, KeepsAPairUntilTheNextOneFits) {
  Issue("dns", "ca", "subjectAltName=DNS:b.wemasy.local");
  EXPECT_EQ(CallAs("dns"), "b.wemasy.local");
  const absl::Time old_end = reloads_->certificate_expiry();
  EXPECT_GT(old_end, absl::Now() + absl::Hours(47));
  EXPECT_LE(old_end, absl::Now() + absl::Hours(48));
  EXPECT_EQ(reloads_->failures(), 0);

  Issue("server2", "other-ca", "subjectAltName=DNS:localhost", 3);
  Run(absl::StrCat("mv ", Path("server2.key"), " ", Path("server.key")));
  // Each look says it once more.
  while (reloads_->failures() < 2) {
    EXPECT_EQ(CallAs("dns"), "b.wemasy.local");
  }
  EXPECT_EQ(reloads_->certificate_expiry(), old_end);

  Run(absl::StrCat("mv ", Path("server2.crt"), " ", Path("server.crt")));
  while (reloads_->certificate_expiry() == old_end) CallAs("dns");
  EXPECT_GT(reloads_->certificate_expiry(), old_end + absl::Hours(23));
  // It comes from another authority.
  EXPECT_EQ(CallAs("dns", "other-ca"), "b.wemasy.local");
  EXPECT_THAT(CallAs("dns", "ca"), HasSubstr("code 14"));
}

TEST_F(MtlsTest, RefusesFilesThatDoNotFit) {
  TlsFiles files;
  files.key = Path("ca.key");
  files.certificate_chain = Path("server.crt");
  files.client_ca = Path("ca.crt");
  EXPECT_EQ(
      MakeTlsCredentials(files).status(),
      absl::InvalidArgumentError("the key is not that of the certificate"));
  files.client_ca = Path("ca.key");
  EXPECT_THAT(std::string(MakeTlsCredentials(files).status().message()),
              HasSubstr("there is no certificate in it"));
  std::ofstream(Path("torn.crt"))
      << ReadFile(Path("ca.crt")) << "-----BEGIN CERTIFICATE-----\nMIIB\n";
  files.client_ca = Path("torn.crt");
  EXPECT_THAT(std::string(MakeTlsCredentials(files).status().message()),
              HasSubstr("certificate 2 is malformed"));
  files.client_ca = Path("ca.crt");
  files.key = Path("server.crt");
  EXPECT_EQ(MakeTlsCredentials(files).status(),
            absl::InvalidArgumentError(
                "the key is no private key, or needs a password"));
  files.certificate_chain = Path("server.key");
  EXPECT_EQ(MakeTlsCredentials(files).status(),
            absl::InvalidArgumentError(
                "the certificate chain has no certificate in it"));
}

TEST_F(MtlsTest, NamesEveryFileAtFault) {
  std::ofstream(Path("empty")) << "";
  std::ofstream(Path("text")) << "text";
  TlsFiles files;
  files.key = Path("missing");
  files.certificate_chain = Path("empty");
  files.client_ca = Path("text");
  const absl::Status status = MakeTlsCredentials(files).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  for (const char* fault :
       {"key: cannot read", "certificate chain: cannot read", "client CA: '"}) {
    EXPECT_THAT(std::string(status.message()), HasSubstr(fault));
  }
}

}  // namespace
}  // namespace wemasy::tokens
