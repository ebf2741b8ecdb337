#include "git/ssh_pattern.hpp"

namespace graft::git {

namespace {

// Goes back to the last star only, which is enough and keeps hostile patterns
// cheap.
bool matches_pattern(std::string_view text, std::string_view pattern) {
  std::size_t at = 0, in = 0, star = std::string_view::npos, resume = 0;
  while (at < text.size()) {
    if (in < pattern.size() && pattern[in] == '*') {
      star = in++;
      resume = at;
    } else if (in < pattern.size() && (pattern[in] == '?' || pattern[in] == text[at])) {
      ++in;
      ++at;
    } else if (star != std::string_view::npos) {
      in = star + 1;
      at = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in) == std::string_view::npos;
}

}  // namespace

std::vector<std::string_view> split_list(std::string_view list) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t comma = list.find(',');
    out.push_back(list.substr(0, comma));
    if (comma == std::string_view::npos) return out;
    list.remove_prefix(comma + 1);
  }
}

bool matches_list(std::string_view text, std::string_view list) {
  bool matched = false;
  for (const std::string_view pattern : split_list(list)) {
    if (pattern.starts_with('!')) {
      if (matches_pattern(text, pattern.substr(1))) return false;
    } else {
      matched = matched || matches_pattern(text, pattern);
    }
  }
  return matched;
}

}  // namespace graft::git
