//===- HexagonRunner.cpp - Runs a printed kernel under qemu-hexagon -----------===//
#include "HexagonRunner.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"
#include <cstring>

using namespace sinter;

static constexpr llvm::StringLiteral kClang = "clang-19", kLinker = "ld.lld-19",
                                     kEmulator = "qemu-hexagon";

static std::string find(llvm::StringRef tool) {
  llvm::ErrorOr<std::string> path = llvm::sys::findProgramByName(tool);
  return path ? *path : "";
}

std::string test::whyNoHexagon() {
  for (llvm::StringRef tool : {kClang, kLinker, kEmulator})
    if (find(tool).empty())
      return tool.str() + " is not installed (packages clang-19, lld-19, qemu-user)";
  return "";
}

namespace {

/// A folder of its own, gone at the end.
struct Folder {
  Folder() { failed = bool(llvm::sys::fs::createUniqueDirectory("sinter-hexagon", path)); }
  ~Folder() { llvm::sys::fs::remove_directories(path); }
  std::string file(llvm::StringRef name) const { return (path + "/" + name).str(); }
  llvm::SmallString<128> path;
  bool failed;
};

std::string run(llvm::StringRef tool, std::vector<llvm::StringRef> args, llvm::StringRef input,
                llvm::StringRef output, llvm::StringRef errors) {
  std::string program = find(tool);
  args.insert(args.begin(), program);
  std::optional<llvm::StringRef> redirects[] = {input, output, errors};
  std::string message;
  int code = llvm::sys::ExecuteAndWait(program, args, std::nullopt, redirects,
                                       /*SecondsToWait=*/300, 0, &message);
  if (code == 0)
    return "";
  auto text = llvm::MemoryBuffer::getFile(errors);
  return (tool + " ends with " + llvm::Twine(code) + ": " + message +
          (text ? (*text)->getBuffer() : ""))
      .str();
}

} // namespace

std::string test::runHexagon(const KernelText &kernel, std::vector<std::vector<uint8_t> *> buffers,
                             uint32_t tiles) {
  Folder folder;
  if (folder.failed)
    return "no temporary folder";
  std::error_code error;
  std::string source = folder.file("kernel.c"), object = folder.file("kernel.o"),
              harness = folder.file("harness.o"), program = folder.file("kernel"),
              input = folder.file("in"), output = folder.file("out"), log = folder.file("log");
  {
    llvm::raw_fd_ostream out(source, error);
    out << kernel.text;
  }
  std::string include = SINTER_SOURCE_DIR "/runtime/include", define = "-DKERNEL=" + kernel.name;
  std::vector<llvm::StringRef> flags = {"--target=hexagon-unknown-linux-musl",
                                        "-mv66",
                                        "-mhvx=v66",
                                        "-mhvx-length=128B",
                                        "-O2",
                                        "-ffreestanding",
                                        "-fno-builtin",
                                        "-Wall",
                                        "-Werror",
                                        "-Wno-unknown-pragmas",
                                        "-I",
                                        include,
                                        define,
                                        "-c"};
  auto compile = [&](llvm::StringRef from, llvm::StringRef to) {
    std::vector<llvm::StringRef> args = flags;
    args.insert(args.end(), {from, "-o", to});
    return run(kClang, args, "", "", log);
  };
  if (std::string text = compile(source, object); !text.empty())
    return text + "\n" + kernel.text;
  if (std::string text =
          compile(SINTER_SOURCE_DIR "/test/unit/backends/hexagon_harness.c", harness);
      !text.empty())
    return text;
  // The harness offers no library: a kernel that calls one does not link.
  if (std::string text = run(kLinker, {"-static", harness, object, "-o", program}, "", "", log);
      !text.empty())
    return text;

  {
    llvm::raw_fd_ostream out(input, error);
    auto word = [&](size_t v) {
      auto w = static_cast<uint32_t>(v);
      out.write(reinterpret_cast<const char *>(&w), 4);
    };
    word(buffers.size());
    word(tiles);
    word(static_cast<size_t>(kernel.scratchBytes));
    for (std::vector<uint8_t> *buffer : buffers)
      word(buffer->size());
    for (std::vector<uint8_t> *buffer : buffers)
      out.write(reinterpret_cast<const char *>(buffer->data()), buffer->size());
  }
  if (std::string text = run(kEmulator, {program}, input, output, log); !text.empty())
    return text;
  auto result = llvm::MemoryBuffer::getFile(output);
  size_t total = 0;
  for (std::vector<uint8_t> *buffer : buffers)
    total += buffer->size();
  if (!result || (*result)->getBufferSize() != total)
    return "the harness wrote a result of another size";
  const char *from = (*result)->getBufferStart();
  for (std::vector<uint8_t> *buffer : buffers) {
    std::memcpy(buffer->data(), from, buffer->size());
    from += buffer->size();
  }
  return "";
}
