//===- sinterc.cpp - GGUF in, bundle out ----------------------------------===//
#include "compiler/driver/Compilation.h"
#include "llvm/Support/InitLLVM.h"

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  return sinter::runDriver(argc, argv);
}
