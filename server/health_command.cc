#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "absl/types/optional.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/byte_buffer.h"
#include "server/commands.h"

namespace wemasy::tokens {
namespace {

namespace io = google::protobuf::io;

// The messages of grpc.health.v1.Health.Check have one field each, so that
// they need no generated code: `string service = 1` and `ServingStatus status
// = 1`, of which 1 is SERVING.
constexpr char kCheckMethod[] = "/grpc.health.v1.Health/Check";
constexpr uint32_t kServiceTag = 1 << 3 | 2;
constexpr uint32_t kStatusTag = 1 << 3 | 0;
constexpr uint32_t kServing = 1;

grpc::ByteBuffer EncodeRequest(const std::string& service) {
  std::string bytes;
  {
    io::StringOutputStream stream(&bytes);
    io::CodedOutputStream out(&stream);
    if (!service.empty()) {
      out.WriteTag(kServiceTag);
      out.WriteVarint32(static_cast<uint32_t>(service.size()));
      out.WriteString(service);
    }
  }
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

bool IsServing(const grpc::ByteBuffer& reply) {
  grpc::Slice slice;
  if (!reply.DumpToSingleSlice(&slice).ok()) return false;
  io::CodedInputStream in(slice.begin(), static_cast<int>(slice.size()));
  uint32_t status = 0;
  return in.ReadTag() == kStatusTag && in.ReadVarint32(&status) &&
         status == kServing;
}

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
  grpc::GenericStub stub(Connect(settings));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       absl::ToChronoNanoseconds(settings.timeout));
  // Connects again until the deadline, rather than report the first refusal.
  context.set_wait_for_ready(true);
  grpc::CompletionQueue queue;
  const std::unique_ptr<grpc::GenericClientAsyncResponseReader> call =
      stub.PrepareUnaryCall(&context, kCheckMethod,
                            EncodeRequest(settings.service), &queue);
  call->StartCall();
  grpc::ByteBuffer reply;
  grpc::Status status;
  call->Finish(&reply, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  if (!status.ok()) {
    std::cerr << "tokend: " << settings.address << ": "
              << status.error_message() << "\n";
    return ExitCode::kOther;
  }
  if (!IsServing(reply)) {
    std::cerr << "tokend: " << settings.address << ": not serving\n";
    return ExitCode::kOther;
  }
  std::cout << "serving\n";
  return ExitCode::kOk;
}

}  // namespace wemasy::tokens
