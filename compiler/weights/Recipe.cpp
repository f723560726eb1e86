//===- Recipe.cpp - What a constant's bytes are made of -------------------===//
#include "compiler/weights/Recipe.h"
#include "compiler/gguf/Dequantize.h"
#include "compiler/weights/Pack.h"
#include "dialects/llm/LLMDialect.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <cstring>

using namespace mlir;
using namespace sinter;

/// A strip is about this large: enough to keep calls rare, small beside a worker's share of memory.
static constexpr int64_t kStripBytes = 1 << 20;

//===----------------------------------------------------------------------===//
// Evaluation: no IR, any thread
//===----------------------------------------------------------------------===//

/// Pairs are neighbours in the result: row 2i is row i of the first half, row 2i + 1 is row i of
/// the second.
int64_t MatrixRecipe::Permutation::source(int64_t row) const {
  int64_t inHead = row % headDim;
  if (inHead >= rotaryDim)
    return row;
  return row - inHead + inHead / 2 + inHead % 2 * (rotaryDim / 2);
}

static float readFloat(const Format &format, const uint8_t *at) {
  float value;
  gguf::dequantizeRow(format.source, at, 1, &value);
  return value;
}

static void writeFloat(const Format &format, double value, uint8_t *at) {
  llvm::APFloat rounded(value);
  bool lost;
  rounded.convert(format.id == FormatId::f32    ? llvm::APFloat::IEEEsingle()
                  : format.id == FormatId::bf16 ? llvm::APFloat::BFloat()
                                                : llvm::APFloat::IEEEhalf(),
                  llvm::APFloat::rmNearestTiesToEven, &lost);
  uint64_t bits = rounded.bitcastToAPInt().getZExtValue();
  std::memcpy(at, &bits, format.floatBits / 8);
}

void MatrixRecipe::evaluateTiles(int64_t first, int64_t count, uint8_t *out) const {
  const Format &format = layout.format();
  const int64_t rowBytes = tensor->rowBytes();
  std::vector<uint8_t> scaled(columnScales.empty() ? 0 : kTileRows * rowBytes);
  for (int64_t tile = first; tile < first + count; ++tile, out += layout.tileBytes()) {
    const uint8_t *rows[kTileRows];
    int64_t present = std::min(kTileRows, layout.rows() - tile * kTileRows);
    for (int64_t r = 0; r < present; ++r) {
      int64_t row = tile * kTileRows + r;
      for (const Permutation &permutation : llvm::reverse(permutations))
        row = permutation.source(row);
      rows[r] = tensor->row(row);
      if (columnScales.empty())
        continue;
      uint8_t *copy = scaled.data() + r * rowBytes;
      const int64_t bytes = format.floatBits / 8;
      for (int64_t c = 0; c < layout.cols(); ++c) {
        double value = readFloat(format, rows[r] + c * bytes);
        for (const std::vector<double> &scales : columnScales)
          value *= scales[c];
        writeFloat(format, value, copy + c * bytes);
      }
      rows[r] = copy;
    }
    packTile(layout, llvm::ArrayRef(rows, present), out);
  }
}

void RopeTableRecipe::evaluateRows(int64_t first, int64_t count, float *out) const {
  for (int64_t p = first; p < first + count; ++p)
    for (double frequency : frequencies) {
      *out++ = static_cast<float>(std::cos(static_cast<double>(p) * frequency));
      *out++ = static_cast<float>(std::sin(static_cast<double>(p) * frequency));
    }
}

//===----------------------------------------------------------------------===//
// Reading the region
//===----------------------------------------------------------------------===//

namespace {

class Reader {
public:
  explicit Reader(const gguf::GGUFFile &file) : file(file) {}

  FailureOr<MatrixRecipe> matrix(Value value);
  FailureOr<std::vector<double>> vector(Value value);

private:
  FailureOr<const gguf::Tensor *> tensor(Operation *op, StringRef name, ArrayRef<int64_t> shape);
  FailureOr<std::vector<double>> parameter(llm::ParameterOp op);

