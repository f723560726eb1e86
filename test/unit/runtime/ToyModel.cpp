//===- ToyModel.cpp - The toy bundle opened through sinter.h ----------------------===//

#include "test/unit/runtime/ToyModel.h"
#include "compiler/tokenizer/TokenizerTables.h"

#include <gtest/gtest.h>

namespace sinter::test {

segment_data toy_segments_with_tokenizer() {
  std::vector<std::string> texts = {"<unk>", "<s>", "</s>"};
  TokenizerSource source;
  source.origin = "toy";
  source.model = "llama";
  source.types = {2, 3, 3};
  for (unsigned byte = 0; byte < 256; ++byte) {
    char text[8];
    std::snprintf(text, sizeof(text), "<0x%02X>", byte);
    texts.push_back(text);
    source.types.push_back(6);
  }
  source.tokens.assign(texts.begin(), texts.end());
  source.scores.assign(texts.size(), 0);
  source.unknown = 0;
  source.bos = 1;
  source.eos = 2;
  segment_data data = toy_segments();
  auto tables = buildTokenizerTables(source);
  if (!tables) {
    ADD_FAILURE() << llvm::toString(tables.takeError());
    return data;
  }
  data.tokenizer = std::move(*tables);
  return data;
}

toy_model::toy_model() : bytes(pack(toy_bundle(), toy_segments_with_tokenizer())) {
  std::vector<sinter_static_kernel> kernels = toy_kernels();
  sinter_open_options options{};
  options.struct_bytes = sizeof(options);
  options.static_kernels = kernels.data();
  options.static_kernel_count = kernels.size();
  sinter_error error{};
  EXPECT_EQ(sinter_open_bytes(bytes.data(), bytes.size(), &options, &model, &error), SINTER_OK)
      << error.text;
}

toy_session::toy_session(const sinter_model *model, uint32_t threads) {
  sinter_session_options options{};
  options.struct_bytes = sizeof(options);
  options.threads = threads;
  sinter_error error{};
  EXPECT_EQ(sinter_session_create(model, &options, &session, &error), SINTER_OK) << error.text;
}

} // namespace sinter::test
