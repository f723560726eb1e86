//===- ScheduleLoops.cpp - Loops for cores that run instructions in order -----------===//
//
//   loop:                                     loop:
//     %l = LDRQui %p, 0                         %l = LDRQui %p, 0
//     %q = ANDv16i8 %l, %mask        ==>        %s = LDRQui %p, 4
//     %i = SDOT %start, %q, %x                  %m = LDRQui %p, 1
//     %m = LDRQui %p, 1                         %q = ANDv16i8 %l, %mask
//     %r = ANDv16i8 %m, %mask                   %i = SDOT %start, %q, %x
//     %j = SDOT %i, %r, %y                      %r = ANDv16i8 %m, %mask
//     %s = LDRQui %p, 4                         ..
//     ..
//
// A core that runs instructions in order stands still while the next one waits for an operand. So the block is gone through
// cycle by cycle by LLVM's model of the core: of the next `window` instructions that have all they read, the one that can begin
// first does. An instruction may overtake others only if values still fit into the registers when all that it has overtaken
// follows: the order that the tile program gives is known to fit, and is kept where nothing is better.
//
// LLVM's own scheduler weighs latency against registers without such a bound; of blocks whose sums leave 4 registers it makes
// spills.
//
//===----------------------------------------------------------------------===//
#include "codegen/cpu/ScheduleLoops.h"
#include "codegen/cpu/Registers.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/CodeGen/MachineRegisterInfo.h"
#include "llvm/CodeGen/TargetInstrInfo.h"
#include "llvm/CodeGen/TargetRegisterInfo.h"
#include "llvm/CodeGen/TargetSchedule.h"
#include "llvm/CodeGen/TargetSubtargetInfo.h"
#include "llvm/IR/InlineAsm.h"
#include <random>

using namespace llvm;

namespace {

/// A loop that is shorter has nothing to hide latency with.
constexpr unsigned kFewInstructions = 12;
/// Of a copy of a vector register.
constexpr unsigned kMoveLatency = 3;
/// How many instructions may stand between the halves of a pair of loads.
constexpr unsigned kPairDistance = 8;

/// Ways to choose, all of which are tried: none is the best for all loops.
struct Policy {
  /// How many instructions behind the first that is left may overtake it.
  unsigned window = 0;
  /// Registers left to the allocator.
  int spare = 0;
  /// Arithmetic of addresses is done before anything else: behind a dot it would wait until the dot's result is written.
  bool addressesFirst = false;
  /// Of those that can begin in the same cycle first the one that most cycles depend on, give or take a little; 0: the one
  /// that stands first.
  unsigned byHeight = 0;
};
constexpr unsigned kWindows[] = {8, 12, 16, 24, 32, 48, 64};
constexpr unsigned kByHeight[] = {0, 1, 2, 3, 4};

struct Node {
  MachineInstr *instr;
  /// The load that becomes one instruction with it, or null.
  MachineInstr *partner = nullptr;
  /// What it waits for: earlier nodes, and the cycles from their beginning to its own.
  SmallVector<std::pair<unsigned, unsigned>, 6> inputs;
  ArrayRef<MCWriteProcResEntry> resources;
  unsigned latency = 1, microOps = 1, height = 0;
  SmallVector<unsigned, 4> reads, makes;
};

/// A virtual register.
struct Value {
  /// Pressure sets, and what it weighs in each.
  SmallVector<std::pair<unsigned, unsigned>, 2> weights;
  unsigned readers = 0;
  /// Read behind the block, or in the next iteration.
  bool isKept = false;
  bool isLiveIn = false;
};

/// Values in registers while instructions follow one another.
class Pressure {
public:
  Pressure(ArrayRef<Value> values, size_t sets) : values(values), left(values.size()), now(sets) {
    for (auto [i, value] : enumerate(values)) {
      left[i] = value.readers;
      if (value.isLiveIn)
        add(value, 1);
    }
  }
  void take(const Node &node) {
    for (unsigned v : node.reads)
      if (--left[v] == 0 && !values[v].isKept)
        add(values[v], -1);
    for (unsigned v : node.makes)
      add(values[v], 1);
    for (unsigned v : node.makes)
      if (!values[v].readers && !values[v].isKept)
        add(values[v], -1);
  }
  ArrayRef<int> inSets() const { return now; }

private:
  void add(const Value &value, int times) {
    for (auto [set, weight] : value.weights)
      now[set] += times * static_cast<int>(weight);
  }
  ArrayRef<Value> values;
  SmallVector<unsigned, 0> left;
  SmallVector<int, 16> now;
};

/// The core: what has begun, and what it keeps busy.
class Core {
public:
  Core(const TargetSchedModel &model, size_t nodes) : model(model), begun(nodes) {
    for (unsigned i = 0; i < model.getNumProcResourceKinds(); ++i)
      freeAt.emplace_back(std::max(1u, model.getProcResource(i)->NumUnits), 0u);
  }

