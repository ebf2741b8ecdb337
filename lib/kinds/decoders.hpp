// The kinds that manifests can declare, as one table. A new kind is a line here.
#pragma once

#include <string>

#include "manifest/loader.hpp"

namespace graft::kinds {

[[nodiscard]] manifest::Decoders all_decoders();

// docs/manifests.md's reference part: every field of every kind, from the tables that decode them.
[[nodiscard]] std::string manifest_reference();

// The JSON Schema of documents of one kind, indented; the content of config/schema/<Kind>.schema.json.
[[nodiscard]] std::string document_schema(const manifest::Decoder& decoder);

// The same of documents of any kind; the content of config/schema/manifest.schema.json.
[[nodiscard]] std::string document_schema();

}  // namespace graft::kinds
