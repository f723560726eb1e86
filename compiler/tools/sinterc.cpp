//===- sinterc.cpp - GGUF in, bundle out ----------------------------------===//
#include "compiler/driver/Compilation.h"
#include "llvm/Support/InitLLVM.h"
#include <csignal>

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  // A limit on the size of files is an error of the write, with a message, and no reason to die.
  std::signal(SIGXFSZ, SIG_IGN);
  return sinter::runDriver(argc, argv);
}
