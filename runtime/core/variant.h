//===- variant.h - Which of a bundle's variants runs here --------------------===//
#ifndef RUNTIME_CORE_VARIANT_H
#define RUNTIME_CORE_VARIANT_H

#include "runtime/core/bundle.h"

namespace sinter::core {

/// What a machine can do: the architecture as bundles name targets, and features separated by
/// commas.
struct machine {
  std::string_view target;   ///< "x86-64", "aarch64"
  std::string_view features; ///< "avx2,fma,f16c"
};

bool has_feature(std::string_view features, std::string_view name);

/// Picks the variant called `name`, or, if that is empty, the first that the machine can run. The
/// message of a failure lists what there is and what the machine lacks.
sinter_status pick_variant(const bundle::Bundle &root, const machine &here, std::string_view name,
                           unsigned &index, sinter_error *error);

} // namespace sinter::core

#endif
