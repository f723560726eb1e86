//===- Targets.cpp - The table of targets --------------------------------------===//
#include "codegen/Targets.h"
#include "runtime/host/cpu_features.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using namespace sinter;
using llvm::StringRef;

static constexpr StringRef kAvx512Vnni[] = {"avx2",     "fma",      "f16c",     "avx512f",
                                            "avx512bw", "avx512dq", "avx512vl", "avx512vnni"};
// Zen 4 multiplies 512 bits in two of four pipelines and adds in all. Its successors load too little for that beside four of 512.
static constexpr StringRef kZen4[] = {"avx2",     "fma",      "f16c",       "avx512f", "avx512bw",
                                      "avx512dq", "avx512vl", "avx512vnni", "zen4"};
static constexpr StringRef kAvxVnni[] = {"avx2", "fma", "f16c", "avxvnni"};
static constexpr StringRef kAvx2[] = {"avx2", "fma", "f16c"};
static constexpr StringRef kDotprod[] = {"dotprod"};
static constexpr StringRef kI8mm[] = {"dotprod", "i8mm"};
static constexpr StringRef kSve256[] = {"sve", "sve256"};
static constexpr StringRef kSve512[] = {"sve", "sve512"};

// Register blocks: of a block that streams, float sums of 32 rows for each token must fit; of others, codes of 8 quads,
// one float sum and one integer one a token.
//   AVX-512  16 rows of 32 zmm: 12 + 12 tokens; staged 8 tokens have 8 sums and 2 x 8 dots, and words of codes
//   AVX2      8 rows: 4 + 4 of 16 ymm, a line's codes in turn; of one token 32 rows, 4 + 4 + 4 (pmaddubsw's pairs)
//   NEON      8 rows: 16 + 2 x 4 of 32
//   SVE      of 256 bits as NEON with two registers a row block of 16; of 512 as AVX-512
static constexpr RegisterBlock kAvx512Blocks[] = {
    {1, 32, true},
    {2, 32, true},
    {4, 16, false},
    {8, 16, false},
    {12, 16, false}};
static constexpr RegisterBlock kAvx512Staged = {8, 16, false};
static constexpr RegisterBlock kAvx2Blocks[] = {{1, 32, true}, {2, 16, true}, {4, 8, false}};
static constexpr RegisterBlock kNeonBlocks[] = {{1, 8, true}, {2, 8, true}, {4, 8, false}};
// Arranged activations leave the registers to sums. Of 12 tokens x 4 rows float and integer ones are 24 of 32; 4 are left for
// words of activations, 3 for codes, 1 for a mask. Pairs: 8 tokens x 4 rows are 8 + 8, codes twice 2; 12 tokens would leave none to
// load what the next dots read. Of 4 tokens they still need fewer instructions than a pointer a token. One token: 32 rows are
// 8 + 8, so that a dot has 7 others to wait for its sum with; of 2 and 4 tokens 16 and 8 rows.
static constexpr RegisterBlock kDotprodBlocks[] = {{1, 32, true, Arrangement::rows, 8},
                                                   {2, 16, false, Arrangement::rows, 8, 2},
                                                   {4, 8, false},
                                                   {4, 8, false, Arrangement::tokens},
                                                   {8, 4, false, Arrangement::tokens},
                                                   {12, 4, false, Arrangement::tokens, 0, 4}};
static constexpr RegisterBlock kDotprodUnpacked = {12, 4, false, Arrangement::tokens, 0, 2};
static constexpr RegisterBlock kI8mmBlocks[] = {{1, 32, true, Arrangement::rows, 8},
                                                {2, 16, false, Arrangement::rows, 8, 2},
                                                {4, 8, false},
                                                {4, 8, false, Arrangement::pairs, 0, 2},
                                                {8, 4, false, Arrangement::pairs}};
