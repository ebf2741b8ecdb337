// Loading a text with the real kinds, and asking what came of it.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "kinds/decoders.hpp"
#include "manifest/loader.hpp"
#include "unit/memory_files.hpp"

namespace graft::test {

// For the tests of the JSON Schemas, when they ask for it (support/recording.hpp).
void record_tree(const manifest::Files& files, const manifest::LoadResult& result);

inline manifest::LoadResult load_files(const manifest::Files& files) {
  manifest::LoadResult result = manifest::load(files, kinds::all_decoders());
  record_tree(files, result);
  return result;
}

inline manifest::LoadResult load_text(std::string text) { return load_files(MemoryFiles::one(std::move(text))); }

inline std::string report(const manifest::LoadResult& result) {
  std::string out;
  for (const Diagnostic& each : result.diagnostics.items()) out += each.to_string() + "\n";
  return out;
}

// The one problem of a text, or all of them when there is not exactly one error.
inline bool says(const manifest::LoadResult& result, std::string_view expected) {
  return report(result).find(expected) != std::string::npos;
}

inline const Desired* find(const manifest::LoadResult& result, std::string_view key) {
  if (result.state == nullptr) return nullptr;
  for (const Desired& each : result.state->resources) {
    if (each.key.to_string() == key) return &each;
  }
  return nullptr;
}

// "Kind o/name" → canonical text, or what is wrong.
inline std::string canonical_of(const manifest::LoadResult& result, std::string_view key) {
  const Desired* desired = find(result, key);
  return desired != nullptr ? desired->canonical : "nothing of that name: " + report(result);
}

// A document of a kind that lives in organization o. `metadata` as in "name: x"; may be empty.
inline std::string document(std::string_view kind, std::string_view metadata, std::string_view spec) {
  const std::string comma = metadata.empty() ? "" : ", ";
  return "---\napiVersion: graftd/v1\nkind: " + std::string(kind) + "\nmetadata: {organization: o" + comma +
         std::string(metadata) + "}\nspec: " + std::string(spec) + "\n";
}

}  // namespace graft::test
