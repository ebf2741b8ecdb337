#include "comparison.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace graft::conformance {
namespace {

std::string plain(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

std::string shortened(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > 160) text = text.substr(0, 160) + "...";
  return text;
}

bool is_word_part(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

bool ends_word(std::string_view text, std::size_t at) { return at >= text.size() || !is_word_part(text[at]); }

bool same_from(std::string_view recorded, std::size_t i, std::string_view actual, std::size_t j,
               const Variables& variables) {
  while (true) {
    if (i == 0 || !is_word_part(recorded[i - 1])) {
      for (const auto& [name, variable] : variables) {
        const std::string before = plain(variable.recorded);
        const std::string now = plain(variable.actual);
        const bool here = !before.empty() && recorded.substr(i).starts_with(before) &&
                          actual.substr(j).starts_with(now) && ends_word(recorded, i + before.size()) &&
                          ends_word(actual, j + now.size());
        if (here && same_from(recorded, i + before.size(), actual, j + now.size(), variables)) return true;
      }
    }
    if (i == recorded.size() || j == actual.size()) return i == recorded.size() && j == actual.size();
    if (recorded[i] != actual[j]) return false;
    ++i;
    ++j;
  }
}

bool same_type(const Json& a, const Json& b) { return a.type() == b.type() || (a.is_number() && b.is_number()); }

std::vector<std::string> split(const std::string& pointer) {
  std::vector<std::string> parts;
  std::size_t start = 1;
  while (start <= pointer.size()) {
    const auto end = std::min(pointer.find('/', start), pointer.size());
    parts.push_back(pointer.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

bool matches(const std::string& pattern, const std::string& pointer) {
  const auto wanted = split(pattern);
  const auto have = split(pointer);
  const auto same = [](const std::string& a, const std::string& b) { return a == "*" || a == b; };
  return std::ranges::equal(wanted, have, same);
}

bool is_listed(const std::vector<std::string>& patterns, const std::string& pointer) {
  return std::ranges::any_of(patterns, [&](const std::string& pattern) {
    return matches(pattern, pointer) || (pointer.empty() && (pattern.empty() || pattern == "/"));
  });
}

std::string escaped(std::string key) {
  for (std::size_t at = 0; (at = key.find_first_of("~/", at)) != std::string::npos; at += 2) {
    key.replace(at, 1, key[at] == '~' ? "~0" : "~1");
  }
  return key;
}

class Comparer {
 public:
  Comparer(const Tolerance& tolerance, const Variables& variables) : tolerance_(tolerance), variables_(variables) {}

  std::vector<std::string> run(const Json& recorded, const Json& actual, const std::string& pointer) const {
    std::vector<std::string> found;
    const bool everything = std::ranges::find(tolerance_.variable_pointers, "") != tolerance_.variable_pointers.end();
    if (everything || is_listed(tolerance_.variable_pointers, pointer)) {
      if (!same_type(recorded, actual))
        return {pointer + ": type of " + shortened(recorded) + " became " + shortened(actual)};
      return {};
    }
    if (recorded.is_object() && actual.is_object()) {
      objects(recorded, actual, pointer, found);
    } else if (recorded.is_array() && actual.is_array()) {
      arrays(recorded, actual, pointer, found);
    } else if (!scalars(recorded, actual)) {
      found.push_back(pointer + ": recorded " + shortened(recorded) + ", now " + shortened(actual));
    }
    return found;
  }

 private:
  bool scalars(const Json& recorded, const Json& actual) const {
    if (recorded.is_string() && actual.is_string()) {
      return same_text(recorded.get<std::string>(), actual.get<std::string>(), variables_);
    }
    if (recorded == actual) return true;
    return std::ranges::any_of(
        variables_, [&](const auto& item) { return recorded == item.second.recorded && actual == item.second.actual; });
  }

  void objects(const Json& recorded, const Json& actual, const std::string& pointer,
               std::vector<std::string>& found) const {
    for (const auto& [key, value] : recorded.items()) {
      const std::string below = pointer + "/" + escaped(key);
      if (!actual.contains(key)) {
        found.push_back(below + ": missing, recorded " + shortened(value));
        continue;
      }
      const auto inside = run(value, actual[key], below);
      found.insert(found.end(), inside.begin(), inside.end());
    }
    for (const auto& [key, value] : actual.items()) {
      if (!recorded.contains(key))
        found.push_back(pointer + "/" + escaped(key) + ": not recorded, now " + shortened(value));
    }
  }

  void arrays(const Json& recorded, const Json& actual, const std::string& pointer,
              std::vector<std::string>& found) const {
    if (recorded.size() != actual.size()) {
      found.push_back(pointer + ": recorded " + shortened(recorded) + ", now " + shortened(actual));
      return;
    }
    const bool any_order = is_listed(tolerance_.unordered, pointer);
    std::vector<bool> used(actual.size(), false);
    for (std::size_t i = 0; i < recorded.size(); ++i) {
      const std::string below = pointer + "/" + std::to_string(i);
      if (!any_order) {
        const auto inside = run(recorded[i], actual[i], below);
        found.insert(found.end(), inside.begin(), inside.end());
      } else if (!take(recorded[i], actual, below, used)) {
        found.push_back(below + ": no counterpart for " + shortened(recorded[i]));
      }
    }
  }

  // The first element not yet taken that says the same.
  bool take(const Json& wanted, const Json& actual, const std::string& pointer, std::vector<bool>& used) const {
    for (std::size_t i = 0; i < actual.size(); ++i) {
      if (used[i] || !run(wanted, actual[i], pointer).empty()) continue;
      used[i] = true;
      return true;
    }
    return false;
  }

  const Tolerance& tolerance_;
  const Variables& variables_;
};

}  // namespace

bool same_text(const std::string& recorded, const std::string& actual, const Variables& variables) {
  return recorded == actual || same_from(recorded, 0, actual, 0, variables);
}

std::vector<std::string> differences(const Json& recorded, const Json& actual, const Tolerance& tolerance,
                                     const Variables& variables) {
  return Comparer(tolerance, variables).run(recorded, actual, "");
}

}  // namespace graft::conformance