  const gguf::GGUFFile &file;
};

InFlightDiagnostic notARecipe(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return emitError(value.getLoc()) << "a recipe cannot use a value from outside";
  return op->emitError()
         << "'" << op->getName() << "' is no recipe op that makes " << value.getType()
         << "; known: llm.weight, llm.permute_rows, llm.scale_columns, llm.pack, llm.parameter, "
            "llm.rope_frequencies, llm.div, llm.rope_table";
}

/// The tensor of the file, whose shape (fastest dimension first) is what the IR says.
FailureOr<const gguf::Tensor *> Reader::tensor(Operation *op, StringRef name,
                                               ArrayRef<int64_t> shape) {
  const gguf::Tensor *tensor = file.findTensor(name);
  if (!tensor)
    return op->emitError() << file.path() << " has no tensor '" << name
                           << "': the dump was made from another model";
  auto present = tensor->shape();
  while (present.size() > shape.size() && present.back() == 1)
    present = present.drop_back();
  if (present != shape)
    return op->emitError() << "tensor '" << name << "' is " << gguf::shapeText(tensor->shape())
                           << " in " << file.path() << " and " << gguf::shapeText(shape) << " here";
  return tensor;
}

FailureOr<MatrixRecipe> Reader::matrix(Value value) {
  Operation *op = value.getDefiningOp();
  if (auto weight = dyn_cast_or_null<llm::WeightOp>(op)) {
    llm::WeightType type = weight.getResult().getType();
    auto found = tensor(op, weight.getTensor(), {type.getCols(), type.getRows()});
    if (failed(found))
      return failure();
    if ((*found)->type != type.getFormat().source)
      return op->emitError() << "tensor '" << weight.getTensor() << "' is "
                             << gguf::tensorTypeName((*found)->type) << " in " << file.path()
                             << " and " << type.getFormat().name << " here";
    return MatrixRecipe{
        *found, PackedLayout(type.getFormat(), type.getRows(), type.getCols()), {}, {}};
  }
  if (auto permute = dyn_cast_or_null<llm::PermuteRowsOp>(op)) {
    FailureOr<MatrixRecipe> source = matrix(permute.getSource());
    if (succeeded(source))
      source->permutations.push_back({permute.getHeadDim(), permute.getRotaryDim()});
    return source;
  }
  if (auto scale = dyn_cast_or_null<llm::ScaleColumnsOp>(op)) {
    FailureOr<MatrixRecipe> source = matrix(scale.getSource());
    FailureOr<std::vector<double>> scales = vector(scale.getScales());
    if (failed(source) || failed(scales))
      return failure();
    source->columnScales.push_back(std::move(*scales));
    return source;
  }
  return notARecipe(value);
}

FailureOr<std::vector<double>> Reader::parameter(llm::ParameterOp op) {
  int64_t count = op.getResult().getType().getDimSize(0);
  auto found = tensor(op, op.getTensor(), {count});
  if (failed(found))
    return failure();
  const gguf::Tensor &source = **found;
  if (source.type != gguf::TensorType::F32 && source.type != gguf::TensorType::F16 &&
      source.type != gguf::TensorType::BF16)
    return op.emitError() << "tensor '" << op.getTensor() << "' is "
                          << gguf::tensorTypeName(source.type) << " in " << file.path()
                          << "; a vector must be f32, f16 or bf16";
  std::vector<float> values(count);
  gguf::dequantizeRow(source.type, source.data, count, values.data());
  return std::vector<double>(values.begin(), values.end());
}

/// In double up to the end: frequencies of RoPE are multiplied by large positions.
FailureOr<std::vector<double>> Reader::vector(Value value) {
  Operation *op = value.getDefiningOp();
  if (auto read = dyn_cast_or_null<llm::ParameterOp>(op))
    return parameter(read);
  if (auto permute = dyn_cast_or_null<llm::PermuteRowsOp>(op)) {
    FailureOr<std::vector<double>> source = vector(permute.getSource());
    if (failed(source))
      return failure();
    MatrixRecipe::Permutation permutation{permute.getHeadDim(), permute.getRotaryDim()};
    std::vector<double> result(source->size());
    for (size_t i = 0; i < result.size(); ++i)
      result[i] = (*source)[permutation.source(i)];
    return result;
  }
  if (auto divide = dyn_cast_or_null<llm::DivOp>(op)) {
    FailureOr<std::vector<double>> result = vector(divide.getLhs()),
                                   divisor = vector(divide.getRhs());
    if (failed(result) || failed(divisor))
      return failure();
    for (auto [quotient, by] : llvm::zip_equal(*result, *divisor))
      quotient /= by;
    return result;
  }
  if (auto frequencies = dyn_cast_or_null<llm::RopeFrequenciesOp>(op)) {
    std::vector<double> result(frequencies.getCount());
    for (size_t i = 0; i < result.size(); ++i)
      result[i] = frequencies.getScale().convertToDouble() *
                  std::pow(frequencies.getBase().convertToDouble(),
                           -static_cast<double>(i) / result.size());
    return result;
  }
  return notARecipe(value);
}

} // namespace

