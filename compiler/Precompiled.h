//===- Precompiled.h - MLIR headers that most files of the compiler include -------===//
//
// The build includes this before every file of a target that says sinter_precompile(). A file still includes what it
// uses: without precompiled headers (CMAKE_DISABLE_PRECOMPILE_HEADERS=ON) everything builds as well. Headers of Sinter
// do not belong here: a change of one would rebuild everything.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_COMPILER_PRECOMPILED_H
#define SINTER_COMPILER_PRECOMPILED_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#endif
