// Which addresses of repositories may be used. Pure; no libgit2.
#pragma once

#include <string_view>

#include "base/result.hpp"

namespace graft::git {

// ssh://…, or the short form USER@HOST:PATH.
[[nodiscard]] bool is_ssh(std::string_view url);

// http:// to another machine: what is sent with it can be read on the way.
[[nodiscard]] bool is_in_the_clear(std::string_view url);

// ErrorCode::invalid with what to write instead: an unknown scheme (ext::, git://, …), file:// or a path without
// `allow_local`, a password in the address, control characters.
[[nodiscard]] Status check_url(std::string_view url, bool allow_local);

}  // namespace graft::git
