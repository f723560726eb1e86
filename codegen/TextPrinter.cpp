//===- TextPrinter.cpp - What GLSL and C have in common ----------------------===//
#include "codegen/TextPrinter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Iterators.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace sinter;
using namespace sinter::tile;

TextPrinter::TextPrinter(KernelOp kernel, StringRef language) : kernel(kernel), language(language) {
  // Users stand after what they use, so they are met first.
  kernel.walk<WalkOrder::PreOrder, ReverseIterator>([&](Operation *op) {
    bool dropped = isa<PrefetchOp>(op);
    bool dead =
        op->getNumRegions() == 0 && isMemoryEffectFree(op) && !op->use_empty() &&
        llvm::all_of(op->getUsers(), [&](Operation *user) { return unread.contains(user); });
    if (dropped || dead)
      unread.insert(op);
  });
}

LogicalResult TextPrinter::unsupported(Operation *op, const Twine &why) {
  InFlightDiagnostic diagnostic = op->emitError();
  diagnostic << "'" << op->getName() << "' has no " << language << " form yet";
  if (!why.isTriviallyEmpty())
    diagnostic << ": " << why;
  return diagnostic;
}

SmallVector<std::string> TextPrinter::namesOf(ValueRange values) {
  SmallVector<std::string> list;
  for (Value value : values)
    list.push_back(nameOf(value));
  return list;
}

std::string TextPrinter::binary(StringRef a, StringRef op, StringRef b) {
  return ("(" + a + " " + op + " " + b + ")").str();
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

FailureOr<unsigned> TextPrinter::bindingOf(Operation *user, Value memory) {
  auto argument = dyn_cast<BlockArgument>(memory);
  if (argument && argument.getOwner() == &kernel.getBlock() &&
      argument.getArgNumber() <= kernel.getNumBindings())
    return argument.getArgNumber();
  return user->emitError() << "reads or writes through a view: run --unroll-tokens first";
}

/// The memory operand of an op that reads one.
static Value readMemory(Operation *op) {
  if (auto load = dyn_cast<LoadOp>(op))
    return load.getSource();
  if (auto load = dyn_cast<LoadUniformOp>(op))
    return load.getSource();
  if (auto load = dyn_cast<GatherOp>(op))
    return load.getSource();
  return {};
}

static Value writtenMemory(Operation *op) {
  if (auto store = dyn_cast<StoreOp>(op))
    return store.getTarget();
  if (auto store = dyn_cast<StoreUniformOp>(op))
    return store.getTarget();
  if (auto store = dyn_cast<ScatterOp>(op))
    return store.getTarget();
  return {};
}

SmallVector<BindingAccess> TextPrinter::accesses() {
  SmallVector<BindingAccess> list(kernel.getNumBindings() + 1);
  auto entry = [&](Value memory) -> BindingAccess * {
    auto argument = dyn_cast_or_null<BlockArgument>(memory);
    return argument && argument.getOwner() == &kernel.getBlock() &&
                   argument.getArgNumber() < list.size()
               ? &list[argument.getArgNumber()]
               : nullptr;
  };
  kernel.walk([&](Operation *op) {
    if (BindingAccess *access = entry(readMemory(op)))
      access->read = true;
    if (BindingAccess *access = entry(writtenMemory(op)))
      access->written = true;
  });
  return list;
}

bool TextPrinter::isUniformVector(Value value) {
  return isa<VectorType>(value.getType()) && isa_and_nonnull<LoadUniformOp>(value.getDefiningOp());
}

//===----------------------------------------------------------------------===//
// Blocks and control flow
//===----------------------------------------------------------------------===//

LogicalResult TextPrinter::printBlock(Block &block) {
  for (Operation &op : block) {
    if (unread.contains(&op))
      continue;
    LogicalResult printed = success();
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      printed = printFor(loop);
    } else if (auto branch = dyn_cast<scf::IfOp>(op)) {
      printed = printIf(branch);
    } else if (auto tiles = dyn_cast<ForTilesOp>(op)) {
      // One tile a call.
      setName(tiles.getTile(), nameOf(kernel.getTileArg()));
      if (tiles.hasPlace())
        setName(tiles.getPlace(), "0");
      printed = printBlock(tiles.getBody().front());
    } else if (auto once = dyn_cast<OnceOp>(op)) {
      printed = printBlock(once.getBody().front());
    } else if (isa<scf::YieldOp>(op)) {
      // Its parent assigns what it yields.
    } else if (auto constantOp = dyn_cast<arith::ConstantOp>(op)) {
      if (variableType(constantOp.getType()).empty())
        return unsupported(&op, "its type");
      std::string text = constant(constantOp.getValue());
      if (text.empty())
        return unsupported(&op, "only one number for all lanes");
      setName(constantOp, std::move(text));
    } else if (op.hasTrait<OpTrait::Elementwise>() && op.getNumResults() == 1) {
      bool lanes = llvm::any_of(op.getOperandTypes(), llvm::IsaPred<VectorType>);
      if (lanes) {
        printed = printLanes(&op);
      } else {
        std::optional<std::string> text = scalarExpression(&op, namesOf(op.getOperands()));
        printed = text ? defineOrAlias(&op, *text) : unsupported(&op);
      }
    } else {
      printed = printOp(&op);
    }
    if (failed(printed))
      return failure();
  }
  return success();
}

