//===- Evaluator.cpp - Walks a function and keeps values and caches -------===//
#include "compiler/reference/Evaluator.h"
#include "compiler/reference/Meaning.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/FormatVariadic.h"
#include <numeric>

using namespace sinter;
using namespace sinter::reference;
using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using mlir::Operation;

Error reference::errorAt(Operation *op, const llvm::Twine &what) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << op->getLoc() << ": " << op->getName() << ": " << what;
  return llvm::createStringError(llvm::inconvertibleErrorCode(), "%s", text.c_str());
}

namespace {

/// What a value of the IR holds: numbers, or a weight, or nothing (an append token).
struct Slot {
  std::shared_ptr<const Array> array;
  std::shared_ptr<const Matrix> matrix;

  Slot() = default;
  Slot(Array value) : array(std::make_shared<const Array>(std::move(value))) {}
  Slot(Matrix value) : matrix(std::make_shared<const Matrix>(std::move(value))) {}
};

template <typename T> Expected<Slot> slot(Expected<T> value) {
  if (!value)
    return value.takeError();
  return Slot(std::move(*value));
}

using Values = llvm::DenseMap<mlir::Value, Slot>;

} // namespace

struct Evaluator::State {
  mlir::ModuleOp module;
  const gguf::GGUFFile &file;
  EvaluatorOptions options;

  State(mlir::ModuleOp module, const gguf::GGUFFile &file, const EvaluatorOptions &options)
      : module(module), file(file), options(options) {}

  llvm::StringMap<Cache> caches;
  /// Results of weight recipes, which are the same in every step.
  Values recipes;

  // Of the call being evaluated:
  Values values;
  int64_t position = 0;

  mlir::func::FuncOp find(llvm::StringRef name) {
    mlir::func::FuncOp found;
    module->walk([&](mlir::func::FuncOp function) {
      if (function.getSymName() != name)
        return mlir::WalkResult::advance();
      found = function;
      return mlir::WalkResult::interrupt();
    });
    return found;
  }

  const Slot &at(mlir::Value value) {
    auto recipe = recipes.find(value);
    return recipe != recipes.end() ? recipe->second : values.find(value)->second;
  }
  const Array &array(mlir::Value value) { return *at(value).array; }
  const Matrix &matrix(mlir::Value value) { return *at(value).matrix; }

  /// A result that may be `!llm.acts`.
  Array maybeQuantized(mlir::Value result, Array value) {
    bool rounds = llvm::isa<llm::ActsType>(result.getType()) && !options.exactActivations;
    return rounds ? quantized(value) : std::move(value);
  }

  static bool isRecipe(Operation *op) {
    return llvm::isa<llm::WeightOp, llm::ParameterOp, llm::PermuteRowsOp, llm::ScaleColumnsOp,
                     llm::DivOp, llm::RopeFrequenciesOp, llm::RopeTableOp, llm::PackOp>(op);
  }

  Expected<Slot> evaluateRecipe(Operation *op);
  Expected<Slot> evaluateLinear(llm::LinearOp op);
  Error appendRows(Operation *op, mlir::FlatSymbolRefAttr name, llm::KvPart part, const Array &x);
  Expected<Slot> evaluateAttention(llm::AttentionOp op);
  Expected<Slot> evaluateRows(Operation *op);
  Error evaluate(Operation *op);
  Expected<std::vector<Array>> run(mlir::func::FuncOp function, ArrayRef<Array> arguments);
};

Expected<Slot> Evaluator::State::evaluateRecipe(Operation *op) {
  using namespace llm;
  return llvm::TypeSwitch<Operation *, Expected<Slot>>(op)
      .Case([&](WeightOp w) { return slot(weight(w, file)); })
      .Case([&](ParameterOp p) { return slot(parameter(p, file)); })
      .Case([&](PermuteRowsOp p) {
        return at(p.getSource()).matrix ? Slot(permuteRows(p, matrix(p.getSource())))
                                        : Slot(permuteElements(p, array(p.getSource())));
      })
      .Case([&](ScaleColumnsOp s) {
        return Slot(scaleColumns(s, matrix(s.getSource()), array(s.getScales())));
      })
      .Case([&](DivOp d) { return Slot(divide(array(d.getLhs()), array(d.getRhs()))); })
      .Case([&](RopeFrequenciesOp f) { return Slot(ropeFrequencies(f)); })
      .Case([&](RopeTableOp t) { return Slot(ropeTable(t, array(t.getFrequencies()))); })
      // Packing changes no value.
      .Case([&](PackOp p) { return at(p.getSource()); })
      .Default(
          [](Operation *unknown) -> Expected<Slot> { return errorAt(unknown, "is no recipe"); });
}

