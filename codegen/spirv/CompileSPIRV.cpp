//===- CompileSPIRV.cpp - GLSL to SPIR-V, in process -------------------------===//
//
//   glslang (parse, link, SPIR-V)  ->  SPIRV-Tools optimizer (-O)  ->  SPIRV-Tools validator
//
//===----------------------------------------------------------------------===//
#include "codegen/spirv/CompileSPIRV.h"
#include <glslang/Include/glslang_c_interface.h>
#include <glslang/Public/resource_limits_c.h>
#include <spirv-tools/libspirv.hpp>
#include <spirv-tools/optimizer.hpp>

using llvm::createStringError;

namespace {
/// glslang's process-wide tables, for as long as one compilation lasts.
struct Process {
  Process() { glslang_initialize_process(); }
  ~Process() { glslang_finalize_process(); }
};
struct Shader {
  explicit Shader(const glslang_input_t &input) : handle(glslang_shader_create(&input)) {}
  ~Shader() { glslang_shader_delete(handle); }
  glslang_shader_t *handle;
};
struct Program {
  Program() : handle(glslang_program_create()) {}
  ~Program() { glslang_program_delete(handle); }
  glslang_program_t *handle;
};
} // namespace

static llvm::Expected<std::vector<uint32_t>> translate(const std::string &text) {
  Process process;
  glslang_input_t input = {};
  input.language = GLSLANG_SOURCE_GLSL;
  input.stage = GLSLANG_STAGE_COMPUTE;
  input.client = GLSLANG_CLIENT_VULKAN;
  input.client_version = GLSLANG_TARGET_VULKAN_1_1;
  input.target_language = GLSLANG_TARGET_SPV;
  input.target_language_version = GLSLANG_TARGET_SPV_1_3;
  input.code = text.c_str();
  input.default_version = 450;
  input.default_profile = GLSLANG_NO_PROFILE;
  input.messages =
      static_cast<glslang_messages_t>(GLSLANG_MSG_SPV_RULES_BIT | GLSLANG_MSG_VULKAN_RULES_BIT);
  input.resource = glslang_default_resource();

  Shader shader(input);
  auto refuse = [&](const char *step, const char *log) {
    return createStringError("GLSL %s: %s", step, log ? log : "no explanation");
  };
  if (!glslang_shader_preprocess(shader.handle, &input))
    return refuse("preprocessing", glslang_shader_get_info_log(shader.handle));
  if (!glslang_shader_parse(shader.handle, &input))
    return refuse("parsing", glslang_shader_get_info_log(shader.handle));
  Program program;
  glslang_program_add_shader(program.handle, shader.handle);
  if (!glslang_program_link(program.handle, input.messages))
    return refuse("linking", glslang_program_get_info_log(program.handle));
  glslang_program_SPIRV_generate(program.handle, GLSLANG_STAGE_COMPUTE);
  std::vector<uint32_t> words(glslang_program_SPIRV_get_size(program.handle));
  glslang_program_SPIRV_get(program.handle, words.data());
  return words;
}

llvm::Expected<std::vector<uint32_t>> sinter::compileSPIRV(llvm::StringRef glsl) {
  llvm::Expected<std::vector<uint32_t>> words = translate(glsl.str());
  if (!words)
    return words;

  std::string messages;
  auto collect = [&](spv_message_level_t, const char *, const spv_position_t &,
                     const char *message) {
    messages += message;
    messages += '\n';
  };
  spvtools::Optimizer optimizer(SPV_ENV_VULKAN_1_1);
  optimizer.SetMessageConsumer(collect);
  optimizer.RegisterPerformancePasses();
  std::vector<uint32_t> optimized;
  if (!optimizer.Run(words->data(), words->size(), &optimized))
    return createStringError("SPIR-V optimizer: %s", messages.c_str());
  spvtools::SpirvTools tools(SPV_ENV_VULKAN_1_1);
  tools.SetMessageConsumer(collect);
  if (!tools.Validate(optimized))
    return createStringError("SPIR-V validator: %s", messages.c_str());
  return optimized;
}
