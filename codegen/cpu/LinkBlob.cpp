//===- LinkBlob.cpp - An object as position-independent bytes --------------------------===//
//
// lld resolves what text says of constants (both move together), and its script refuses everything else. lld keeps
// global state, so calls are serialised.
//
//===----------------------------------------------------------------------===//
#include "codegen/cpu/LinkBlob.h"
#include "lld/Common/Driver.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace sinter;
using namespace sinter::cpu;

static constexpr llvm::StringLiteral kScript = R"(
SECTIONS {
  . = 0;
  .text : ALIGN(64) { *(.text .text.*) . = ALIGN(64); *(.rodata .rodata.*) . = ALIGN(64); }
  .writable : { *(.data .data.* .bss .bss.* .got .got.* COMMON) }
  .symtab 0 : { *(.symtab) }
  .strtab 0 : { *(.strtab) }
  .shstrtab 0 : { *(.shstrtab) }
  /DISCARD/ : { *(.eh_frame*) *(.comment) *(.note*) *(.debug*) *(.ARM.*) }
  ASSERT(SIZEOF(.writable) == 0, "a kernel has writable data")
}
)";

namespace {

/// A temporary file that goes away with its owner.
class TemporaryFile {
public:
  static llvm::Expected<TemporaryFile> create(llvm::StringRef suffix, llvm::StringRef contents) {
    TemporaryFile file;
    int descriptor;
    if (std::error_code error = llvm::sys::fs::createTemporaryFile("sinter", suffix, descriptor, file.path))
      return llvm::createStringError(error, "cannot make a temporary file: " + error.message());
    llvm::raw_fd_ostream out(descriptor, /*shouldClose=*/true);
    out << contents;
    out.close();
    if (out.has_error()) {
      std::string message = "cannot write " + file.path.str().str() + ": " + out.error().message();
      out.clear_error();
      return llvm::createStringError(message);
    }
    return file;
  }
  TemporaryFile(TemporaryFile &&other) : path(std::move(other.path)) { other.path.clear(); }
  ~TemporaryFile() {
    if (!path.empty())
      llvm::sys::fs::remove(path);
  }
  const char *name() { return path.c_str(); }

private:
  TemporaryFile() = default;
  llvm::SmallString<128> path;
};

llvm::Error runLinker(llvm::ArrayRef<const char *> arguments) {
  static std::mutex one;
  std::lock_guard lock(one);
  std::string messages;
  llvm::raw_string_ostream out(messages);
  lld::Result result = lld::lldMain(arguments, out, out, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0 || !result.canRunAgain)
    return llvm::createStringError("the linker refuses a kernel: " + llvm::StringRef(messages).trim());
  return llvm::Error::success();
}

llvm::Expected<CodeBlob> readImage(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return llvm::createStringError(buffer.getError(), "cannot read the linked kernels");
  auto file = llvm::object::ObjectFile::createELFObjectFile((*buffer)->getMemBufferRef());
  if (!file)
    return file.takeError();
  CodeBlob blob;
  for (const llvm::object::SectionRef &section : (*file)->sections()) {
    llvm::Expected<llvm::StringRef> name = section.getName(), contents = section.getContents();
    if (!name)
      return name.takeError();
    if (!contents)
      return contents.takeError();
    if (*name == ".text")
      blob.bytes.assign(contents->bytes_begin(), contents->bytes_end());
    if (section.relocation_begin() != section.relocation_end())
      return llvm::createStringError("section " + *name + " still has relocations");
  }
  for (const llvm::object::SymbolRef &symbol : (*file)->symbols()) {
    auto type = symbol.getType();
    auto name = symbol.getName();
    auto address = symbol.getAddress();
    if (!type)
      return type.takeError();
    if (!name)
      return name.takeError();
    if (!address)
      return address.takeError();
    if (*type == llvm::object::SymbolRef::ST_Function)
      blob.entries[*name] = *address;
  }
  return blob;
}

} // namespace

llvm::Expected<CodeBlob> cpu::linkBlob(llvm::StringRef object, const Target &target) {
  auto input = TemporaryFile::create("o", object);
  if (!input)
    return input.takeError();
  auto script = TemporaryFile::create("ld", kScript);
  if (!script)
    return script.takeError();
  auto output = TemporaryFile::create("elf", "");
  if (!output)
    return output.takeError();
  const char *emulation = target.triple.starts_with("aarch64") ? "aarch64linux" : "elf_x86_64";
  if (llvm::Error error =
          runLinker({"ld.lld", "-m", emulation, "-static", "--no-dynamic-linker", "--entry=0", "--fatal-warnings",
                     "--orphan-handling=error", "-T", script->name(), "-o", output->name(), input->name()}))
    return error;
  return readImage(output->name());
}