  /// When it could begin.
  unsigned slot(const Node &node) const {
    // As llvm-mca has it, nothing is written before what stands in front of it.
    unsigned at = std::max(cycle, node.microOps && lastWrite > node.latency ? lastWrite - node.latency : 0);
    for (auto [input, cycles] : node.inputs)
      at = std::max(at, begun[input] + cycles);
    for (const MCWriteProcResEntry &use : node.resources) {
      ArrayRef<unsigned> units = freeAt[use.ProcResourceIdx];
      at = std::max(at, node.partner ? *max_element(units) : *min_element(units));
    }
    return at == cycle && issued && issued + node.microOps > model.getIssueWidth() ? at + 1 : at;
  }

  void begin(unsigned number, const Node &node) {
    unsigned at = slot(node);
    issued = at == cycle ? issued + node.microOps : node.microOps;
    cycle = begun[number] = at;
    if (node.microOps)
      lastWrite = std::max(lastWrite, at + node.latency);
    for (const MCWriteProcResEntry &use : node.resources)
      for (unsigned i = 0; i <= (node.partner != nullptr); ++i)
        *min_element(freeAt[use.ProcResourceIdx]) = at + use.ReleaseAtCycle;
  }

  unsigned cycles() const { return std::max(cycle, lastWrite); }

private:
  const TargetSchedModel &model;
  unsigned cycle = 0, issued = 0, lastWrite = 0;
  SmallVector<unsigned, 0> begun;
  SmallVector<SmallVector<unsigned, 2>, 0> freeAt;
};

/// The first keeps the order.
SmallVector<Policy> policies() {
  SmallVector<Policy> all = {{}};
  for (int spare : {1, 0})
    for (bool addressesFirst : {false, true})
      for (unsigned window : kWindows)
        for (unsigned byHeight : kByHeight)
          all.push_back({window, spare, addressesFirst, byHeight});
  return all;
}

class LoopSchedule {
public:
  LoopSchedule(MachineBasicBlock &block, const TargetSchedModel &model)
      : block(block), function(*block.getParent()), registers(function.getRegInfo()),
        tri(*function.getSubtarget().getRegisterInfo()), tii(*function.getSubtarget().getInstrInfo()), model(model) {}

  /// Whether it has changed anything.
  bool run() {
    if (any_of(block, [](MachineInstr &i) { return i.isCall() || i.isDebugInstr() || i.isPosition(); }))
      return false;
    collect();
    if (nodes.size() < kFewInstructions)
      return false;
    for (unsigned set = 0; set < tri.getNumRegPressureSets(); ++set)
      limits.push_back(static_cast<int>(tri.getRegPressureSetLimit(function, set)));
    SmallVector<unsigned, 0> best;
    unsigned least = ~0u;
    for (const Policy &policy : policies()) {
      auto [order, cycles] = schedule(policy);
      if (cycles < least) {
        best = std::move(order);
        least = cycles;
      }
    }
    for (MachineInstr &instr : block)
      for (MachineOperand &operand : instr.operands())
        if (operand.isReg() && operand.isUse())
          operand.setIsKill(false);
    auto end = block.getFirstTerminator();
    for (unsigned number : best) {
      block.splice(end, &block, nodes[number].instr->getIterator());
      if (nodes[number].partner)
        block.splice(end, &block, nodes[number].partner->getIterator());
    }
    return true;
  }

private:
  void collect();
  void order(MachineInstr &instr, unsigned number);
  MachineInstr *partnerOf(MachineInstr &instr, SmallPtrSetImpl<MachineInstr *> &taken) const;
  unsigned cyclesBetween(const Node &maker, Register reg, MachineInstr &reader, size_t operand) const;
  unsigned valueOf(Register reg);
  bool mayOvertake(ArrayRef<unsigned> left, size_t place, const Pressure &pressure, int spare) const;
  unsigned rank(unsigned number, unsigned byHeight) const;
  SmallVector<unsigned, 0> start(bool addressesFirst) const;
  std::pair<SmallVector<unsigned, 0>, unsigned> schedule(const Policy &policy) const;