static constexpr RegisterBlock kI8mmUnpacked = {8, 4, false, Arrangement::pairs, 0, 4};
static constexpr RegisterBlock kSve256Blocks[] = {{1, 16, true}, {2, 16, true}, {4, 16, false}, {8, 8, false}};
static constexpr RegisterBlock kSve512Blocks[] = {{1, 16, true}, {2, 16, true}, {4, 16, false}, {8, 16, false}};
static constexpr StringRef kAvx512Llvm = "+avx2,+fma,+f16c,+avx512f,+avx512bw,+avx512dq,+avx512vl,+avx512vnni";
// Four super-blocks of Q4_0, 36 lines: with what multiplies them, about as many instructions as a core has under way (Zen 4: 320).
static constexpr unsigned kStreamBytes = 2304;
static constexpr Variant kX86Variants[] = {
    {"zen4", kZen4, kAvx512Llvm, 512, DotKind::vpdpbusd,
     {kAvx512Blocks, 8, 32, 4096, kStreamBytes, 0, kAvx512Staged, {}, true, true, true, true}, {}, Ordering::registers, true},
    {"avx512vnni", kAvx512Vnni, kAvx512Llvm, 512, DotKind::vpdpbusd,
     {kAvx512Blocks, 8, 32, 4096, kStreamBytes, 0, kAvx512Staged, {}, true, true}, {}, Ordering::registers},
    {"avxvnni", kAvxVnni, "+avx2,+fma,+f16c,+avxvnni", 256, DotKind::vpdpbusd, {kAvx2Blocks, 4, 16, 4096, kStreamBytes}, {},
     Ordering::registers},
    {"avx2", kAvx2, "+avx2,+fma,+f16c", 256, DotKind::pmaddubsw, {kAvx2Blocks, 4, 16, 4096, kStreamBytes}, {}, Ordering::registers},
};
// LLVM orders instructions for a CPU with a model of its own that holds for a generation of them; for "generic" it moves
// loads so far ahead of their dots that the registers of a block do not suffice.
static constexpr StringRef kTune = "neoverse-n2";
// Where only what the tile program has ordered is left to order, for a core that runs instructions as they come.
static constexpr StringRef kInOrderTune = "cortex-a510";
// Of a second cache of 512 KB, which holds the arranged activations too.
static constexpr unsigned kStrip = 320 * 1024;
static constexpr Variant kAArch64Variants[] = {
    {"sve512", kSve512, "+neon,+dotprod,+sve", 512, DotKind::sdot, {kSve512Blocks, 8, 32, 0}, kTune},
    {"sve256", kSve256, "+neon,+dotprod,+sve", 256, DotKind::sdot, {kSve256Blocks, 4, 16, 0}, kTune},
    {"i8mm", kI8mm, "+neon,+dotprod,+i8mm", 128, DotKind::sdot, {kI8mmBlocks, 4, 16, 0, 0, kStrip, {}, kI8mmUnpacked}, kInOrderTune,
     Ordering::program},
    {"dotprod", kDotprod, "+neon,+dotprod", 128, DotKind::sdot, {kDotprodBlocks, 4, 16, 0, 0, kStrip, {}, kDotprodUnpacked}, kInOrderTune,
     Ordering::program},
    {"neon", {}, "+neon", 128, DotKind::smull, {kNeonBlocks, 4, 16, 0}},
};
static constexpr Target kTargets[] = {
    {"x86-64", "x86_64-unknown-linux-gnu", "x86-64", false, kX86Variants},
    {"aarch64", "aarch64-unknown-linux-gnu", "generic", true, kAArch64Variants},
};

static constexpr StringRef kOnlyAvx2[] = {"avx2"};
static constexpr StringRef kOnlyAvxVnni[] = {"avxvnni"};
static constexpr StringRef kOnlyAvx512Vnni[] = {"avx512vnni"};
static constexpr StringRef kOnlyZen4[] = {"zen4"};
static constexpr StringRef kOnlyDotprod[] = {"dotprod"};
static constexpr StringRef kOnlyI8mm[] = {"i8mm"};
static constexpr StringRef kOnlySve256[] = {"sve256"};
static constexpr StringRef kOnlySve512[] = {"sve512"};
static constexpr StringRef kOnlyNeon[] = {"neon"};
static constexpr Preset kPresets[] = {
    {"x86-64-v3", "x86-64", kOnlyAvx2},
    {"raptor-lake", "x86-64", kOnlyAvxVnni},
    {"sapphire-rapids", "x86-64", kOnlyAvx512Vnni},
    {"zen4", "x86-64", kOnlyZen4},
    {"a64fx", "aarch64", kOnlySve512},
    {"cortex-a53", "aarch64", kOnlyNeon},
    {"cortex-a55", "aarch64", kOnlyDotprod},
    // A chunk in llvm-mca's model of an A510: 24.7 multiply-adds a cycle, with dotprod 18.3.
    {"cortex-a510", "aarch64", kOnlyI8mm},
    {"cortex-a520", "aarch64", kOnlyI8mm},
    {"cortex-a76", "aarch64", kOnlyDotprod},
    {"cortex-x4", "aarch64", kOnlyI8mm},
    {"neoverse-n2", "aarch64", kOnlyI8mm},
    {"neoverse-v1", "aarch64", kOnlySve256},
    {"rpi4", "aarch64", kOnlyNeon},
    {"rpi5", "aarch64", kOnlyDotprod},
    {"snapdragon-8-gen3", "aarch64", kOnlyI8mm},
};

