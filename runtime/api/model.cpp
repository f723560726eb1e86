//===- model.cpp - sinter_open and the facts of a model -------------------------===//

#include "runtime/api/objects.h"
#include "runtime/core/message.h"
#include "runtime/core/variant.h"
#include "runtime/host/cpu_features.h"

#include <new>

using namespace sinter;
using core::fail;

namespace {

/// What stays mapped while a model is being put together; undone if that fails.
struct opening {
  host::mapped_file file;
  host::mapping code;
  host::mapping own;

  void undo() {
    host::unmap(own);
    host::unmap(code);
    host::unmap(file.bytes);
    host::close_descriptor(file);
  }
};

sinter_status map_kernels(const core::bundle_view &bundle, opening &state, sinter_error *error) {
  const core::segment_view &code = bundle.code;
  return state.file.descriptor >= 0
             ? host::map_code(state.file, code.offset, code.size, state.code, error)
             : host::copy_code(code.data, code.size, state.code, error);
}

sinter_status check_tokenizer(const core::bundle_view &bundle, sinter_error *error) {
  if (const char *fault = text::verify_tables(bundle.tokenizer.data, bundle.tokenizer.size))
    return fail(error, SINTER_INVALID_BUNDLE, "tokenizer segment: ", fault);
  uint32_t tokens = text::tokenizer(bundle.tokenizer.data).tokens();
  if (tokens != bundle.root->model()->vocabulary())
    return fail(error, SINTER_INVALID_BUNDLE, "tokenizer segment: tokens is ", tokens,
                ", must be model.vocabulary (", bundle.root->model()->vocabulary(), ")");
  return SINTER_OK;
}

sinter_status assemble(const void *bytes, uint64_t size, const sinter_open_options &options,
                       opening &state, sinter_model *&out, sinter_error *error) {
  core::bundle_view bundle;
  if (sinter_status status = core::load_bundle(bytes, size, bundle, error))
    return status;
  if (sinter_status status = check_tokenizer(bundle, error))
    return status;

  bool runnable = !(options.flags & SINTER_OPEN_METADATA_ONLY);
  core::kernel_source kernels;
  kernels.static_kernels = options.static_kernels;
  kernels.static_kernel_count = options.static_kernel_count;
  if (runnable) {
    core::machine here{host::target_name(), host::cpu_features()};
    std::string_view wanted =
        options.variant ? std::string_view(options.variant) : std::string_view();
    if (sinter_status status =
            core::pick_variant(*bundle.root, here, wanted, kernels.variant, error))
      return status;
    if (!core::all_static(bundle, kernels)) {
      if (sinter_status status = map_kernels(bundle, state, error))
        return status;
      kernels.code = state.code.data;
    }
  }
  if (sinter_status status =
          host::map_memory(sizeof(sinter_model) + core::model_bytes(bundle), state.own, error))
    return status;
  auto *model = new (state.own.data) sinter_model();
  if (sinter_status status =
          core::model_init(bundle, runnable ? &kernels : nullptr, model + 1, model->plan, error))
    return status;
  model->tokens = text::tokenizer(bundle.tokenizer.data);
  model->runnable = runnable;
  if (runnable)
    model->variant = bundle.root->variants()->Get(kernels.variant)->name()->c_str();
  model->own = state.own;
  model->file = state.file.bytes;
  model->code = state.code;
  out = model;
  return SINTER_OK;
}

sinter_status check_options(const sinter_open_options &options, sinter_error *error) {
  if (options.flags & ~uint32_t(SINTER_OPEN_METADATA_ONLY))
    return fail(error, SINTER_INVALID_ARGUMENT, "options.flags is ", core::hex{options.flags},
                ", has bits that this runtime does not know");
  if (options.static_kernel_count && !options.static_kernels)
    return fail(error, SINTER_INVALID_ARGUMENT,
                "options.static_kernels is NULL, but static_kernel_count is ",
                options.static_kernel_count);
  return SINTER_OK;
}

} // namespace

