// The envelope of every manifest: apiVersion, kind, metadata, spec. What is no manifest of ours is told from what is
// one and wrong.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "manifest/cursor.hpp"
#include "manifest/node.hpp"

namespace graft::manifest {

inline constexpr std::string_view api_version = "graftd/v1";

struct MetadataFields {
  Located<std::string> name, uid, organization;
  std::map<std::string, std::string> labels;
  Located<std::map<std::string, std::string>> annotations;
};

struct Envelope {
  std::string kind;
  Position kind_at;
  MetadataFields metadata;
  Node spec;  // a null Node when there is none
};

[[nodiscard]] const Table<MetadataFields>& metadata_table();

enum class Belongs : unsigned char { to_us, to_others, to_us_but_wrong };
// Whether a sound document is one of ours, by its apiVersion; `wrong` are reported.
[[nodiscard]] Belongs classify(const Node& document, Diagnostics& diagnostics);

// Of a document that is ours. All problems are reported, then nullopt is returned. Takes the spec out of the document.
[[nodiscard]] std::optional<Envelope> read_envelope(Node&& document, Diagnostics& diagnostics);

// Refuses annotations that steer graftd itself: they come in a later version, and to ignore one could delete something.
[[nodiscard]] bool check_annotations(const std::map<std::string, std::string>& annotations, const Position& at,
                                     Reporter& reporter);

}  // namespace graft::manifest