const Variant *Target::findVariant(StringRef name) const {
  for (const Variant &variant : variants)
    if (variant.name == name)
      return &variant;
  return nullptr;
}

llvm::ArrayRef<Target> sinter::allTargets() { return kTargets; }
llvm::ArrayRef<Preset> sinter::allPresets() { return kPresets; }

void sinter::printTargets(llvm::raw_ostream &out) {
  out << "targets and their variants, best first (a CPU runs a variant if it has its features):\n";
  for (const Target &target : kTargets) {
    out << "  " << target.name << '\n';
    for (const Variant &variant : target.variants)
      out << "    " << llvm::left_justify(variant.name, 12) << ' '
          << (variant.features.empty() ? "every CPU" : llvm::join(variant.features, ", ")) << '\n';
  }
  out << "presets:\n";
  for (const Preset &preset : kPresets)
    out << "  " << llvm::left_justify(preset.name, 18) << ' ' << preset.target << ':'
        << llvm::join(preset.variants, ",") << '\n';
  out << "  " << llvm::left_justify("host", 18) << " this machine, the best variant that it runs\n";
}

const Target *sinter::findTarget(StringRef name) {
  for (const Target &target : kTargets)
    if (target.name == name)
      return &target;
  return nullptr;
}

template <typename Range> static std::string names(const Range &range) {
  std::string text;
  for (const auto &item : range)
    text += (text.empty() ? "" : ", ") + item.name.str();
  return text;
}

template <typename Range> static std::string nearest(StringRef word, const Range &range) {
  std::string best;
  unsigned distance = 3;
  for (const auto &item : range)
    if (unsigned d = word.edit_distance(item.name, true, distance); d < distance) {
      distance = d;
      best = " (did you mean '" + item.name.str() + "'?)";
    }
  return best;
}

/// Picks as the runtime will: this process sees the same features.
static llvm::Expected<TargetChoice> hostTarget() {
  const Target *target = findTarget(host::target_name());
  if (!target)
    return llvm::createStringError(
        llvm::formatv("--target=host: this machine is no target; known: {0}", names(allTargets())).str());
  llvm::SmallVector<StringRef> features;
  StringRef(host::cpu_features()).split(features, ',');
  for (const Variant &variant : target->variants)
    if (llvm::all_of(variant.features, [&](StringRef f) { return llvm::is_contained(features, f); }))
      return TargetChoice{target, {&variant}};
  return llvm::createStringError(
      llvm::formatv("--target=host: this machine's CPU has none of the feature sets of {0}: {1}", target->name,
                    names(target->variants))
          .str());
}

llvm::Expected<TargetChoice> sinter::parseTarget(StringRef text) {
  auto [name, list] = text.split(':');
  if (name == "host" && list.empty())
    return hostTarget();
  for (const Preset &preset : kPresets)
    if (preset.name == name) {
      if (!list.empty())
        return llvm::createStringError(
            llvm::formatv("--target={0}: preset '{1}' names its variants already; write --target={2}:{3}", text, name,
                          preset.target, list)
                .str());
      TargetChoice choice{findTarget(preset.target), {}};
      for (StringRef variant : preset.variants)
        choice.variants.push_back(choice.target->findVariant(variant));
      return choice;
    }
  const Target *target = findTarget(name == "host" ? StringRef(host::target_name()) : name);
  if (!target) {
    std::string hint = nearest(name, allTargets());
    if (hint.empty())
      hint = nearest(name, allPresets());
    return llvm::createStringError(llvm::formatv("--target={0}: unknown target '{1}'{2}; known: host, {3}, {4}", text,
                                                 name, hint, names(allTargets()), names(allPresets()))
                                       .str());
  }
  TargetChoice choice{target, {}};
  if (list.empty()) {
    for (const Variant &variant : target->variants)
      choice.variants.push_back(&variant);
    return choice;
  }
  llvm::SmallVector<StringRef> wanted;
  list.split(wanted, ',');
  for (StringRef word : wanted)
    if (!target->findVariant(word))
      return llvm::createStringError(llvm::formatv("--target={0}: unknown variant '{1}'{2}; known: {3}", text, word,
                                                   nearest(word, target->variants), names(target->variants))
                                         .str());
  for (const Variant &variant : target->variants)
    if (llvm::is_contained(wanted, variant.name))
      choice.variants.push_back(&variant);
  return choice;
}
