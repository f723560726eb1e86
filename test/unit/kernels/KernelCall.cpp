//===- KernelCall.cpp - A kernel's machine code, called as the runtime calls it ---===//
#include "KernelCall.h"
#include "dialects/tile/TileDialect.h"
#include "runtime/host/cpu_features.h"
#include "sinter/kernel_abi.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"
#include "gtest/gtest.h"
#include <cstring>
#include <sys/mman.h>

using namespace sinter;
using namespace sinter::test;

static constexpr llvm::StringLiteral kCompiler = "aarch64-linux-gnu-gcc",
                                     kEmulator = "qemu-aarch64";
/// What stands before and behind each binding; a quiet NaN with a payload, read as a float.
static constexpr uint32_t kCanary = 0x7fc5a5c5;

/// AVX2's instructions with AVX-512's register blocks: how a kernel is cut is tested on any x86-64
/// machine, whatever its vectors are.
static Machine avx512ScheduleOnAvx2() {
  const Target *target = findTarget("x86-64");
  static Variant variant = *target->findVariant("avx2");
  variant.name = "avx512vnni_schedule";
  variant.schedule = target->findVariant("avx512vnni")->schedule;
  variant.schedule.unsignedCodes = false;
  return {target, &variant};
}

/// Crossed dots in registers of 8 lanes, and what is done with them as it is where no instruction does it.
static Machine zen4ScheduleOnYmm() {
  const Target *target = findTarget("x86-64");
  static Variant variant = *target->findVariant("zen4");
  variant.name = "zen4_in_256";
  variant.vectorBits = 256;
  return {target, &variant};
}

/// Code for registers of 256 bits in longer ones.
static Machine sve256InLongerRegisters() {
  const Target *target = findTarget("aarch64");
  static Variant variant = *target->findVariant("sve256");
  variant.name = "sve256_in_1024";
  return {target, &variant, 1024};
}

std::vector<Machine> Machine::all() {
  std::vector<Machine> machines = {avx512ScheduleOnAvx2(), zen4ScheduleOnYmm(), sve256InLongerRegisters()};
  for (const Target &target : allTargets())
    for (const Variant &variant : target.variants)
      machines.push_back({&target, &variant});
  return machines;
}

bool Machine::native() const {
  return llvm::Triple(target->triple).getArch() ==
         llvm::Triple(llvm::sys::getProcessTriple()).getArch();
}

std::string Machine::missing() const {
  if (native()) {
    llvm::SmallVector<llvm::StringRef> features;
    llvm::StringRef(host::cpu_features()).split(features, ',');
    for (llvm::StringRef feature : variant->features)
      if (!llvm::is_contained(features, feature))
        return "this CPU has no " + feature.str();
    return "";
  }
  if (target->name != "aarch64")
    return "no emulator is known for " + target->name.str();
  for (llvm::StringRef tool : {kCompiler, kEmulator})
    if (!llvm::sys::findProgramByName(tool))
      return tool.str() + " is not installed";
  return "";
}

//===----------------------------------------------------------------------===//
// Memory: bindings and scratch with canaries around them
//===----------------------------------------------------------------------===//

struct KernelCode::Memory {
  Bytes bytes;
  std::vector<uint64_t> bindings;
  uint64_t scratch;

  /// Appends a region at the alignment that the ABI promises, and the margin that a kernel may
  /// read.
  uint64_t add(const uint8_t *data, size_t size) {
    uint64_t start = bytes.size();
    size_t end = llvm::alignTo(start + size + SINTER_KERNEL_READ_MARGIN, SINTER_KERNEL_ALIGNMENT);
    bytes.resize(end);
    for (size_t at = start; at < end; at += 4)
      std::memcpy(bytes.data() + at, &kCanary, 4);
    if (data)
      std::memcpy(bytes.data() + start, data, size);
    return start;
  }

  Memory(const Call &call, size_t scratchSize) {
    add(nullptr, 0);
    for (auto [i, binding] : llvm::enumerate(call.bindings)) {
      bool last = i + 1 == call.bindings.size();
      bindings.push_back(last && call.inPlace ? bindings[*call.inPlace]
                                              : add(binding.data(), binding.size()));
    }
    scratch = add(nullptr, scratchSize);
  }
};

//===----------------------------------------------------------------------===//
// Compiling and calling
//===----------------------------------------------------------------------===//

KernelCode::KernelCode(mlir::ModuleOp module, const Machine &machine) : machine(machine) {
  module.walk([&](tile::KernelOp kernel) {
    scratchBytes[kernel.getSymName()] = static_cast<int64_t>(kernel.getScratch());
  });
  auto compiled = cpu::compileKernels(module, *machine.target, *machine.variant);
  if (failed(compiled))
    ADD_FAILURE() << "the kernels do not compile for " << machine.name();
  else
    blob = std::move(*compiled);
}

namespace {

/// A folder of its own, gone at the end.
struct Folder {
  Folder() { failed = bool(llvm::sys::fs::createUniqueDirectory("sinter-kernels", path)); }
  ~Folder() { llvm::sys::fs::remove_directories(path); }
  std::string file(llvm::StringRef name) const { return (path + "/" + name).str(); }
  llvm::SmallString<128> path;
  bool failed;
};

std::string runTool(llvm::StringRef tool, std::vector<llvm::StringRef> args,
                    llvm::StringRef input = "", llvm::StringRef output = "") {
  llvm::ErrorOr<std::string> program = llvm::sys::findProgramByName(tool);
  if (!program)
    return tool.str() + " is not installed";
  args.insert(args.begin(), *program);
  std::optional<llvm::StringRef> redirects[] = {input, output, std::nullopt};
  std::string message;
  int code = llvm::sys::ExecuteAndWait(*program, args, std::nullopt, redirects,
                                       /*SecondsToWait=*/300, 0, &message);
  return code == 0 ? "" : (tool + " ends with " + llvm::Twine(code) + " " + message).str();
}

/// The program that calls a kernel, built once a process.
const std::string &caller(std::string &error) {
  static Folder folder;
  static std::string program = folder.file("kernel_call");
  static std::string why = runTool(
      kCompiler, {"-O1", "-static", "-Wall", "-Werror", "-I", SINTER_SOURCE_DIR "/runtime/include",
                  SINTER_SOURCE_DIR "/test/unit/kernels/kernel_call.c", "-o", program});
  error = why;
  return program;
}

} // namespace

