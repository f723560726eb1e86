//===- ConstantStream.cpp - All constants, evaluated in order by threads --===//
#include "compiler/weights/ConstantStream.h"
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

using namespace sinter;

namespace {

/// One strip of one constant, with the zeros before it.
struct Task {
  const PlacedRecipe *constant;
  int64_t strip;
  int64_t padding;
};

class OrderedWork {
public:
  OrderedWork(std::vector<Task> tasks, const gguf::GGUFFile &file,
              llvm::function_ref<llvm::Error(llvm::ArrayRef<uint8_t>)> sink)
      : tasks(std::move(tasks)), file(file), sink(sink) {}

  /// What each worker does until nothing is left.
  void work() {
    std::vector<uint8_t> bytes;
    for (size_t ticket; (ticket = next.fetch_add(1)) < tasks.size();) {
      const Task &task = tasks[ticket];
      const Recipe &recipe = task.constant->recipe;
      bytes.assign(task.padding, 0);
      bytes.resize(task.padding + recipe.stripBytes(task.strip));
      recipe.evaluate(task.strip, bytes.data() + task.padding);
      if (!handOver(ticket, bytes))
        return;
      // Source rows of a tensor are read once; its pages would only pile up.
      if (const gguf::Tensor *tensor = recipe.tensor(); tensor && task.strip + 1 == recipe.strips())
        file.adviseDontNeed(*tensor);
    }
  }

  llvm::Error takeError() { return std::move(error); }

private:
  /// Waits until all strips before this one are handed over. False if the stream has failed.
  bool handOver(size_t ticket, llvm::ArrayRef<uint8_t> bytes) {
    std::unique_lock lock(mutex);
    turn.wait(lock, [&] { return handed == ticket || failed; });
    if (failed)
      return false;
    lock.unlock(); // the turn itself keeps others out of the sink
    llvm::Error result = sink(bytes);
    lock.lock();
    if (result) {
      llvm::consumeError(std::move(error));
      error = std::move(result);
      failed = true;
    }
    ++handed;
    turn.notify_all();
    return !failed;
  }

  std::vector<Task> tasks;
  const gguf::GGUFFile &file;
  llvm::function_ref<llvm::Error(llvm::ArrayRef<uint8_t>)> sink;
  std::atomic<size_t> next{0};
  std::mutex mutex;
  std::condition_variable turn;
  size_t handed = 0;
  bool failed = false;
  llvm::Error error = llvm::Error::success();
};

} // namespace

llvm::Error sinter::streamConstants(llvm::ArrayRef<PlacedRecipe> constants, int64_t totalBytes,
                                    const gguf::GGUFFile &file, unsigned threads,
                                    llvm::function_ref<llvm::Error(llvm::ArrayRef<uint8_t>)> sink) {
  std::vector<Task> tasks;
  int64_t end = 0;
  for (const PlacedRecipe &constant : constants) {
    assert(constant.offset >= end && "constants are in order and do not overlap");
    for (int64_t strip = 0; strip < constant.recipe.strips(); ++strip)
      tasks.push_back({&constant, strip, strip ? 0 : constant.offset - end});
    end = constant.offset + constant.recipe.bytes();
  }
  assert(end <= totalBytes && "the segment holds its constants");

  OrderedWork stream(std::move(tasks), file, sink);
  if (threads == 0)
    threads = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::thread> workers;
  for (unsigned i = 1; i < threads; ++i)
    workers.emplace_back([&] { stream.work(); });
  stream.work();
  for (std::thread &worker : workers)
    worker.join();
  if (llvm::Error error = stream.takeError())
    return error;
  return sink(std::vector<uint8_t>(totalBytes - end));
}
