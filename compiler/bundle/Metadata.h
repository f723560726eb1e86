//===- Metadata.h - The planned module as the bundle's tables -------------===//
#ifndef SINTER_COMPILER_BUNDLE_METADATA_H
#define SINTER_COMPILER_BUNDLE_METADATA_H

#include "dialects/exec/ExecDialect.h"
#include "schema/bundle_generated.h"
#include "llvm/ADT/StringMap.h"
#include <string>
#include <vector>

namespace sinter {

/// The code of one variant, as the back end made it.
struct VariantCode {
  std::string name;
  llvm::ArrayRef<uint8_t> bytes;
  /// Offset of each kernel's first instruction.
  const llvm::StringMap<uint64_t> *entries;
};

/// Everything of the metadata that the planned module and the code say: variants, kernels,
/// programs, memory, target. What files say (segments, digests, the model's formats) is left to the
/// writer. Code offsets are relative to the code segment, variants in it 64-byte aligned in the
/// given order. Errors are emitted at the op that is wrong.
mlir::FailureOr<bundle::BundleT> buildMetadata(mlir::ModuleOp target,
                                               llvm::ArrayRef<VariantCode> code);

/// Fills in the model's facts, from the attributes of the outermost module.
mlir::LogicalResult addModelInfo(mlir::ModuleOp top, bundle::BundleT &bundle);

} // namespace sinter

#endif
