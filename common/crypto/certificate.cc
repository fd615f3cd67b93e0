#include "common/crypto/certificate.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/crypto/boringssl.h"

namespace wemasy::tokens {
namespace {

bssl::UniquePtr<BIO> Open(absl::string_view text) {
  return bssl::UniquePtr<BIO>(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// In place of asking somebody at a terminal.
int NoPassword(char* /*out*/, int /*size*/, int /*rwflag*/, void* /*data*/) {
  return 0;
}

absl::Status Refuse(absl::string_view why) {
  // Or the next one to look at this thread's errors would find it.
  ERR_clear_error();
  return absl::InvalidArgumentError(why);
}

}  // namespace

absl::StatusOr<absl::Time> ReadCertificateExpiry(absl::string_view chain,
                                                 absl::string_view key) {
  const bssl::UniquePtr<X509> certificate(
      PEM_read_bio_X509(Open(chain).get(), nullptr, NoPassword, nullptr));
  if (certificate == nullptr) {
    return Refuse("the certificate chain has no certificate in it");
  }
  const bssl::UniquePtr<EVP_PKEY> private_key(
      PEM_read_bio_PrivateKey(Open(key).get(), nullptr, NoPassword, nullptr));
  if (private_key == nullptr) {
    return Refuse("the key is no private key, or needs a password");
  }
  if (X509_check_private_key(certificate.get(), private_key.get()) != 1) {
    return Refuse("the key is not that of the certificate");
  }
  const bssl::UniquePtr<ASN1_TIME> epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int seconds = 0;
  if (ASN1_TIME_diff(&days, &seconds, epoch.get(),
                     X509_get0_notAfter(certificate.get())) != 1) {
    return Refuse("the certificate does not say when it ends");
  }
  return absl::UnixEpoch() + absl::Hours(24) * days + absl::Seconds(seconds);
}

absl::Status CheckCertificates(absl::string_view pem) {
  const bssl::UniquePtr<BIO> text = Open(pem);
  int count = 0;
  while (bssl::UniquePtr<X509>(
      PEM_read_bio_X509(text.get(), nullptr, NoPassword, nullptr))) {
    ++count;
  }
  const bool is_at_end =
      ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (count > 0 && is_at_end) return absl::OkStatus();
  return absl::InvalidArgumentError(
      count == 0 ? "there is no certificate in it"
                 : absl::StrCat("certificate ", count + 1, " is malformed"));
}

}  // namespace wemasy::tokens