  MachineBasicBlock &block;
  MachineFunction &function;
  MachineRegisterInfo &registers;
  const TargetRegisterInfo &tri;
  const TargetInstrInfo &tii;
  const TargetSchedModel &model;
  SmallVector<Node, 0> nodes;
  SmallVector<Value, 0> values;
  SmallVector<int, 16> limits;
  DenseMap<Register, unsigned> numbers;
  /// Who makes a register, the last ones that wrote and read memory or a physical register.
  DenseMap<Register, unsigned> makers;
  SmallVector<unsigned> stores, loads, physical;
  /// Physical registers, like the flags.
  SmallVector<MCRegister> written;
};

/// Assembly hides a value or copies one, and touches nothing else.
static bool isBarrier(const MachineInstr &instr) {
  return instr.mayStore() || (instr.hasUnmodeledSideEffects() && !instr.isInlineAsm());
}

/// LowerDot.cpp writes copies of what sums start with as assembly. Other assembly is empty, and other copies become none.
static bool isMove(const MachineInstr &instr) {
  return instr.isInlineAsm() && *instr.getOperand(InlineAsm::MIOp_AsmString).getSymbolName();
}

unsigned LoopSchedule::valueOf(Register reg) {
  auto [item, isNew] = numbers.insert({reg, values.size()});
  if (!isNew)
    return item->second;
  Value &value = values.emplace_back();
  const TargetRegisterClass *kind = registers.getRegClass(reg);
  for (const int *set = tri.getRegClassPressureSets(kind); *set != -1; ++set)
    value.weights.push_back({static_cast<unsigned>(*set), tri.getRegClassWeight(kind).RegWeight});
  MachineInstr *maker = registers.getVRegDef(reg);
  value.isLiveIn = maker->getParent() != &block || maker->isPHI();
  // A constant of the loop stays for its next iteration; what a PHI gives is read here only.
  value.isKept = maker->getParent() != &block;
  for (const MachineInstr &reader : registers.use_nodbg_instructions(reg))
    value.isKept |= reader.getParent() != &block || reader.isPHI();
  return item->second;
}

/// Of a node the dependences that are no virtual registers.
void LoopSchedule::order(MachineInstr &instr, unsigned number) {
  auto behind = [&](ArrayRef<unsigned> earlier) {
    for (unsigned i : earlier)
      nodes[number].inputs.push_back({i, 0});
  };
  // Registers that nobody writes here, like that which says how to round, are as they were for the whole loop.
  if (any_of(written, [&](MCRegister reg) { return instr.readsRegister(reg, &tri) || instr.modifiesRegister(reg, &tri); })) {
    behind(physical);
    physical.assign(1, number);
  }
  if (isBarrier(instr)) {
    behind(stores);
    behind(loads);
    stores.assign(1, number);
    loads.clear();
  } else if (instr.mayLoad()) {
    behind(stores);
    loads.push_back(number);
  }
}

/// A load from beside it, close enough behind it for AArch64's load of a pair.
MachineInstr *LoopSchedule::partnerOf(MachineInstr &instr, SmallPtrSetImpl<MachineInstr *> &taken) const {
  struct Place {
    const MachineOperand *base = nullptr;
    int64_t offset = 0;
    LocationSize width = LocationSize::precise(0);
  };
  auto placeOf = [&](const MachineInstr &load) {
    Place place;
    SmallVector<const MachineOperand *, 4> bases;
    bool scalable = false;
    if (load.mayLoad() && !load.mayStore() && load.getNumExplicitDefs() == 1 &&
        tii.getMemOperandsWithOffsetWidth(load, bases, place.offset, scalable, place.width, &tri) && bases.size() == 1 &&
        !scalable && bases[0]->isReg())
      place.base = bases[0];
    return place;
  };
  Place here = placeOf(instr);
  if (!here.base || here.width != LocationSize::precise(16) || std::abs(here.offset) > sinter::cpu::kPairReach)
    return nullptr;
  auto next = std::next(instr.getIterator());
  for (unsigned i = 0; i < kPairDistance && next != block.getFirstTerminator(); ++i, ++next) {
    if (isBarrier(*next))
      return nullptr;
    Place there = placeOf(*next);
    if (there.base && there.base->isIdenticalTo(*here.base) && there.width == here.width &&
        next->getOpcode() == instr.getOpcode() && std::abs(there.offset - here.offset) == 16 &&
        std::abs(there.offset) <= sinter::cpu::kPairReach && taken.insert(&*next).second)
      return &*next;
  }
  return nullptr;
}

unsigned LoopSchedule::cyclesBetween(const Node &maker, Register reg, MachineInstr &reader, size_t operand) const {
  if (maker.instr->isCopy() || maker.instr->isInlineAsm() || maker.partner)
    return maker.latency;
  int def = maker.instr->findRegisterDefOperandIdx(reg, &tri);
  return model.computeOperandLatency(maker.instr, static_cast<unsigned>(def), &reader, static_cast<unsigned>(operand));
}

void LoopSchedule::collect() {
  // What the next iteration takes over is made when its place is free: behind all that read the value of this one.
  DenseMap<Register, Register> next;
  for (MachineInstr &phi : block.phis())
    for (unsigned i = 1; i < phi.getNumOperands(); i += 2)
      if (phi.getOperand(i + 1).getMBB() == &block)
        next[phi.getOperand(i).getReg()] = phi.getOperand(0).getReg();
  for (const MachineInstr &instr : block)
    for (const MachineOperand &operand : instr.all_defs())
      if (operand.getReg().isPhysical() && !is_contained(written, operand.getReg()))
        written.push_back(operand.getReg());
  DenseMap<Register, SmallVector<unsigned>> readers;
  auto first = block.getFirstNonPHI(), end = block.getFirstTerminator();
  SmallPtrSet<MachineInstr *, 16> partners;
  for (MachineInstr &instr : make_range(first, end)) {
    if (partners.contains(&instr))
      continue;
    unsigned number = nodes.size();
    Node &node = nodes.emplace_back();
    node.instr = &instr;
    node.partner = partnerOf(instr, partners);
    const MCSchedClassDesc *kind = model.resolveSchedClass(&instr);
    node.resources = {model.getWriteProcResBegin(kind), model.getWriteProcResEnd(kind)};
    if (instr.isCopy() || instr.isInlineAsm()) {
      node.microOps = isMove(instr);
      node.latency = node.microOps * kMoveLatency;
    } else {
      node.latency = model.computeInstrLatency(&instr) + (node.partner != nullptr);
      node.microOps = model.getNumMicroOps(&instr) * (node.partner ? 2 : 1);
    }
    for (MachineInstr *of : {&instr, node.partner}) {
      if (!of)
        continue;
      for (auto [i, operand] : enumerate(of->operands())) {
        if (!operand.isReg() || !operand.getReg().isVirtual())
          continue;
        Register reg = operand.getReg();
        unsigned value = valueOf(reg);
        if (operand.isDef()) {
          node.makes.push_back(value);
          makers[reg] = number;
          if (auto phi = next.find(reg); phi != next.end())
            for (unsigned reader : readers[phi->second])
              node.inputs.push_back({reader, 0});
          continue;
        }
        if (!is_contained(node.reads, value)) {
          node.reads.push_back(value);
          ++values[value].readers;
          readers[reg].push_back(number);
        }
        if (auto maker = makers.find(reg); maker != makers.end())
          node.inputs.push_back({maker->second, cyclesBetween(nodes[maker->second], reg, *of, i)});
      }
      order(*of, number);
    }
    erase_if(node.inputs, [&](auto input) { return input.first == number; });
  }
  for (Node &node : nodes)
    node.height = node.latency;
  for (Node &node : reverse(nodes))
    for (auto [input, cycles] : node.inputs)
      nodes[input].height = std::max(nodes[input].height, node.height + cycles);
}

/// left[place] before all that is in front of it: whether values fit into registers until that has followed. Where the old
/// order has more, as many as it has.
bool LoopSchedule::mayOvertake(ArrayRef<unsigned> left, size_t place, const Pressure &pressure, int spare) const {
  SmallVector<int, 16> most = to_vector<16>(map_range(limits, [&](int limit) { return limit - spare; }));
  Pressure old = pressure;
  for (unsigned number : left.take_front(place + 1)) {
    old.take(nodes[number]);
    for (auto [most, now, limit] : zip_equal(most, old.inSets(), limits))
      most = now > limit ? std::max(most, now) : most;
  }
  Pressure next = pressure;
  next.take(nodes[left[place]]);
  for (size_t i = 0;; next.take(nodes[left[i++]])) {
    for (auto [most, now] : zip_equal(most, next.inSets()))
      if (now > most)
        return false;
    if (i == place)
      return true;
  }
}

/// Smaller comes first. Up to 3 cycles more or less are as good a guess as the height itself.
unsigned LoopSchedule::rank(unsigned number, unsigned byHeight) const {
  if (byHeight == 0)
    return 0;
  unsigned more = byHeight > 1 ? std::minstd_rand(4 * number + byHeight)() / 16 % 4 : 0;
  return ~(nodes[number].height + more);
}

/// Numbers of nodes in an order that they can begin in.
SmallVector<unsigned, 0> LoopSchedule::start(bool addressesFirst) const {
  auto all = to_vector<0>(seq<unsigned>(0, nodes.size()));
  if (!addressesFirst)
    return all;
  BitVector first(nodes.size());
  for (unsigned number : all) {
    const Node &node = nodes[number];
    if (node.latency < kMoveLatency && !node.instr->mayLoadOrStore() && !isBarrier(*node.instr) &&
        all_of(node.inputs, [&](auto input) { return first[input.first]; }))
      first.set(number);
  }
  std::stable_partition(all.begin(), all.end(), [&](unsigned number) { return first[number]; });
  return all;
}

std::pair<SmallVector<unsigned, 0>, unsigned> LoopSchedule::schedule(const Policy &policy) const {
  Core core(model, nodes.size());
  Pressure pressure(values, limits.size());
  SmallVector<unsigned, 0> order, left = start(policy.addressesFirst);
  // Where each stood, so that a window has the same reach whatever has already left it.
  SmallVector<size_t, 0> places(nodes.size());
  for (auto [place, number] : enumerate(left))
    places[number] = place;
  BitVector done(nodes.size());
  struct Choice {
    unsigned slot, rank;
    size_t place;
  };
  while (!left.empty()) {
    SmallVector<Choice, 64> choices;
    size_t last = places[left.front()] + policy.window;
    for (size_t i = 0; i < left.size() && places[left[i]] <= last; ++i) {
      const Node &node = nodes[left[i]];
      if (all_of(node.inputs, [&](auto input) { return done[input.first]; }))
        choices.push_back({core.slot(node), rank(left[i], policy.byHeight), i});
    }
    sort(choices, [](const Choice &a, const Choice &b) {
      return std::tie(a.slot, a.rank, a.place) < std::tie(b.slot, b.rank, b.place);
    });
    // The first that is left has all it reads.
    auto chosen = find_if(choices, [&](const Choice &c) {
      return c.place == 0 || mayOvertake(left, c.place, pressure, policy.spare);
    });
    unsigned number = left[chosen->place];
    core.begin(number, nodes[number]);
    pressure.take(nodes[number]);
    done.set(number);
    order.push_back(number);
    left.erase(left.begin() + static_cast<ptrdiff_t>(chosen->place));
  }
  return {order, core.cycles()};
}

class ScheduleLoops : public MachineFunctionPass {
public:
  static char ID;
  ScheduleLoops() : MachineFunctionPass(ID) {}
  StringRef getPassName() const override { return "Sinter: loops for cores that run instructions in order"; }
  void getAnalysisUsage(AnalysisUsage &usage) const override {
    usage.setPreservesCFG();
    MachineFunctionPass::getAnalysisUsage(usage);
  }
  bool runOnMachineFunction(MachineFunction &function) override {
    TargetSchedModel model;
    model.init(&function.getSubtarget());
    if (!model.hasInstrSchedModel() || model.getMicroOpBufferSize() > 0)
      return false;
    bool changed = false;
    for (MachineBasicBlock &block : function)
      if (block.isSuccessor(&block))
        changed |= LoopSchedule(block, model).run();
    return changed;
  }
};

char ScheduleLoops::ID = 0;

} // namespace

MachineFunctionPass *sinter::cpu::createScheduleLoopsPass() { return new ScheduleLoops; }
