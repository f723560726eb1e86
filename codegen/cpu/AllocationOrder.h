//===- AllocationOrder.h - In which order LLVM gives out registers --------------------===//
//
// Values that live in one block get their registers one after another, from the first to the last. From the last to the first,
// fewer of a block whose sums take most registers end on the stack: of a 4-bit gate and up with 12 tokens on Arm none for two sums
// in each loop, of Q6_K kernels on AVX-512 a third less of all accesses to it. LLVM has an option of its command line for that and
// nothing else, and tools take LLVM's options off their own command lines.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_CODEGEN_CPU_ALLOCATIONORDER_H
#define SINTER_CODEGEN_CPU_ALLOCATIONORDER_H

namespace sinter::cpu {

/// For a tool to call before it takes LLVM's options off its command line; others need not.
void findAllocationOrder();

/// From the last to the first, for the code that is generated next: lld puts all options back.
void allocateFromTheLast();

} // namespace sinter::cpu

#endif
