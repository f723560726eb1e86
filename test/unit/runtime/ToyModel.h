//===- ToyModel.h - The toy bundle opened through sinter.h ------------------------===//
#ifndef SINTER_TEST_UNIT_RUNTIME_TOYMODEL_H
#define SINTER_TEST_UNIT_RUNTIME_TOYMODEL_H

#include "test/unit/runtime/TestBundle.h"

namespace sinter::test {

/// toy_segments with a real tokenizer of 259 tokens: <unk>, <s>, </s> and the bytes.
segment_data toy_segments_with_tokenizer();

class toy_model {
public:
  toy_model();
  ~toy_model() { sinter_close(model); }
  toy_model(const toy_model &) = delete;
  operator const sinter_model *() const { return model; }

private:
  aligned_bytes bytes;
  sinter_model *model = nullptr;
};

class toy_session {
public:
  toy_session(const sinter_model *model, uint32_t threads);
  ~toy_session() { sinter_session_destroy(session); }
  toy_session(const toy_session &) = delete;
  operator sinter_session *() const { return session; }

private:
  sinter_session *session = nullptr;
};

} // namespace sinter::test

#endif
