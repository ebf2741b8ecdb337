// Text to trees: YAML and JSON documents as Nodes that know their place, within the limits of limits.hpp.
//
// YAML is read from yaml-cpp's events, never by its Load (which hangs on a lone comma, keeps both of two equal keys and
// expands aliases without end; toolchain.md). The typing of plain scalars is that of YAML 1.2's JSON schema with the
// core schema's spellings of null, true and false: `yes`, `on`, `0640`, `0x1f`, `1_000` and `.5` are strings. Refused:
// merge keys, tags, keys that are not strings, control characters, byte order marks but at the start.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/diagnostics.hpp"
#include "manifest/node.hpp"

namespace graft::manifest {

using FileName = std::shared_ptr<const std::string>;
using TakeDocument = std::function<void(Node&&)>;

// Calls `take` for each document that is not empty, in order. False when the text is not sound; the reason has been
// added to the diagnostics, and documents before it have been taken.
bool read_yaml(std::string_view text, const FileName& file, Diagnostics& diagnostics, const TakeDocument& take);
bool read_json(std::string_view text, const FileName& file, Diagnostics& diagnostics, const TakeDocument& take);

// The type of a scalar that stands without quotes.
[[nodiscard]] Node::Type plain_scalar_type(std::string_view text);

// What makes a text unfit to be read at all: broken UTF-8, control characters, a byte order mark inside.
struct Unreadable {
  std::size_t offset = 0;
  std::string message, hint;
};
[[nodiscard]] std::optional<Unreadable> unreadable(std::string_view text);

}  // namespace graft::manifest
