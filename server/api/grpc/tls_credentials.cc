#include "server/api/grpc/tls_credentials.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/clock.h"
#include "common/crypto/certificate.h"
#include "common/mutex.h"
#include "common/status_macros.h"
#include "grpc/grpc.h"
#include "grpc/grpc_security.h"
#include "grpc/support/log.h"

namespace wemasy::tokens {
namespace {

// What the files hold.
struct PemTexts {
  std::string key;
  std::string certificate_chain;
  std::string client_ca;
  absl::Time certificate_expiry;

  friend bool operator==(const PemTexts& a, const PemTexts& b) {
    return a.key == b.key && a.certificate_chain == b.certificate_chain &&
           a.client_ca == b.client_ca;
  }
};

// Reads one file. Returns InvalidArgument if it is not a PEM file.
absl::StatusOr<std::string> ReadPem(absl::string_view name,
                                    const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)),
                   std::istreambuf_iterator<char>());
  if (!file || text.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": cannot read '", path, "'"));
  }
  if (!absl::StrContains(text, "-----BEGIN ")) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": '", path, "' has no PEM in it"));
  }
  return text;
}

// Reads all files. Returns InvalidArgument, naming every file at fault, or
// saying that they do not fit each other.
absl::StatusOr<PemTexts> ReadAll(const TlsFiles& files) {
  PemTexts texts;
  std::vector<std::string> faults;
  const auto read = [&](absl::string_view name, const std::string& path,
                        std::string* text) {
    absl::StatusOr<std::string> pem = ReadPem(name, path);
    if (pem.ok()) {
      *text = *std::move(pem);
    } else {
      faults.emplace_back(pem.status().message());
    }
  };
  read("key", files.key, &texts.key);
  read("certificate chain", files.certificate_chain, &texts.certificate_chain);
  read("client CA", files.client_ca, &texts.client_ca);
  if (!faults.empty()) {
    return absl::InvalidArgumentError(absl::StrJoin(faults, "\n"));
  }
  const absl::Status ca = CheckCertificates(texts.client_ca);
  if (!ca.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("client CA: '", files.client_ca, "': ", ca.message()));
  }
  ASSIGN_OR_RETURN(texts.certificate_expiry,
                   ReadCertificateExpiry(texts.certificate_chain, texts.key));
  return texts;
}

// Hands gRPC what the files hold whenever that is new. Thread-safe.
class PemSource final : public TlsReloads {
 public:
  explicit PemSource(TlsFiles files) : files_(std::move(files)) {}

  // Looks at the files for the first time.
  absl::Status Open() {
    absl::StatusOr<PemTexts> texts = ReadAll(files_);
    if (!texts.ok()) return texts.status();
    MutexLock lock(&mutex_);
    texts_ = *std::move(texts);
    next_look_ = clock_.Now() + files_.refresh_interval;
    return absl::OkStatus();
  }

  absl::Time certificate_expiry() const override {
    MutexLock lock(&mutex_);
    return texts_.certificate_expiry;
  }
  int64_t failures() const override {
    MutexLock lock(&mutex_);
    return failures_;
  }

  // A grpc_ssl_server_certificate_config_callback; gRPC calls it at the start
  // of every handshake, and keeps what it has unless it gets something new.
  static grpc_ssl_certificate_config_reload_status Fetch(
      void* source, grpc_ssl_server_certificate_config** config) {
    return static_cast<PemSource*>(source)->FetchNew(config);
  }

 private:
  grpc_ssl_certificate_config_reload_status FetchNew(
      grpc_ssl_server_certificate_config** config) {
    MutexLock lock(&mutex_);
    const bool looked = Look();
    if (is_handed_over_) {
      return looked ? GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED
                    : GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_FAIL;
    }
    const grpc_ssl_pem_key_cert_pair pair = {texts_.key.c_str(),
                                             texts_.certificate_chain.c_str()};
    *config = grpc_ssl_server_certificate_config_create(
        texts_.client_ca.c_str(), &pair, 1);
    is_handed_over_ = true;
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  // Reads the files if it is time to. Returns false if they cannot be used.
  bool Look() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const BootTime now = clock_.Now();
    if (now < next_look_) return true;
    next_look_ = now + files_.refresh_interval;
    absl::StatusOr<PemTexts> texts = ReadAll(files_);
    if (!texts.ok()) {
      ++failures_;
      gpr_log(GPR_ERROR, "TLS files kept as they were: %s",
              std::string(texts.status().message()).c_str());
      return false;
    }
    if (texts_ == *texts) return true;
    texts_ = *std::move(texts);
    is_handed_over_ = false;
    return true;
  }

  const TlsFiles files_;
  const SystemBootClock clock_;
  mutable Mutex mutex_;
  BootTime next_look_ ABSL_GUARDED_BY(mutex_);
  // What was read last, of what could be used.
  PemTexts texts_ ABSL_GUARDED_BY(mutex_);
  bool is_handed_over_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t failures_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Keeps a source until the process ends: a listener of gRPC's core asks it as
// long as it lives, and does not say when that ends.
PemSource* KeepForever(std::unique_ptr<PemSource> source) {
  static Mutex mutex;
  static auto& kept = *new std::vector<std::unique_ptr<PemSource>>;
  MutexLock lock(&mutex);
  kept.push_back(std::move(source));
  return kept.back().get();
}

// Opens ports with the core's credentials, which gRPC's C++ classes have no
// way to make from a callback.
class ReloadingCredentials final : public grpc::ServerCredentials {
 public:
  explicit ReloadingCredentials(PemSource* source)
      : credentials_(grpc_ssl_server_credentials_create_with_options(
            grpc_ssl_server_credentials_create_options_using_config_fetcher(
                GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY,
                &PemSource::Fetch, source))) {}
  ~ReloadingCredentials() override {
    grpc_server_credentials_release(credentials_);
  }
  ReloadingCredentials(const ReloadingCredentials&) = delete;
  ReloadingCredentials& operator=(const ReloadingCredentials&) = delete;

  void SetAuthMetadataProcessor(
      const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {
    // To ignore it would let callers in that it refuses.
    std::abort();
  }

 private:
  int AddPortToServer(const std::string& address,
                      grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  grpc_server_credentials* const credentials_;
};

}  // namespace

absl::StatusOr<TlsCredentials> MakeTlsCredentials(const TlsFiles& files) {
  if (files.refresh_interval < absl::ZeroDuration()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "refresh interval is ", absl::FormatDuration(files.refresh_interval),
        ", want 0s or more"));
  }
  auto source = std::make_unique<PemSource>(files);
  RETURN_IF_ERROR(source->Open());
  PemSource* const kept = KeepForever(std::move(source));
  return TlsCredentials{std::make_shared<ReloadingCredentials>(kept), kept};
}

}  // namespace wemasy::tokens
