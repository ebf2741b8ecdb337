#include "metrics/words.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace graft::metrics {

std::vector<std::string_view> words(std::string_view list) {
  std::vector<std::string_view> found;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find('|'), list.size());
    found.push_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return found;
}

std::string_view word_at(std::string_view list, std::size_t index) {
  const std::vector<std::string_view> all = words(list);
  return index < all.size() ? all[index] : "other";
}

bool is_listed(std::string_view list, std::string_view word) {
  const std::vector<std::string_view> all = words(list);
  return std::ranges::find(all, word) != all.end();
}

std::string code_word(std::string_view list, int status) {
  if (status == 0) return "error";
  std::string exact = std::to_string(status);
  return is_listed(list, exact) ? exact : fmt::format("{}xx", status / 100);
}

}  // namespace graft::metrics
