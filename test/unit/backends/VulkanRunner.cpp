//===- VulkanRunner.cpp - Runs one compute shader ----------------------------===//
#include "VulkanRunner.h"
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vulkan/vulkan.h>

using namespace sinter::test;

struct VulkanRunner::State {
  VkInstance instance = VK_NULL_HANDLE;
  VkPhysicalDevice physical = VK_NULL_HANDLE;
  VkDevice device = VK_NULL_HANDLE;
  VkQueue queue = VK_NULL_HANDLE;
  uint32_t family = 0, memoryType = 0;
  std::string name;
  bool integerDot = false;
};

namespace {

/// What one dispatch makes and gives back.
struct Dispatch {
  explicit Dispatch(VkDevice device) : device(device) {}
  ~Dispatch() {
    vkDestroyCommandPool(device, commandPool, nullptr);
    vkDestroyDescriptorPool(device, descriptorPool, nullptr);
    vkDestroyPipeline(device, pipeline, nullptr);
    vkDestroyPipelineLayout(device, layout, nullptr);
    vkDestroyDescriptorSetLayout(device, setLayout, nullptr);
    vkDestroyShaderModule(device, shader, nullptr);
    for (VkBuffer buffer : buffers)
      vkDestroyBuffer(device, buffer, nullptr);
    for (VkDeviceMemory memory : memories)
      vkFreeMemory(device, memory, nullptr);
  }
  VkDevice device;
  VkShaderModule shader = VK_NULL_HANDLE;
  VkDescriptorSetLayout setLayout = VK_NULL_HANDLE;
  VkPipelineLayout layout = VK_NULL_HANDLE;
  VkPipeline pipeline = VK_NULL_HANDLE;
  VkDescriptorPool descriptorPool = VK_NULL_HANDLE;
  VkCommandPool commandPool = VK_NULL_HANDLE;
  std::vector<VkBuffer> buffers;
  std::vector<VkDeviceMemory> memories;
};

/// A struct of Vulkan's with nothing asked for yet.
template <typename T> T make(VkStructureType type) {
  T value{};
  value.sType = type;
  return value;
}

void preferLavapipe() {
  if (std::getenv("VK_DRIVER_FILES") || std::getenv("VK_ICD_FILENAMES"))
    return;
  std::error_code error;
  for (const auto &file : std::filesystem::directory_iterator("/usr/share/vulkan/icd.d", error))
    if (file.path().filename().string().rfind("lvp_icd", 0) == 0)
      setenv("VK_DRIVER_FILES", file.path().c_str(), 0);
}

} // namespace

