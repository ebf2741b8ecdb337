// The language described from its tables: JSON Schemas for editors, and the reference for docs/manifests.md.
#pragma once

#include <string>

#include "manifest/decoder.hpp"
#include "manifest/loader.hpp"

namespace graft::manifest {

// The schema of a whole document of one kind, nested children included; indented.
[[nodiscard]] std::string document_schema(const Decoder& decoder, Decoders all);

// The schema of a document of any of the kinds; complete in itself.
[[nodiscard]] std::string document_schema(Decoders all);

// Markdown: the envelope, then a table of fields for each kind.
[[nodiscard]] std::string reference(Decoders all);

}  // namespace graft::manifest
