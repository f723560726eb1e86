//===- ScheduleLoops.h - Loops for cores that run instructions in order -------------===//
#ifndef SINTER_CODEGEN_CPU_SCHEDULELOOPS_H
#define SINTER_CODEGEN_CPU_SCHEDULELOOPS_H

#include "llvm/CodeGen/MachineFunctionPass.h"

namespace sinter::cpu {

/// A pass on machine code in SSA form: orders what is in loops of one block for the CPU that the function is tuned for, where
/// that runs instructions in order.
llvm::MachineFunctionPass *createScheduleLoopsPass();

} // namespace sinter::cpu

#endif
