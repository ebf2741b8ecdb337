#include "model/diff.hpp"

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "model/canonical_json.hpp"

namespace graft {

namespace {

using nlohmann::json;

std::string shown(const json& value) { return printable(canonical_text(value), shown_value_bytes); }

std::string escaped(std::string_view token) {
  std::string out;
  for (const char c : token) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

class Walker {
 public:
  void compare(const std::string& pointer, const json& before, const json& after) {
    if (before == after) return;
    if (before.is_object() && after.is_object()) return objects(pointer, before, after);
    if (before.is_array() && after.is_array()) return arrays(pointer, before, after);
    changes_.push_back({pointer, shown(before), shown(after)});
  }

  std::vector<FieldChange> take() { return std::move(changes_); }

 private:
  void objects(const std::string& pointer, const json& before, const json& after) {
    // Both are sorted by key: one merge walk names every key once, in order.
    auto b = before.begin();
    auto a = after.begin();
    while (b != before.end() || a != after.end()) {
      if (a == after.end() || (b != before.end() && b.key() < a.key())) {
        changes_.push_back({pointer + "/" + escaped(b.key()), shown(b.value()), {}});
        ++b;
      } else if (b == before.end() || a.key() < b.key()) {
        changes_.push_back({pointer + "/" + escaped(a.key()), {}, shown(a.value())});
        ++a;
      } else {
        compare(pointer + "/" + escaped(a.key()), b.value(), a.value());
        ++a;
        ++b;
      }
    }
  }

  void arrays(const std::string& pointer, const json& before, const json& after) {
    const std::size_t common = std::min(before.size(), after.size());
    for (std::size_t i = 0; i < common; ++i) compare(pointer + "/" + std::to_string(i), before[i], after[i]);
    for (std::size_t i = common; i < before.size(); ++i)
      changes_.push_back({pointer + "/" + std::to_string(i), shown(before[i]), {}});
    for (std::size_t i = common; i < after.size(); ++i)
      changes_.push_back({pointer + "/" + std::to_string(i), {}, shown(after[i])});
  }

  std::vector<FieldChange> changes_;
};

}  // namespace

std::vector<FieldChange> diff(std::string_view before, std::string_view after) {
  if (before == after) return {};
  const auto parsed = [](std::string_view text) { return json::parse(text, nullptr, false); };
  Walker walker;
  walker.compare("", parsed(before), parsed(after));
  return walker.take();
}

}  // namespace graft
