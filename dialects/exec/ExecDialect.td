//===- ExecDialect.td - The exec dialect ----------------------------------===//
#ifndef SINTER_DIALECTS_EXEC_DIALECT_TD
#define SINTER_DIALECTS_EXEC_DIALECT_TD

include "mlir/IR/DialectBase.td"

def ExecDialect : Dialect {
  let name = "exec";
  let cppNamespace = "::sinter::exec";
  let summary = "What the device runs: buffers, programs as static lists of dispatches, the memory plan";
  let description = [{
    One target's module holds buffers, programs and the memory plan as symbols; nothing in it is an SSA value but the
    weight recipes. All of it maps one to one onto the metadata of a bundle (schema/bundle.fbs).
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let extraClassDeclaration = [{
    /// On a target's module: #exec.target<...>.
    static constexpr ::llvm::StringLiteral kTargetAttr = "exec.target";
    void registerAttributes();
  }];
}

#endif
