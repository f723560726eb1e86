//===- variant.cpp - Which of a bundle's variants runs here ------------------===//

#include "runtime/core/variant.h"
#include "runtime/core/message.h"

namespace sinter::core {

bool has_feature(std::string_view features, std::string_view name) {
  while (!features.empty()) {
    size_t length = features.find(',');
    if (length == std::string_view::npos)
      length = features.size();
    if (std::string_view(features.data(), length) == name)
      return true;
    features.remove_prefix(length < features.size() ? length + 1 : length);
  }
  return false;
}

namespace {

bool runs_on(const bundle::Variant &variant, const machine &here) {
  for (const flatbuffers::String *feature : *variant.features())
    if (!has_feature(here.features, view(feature)))
      return false;
  return true;
}

/// "avx2 (lacks avx2 fma), base (runs here)"
void list_variants(message &text, const bundle::Bundle &root, const machine &here) {
  bool first = true;
  for (const bundle::Variant *variant : *root.variants()) {
    text << (first ? "" : ", ") << view(variant->name());
    first = false;
    if (runs_on(*variant, here)) {
      text << " (runs here)";
      continue;
    }
    text << " (this CPU lacks";
    for (const flatbuffers::String *feature : *variant->features())
      if (!has_feature(here.features, view(feature)))
        text << " " << view(feature);
    text << ")";
  }
}

} // namespace

sinter_status pick_variant(const bundle::Bundle &root, const machine &here, std::string_view name,
                           unsigned &index, sinter_error *error) {
  if (view(root.target()) != here.target)
    return fail(error, SINTER_UNSUPPORTED, "target is '", view(root.target()),
                "', this machine is '", here.target,
                "': compile the model for it (sinterc --target=)");
  for (index = 0; index < root.variants()->size(); ++index) {
    const bundle::Variant &variant = *root.variants()->Get(index);
    bool wanted = name.empty() || view(variant.name()) == name;
    if (wanted && runs_on(variant, here))
      return SINTER_OK;
  }
  message text(error, SINTER_NO_VARIANT);
  if (name.empty())
    text << "no variant of this bundle runs on this CPU; needs one of: ";
  else
    text << "variant '" << name
         << "' is not in the bundle or does not run on this CPU; there are: ";
  list_variants(text, root, here);
  text << "; the CPU has: "
       << (here.features.empty() ? std::string_view("none of the known features") : here.features);
  return SINTER_NO_VARIANT;
}

} // namespace sinter::core
