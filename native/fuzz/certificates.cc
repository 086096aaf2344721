#include <openssl/err.h>

#include <cstring>
#include <string>

#include "input.hh"
#include "tls/context.hh"

using namespace tss;
using tss::fuzz::require;

/** PEM texts from settings and files: trust anchors, client chains. */
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string pem(reinterpret_cast<const char*>(data), size);
  try {
    for (const auto& certificate : tls::readCertificates(pem, "TRUST_INVALID")) {
      require(certificate != nullptr, "every certificate that was read is there");
      static_cast<void>(tls::pointOf(X509_get0_pubkey(certificate.get())));
    }
  } catch (const Failure& failure) {
    require(std::strcmp(failure.code(), "TRUST_INVALID") == 0, "a text is refused with the code asked for");
  }
  ERR_clear_error();
  return 0;
}
