//===- ExecSyntax.h - Attributes that are also printed bare inside ops ----===//
//
// Internal to dialects/exec.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_DIALECTS_EXEC_EXECSYNTAX_H
#define SINTER_DIALECTS_EXEC_EXECSYNTAX_H

#include "dialects/exec/ExecDialect.h"

namespace sinter::exec {

mlir::FailureOr<BindingAttr> parseBinding(mlir::AsmParser &parser);
void printBinding(mlir::AsmPrinter &printer, BindingAttr binding);
mlir::FailureOr<PortAttr> parsePort(mlir::AsmParser &parser);
void printPort(mlir::AsmPrinter &printer, PortAttr port);

} // namespace sinter::exec

#endif