#define CHECK_VK(call)                                                                             \
  if (VkResult result = (call); result != VK_SUCCESS)                                              \
  return std::string(#call) + " gives VkResult " + std::to_string(result)

VulkanRunner::VulkanRunner() : state(std::make_unique<State>()) {}

VulkanRunner::~VulkanRunner() {
  if (state->device)
    vkDestroyDevice(state->device, nullptr);
  if (state->instance)
    vkDestroyInstance(state->instance, nullptr);
}

const std::string &VulkanRunner::deviceName() const { return state->name; }
bool VulkanRunner::hasIntegerDot() const { return state->integerDot; }

std::unique_ptr<VulkanRunner> VulkanRunner::create(std::string &why) {
  preferLavapipe();
  std::unique_ptr<VulkanRunner> runner(new VulkanRunner);
  State &s = *runner->state;
  auto application = make<VkApplicationInfo>(VK_STRUCTURE_TYPE_APPLICATION_INFO);
  application.apiVersion = VK_API_VERSION_1_3;
  auto instance = make<VkInstanceCreateInfo>(VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO);
  instance.pApplicationInfo = &application;
  if (vkCreateInstance(&instance, nullptr, &s.instance) != VK_SUCCESS) {
    why = "no Vulkan instance: is mesa-vulkan-drivers installed?";
    return nullptr;
  }
  uint32_t count = 1;
  VkResult found = vkEnumeratePhysicalDevices(s.instance, &count, &s.physical);
  if ((found != VK_SUCCESS && found != VK_INCOMPLETE) || count == 0) {
    why = "no Vulkan device: is mesa-vulkan-drivers installed?";
    return nullptr;
  }
  VkPhysicalDeviceProperties properties;
  vkGetPhysicalDeviceProperties(s.physical, &properties);
  s.name = properties.deviceName;

  auto dot = make<VkPhysicalDeviceShaderIntegerDotProductFeatures>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES);
  auto features = make<VkPhysicalDeviceFeatures2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2);
  if (properties.apiVersion >= VK_API_VERSION_1_3)
    features.pNext = &dot;
  vkGetPhysicalDeviceFeatures2(s.physical, &features);
  s.integerDot = dot.shaderIntegerDotProduct;
  features.features = {};

  std::vector<VkQueueFamilyProperties> families(16);
  count = 16;
  vkGetPhysicalDeviceQueueFamilyProperties(s.physical, &count, families.data());
  while (s.family < count && !(families[s.family].queueFlags & VK_QUEUE_COMPUTE_BIT))
    ++s.family;
  float priority = 1;
  auto queue = make<VkDeviceQueueCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO);
  queue.queueFamilyIndex = s.family;
  queue.queueCount = 1;
  queue.pQueuePriorities = &priority;
  auto device = make<VkDeviceCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO);
  device.pNext = &features;
  device.queueCreateInfoCount = 1;
  device.pQueueCreateInfos = &queue;
  if (s.family == count || vkCreateDevice(s.physical, &device, nullptr, &s.device) != VK_SUCCESS) {
    why = s.name + " has no compute queue";
    return nullptr;
  }
  vkGetDeviceQueue(s.device, s.family, 0, &s.queue);

  VkPhysicalDeviceMemoryProperties memory;
  vkGetPhysicalDeviceMemoryProperties(s.physical, &memory);
  constexpr VkMemoryPropertyFlags wanted =
      VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  while (s.memoryType < memory.memoryTypeCount &&
         (memory.memoryTypes[s.memoryType].propertyFlags & wanted) != wanted)
    ++s.memoryType;
  return runner;
}

