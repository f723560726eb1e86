//===- Report.cpp - What a compilation did, as JSON -----------------------===//
#include "compiler/report/Report.h"
#include "dialects/llm/ModelInfo.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FormatVariadic.h"
#include <sys/resource.h>

using namespace mlir;
using namespace sinter;
namespace json = llvm::json;

void Report::addPhase(llvm::StringRef name, double time) {
  phases.push_back(json::Object{{"name", name}, {"seconds", time}});
  seconds += time;
}

void Report::addModel(ModuleOp top) {
  FailureOr<llm::ModelInfo> info = llm::ModelInfo::get(top);
  if (failed(info))
    return;
  root["model"] = json::Object{{"source", info->source},
                               {"name", info->name},
                               {"architecture", info->architecture},
                               {"parameters", info->parameters},
                               {"layers", info->layers},
                               {"embedding", info->embedding},
                               {"vocabulary", info->vocabulary},
                               {"context", info->context},
                               {"trained_context", info->trainedContext},
                               {"prefill_chunk", info->chunk},
                               {"kv_type", info->kvType.isInteger(8) ? "i8" : info->kvType.isF32() ? "f32" : "f16"}};
}

static json::Value describePlan(exec::MemoryPlanOp plan) {
  if (!plan.isPlanned())
    return nullptr;
  int64_t state = *plan.getStateBytes(), fixed = *plan.getFixedBytes();
  return json::Object{{"state_bytes", state},
                      {"kv_bytes", static_cast<int64_t>(*plan.getKvBytes())},
                      {"arena_bytes", fixed - state},
                      {"fixed_bytes", fixed},
                      {"scratch_bytes_per_thread", static_cast<int64_t>(*plan.getScratchBytes())}};
}

void Report::addTarget(ModuleOp target) {
  auto attribute = target->getAttrOfType<exec::TargetAttr>(exec::ExecDialect::kTargetAttr);
  if (!attribute)
    return;
  json::Array variants, programs, kernels;
  for (exec::VariantAttr variant : attribute.getVariants())
    variants.push_back(variant.getName().getValue());
  llvm::MapVector<StringRef, int64_t> uses;
  for (auto program : target.getOps<exec::ProgramOp>()) {
    int64_t dispatches = 0;
    program.walk([&](exec::DispatchOp dispatch) {
      ++dispatches;
      ++uses[dispatch.getKernel()];
    });
    auto groups = program.getOps<exec::GroupOp>();
    programs.push_back(
        json::Object{{"name", program.getSymName()},
                     {"max_tokens", static_cast<int64_t>(program.getMaxTokens())},
                     {"groups", static_cast<int64_t>(std::distance(groups.begin(), groups.end()))},
                     {"dispatches", dispatches}});
  }
  for (auto &[name, count] : uses)
    kernels.push_back(json::Object{{"name", name}, {"dispatches", count}});
  json::Object object{{"name", attribute.getName().getValue()},
                      {"variants", std::move(variants)},
                      {"programs", std::move(programs)},
                      {"kernels", std::move(kernels)}};
  for (auto plan : target.getOps<exec::MemoryPlanOp>())
    object["memory"] = describePlan(plan);
  targets.push_back(std::move(object));
}

void Report::addBundle(const BundleSummary &bundle) {
  json::Array formats;
  for (const BundleSummary::FormatUse &use : bundle.formats)
    formats.push_back(json::Object{{"format", use.format},
                                   {"constants", static_cast<int64_t>(use.tensors)},
                                   {"bytes", static_cast<int64_t>(use.bytes)}});
  root["bundle"] = json::Object{{"bytes", static_cast<int64_t>(bundle.bytes)},
                                {"metadata_bytes", static_cast<int64_t>(bundle.metadataBytes)},
                                {"code_bytes", static_cast<int64_t>(bundle.codeBytes)},
                                {"tokenizer_bytes", static_cast<int64_t>(bundle.tokenizerBytes)},
                                {"weight_bytes", static_cast<int64_t>(bundle.weightBytes)},
                                {"formats", std::move(formats)}};
}

void Report::addRemark(std::string text) { remarks.push_back(json::fixUTF8(text)); }

std::string Report::text() {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  root["compiler"] = "sinterc " SINTER_VERSION;
  root["phases"] = std::move(phases);
  root["targets"] = std::move(targets);
  root["remarks"] = std::move(remarks);
  root["seconds"] = seconds;
  root["peak_rss_bytes"] = static_cast<int64_t>(usage.ru_maxrss) * 1024;
  return llvm::formatv("{0:2}\n", json::Value(std::move(root))).str();
}
