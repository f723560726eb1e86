//===- text.cpp - Text in, text out ----------------------------------------------===//

#include "runtime/api/objects.h"
#include "runtime/core/message.h"
#include "runtime/text/detokenizer.h"

#include <new>

using namespace sinter;
using core::fail;

namespace {

static_assert(sizeof(text::detokenizer) <= sizeof(sinter_detokenizer));
static_assert(alignof(text::detokenizer) <= alignof(sinter_detokenizer));
static_assert(std::is_trivially_destructible_v<text::detokenizer>,
              "the caller's struct just goes away");

text::detokenizer &inside(sinter_detokenizer *stream) {
  return *std::launder(reinterpret_cast<text::detokenizer *>(stream->state));
}

} // namespace

extern "C" {

size_t sinter_tokenize_workspace(const sinter_model *model, size_t text_bytes) {
  return model ? model->tokens.encode_work_bytes(text_bytes) : 0;
}

sinter_status sinter_tokenize(const sinter_model *model, const char *text, size_t text_bytes,
                              uint32_t flags, void *workspace, size_t workspace_bytes,
                              int32_t *tokens, size_t capacity, size_t *count,
                              sinter_error *error) {
  if (!model || !count || (!text && text_bytes) || (!tokens && capacity))
    return fail(error, SINTER_INVALID_ARGUMENT,
                !model   ? "model"
                : !count ? "count"
                : !text  ? "text"
                         : "tokens",
                " is NULL");
  *count = 0;
  if (flags & ~uint32_t(SINTER_TOKENIZE_NO_BOS | SINTER_TOKENIZE_PLAIN))
    return fail(error, SINTER_INVALID_ARGUMENT, "flags is ", core::hex{flags},
                ", has bits that this runtime does not know");
  text::encode_options options;
  options.parse_special = !(flags & SINTER_TOKENIZE_PLAIN);
  options.add_bos = !(flags & SINTER_TOKENIZE_NO_BOS);
  options.add_eos = options.add_bos;
  switch (model->tokens.encode(text, text_bytes, options, workspace, workspace_bytes, tokens,
                               capacity, *count)) {
  case text::encode_status::ok:
    return SINTER_OK;
  case text::encode_status::text_too_long:
    return fail(error, SINTER_INVALID_ARGUMENT, "text_bytes is ", text_bytes, ", must be at most ",
                text::tokenizer::longest_text);
  case text::encode_status::work_too_small:
    return fail(error, SINTER_INVALID_ARGUMENT, "workspace_bytes is ", workspace_bytes,
                ", must be at least sinter_tokenize_workspace (",
                model->tokens.encode_work_bytes(text_bytes), ")");
  case text::encode_status::capacity_too_small:
    return fail(error, SINTER_BUFFER_TOO_SMALL, "capacity is ", capacity, ", the text has ", *count,
                " tokens");
  }
  return SINTER_INVALID_ARGUMENT;
}

sinter_status sinter_token_piece(const sinter_model *model, int32_t token, char *out,
                                 size_t capacity, size_t *bytes) {
  if (!model || !bytes || (!out && capacity))
    return SINTER_INVALID_ARGUMENT;
  *bytes = 0;
  if (!model->tokens.is_token(token))
    return SINTER_INVALID_TOKEN;
  std::string_view piece = model->tokens.piece(token);
  *bytes = piece.size();
  if (piece.size() > capacity)
    return SINTER_BUFFER_TOO_SMALL;
  memcpy(out, piece.data(), piece.size());
  return SINTER_OK;
}

int sinter_is_end_of_generation(const sinter_model *model, int32_t token) {
  return model && model->tokens.is_token(token) && model->tokens.is_end_of_generation(token);
}

void sinter_detokenizer_init(sinter_detokenizer *stream, const sinter_model *model,
                             uint32_t flags) {
  if (!stream || !model)
    return;
  text::detokenizer_options options;
  options.print_special = flags & SINTER_DETOKENIZE_SPECIAL;
  options.continuation = flags & SINTER_DETOKENIZE_CONTINUATION;
  new (stream->state) text::detokenizer(model->tokens, options);
}

size_t sinter_detokenize_capacity(const sinter_model *model) {
  return model ? text::detokenizer::capacity(model->tokens) : 0;
}

sinter_status sinter_detokenize(sinter_detokenizer *stream, const sinter_model *model,
                                int32_t token, char *out, size_t capacity, size_t *bytes) {
  if (!stream || !model || !out || !bytes)
    return SINTER_INVALID_ARGUMENT;
  *bytes = 0;
  if (!model->tokens.is_token(token))
    return SINTER_INVALID_TOKEN;
  size_t written = inside(stream).push(model->tokens, token, out, capacity);
  if (written == text::detokenizer::too_small) {
    *bytes = text::detokenizer::capacity(model->tokens);
    return SINTER_BUFFER_TOO_SMALL;
  }
  *bytes = written;
  return SINTER_OK;
}

sinter_status sinter_detokenize_finish(sinter_detokenizer *stream, char *out, size_t capacity,
                                       size_t *bytes) {
  if (!stream || !out || !bytes)
    return SINTER_INVALID_ARGUMENT;
  size_t written = inside(stream).finish(out, capacity);
  if (written == text::detokenizer::too_small) {
    *bytes = text::detokenizer::most_held_back;
    return SINTER_BUFFER_TOO_SMALL;
  }
  *bytes = written;
  return SINTER_OK;
}

} // extern "C"
