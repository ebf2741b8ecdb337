// From one document to standalone ones: nesting is undone here, so that a kind never knows how it was written.
//
// A child list ("members", "folders", …) of an Organization or ServiceAccount document is taken out of the spec, and
// each of its items is decoded as if it stood alone: its name or uid, labels and annotations are its metadata, the rest
// is its spec, and the parent gives its organization (and account).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "manifest/decoder.hpp"
#include "manifest/loader.hpp"
#include "manifest/node.hpp"

namespace graft::manifest {

class Expander {
 public:
  Expander(const Files& files, Decoders decoders, Diagnostics& diagnostics, std::vector<Desired>& out)
      : files_(files), decoders_(decoders), diagnostics_(diagnostics), out_(out) {}

  // Decodes a document that is ours (envelope.hpp, classify) and everything nested in it.
  void document(Node&& document, const std::string& path);

  // Keys of everything that was declared, also of what was refused: so that a reference to it is not an error as well.
  [[nodiscard]] const std::set<ResourceKey>& attempted() const { return attempted_; }

 private:
  struct Child {
    const Decoder* decoder;
    Node list;
  };
  // `inline_keys`: what may stand beside the spec's fields in the text.
  void resource(const Decoder& decoder, Metadata metadata, Node spec, std::vector<std::string_view> inline_keys,
                const std::string& path);
  void children(const Child& child, const Metadata& parent, const std::string& path);
  void nested(const Decoder& decoder, const Node& item, const Metadata& parent, const std::string& path);
  [[nodiscard]] std::vector<Child> take_children(const Decoder& parent, Node& spec) const;
  [[nodiscard]] const Decoder* find(const std::string& kind, const Position& at);

  const Files& files_;
  Decoders decoders_;
  Diagnostics& diagnostics_;
  std::vector<Desired>& out_;
  std::set<ResourceKey> attempted_;
};

}  // namespace graft::manifest