StringRef TextPrinter::withoutOuterParentheses(StringRef text) {
  if (!text.starts_with("(") || !text.ends_with(")"))
    return text;
  unsigned open = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    open += text[i] == '(';
    open -= text[i] == ')';
    if (open == 0 && i + 1 < text.size())
      return text;
  }
  return text.drop_front().drop_back();
}

LogicalResult TextPrinter::define(Operation *op, StringRef expression) {
  return declare(op, op->getResult(0), withoutOuterParentheses(expression));
}

LogicalResult TextPrinter::defineOrAlias(Operation *op, StringRef expression) {
  // A loop's variables change only at the end of its body, after every use of another name for
  // them.
  if (llvm::is_contained(namesOf(op->getOperands()), expression)) {
    setName(op->getResult(0), expression.str());
    return success();
  }
  return define(op, expression);
}

LogicalResult TextPrinter::declare(Operation *op, Value value, StringRef init) {
  std::string type = variableType(value.getType());
  if (type.empty())
    return unsupported(op, "its type");
  std::string name = fresh();
  line() << type << ' ' << name;
  if (!init.empty())
    out << " = " << init;
  out << ";\n";
  setName(value, std::move(name));
  return success();
}

/// Assigns all at once: a value may be, or be made from, another target's old one.
void TextPrinter::assign(ValueRange targets, ValueRange sources) {
  SmallVector<std::string> values = namesOf(sources);
  auto reads = [](StringRef expression, StringRef variable) {
    return expression == variable || (expression.contains('(') && expression.contains(variable));
  };
  for (size_t i = 0; i < values.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (reads(values[i], nameOf(targets[j])) && values[i] != nameOf(targets[i])) {
        std::string copy = fresh();
        line() << variableType(sources[i].getType()) << ' ' << copy << " = " << values[i] << ";\n";
        values[i] = copy;
        break;
      }
  for (auto [target, value] : llvm::zip_equal(targets, values))
    if (nameOf(target) != value)
      line() << nameOf(target) << " = " << value << ";\n";
}

LogicalResult TextPrinter::printFor(scf::ForOp loop) {
  for (auto [init, arg, result] :
       llvm::zip_equal(loop.getInitArgs(), loop.getRegionIterArgs(), loop.getResults())) {
    if (isUniformVector(init))
      return unsupported(loop, "it carries words that are the same in all lanes");
    if (failed(declare(loop, arg, nameOf(init))))
      return failure();
    setName(result, nameOf(arg));
  }
  std::string index = variableType(loop.getInductionVar().getType());
  if (index.empty())
    return unsupported(loop, "the type of its induction variable");
  std::string iv = fresh();
  setName(loop.getInductionVar(), iv);
  line() << "for (" << index << ' ' << iv << " = " << nameOf(loop.getLowerBound()) << "; " << iv
         << " < " << nameOf(loop.getUpperBound()) << "; " << iv << " += " << nameOf(loop.getStep())
         << ") {\n";
  ++depth;
  if (failed(printBlock(*loop.getBody())))
    return failure();
  assign(loop.getRegionIterArgs(), loop.getBody()->getTerminator()->getOperands());
  --depth;
  line() << "}\n";
  return success();
}

LogicalResult TextPrinter::printIf(scf::IfOp branch) {
  for (Value result : branch.getResults())
    if (failed(declare(branch, result, "")))
      return failure();
  line() << "if (" << nameOf(branch.getCondition()) << ") {\n";
  bool first = true;
  for (Region &region : branch->getRegions()) {
    if (region.empty())
      continue;
    if (!first)
      line() << "} else {\n";
    first = false;
    ++depth;
    if (failed(printBlock(region.front())))
      return failure();
    assign(branch.getResults(), region.front().getTerminator()->getOperands());
    --depth;
  }
  line() << "}\n";
  return success();
}
