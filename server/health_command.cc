#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "grpc_health/v1/health.grpc.pb.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "server/commands.h"

namespace wemasy::tokens {
namespace {

using grpc::health::v1::HealthCheckResponse;

// That the file can be read was seen when the settings were made.
std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::shared_ptr<grpc::Channel> Connect(const Settings& settings) {
  grpc::ChannelArguments arguments;
  if (!settings.tls_server_name.empty()) {
    arguments.SetSslTargetNameOverride(settings.tls_server_name);
  }
  // A proxy's health is not the server's.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  std::shared_ptr<grpc::ChannelCredentials> credentials =
      grpc::InsecureChannelCredentials();
  if (!settings.tls_ca.empty()) {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = ReadFile(settings.tls_ca);
    if (!settings.tls_cert.empty()) {
      options.pem_cert_chain = ReadFile(settings.tls_cert);
      options.pem_private_key = ReadFile(settings.tls_key);
    }
    credentials = grpc::SslCredentials(options);
  }
  return grpc::CreateCustomChannel(settings.address, credentials, arguments);
}

}  // namespace

ExitCode RunHealth(const Settings& settings) {
  const auto stub = grpc::health::v1::Health::NewStub(Connect(settings));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       absl::ToChronoNanoseconds(settings.timeout));
  // Connects again until the deadline, rather than report the first refusal.
  context.set_wait_for_ready(true);
  grpc::health::v1::HealthCheckRequest request;
  request.set_service(settings.service);
  HealthCheckResponse response;
  const grpc::Status status = stub->Check(&context, request, &response);
  if (!status.ok()) {
    std::cerr << "tokend: " << settings.address << ": "
              << status.error_message() << "\n";
    return ExitCode::kOther;
  }
  if (response.status() != HealthCheckResponse::SERVING) {
    std::cerr << "tokend: " << settings.address << ": not serving\n";
    return ExitCode::kOther;
  }
  std::cout << "serving\n";
  return ExitCode::kOk;
}

}  // namespace wemasy::tokens
