//===- Digest.h - SHA-256, piece by piece ---------------------------------===//
#ifndef SINTER_COMPILER_BUNDLE_DIGEST_H
#define SINTER_COMPILER_BUNDLE_DIGEST_H

#include "llvm/ADT/ArrayRef.h"
#include <array>
#include <cstdint>
#include <memory>

struct evp_md_ctx_st;

namespace sinter {

class Digest {
public:
  using Value = std::array<uint8_t, 32>;

  Digest();
  ~Digest();
  void add(llvm::ArrayRef<uint8_t> bytes);
  Value finish();

private:
  evp_md_ctx_st *context;
};

} // namespace sinter

#endif