Expected<Slot> Evaluator::State::evaluateLinear(llm::LinearOp op) {
  std::vector<Array> products;
  for (mlir::Value w : op.getWeights())
    products.push_back(product(array(op.getX()), matrix(w)));
  Expected<Array> result = std::move(products.front());
  if (op.hasEpilogue()) {
    std::vector<const Array *> residuals, biases;
    for (mlir::Value residual : op.getResiduals())
      residuals.push_back(&array(residual));
    for (mlir::Value bias : op.getBiases())
      biases.push_back(&array(bias));
    products.front() = std::move(*result);
    result = epilogue(op, products, residuals, biases,
                      op.getRope() ? &array(op.getRope()) : nullptr, position);
  }
  if (!result)
    return result.takeError();
  if (!op.getAppendAttr())
    return Slot(maybeQuantized(op.getResult(), std::move(*result)));
  if (Error error = appendRows(op, op.getAppendAttr(), *op.getPart(), *result))
    return error;
  return Slot();
}

Error Evaluator::State::appendRows(Operation *op, mlir::FlatSymbolRefAttr name, llm::KvPart part,
                                   const Array &x) {
  Array &rows = part == llm::KvPart::keys ? caches[name.getValue()].keys : caches[name.getValue()].values;
  auto cache = mlir::SymbolTable::lookupNearestSymbolFrom<llm::KvCacheOp>(op, name);
  if (!cache.getElementType().isInteger(8) || options.exactActivations)
    return append(op, rows, x, position);
  int64_t group = std::gcd(static_cast<int64_t>(cache.getHeadDim()), int64_t(32));
  return append(op, rows, quantized(x, group), position);
}

Expected<Slot> Evaluator::State::evaluateAttention(llm::AttentionOp op) {
  const Array &q = array(op.getQ());
  Cache &cache = caches[op.getCache()];
  if (op.appends()) {
    if (Error error = appendRows(op, op.getCacheAttr(), llm::KvPart::keys, array(op.getK())))
      return error;
    if (Error error = appendRows(op, op.getCacheAttr(), llm::KvPart::values, array(op.getV())))
      return error;
  }
  if (cache.keys.rows != position + q.rows || cache.values.rows != position + q.rows)
    return errorAt(
        op, llvm::formatv("needs {0} tokens in its cache, which holds {1} keys and {2} values",
                          position + q.rows, cache.keys.rows, cache.values.rows));
  return Slot(maybeQuantized(op.getResult(), attention(op, q, cache, position)));
}

Expected<Slot> Evaluator::State::evaluateRows(Operation *op) {
  using namespace llm;
  return llvm::TypeSwitch<Operation *, Expected<Slot>>(op)
      .Case([&](EmbedOp e) { return slot(embed(e, array(e.getTokens()), matrix(e.getWeight()))); })
      .Case([&](RmsNormOp n) {
        return Slot(rmsNorm(array(n.getX()), array(n.getGain()), n.getEps().convertToDouble()));
      })
      .Case([&](AddOp a) { return Slot(add(array(a.getLhs()), array(a.getRhs()))); })
      .Case([&](AddBiasOp a) { return Slot(addBias(array(a.getX()), array(a.getBias()))); })
      .Case(
          [&](ScaleOp s) { return Slot(scale(array(s.getX()), s.getFactor().convertToDouble())); })
      .Case([&](GluOp g) {
        return Slot(glu(array(g.getGate()), array(g.getUp()), g.getActivation()));
      })
      .Case([&](LastTokenOp l) { return Slot(lastToken(array(l.getX()))); })
      .Case([&](QuantizeActsOp q) { return Slot(maybeQuantized(q.getResult(), array(q.getX()))); })
      .Case([&](NormQuantizeOp n) {
        Array norm = rmsNorm(array(n.getX()), array(n.getGain()), n.getEps().convertToDouble());
        return Slot(maybeQuantized(n.getResult(), std::move(norm)));
      })
      .Case(
          [&](RopeOp r) { return slot(rope(r, array(r.getX()), array(r.getAngles()), position)); })
      .Case([&](AppendOp a) -> Expected<Slot> {
        if (Error error = appendRows(a, a.getCacheAttr(), a.getPart(), array(a.getX())))
          return error;
        return Slot();
      })
      .Case([&](LogLikelihoodOp l) {
        return slot(logLikelihood(l, array(l.getLogits()), array(l.getTargets())));
      })
      .Case([&](LinearScoreOp l) {
        return slot(logLikelihood(l, product(array(l.getX()), matrix(l.getWeight())),
                                  array(l.getTargets())));
      })
      .Case([&](LinearOp l) { return evaluateLinear(l); })
      .Case([&](AttentionOp a) { return evaluateAttention(a); })
      .Default([](Operation *unknown) -> Expected<Slot> {
        return errorAt(unknown, "is not known to the evaluator");
      });
}

