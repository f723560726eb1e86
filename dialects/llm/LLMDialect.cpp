//===- LLMDialect.cpp - Registration of the llm dialect -------------------===//
#include "dialects/llm/LLMDialect.h"
#include "dialects/llm/ModelInfo.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace sinter::llm;

#include "dialects/llm/LLMDialect.cpp.inc"
#include "dialects/llm/LLMEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/llm/LLMAttrs.cpp.inc"

void LLMDialect::initialize() {
  registerTypes();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/llm/LLMAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/llm/LLMOps.cpp.inc"
      >();
}

LogicalResult LLMDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  StringRef name = attribute.getName();
  auto expect = [&](bool holds, StringRef what) -> LogicalResult {
    return holds ? success() : op->emitOpError() << "attribute '" << name << "' must be " << what;
  };
  Attribute value = attribute.getValue();
  if (!isa<ModuleOp>(op))
    return op->emitOpError() << "has attribute '" << name << "', which belongs on a module";
  if (llvm::is_contained({"llm.architecture", "llm.name", "llm.source", "llm.phase"}, name))
    return expect(isa<StringAttr>(value), "a string");
  if (name == "llm.kv_type") {
    auto type = dyn_cast<TypeAttr>(value);
    bool known = type && (type.getValue().isF16() || type.getValue().isF32() || type.getValue().isInteger(8));
    return expect(known, "f16, f32 or i8");
  }
  if (llvm::is_contained({"llm.context", "llm.trained_context", "llm.chunk", "llm.vocabulary",
                          "llm.layers", "llm.embedding", "llm.parameters"},
                         name)) {
    auto number = dyn_cast<IntegerAttr>(value);
    return expect(number && number.getType().isSignlessInteger(64) && number.getInt() > 0,
                  "a positive i64");
  }
  return op->emitOpError() << "has attribute '" << name << "', which the llm dialect does not know";
}