FailureOr<Recipe> Recipe::read(exec::BufferOp buffer, const gguf::GGUFFile &file) {
  Value value = buffer.getConstantValue();
  Reader reader(file);
  FailureOr<Recipe> recipe = failure();
  if (auto pack = value.getDefiningOp<llm::PackOp>()) {
    FailureOr<MatrixRecipe> matrix = reader.matrix(pack.getSource());
    if (succeeded(matrix)) {
      recipe = Recipe(std::move(*matrix));
      const PackedLayout &layout = std::get<MatrixRecipe>(recipe->what).layout;
      recipe->step = std::max<int64_t>(1, kStripBytes / layout.tileBytes());
    }
  } else if (auto table = value.getDefiningOp<llm::RopeTableOp>()) {
    FailureOr<std::vector<double>> frequencies = reader.vector(table.getFrequencies());
    if (succeeded(frequencies)) {
      int64_t rowBytes = 8 * static_cast<int64_t>(frequencies->size());
      recipe = Recipe(RopeTableRecipe{std::move(*frequencies), table.getPositions()});
      recipe->step = std::max<int64_t>(1, kStripBytes / rowBytes);
    }
  } else if (isa<RankedTensorType>(value.getType())) {
    FailureOr<std::vector<double>> values = reader.vector(value);
    if (succeeded(values)) {
      VectorRecipe vector{{values->begin(), values->end()}};
      vector.values.resize(llvm::alignTo(vector.values.size(), exec::kVectorPadding));
      recipe = Recipe(std::move(vector));
    }
  } else {
    return notARecipe(value);
  }
  // The buffer's verifier has compared its bytes with the type of this value.
  if (succeeded(recipe))
    recipe->totalBytes = buffer.getBytes();
  return recipe;
}

//===----------------------------------------------------------------------===//
// Strips
//===----------------------------------------------------------------------===//

/// Row tiles or table rows.
static int64_t unitsOf(const MatrixRecipe &matrix) { return matrix.layout.tiles(); }
static int64_t unitsOf(const RopeTableRecipe &table) { return table.positions; }
static int64_t unitsOf(const VectorRecipe &) { return 1; }
static int64_t unitBytes(const MatrixRecipe &matrix) { return matrix.layout.tileBytes(); }
static int64_t unitBytes(const RopeTableRecipe &table) {
  return 8 * static_cast<int64_t>(table.frequencies.size());
}
static int64_t unitBytes(const VectorRecipe &vector) {
  return 4 * static_cast<int64_t>(vector.values.size());
}

int64_t Recipe::strips() const {
  return std::visit([&](const auto &recipe) { return llvm::divideCeil(unitsOf(recipe), step); },
                    what);
}

int64_t Recipe::stripBytes(int64_t strip) const {
  int64_t full = std::visit([&](const auto &recipe) { return step * unitBytes(recipe); }, what);
  // The last one ends with the padding of the whole.
  return strip + 1 == strips() ? totalBytes - strip * full : full;
}

void Recipe::evaluate(int64_t strip, uint8_t *out) const {
  if (auto *vector = std::get_if<VectorRecipe>(&what)) {
    std::memcpy(out, vector->values.data(), totalBytes);
  } else if (auto *matrix = std::get_if<MatrixRecipe>(&what)) {
    matrix->evaluateTiles(strip * step, std::min(step, unitsOf(*matrix) - strip * step), out);
  } else {
    const auto &table = std::get<RopeTableRecipe>(what);
    int64_t rows = std::min(step, table.positions - strip * step);
    table.evaluateRows(strip * step, rows, reinterpret_cast<float *>(out));
    int64_t used = rows * unitBytes(table);
    std::memset(out + used, 0, stripBytes(strip) - used);
  }
}

const gguf::Tensor *Recipe::tensor() const {
  auto *matrix = std::get_if<MatrixRecipe>(&what);
  return matrix ? matrix->tensor : nullptr;
}

const Format *Recipe::format() const {
  auto *matrix = std::get_if<MatrixRecipe>(&what);
  return matrix ? &matrix->layout.format() : nullptr;
}
