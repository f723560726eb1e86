//===- ModelTensors.cpp - Tensors by name, shape and type, each used ------===//
#include "compiler/import/ModelTensors.h"
#include "llvm/Support/FormatVariadic.h"

using namespace sinter;
using namespace llvm;
using gguf::Tensor;
using gguf::TensorType;

Expected<const Tensor *> ModelTensors::find(StringRef name, ArrayRef<int64_t> shape) {
  Expected<const Tensor *> tensor = file.getTensor(name);
  if (!tensor)
    return tensor.takeError();
  if ((*tensor)->shape() != shape)
    return file.tensorError(name, "has shape " + gguf::shapeText((*tensor)->shape()) +
                                      ", the metadata asks for " + gguf::shapeText(shape));
  if (used.insert(name).second)
    elements += (*tensor)->elements();
  return *tensor;
}

Expected<const Format *> ModelTensors::matrix(StringRef name, int64_t rows, int64_t cols) {
  Expected<const Tensor *> tensor = find(name, {cols, rows});
  if (!tensor)
    return tensor.takeError();
  if (const Format *format = Format::find((*tensor)->type))
    return format;
  std::string known;
  for (const Format &format : Format::all())
    known += (known.empty() ? "" : ", ") + format.name.str();
  return file.tensorError(name, formatv("has type {0}, which is not supported yet; supported: {1}",
                                        gguf::tensorTypeName((*tensor)->type), known));
}

Expected<const Tensor *> ModelTensors::vector(StringRef name, int64_t size) {
  Expected<const Tensor *> tensor = find(name, {size});
  if (!tensor)
    return tensor.takeError();
  TensorType type = (*tensor)->type;
  if (type != TensorType::F32 && type != TensorType::F16 && type != TensorType::BF16)
    return file.tensorError(name, formatv("has type {0}; a vector must be f32, f16 or bf16",
                                          gguf::tensorTypeName(type)));
  return *tensor;
}

Error ModelTensors::checkAllUsed(StringRef architecture, int64_t layers) const {
  for (const Tensor &tensor : file.tensors()) {
    // Written by early converters, read by nobody: the angles follow from the metadata.
    if (used.contains(tensor.name) || tensor.name.ends_with(".attn_rot_embd.weight"))
      continue;
    return file.tensorError(
        tensor.name, formatv("is no part of a {0} model of {1} layers: the file asks for something "
                             "that is not supported yet",
                             architecture, layers));
  }
  return Error::success();
}
