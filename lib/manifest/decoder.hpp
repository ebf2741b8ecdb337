// What the manifest layer asks of a kind: which fields it has, where it may be nested, and how a document of it becomes
// Desired values. Implemented in lib/kinds (one *_spec.cpp a kind), handed in as a list, so that this layer knows no
// kind. All of it is pure: files that a manifest names come from the source's snapshot through `Files`.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostics.hpp"
#include "base/result.hpp"
#include "manifest/limits.hpp"
#include "manifest/node.hpp"
#include "model/resource.hpp"

namespace graft::manifest {

// The files of one consistent revision of the manifests. Paths are relative to its root, with '/' between names. A
// source need not keep what limits.hpp (part of this contract) does not let through.
class Files {
 public:
  virtual ~Files() = default;
  struct Entry {
    std::string path;  // relative to the root
    std::uint64_t size = 0;
  };
  // Every regular file below the root (or below `folder`), hidden entries left out, sorted by path.
  [[nodiscard]] virtual Result<std::vector<Entry>> list(std::string_view folder) const = 0;
  // The bytes of one file. ErrorCode::invalid when the path leaves the tree, is a link out of it, or is no regular
  // file; not_found when it is missing; at most `limit` bytes, else invalid.
  [[nodiscard]] virtual Result<std::string> read(std::string_view path, std::size_t limit) const = 0;
  [[nodiscard]] virtual std::string revision() const = 0;  // names the content: a git commit, or a digest of the tree
  [[nodiscard]] virtual std::string display(std::string_view path) const = 0;  // how a person would name the file
  // Entries that look like manifests and cannot be read: links that leave the tree, FIFOs, files without permission. To
  // pass over them would read as "no longer wanted", so load() makes each an error.
  struct Unreadable {
    std::string path, why;
  };
  [[nodiscard]] virtual std::vector<Unreadable> unreadable() const { return {}; }
};

// metadata of a document, after nesting is undone.
struct Metadata {
  std::string name;          // metadata.name or uid, whichever the kind uses; empty when the kind has neither
  std::string organization;  // empty for server-wide kinds
  std::string account;       // of a token nested in its service account; else empty
  Position at;               // of the document, or of the nested entry
  Position name_at, organization_at;
};

struct Context {
  const Files& files;
  std::string
      document_path;  // of the manifest file, relative to the root: `file:` and `directory:` are relative to its folder
  Diagnostics& diagnostics;
  std::vector<Desired>& out;
  // Keys that stand beside the spec's own in the text (lists of nested children, an inline name): for "did you mean".
  std::span<const std::string_view> also_known = {};
};

struct FieldDoc {    // a row of a kind's field table, for schema, documentation and "did you mean"
  std::string name;  // of a field in a nested table with the way to it: "deliverTo[].file.path"
  std::string type, required_or_default, description;
};

class Decoder {
 public:
  virtual ~Decoder() = default;
  [[nodiscard]] virtual KindName kind() const = 0;
  [[nodiscard]] virtual bool server_wide() const { return false; }
  [[nodiscard]] virtual std::string_view identity()
      const = 0;  // "name", "uid", or "" (member: its spec has login/email)
  [[nodiscard]] virtual std::string_view nested_as() const = 0;    // "members", "folders" … or "" (Organization)
  [[nodiscard]] virtual KindName nested_in() const = 0;            // Organization, or ServiceAccount for tokens
  [[nodiscard]] virtual std::vector<FieldDoc> fields() const = 0;  // of spec
  [[nodiscard]] virtual std::string json_schema() const = 0;       // of spec, from the same table
  // Appends what the document declares; problems go to context.diagnostics.
  virtual void decode(const Metadata& metadata, const Node& spec, Context& context) const = 0;
  // Looks over the whole desired state for what one document cannot show: collisions, missing parents, rings.
  virtual void check(std::span<const Desired> all, Diagnostics& diagnostics) const;
};

}  // namespace graft::manifest
