//===- inspect.cpp - sinter inspect: what is in a bundle --------------------------===//
//
// Opened for looking only, so that a bundle for any machine can be inspected on any other.
//
//===----------------------------------------------------------------------===//

#include "bundle_file.h"
#include "command.h"
#include "schema/bundle_schema.h"

#include <nlohmann/json.hpp>

#include <cinttypes>
#include <iostream>

namespace sinter::tool {

namespace {

using json = nlohmann::ordered_json;

struct inspect_options {
  std::string bundle;
  std::vector<uint32_t> threads = {1, 2, 4, 8};
  bool json = false, verify = false;
};

std::string hexadecimal(const uint8_t *bytes, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) {
    char two[3];
    std::snprintf(two, sizeof(two), "%02x", bytes[i]);
    text += two;
  }
  return text;
}

std::string digest_text(const flatbuffers::Vector<uint8_t> *bytes) {
  return bytes ? hexadecimal(bytes->data(), bytes->size()) : std::string();
}

json describe_segment(const bundle::Segment &segment) {
  json out;
  out["kind"] = bundle::EnumNameSegmentKind(segment.kind());
  out["offset"] = segment.offset();
  out["size"] = segment.size();
  out["sha256"] = digest_text(segment.sha256());
  return out;
}

json describe_variant(const bundle::Variant &variant) {
  json out;
  out["name"] = text_of(variant.name());
  out["features"] = json::array();
  for (const flatbuffers::String *feature : *variant.features())
    out["features"].push_back(feature->str());
  out["code_offset"] = variant.code_offset();
  out["code_size"] = variant.code_size();
  return out;
}

json describe_kernel(const bundle::Kernel &kernel, uint64_t uses) {
  json out;
  out["name"] = text_of(kernel.name());
  out["bindings"] = kernel.bindings();
  out["dispatches"] = uses;
  out["scratch_bytes"] = json::array();
  for (const bundle::KernelEntry *entry : *kernel.entries())
    out["scratch_bytes"].push_back(entry->scratch_bytes());
  return out;
}

json describe_program(const bundle::Program &program) {
  uint64_t dispatches = 0, macs = 0;
  for (const bundle::Group *group : *program.groups()) {
    dispatches += group->dispatches()->size();
    for (const bundle::Dispatch *dispatch : *group->dispatches())
      macs += dispatch->macs();
  }
  json out;
  out["name"] = text_of(program.name());
  out["max_tokens"] = program.max_tokens();
  out["groups"] = program.groups()->size();
  out["dispatches"] = dispatches;
  out["macs"] = macs; // with weights, a token
  out["ports"] = json::array();
  for (const bundle::Port *port : *program.ports())
    out["ports"].push_back({{"role", bundle::EnumNamePortRole(port->role())},
                            {"offset", port->offset()},
                            {"size", port->size()}});
  return out;
}

json describe_memory(const bundle::Memory &memory, const sinter_model *model,
                     const std::vector<uint32_t> &threads) {
  json out;
  out["state_bytes"] = memory.state_bytes();
  out["kv_bytes"] = memory.kv_bytes();
  out["fixed_bytes"] = memory.fixed_bytes();
  out["scratch_bytes"] = memory.scratch_bytes();
  out["session_bytes"] = json::object();
  for (uint32_t count : threads)
    out["session_bytes"][std::to_string(count)] = sinter_session_memory(model, count);
  out["buffers"] = json::array();
  for (const bundle::PlannedBuffer *buffer : *memory.buffers())
    out["buffers"].push_back({{"name", text_of(buffer->name())},
                              {"program", text_of(buffer->program())},
                              {"offset", buffer->offset()},
                              {"size", buffer->size()},
                              {"first", buffer->first()},
                              {"last", buffer->last()}});
  return out;
}

json describe(const bundle_file &file, const sinter_model *model,
              const std::vector<uint32_t> &threads) {
  const bundle::Bundle &root = file.root();
  const bundle::ModelInfo &info = *root.model();
  std::vector<uint64_t> uses(root.kernels()->size());
  for (const bundle::Program *program : *root.programs())
    for (const bundle::Group *group : *program->groups())
      for (const bundle::Dispatch *dispatch : *group->dispatches())
        ++uses[dispatch->kernel()];

  json out;
  out["file_bytes"] = file.size();
  out["metadata_bytes"] = file.metadata_bytes();
  out["compiler"] = text_of(root.compiler());
  out["schema_version"] = root.schema_version();
  out["schema_is_this_runtimes"] = root.schema_hash() == bundle::schema_hash;
  out["kernel_abi"] = root.kernel_abi();
  out["target"] = text_of(root.target());
  out["source_sha256"] = digest_text(root.source_sha256());
  json &described = out["model"];
  described["name"] = text_of(info.name());
  described["architecture"] = text_of(info.architecture());
  described["parameters"] = info.parameters();
  described["layers"] = info.layers();
  described["embedding"] = info.embedding();
  described["vocabulary"] = info.vocabulary();
  described["context"] = info.context();
  described["trained_context"] = info.trained_context();
  described["prefill_chunk"] = info.prefill_chunk();
  described["formats"] = json::array();
  if (info.formats())
    for (const flatbuffers::String *format : *info.formats())
      described["formats"].push_back(format->str());
  for (const bundle::Segment *segment : *root.segments())
    out["segments"].push_back(describe_segment(*segment));
  for (const bundle::Variant *variant : *root.variants())
    out["variants"].push_back(describe_variant(*variant));
  for (unsigned i = 0; i < root.kernels()->size(); ++i)
    out["kernels"].push_back(describe_kernel(*root.kernels()->Get(i), uses[i]));
  for (const bundle::Program *program : *root.programs())
    out["programs"].push_back(describe_program(*program));
  out["memory"] = describe_memory(*root.memory(), model, threads);
  return out;
}

/// Compares every digest that the bundle carries; throws at the first that differs.
json verify_digests(const std::string &path, bundle_file &file) {
  json verified = json::array();
  for (const bundle::Segment *segment : *file.root().segments()) {
    std::string kind = bundle::EnumNameSegmentKind(segment->kind());
    std::string stated = digest_text(segment->sha256());
    if (stated.empty())
      throw failure(path + ": segment " + kind + " carries no SHA-256 to verify");
    auto digest = file.digest_of(*segment);
    std::string found = hexadecimal(digest.data(), digest.size());
    if (found != stated)
      throw failure(path + ": segment " + kind + ": sha256 is " + found + ", the bundle says " +
                    stated + ": the file was changed; copy or compile it again");
    verified.push_back(kind);
  }
  return verified;
}

void line(const char *name, const std::string &value) {
  std::printf("%-16s %s\n", name, value.c_str());
}

std::string number(const json &value) { return std::to_string(value.get<uint64_t>()); }

std::string words(const json &list) {
  std::string text;
  for (const json &word : list)
    text += (text.empty() ? "" : ", ") + word.get<std::string>();
  return text;
}

void print(const json &about, const bundle::Bundle &root) {
  const json &model = about["model"];
  line("model", model["name"].get<std::string>() + " (" + model["architecture"].get<std::string>() +
                    ", " + number(model["parameters"]) + " parameters)");
  line("shape", number(model["layers"]) + " layers, width " + number(model["embedding"]) +
                    ", vocabulary " + number(model["vocabulary"]));
  line("context", number(model["context"]) + " tokens (trained for " +
                      number(model["trained_context"]) + "), prefill in chunks of " +
                      number(model["prefill_chunk"]));
  line("weights", words(model["formats"]));
  line("target",
       about["target"].get<std::string>() + ", kernel ABI " + number(about["kernel_abi"]));
  line(
      "compiler",
      about["compiler"].get<std::string>() + ", schema " + number(about["schema_version"]) +
          (about["schema_is_this_runtimes"].get<bool>() ? "" : " (not this runtime's text of it)"));
  line("source sha256", about["source_sha256"].get<std::string>());

  std::printf("\nfile, %s bytes, metadata %s\n", number(about["file_bytes"]).c_str(),
              number(about["metadata_bytes"]).c_str());
  for (const json &segment : about["segments"])
    std::printf("  0x%010" PRIx64 " %12" PRIu64 "  %-10s %.16s\n",
                segment["offset"].get<uint64_t>(), segment["size"].get<uint64_t>(),
                segment["kind"].get<std::string>().c_str(),
                segment["sha256"].get<std::string>().c_str());
  std::printf("\nvariants, best first\n");
  for (const json &variant : about["variants"])
    std::printf("  %-16s %9" PRIu64 " bytes of code  %s\n",
                variant["name"].get<std::string>().c_str(), variant["code_size"].get<uint64_t>(),
                variant["features"].empty() ? "any CPU" : words(variant["features"]).c_str());
  std::printf("\nkernels                                   dispatches  scratch a variant\n");
  for (const json &kernel : about["kernels"])
    std::printf("  %-40s %9" PRIu64 "  %s\n", kernel["name"].get<std::string>().c_str(),
                kernel["dispatches"].get<uint64_t>(), kernel["scratch_bytes"].dump().c_str());
  std::printf("\nprograms\n");
  for (const json &program : about["programs"])
    std::printf("  %-10s up to %5" PRIu64 " tokens, %4" PRIu64 " groups, %4" PRIu64 " dispatches\n",
                program["name"].get<std::string>().c_str(), program["max_tokens"].get<uint64_t>(),
                program["groups"].get<uint64_t>(), program["dispatches"].get<uint64_t>());

  const json &memory = about["memory"];
  std::printf("\nmemory of a session\n");
  std::printf("  state %" PRIu64 " (KV cache %" PRIu64 "), arena %" PRIu64 ", scratch %" PRIu64
              " a worker\n",
              memory["state_bytes"].get<uint64_t>(), memory["kv_bytes"].get<uint64_t>(),
              memory["fixed_bytes"].get<uint64_t>() - memory["state_bytes"].get<uint64_t>(),
              memory["scratch_bytes"].get<uint64_t>());
  for (const auto &[threads, bytes] : memory["session_bytes"].items())
    std::printf("  with %s worker%s %" PRIu64 " bytes\n", threads.c_str(),
                threads == "1" ? " " : "s", bytes.get<uint64_t>());
  std::printf("\n%s", draw_memory(root).c_str());
}

void inspect(const inspect_options &options) {
  model_ptr model = open_model(options.bundle, "", SINTER_OPEN_METADATA_ONLY);
  bundle_file file(options.bundle);
  for (uint32_t count : options.threads)
    if (count == 0 || count > SINTER_MAX_THREADS)
      throw failure("--threads=" + std::to_string(count) + ": must be 1 .. " +
                    std::to_string(SINTER_MAX_THREADS));
  json about = describe(file, model.get(), options.threads);
  if (options.verify)
    about["verified"] = verify_digests(options.bundle, file);
  if (options.json) {
    std::cout << about.dump(1, ' ', false, json::error_handler_t::replace) << "\n";
    return;
  }
  print(about, file.root());
  if (options.verify)
    std::printf("\nverified: SHA-256 of %s\n", words(about["verified"]).c_str());
  std::fflush(stdout);
}

} // namespace

void add_inspect(CLI::App &app, action &chosen) {
  auto options = std::make_shared<inspect_options>();
  CLI::App *command = app.add_subcommand("inspect", "Shows what is in a bundle");
  command->add_option("bundle", options->bundle, "A bundle, for any machine")
      ->required()
      ->type_name("BUNDLE");
  command
      ->add_option("-t,--threads", options->threads,
                   "Print the memory of a session with this many workers")
      ->expected(1)
      ->capture_default_str();
  command->add_flag("--verify", options->verify, "Compare the SHA-256 of every segment");
  command->add_flag("--json", options->json, "Print one JSON object");
  command->footer("Examples:\n  sinter inspect model.sinter --threads=2\n  sinter inspect "
                  "model.sinter --verify --json");
  command->callback([options, &chosen] { chosen = [options] { inspect(*options); }; });
}

} // namespace sinter::tool
