//===- Digest.cpp - SHA-256, piece by piece -------------------------------===//
//
// OpenSSL's, because it uses the CPU's own instructions where there are any: a bundle is gigabytes.
//
//===----------------------------------------------------------------------===//
#include "compiler/bundle/Digest.h"
#include "llvm/Support/ErrorHandling.h"
#include <openssl/evp.h>

using namespace sinter;

Digest::Digest() : context(EVP_MD_CTX_new()) {
  if (!context || EVP_DigestInit_ex(context, EVP_sha256(), nullptr) != 1)
    llvm::report_fatal_error("this OpenSSL offers no SHA-256");
}

Digest::~Digest() { EVP_MD_CTX_free(context); }

void Digest::add(llvm::ArrayRef<uint8_t> bytes) {
  EVP_DigestUpdate(context, bytes.data(), bytes.size());
}

Digest::Value Digest::finish() {
  Value value;
  EVP_DigestFinal_ex(context, value.data(), nullptr);
  return value;
}