Error Evaluator::State::evaluate(Operation *op) {
  bool recipe = isRecipe(op);
  if (recipe && recipes.contains(op->getResult(0)))
    return Error::success();
  Expected<Slot> result = recipe ? evaluateRecipe(op) : evaluateRows(op);
  if (!result)
    return result.takeError();
  (recipe ? recipes : values)[op->getResult(0)] = std::move(*result);
  return Error::success();
}

Expected<std::vector<Array>> Evaluator::State::run(mlir::func::FuncOp function,
                                                   ArrayRef<Array> arguments) {
  if (function.getNumArguments() != arguments.size())
    return errorAt(function, llvm::formatv("takes {0} arguments, not {1}",
                                           function.getNumArguments(), arguments.size()));
  values.clear();
  for (auto [parameter, argument] : llvm::zip_equal(function.getArguments(), arguments)) {
    if (argument.rows < 1)
      return errorAt(function, "needs at least one token");
    values[parameter] = Slot(argument);
  }
  for (Operation &op : function.getBody().front()) {
    if (auto end = llvm::dyn_cast<mlir::func::ReturnOp>(op)) {
      std::vector<Array> results;
      for (mlir::Value operand : end.getOperands())
        results.push_back(array(operand));
      return results;
    }
    if (Error error = evaluate(&op))
      return error;
  }
  return errorAt(function, "does not return");
}

Evaluator::Evaluator(mlir::ModuleOp module, const gguf::GGUFFile &file,
                     const EvaluatorOptions &options)
    : state(std::make_unique<State>(module, file, options)) {}

Evaluator::~Evaluator() = default;

void Evaluator::reset() { state->caches.clear(); }

Expected<std::vector<Array>> Evaluator::call(llvm::StringRef function, ArrayRef<Array> arguments,
                                             int64_t position) {
  mlir::func::FuncOp found = state->find(function);
  if (!found || found.isExternal())
    return errorAt(state->module, "has no function @" + function);
  state->position = position;
  return state->run(found, arguments);
}

//===----------------------------------------------------------------------===//
// Texts
//===----------------------------------------------------------------------===//

/// Runs @body over the text and hands each chunk's hidden rows on.
static Error forEachChunk(Evaluator &evaluator, ArrayRef<int32_t> tokens, int64_t chunk,
                          llvm::function_ref<Error(int64_t first, const Array &hidden)> use) {
  evaluator.reset();
  for (size_t first = 0; first < tokens.size(); first += chunk) {
    ArrayRef<int32_t> part = tokens.slice(first, std::min<size_t>(chunk, tokens.size() - first));
    Expected<std::vector<Array>> hidden = evaluator.call("body", Array::column(part.vec()), first);
    if (!hidden)
      return hidden.takeError();
    if (Error error = use(first, hidden->front()))
      return error;
  }
  return Error::success();
}

Expected<std::vector<double>> reference::referenceLogits(Evaluator &evaluator,
                                                         ArrayRef<int32_t> tokens, int64_t chunk) {
  Array last;
  if (Error error =
          forEachChunk(evaluator, tokens, chunk, [&](int64_t, const Array &hidden) -> Error {
            last = hidden;
            return Error::success();
          }))
    return error;
  Expected<std::vector<Array>> logits = evaluator.call("head", last, tokens.size() - last.rows);
  if (!logits)
    return logits.takeError();
  return std::move(logits->front().data);
}

Expected<std::vector<double>> reference::referenceScores(Evaluator &evaluator,
                                                         ArrayRef<int32_t> tokens, int64_t chunk) {
  std::vector<double> scores;
  if (tokens.size() < 2)
    return scores;
  if (Error error = forEachChunk(
          evaluator, tokens.drop_back(), chunk, [&](int64_t first, const Array &hidden) -> Error {
            std::vector<int32_t> targets = tokens.slice(first + 1, hidden.rows).vec();
            auto result = evaluator.call("score", {hidden, Array::column(targets)}, first);
            if (!result)
              return result.takeError();
            llvm::append_range(scores, result->front().data);
            return Error::success();
          }))
    return error;
  return scores;
}
