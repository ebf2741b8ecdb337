// Lists of patterns as SSH has them (ssh_config(5), PATTERNS): * and ?, commas
// between, ! for what is left out. Pure.
#pragma once

#include <string_view>
#include <vector>

namespace graft::git {

[[nodiscard]] std::vector<std::string_view> split_list(std::string_view list);
[[nodiscard]] bool matches_list(std::string_view text, std::string_view list);

}  // namespace graft::git