std::string KernelCode::emulate(uint64_t entry, const Call &call, const Ranges &ranges,
                                Memory &memory) const {
  std::string error;
  const std::string &program = caller(error);
  if (!error.empty())
    return error;
  Folder folder;
  std::string input = folder.file("in"), output = folder.file("out");
  {
    std::error_code code;
    llvm::raw_fd_ostream out(input, code);
    auto put = [&](uint64_t value) {
      out.write(reinterpret_cast<const char *>(&value), sizeof value);
    };
    for (uint64_t value :
         {uint64_t(blob.bytes.size()), uint64_t(memory.bytes.size()), entry, uint64_t(call.tokens),
          uint64_t(call.position), memory.scratch, uint64_t(memory.bindings.size())})
      put(value);
    llvm::for_each(memory.bindings, put);
    put(ranges.size());
    for (auto [begin, end] : ranges) {
      put(begin);
      put(end);
    }
    out.write(reinterpret_cast<const char *>(blob.bytes.data()), blob.bytes.size());
    out.write(reinterpret_cast<const char *>(memory.bytes.data()), memory.bytes.size());
  }
  // Of the lengths that "max" offers the default is 512 bits.
  std::string cpu = "max";
  if (machine.variant->isScalable())
    cpu += ",sve-default-vector-length=" + std::to_string(machine.registerBits / 8);
  error = runTool(kEmulator, {"-cpu", cpu, program}, input, output);
  if (!error.empty())
    return error;
  auto result =
      llvm::MemoryBuffer::getFile(output, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!result || (*result)->getBufferSize() != memory.bytes.size())
    return "the memory came back with another size";
  std::memcpy(memory.bytes.data(), (*result)->getBufferStart(), memory.bytes.size());
  return "";
}

void KernelCode::execute(llvm::StringRef kernel, const Call &call, const Ranges &ranges,
                         Memory &memory) const {
  auto entry = blob.entries.find(kernel);
  ASSERT_NE(entry, blob.entries.end()) << "no kernel " << kernel.str();
  if (!machine.native()) {
    ASSERT_EQ(emulate(entry->second, call, ranges, memory), "");
    return;
  }
  auto map = [](size_t size) {
    return static_cast<uint8_t *>(
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  };
  uint8_t *code = map(blob.bytes.size()), *data = map(memory.bytes.size());
  ASSERT_NE(static_cast<void *>(code), MAP_FAILED);
  ASSERT_NE(static_cast<void *>(data), MAP_FAILED);
  std::memcpy(code, blob.bytes.data(), blob.bytes.size());
  std::memcpy(data, memory.bytes.data(), memory.bytes.size());
  ASSERT_EQ(mprotect(code, blob.bytes.size(), PROT_READ | PROT_EXEC), 0);
  std::vector<void *> bindings;
  for (uint64_t offset : memory.bindings)
    bindings.push_back(data + offset);
  for (auto [i, range] : llvm::enumerate(ranges)) {
    sinter_kernel_args args = {
        bindings.data(), data + memory.scratch, call.tokens, call.position, range.first, range.second, 0, 1, i > 0};
    reinterpret_cast<sinter_kernel_fn>(code + entry->second)(&args);
  }
  std::memcpy(memory.bytes.data(), data, memory.bytes.size());
  munmap(code, blob.bytes.size());
  munmap(data, memory.bytes.size());
}

Bytes KernelCode::run(llvm::StringRef kernel, const Call &call) const {
  size_t scratch = static_cast<size_t>(scratchBytes.lookup(kernel)),
         size = call.bindings.back().size();
  const Memory before(call, scratch);
  Memory once = before;
  execute(kernel, call, {{0, call.tiles}}, once);
  if (testing::Test::HasFatalFailure())
    return call.bindings.back();
  uint64_t out = before.bindings.back();
  Bytes result(once.bytes.begin() + out, once.bytes.begin() + out + size);
  // Other calls may leave other things in the scratch.
  auto mayChange = [&](uint64_t at) {
    return (at >= out && at < out + size) ||
           (at >= before.scratch && at < before.scratch + scratch);
  };
  for (uint64_t at = 0; at < before.bytes.size(); ++at)
    if (once.bytes[at] != before.bytes[at] && !mayChange(at)) {
      ADD_FAILURE() << machine.name() << ": writes byte " << at << " of memory whose output is at "
                    << out << " + " << size << " and whose scratch is at " << before.scratch
                    << " + " << scratch;
      break;
    }
  if (call.tiles > 1) {
    Memory parts = before;
    uint32_t half = call.tiles / 2;
    Ranges ranges = {{half, call.tiles}};
    if (half > 1)
      ranges.push_back({1, half});
    ranges.push_back({0, 1});
    execute(kernel, call, ranges, parts);
    EXPECT_TRUE(std::equal(result.begin(), result.end(), parts.bytes.begin() + out))
        << machine.name() << ": tiles computed in several calls give other bits";
  }
  return result;
}