extern "C" {

const char *sinter_status_text(sinter_status status) {
  switch (status) {
  case SINTER_OK:
    return "no error";
  case SINTER_INVALID_ARGUMENT:
    return "invalid argument";
  case SINTER_IO_ERROR:
    return "the file cannot be read";
  case SINTER_INVALID_BUNDLE:
    return "the bundle is damaged or inconsistent";
  case SINTER_UNSUPPORTED:
    return "not supported by this runtime, machine or bundle";
  case SINTER_NO_VARIANT:
    return "no kernels in the bundle for this CPU";
  case SINTER_EXECUTION_FORBIDDEN:
    return "the system does not let the bundle's code run";
  case SINTER_OUT_OF_MEMORY:
    return "out of memory";
  case SINTER_CONTEXT_FULL:
    return "the context is full";
  case SINTER_INVALID_TOKEN:
    return "a token id is out of range";
  case SINTER_BUFFER_TOO_SMALL:
    return "the output does not fit";
  case SINTER_INDEX_OUT_OF_RANGE:
    return "the model computed an index that is out of range";
  case SINTER_NO_LOGITS:
    return "there are no logits yet";
  }
  return "unknown status";
}

sinter_status sinter_open(const char *path, const sinter_open_options *given, sinter_model **model,
                          sinter_error *error) {
  if (!path || !model)
    return fail(error, SINTER_INVALID_ARGUMENT, path ? "model is NULL" : "path is NULL");
  *model = nullptr;
  sinter_open_options options = api::known_part(given);
  if (sinter_status status = check_options(options, error))
    return status;
  opening state;
  sinter_status status = host::map_file(path, state.file, error);
  if (status == SINTER_OK)
    status = assemble(state.file.bytes.data, state.file.size, options, state, *model, error);
  if (status == SINTER_OK) {
    host::close_descriptor(state.file);
    return SINTER_OK;
  }
  state.undo();
  core::prefix(error, path);
  return status;
}

sinter_status sinter_open_bytes(const void *bytes, size_t size, const sinter_open_options *given,
                                sinter_model **model, sinter_error *error) {
  if (!bytes || !model)
    return fail(error, SINTER_INVALID_ARGUMENT, bytes ? "model is NULL" : "bytes is NULL");
  *model = nullptr;
  sinter_open_options options = api::known_part(given);
  if (sinter_status status = check_options(options, error))
    return status;
  opening state;
  sinter_status status = assemble(bytes, size, options, state, *model, error);
  if (status != SINTER_OK)
    state.undo();
  return status;
}

void sinter_close(sinter_model *model) {
  if (!model)
    return;
  host::unmap(model->code);
  host::unmap(model->file);
  host::mapping own = model->own;
  host::unmap(own);
}

sinter_status sinter_get_facts(const sinter_model *model, sinter_model_facts *facts) {
  if (!model || !facts || facts->struct_bytes < sizeof(facts->struct_bytes))
    return SINTER_INVALID_ARGUMENT;
  const bundle::Bundle &root = *model->plan.bundle.root;
  const bundle::ModelInfo &info = *root.model();
  sinter_model_facts known{};
  known.struct_bytes = facts->struct_bytes;
  known.vocabulary = info.vocabulary();
  known.context = info.context();
  known.trained_context = info.trained_context();
  known.prefill_chunk = info.prefill_chunk();
  known.layers = info.layers();
  known.embedding = info.embedding();
  known.adds_bos = model->tokens.adds_bos();
  known.bos = model->tokens.bos();
  known.eos = model->tokens.eos();
  known.parameters = info.parameters();
  known.weight_bytes = model->plan.bundle.weights.size;
  known.kv_bytes = root.memory()->kv_bytes();
  known.name = info.name() ? info.name()->c_str() : "";
  known.architecture = info.architecture()->c_str();
  known.target = root.target()->c_str();
  known.variant = model->variant;
  known.compiler = root.compiler()->c_str();
  memcpy(facts, &known, facts->struct_bytes < sizeof(known) ? facts->struct_bytes : sizeof(known));
  return SINTER_OK;
}

uint32_t sinter_vocab_size(const sinter_model *model) {
  return model ? model->plan.vocabulary() : 0;
}
uint32_t sinter_context(const sinter_model *model) { return model ? model->plan.context() : 0; }
uint32_t sinter_prefill_chunk(const sinter_model *model) {
  return model ? model->plan.prefill_chunk() : 0;
}

const char *sinter_cpu_features(void) { return host::cpu_features(); }

} // extern "C"
