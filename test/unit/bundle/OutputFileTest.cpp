//===- OutputFileTest.cpp - A file that is there whole or not at all ------===//
#include "compiler/bundle/OutputFile.h"
#include "llvm/ADT/StringExtras.h"
#include "gtest/gtest.h"
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace sinter;
namespace fs = std::filesystem;

class OutputFileTest : public testing::Test {
protected:
  OutputFileTest()
      : place(fs::temp_directory_path() / ("sinter-output-" + std::to_string(::getpid()))) {
    fs::create_directories(place);
  }
  ~OutputFileTest() override { fs::remove_all(place); }

  size_t filesInPlace() {
    return std::distance(fs::directory_iterator(place), fs::directory_iterator());
  }
  std::string read(const fs::path &path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  fs::path place;
};

TEST_F(OutputFileTest, AppearsAtCommit) {
  std::string path = place / "x";
  auto file = llvm::cantFail(OutputFile::create(path));
  llvm::cantFail(file->write(4, llvm::arrayRefFromStringRef("body")));
  llvm::cantFail(file->write(0, llvm::arrayRefFromStringRef("head")));
  EXPECT_FALSE(fs::exists(path));
  llvm::cantFail(file->commit());
  EXPECT_EQ(read(path), "headbody");
  EXPECT_EQ(filesInPlace(), 1u);
}

TEST_F(OutputFileTest, NothingIsLeftWithoutCommit) {
  {
    auto file = llvm::cantFail(OutputFile::create((place / "x").string()));
  }
  EXPECT_EQ(filesInPlace(), 0u);
}

TEST_F(OutputFileTest, TheOldFileStaysUntilTheNewOneIsWhole) {
  std::string path = place / "x";
  llvm::cantFail(writeFile(path, "old"));
  {
    auto file = llvm::cantFail(OutputFile::create(path));
    llvm::cantFail(file->write(0, llvm::arrayRefFromStringRef("new")));
  }
  EXPECT_EQ(read(path), "old");
}

TEST_F(OutputFileTest, AFullDiskIsNamed) {
  llvm::Error error = writeFile("/dev/full", "text");
  EXPECT_EQ(llvm::toString(std::move(error)),
            "/dev/full: cannot write 4 bytes at offset 0: No space left on device; free "
            "some space or choose another directory");
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST_F(OutputFileTest, AMissingDirectoryIsNamed) {
  std::string path = place / "none" / "x";
  EXPECT_EQ(llvm::toString(writeFile(path, "text")),
            path + ": cannot create: No such file or directory; create the directory first");
}

TEST_F(OutputFileTest, ADirectoryIsRefused) {
  EXPECT_EQ(llvm::toString(writeFile(place.string(), "text")),
            place.string() + ": cannot write: Is a directory");
}
