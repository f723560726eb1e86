//===- VulkanRunner.h - Runs one compute shader ------------------------------===//
//
// The smallest host that a test needs: one device, one queue, one dispatch, host-visible buffers.
//
//===----------------------------------------------------------------------===//
#ifndef SINTER_TEST_UNIT_BACKENDS_VULKANRUNNER_H
#define SINTER_TEST_UNIT_BACKENDS_VULKANRUNNER_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sinter::test {

class VulkanRunner {
public:
  /// The first device of the loader; lavapipe, unless VK_DRIVER_FILES or VK_ICD_FILENAMES says
  /// otherwise. Null, with the reason in `why`, where there is none.
  static std::unique_ptr<VulkanRunner> create(std::string &why);
  ~VulkanRunner();

  const std::string &deviceName() const;
  bool hasIntegerDot() const;

  /// Runs `groups` workgroups of the shader's main. Buffer i is bound to binding i of set 0 and
  /// holds on return what the shader left in it. Returns an error text, empty where all went well.
  std::string run(const std::vector<uint32_t> &spirv, std::vector<std::vector<uint8_t> *> buffers,
                  uint32_t groups);

private:
  VulkanRunner();
  struct State;
  std::unique_ptr<State> state;
};

} // namespace sinter::test

#endif
