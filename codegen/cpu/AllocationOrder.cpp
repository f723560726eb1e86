//===- AllocationOrder.cpp - In which order LLVM gives out registers ------------------===//
#include "codegen/cpu/AllocationOrder.h"
#include "llvm/Support/CommandLine.h"

using namespace sinter;

static constexpr llvm::StringLiteral kOption = "greedy-reverse-local-assignment";

/// Null where a tool has removed it unasked. (cl::getRegisteredOptions() would register --help, and a tool that removes options then
/// would have none.)
static llvm::cl::Option *allocationOrder() {
  static llvm::cl::Option *option = llvm::cl::SubCommand::getTopLevel().OptionsMap.lookup(kOption);
  return option;
}

void cpu::findAllocationOrder() { allocationOrder(); }

void cpu::allocateFromTheLast() {
  llvm::cl::Option *option = allocationOrder();
  assert(option && "findAllocationOrder() comes before a command line is read");
  if (!option || option->getNumOccurrences())
    return;
  option->addOccurrence(0, kOption, "true");
}