std::string VulkanRunner::run(const std::vector<uint32_t> &spirv,
                              std::vector<std::vector<uint8_t> *> buffers, uint32_t groups) {
  State &s = *state;
  Dispatch d(s.device);
  auto shader = make<VkShaderModuleCreateInfo>(VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO);
  shader.codeSize = spirv.size() * 4;
  shader.pCode = spirv.data();
  CHECK_VK(vkCreateShaderModule(s.device, &shader, nullptr, &d.shader));

  auto count = static_cast<uint32_t>(buffers.size());
  std::vector<VkDescriptorSetLayoutBinding> bindings(count);
  for (uint32_t i = 0; i < count; ++i)
    bindings[i] = {i, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr};
  auto setLayout =
      make<VkDescriptorSetLayoutCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO);
  setLayout.bindingCount = count;
  setLayout.pBindings = bindings.data();
  CHECK_VK(vkCreateDescriptorSetLayout(s.device, &setLayout, nullptr, &d.setLayout));
  auto layout = make<VkPipelineLayoutCreateInfo>(VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO);
  layout.setLayoutCount = 1;
  layout.pSetLayouts = &d.setLayout;
  CHECK_VK(vkCreatePipelineLayout(s.device, &layout, nullptr, &d.layout));
  auto pipeline = make<VkComputePipelineCreateInfo>(VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO);
  pipeline.stage =
      make<VkPipelineShaderStageCreateInfo>(VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO);
  pipeline.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
  pipeline.stage.module = d.shader;
  pipeline.stage.pName = "main";
  pipeline.layout = d.layout;
  CHECK_VK(vkCreateComputePipelines(s.device, VK_NULL_HANDLE, 1, &pipeline, nullptr, &d.pipeline));

  std::vector<uint8_t *> mapped;
  std::vector<VkDescriptorBufferInfo> infos;
  for (std::vector<uint8_t> *bytes : buffers) {
    auto buffer = make<VkBufferCreateInfo>(VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO);
    buffer.size = bytes->size();
    buffer.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
    CHECK_VK(vkCreateBuffer(s.device, &buffer, nullptr, &d.buffers.emplace_back()));
    VkMemoryRequirements needs;
    vkGetBufferMemoryRequirements(s.device, d.buffers.back(), &needs);
    auto memory = make<VkMemoryAllocateInfo>(VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO);
    memory.allocationSize = needs.size;
    memory.memoryTypeIndex = s.memoryType;
    CHECK_VK(vkAllocateMemory(s.device, &memory, nullptr, &d.memories.emplace_back()));
    CHECK_VK(vkBindBufferMemory(s.device, d.buffers.back(), d.memories.back(), 0));
    void *data;
    CHECK_VK(vkMapMemory(s.device, d.memories.back(), 0, VK_WHOLE_SIZE, 0, &data));
    std::memcpy(data, bytes->data(), bytes->size());
    mapped.push_back(static_cast<uint8_t *>(data));
    infos.push_back({d.buffers.back(), 0, VK_WHOLE_SIZE});
  }

  VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, count};
  auto pool = make<VkDescriptorPoolCreateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO);
  pool.maxSets = 1;
  pool.poolSizeCount = 1;
  pool.pPoolSizes = &size;
  CHECK_VK(vkCreateDescriptorPool(s.device, &pool, nullptr, &d.descriptorPool));
  auto allocate = make<VkDescriptorSetAllocateInfo>(VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO);
  allocate.descriptorPool = d.descriptorPool;
  allocate.descriptorSetCount = 1;
  allocate.pSetLayouts = &d.setLayout;
  VkDescriptorSet set;
  CHECK_VK(vkAllocateDescriptorSets(s.device, &allocate, &set));
  for (uint32_t i = 0; i < count; ++i) {
    auto write = make<VkWriteDescriptorSet>(VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET);
    write.dstSet = set;
    write.dstBinding = i;
    write.descriptorCount = 1;
    write.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    write.pBufferInfo = &infos[i];
    vkUpdateDescriptorSets(s.device, 1, &write, 0, nullptr);
  }

  auto commands = make<VkCommandPoolCreateInfo>(VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO);
  commands.queueFamilyIndex = s.family;
  CHECK_VK(vkCreateCommandPool(s.device, &commands, nullptr, &d.commandPool));
  auto one = make<VkCommandBufferAllocateInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO);
  one.commandPool = d.commandPool;
  one.commandBufferCount = 1;
  VkCommandBuffer buffer;
  CHECK_VK(vkAllocateCommandBuffers(s.device, &one, &buffer));
  auto begin = make<VkCommandBufferBeginInfo>(VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO);
  CHECK_VK(vkBeginCommandBuffer(buffer, &begin));
  vkCmdBindPipeline(buffer, VK_PIPELINE_BIND_POINT_COMPUTE, d.pipeline);
  vkCmdBindDescriptorSets(buffer, VK_PIPELINE_BIND_POINT_COMPUTE, d.layout, 0, 1, &set, 0, nullptr);
  vkCmdDispatch(buffer, groups, 1, 1);
  auto toHost = make<VkMemoryBarrier>(VK_STRUCTURE_TYPE_MEMORY_BARRIER);
  toHost.srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT;
  toHost.dstAccessMask = VK_ACCESS_HOST_READ_BIT;
  vkCmdPipelineBarrier(buffer, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, VK_PIPELINE_STAGE_HOST_BIT, 0,
                       1, &toHost, 0, nullptr, 0, nullptr);
  CHECK_VK(vkEndCommandBuffer(buffer));
  auto submit = make<VkSubmitInfo>(VK_STRUCTURE_TYPE_SUBMIT_INFO);
  submit.commandBufferCount = 1;
  submit.pCommandBuffers = &buffer;
  CHECK_VK(vkQueueSubmit(s.queue, 1, &submit, VK_NULL_HANDLE));
  CHECK_VK(vkQueueWaitIdle(s.queue));
  for (uint32_t i = 0; i < count; ++i)
    std::memcpy(buffers[i]->data(), mapped[i], buffers[i]->size());
  return "";
}
