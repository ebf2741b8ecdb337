// How an answer becomes bytes: the status line and the headers that every answer carries. Pure but for the Date.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "admin/server.hpp"

namespace graft::admin {

struct HeadOptions {
  std::optional<std::size_t> length;  // nothing: the body ends with the connection
  bool close = false;
};

// With the empty line at its end. A header of the response replaces ours of the same name; one with control characters
// is left out, so that no value can become a header of its own.
[[nodiscard]] std::string render_head(const Response& response, const HeadOptions& options);

}  // namespace graft::admin
