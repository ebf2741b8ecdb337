// What may be a name, a uid or a path in a manifest: the rules that keep anything out that Grafana refuses, that would
// reach a URL or a header as something else (reliability T37), or that would leave the manifest tree (T35).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "manifest/cursor.hpp"
#include "manifest/forms.hpp"

namespace graft::manifest {

inline constexpr std::size_t name_limit = 190;  // characters; the width of Grafana's columns
inline constexpr std::size_t uid_limit = 40;

[[nodiscard]] std::size_t characters(std::string_view utf8);

// Names of organizations, accounts, tokens and logins: used as written, so nearly everything is allowed.
[[nodiscard]] std::optional<Problem> bad_name(std::string_view name, std::size_t limit = name_limit);
// Uids of folders and dashboards: at most 40 of a-z A-Z 0-9 _ -.
[[nodiscard]] std::optional<Problem> bad_uid(std::string_view uid);
[[nodiscard]] Form<std::string> uid_form();
[[nodiscard]] Form<std::string> name_form(std::size_t limit = name_limit);

// Reports a bad name; warns of blanks at its ends, which people seldom mean.
[[nodiscard]] bool check_name(std::string_view name, std::string_view label, const Position& at, Reporter& reporter,
                              std::size_t limit = name_limit);

// The path that `relative`, written in the file `document`, names: relative to the root of the tree, without "." and
// "..". ErrorCode::invalid when it is absolute, empty, leaves the tree or has control characters in it.
[[nodiscard]] Result<std::string> path_in_tree(std::string_view document, std::string_view relative);

}  // namespace graft::manifest
