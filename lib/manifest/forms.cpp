#include "manifest/forms.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "base/duration.hpp"
#include "base/text.hpp"

namespace graft::manifest {

namespace {

std::string found(const Node& node) {
  const bool scalar = node.type == Node::Type::number || node.type == Node::Type::boolean;
  return scalar ? fmt::format("{} ({})", Node::word(node.type), printable(node.scalar, 40))
                : std::string(Node::word(node.type));
}

bool wrong_type(const Node& node, std::string_view label, std::string_view expected, Reporter& reporter,
                std::string hint = {}) {
  reporter.error(node.at, fmt::format("{}: expected {}, found {}", label, expected, found(node)), std::move(hint));
  return false;
}

}  // namespace

bool is_text(const Node& node, std::string_view label, Reporter& reporter) {
  if (node.type == Node::Type::string) return true;
  const bool scalar = node.type == Node::Type::number || node.type == Node::Type::boolean;
  return wrong_type(node, label, "a string", reporter,
                    scalar ? fmt::format("quote it: {}", graft::quote(node.scalar)) : std::string());
}

Form<std::string> text_form() {
  return text_form("string", {}, [](std::string_view) { return std::optional<Problem>(); });
}

Form<std::string> text_form(std::string name, std::string schema, TextCheck check) {
  const std::string members = schema.empty() ? R"("type":"string")" : R"("type":"string",)" + schema;
  return {std::move(name), members,
          [check = std::move(check)](const Node& node, std::string_view label, std::string& out, Reporter& reporter) {
            if (!is_text(node, label, reporter)) return false;
            out = node.scalar;
            const std::optional<Problem> problem = check(node.scalar);
            if (problem) reporter.error(node.at, fmt::format("{}: {}", label, problem->message), problem->hint);
            return !problem.has_value();
          }};
}

Form<bool> boolean_form() {
  return {"boolean", R"("type":"boolean")",
          [](const Node& node, std::string_view label, bool& out, Reporter& reporter) {
            if (node.type != Node::Type::boolean) {
              return wrong_type(node, label, "true or false", reporter, "write it without quotes");
            }
            out = to_lower(node.scalar) == "true";
            return true;
          }};
}

Form<std::string> word_form(std::vector<std::string_view> words) {
  const std::string listed = fmt::format("{}", fmt::join(words, ", "));
  const std::string schema = fmt::format(R"("enum":["{}"])", fmt::join(words, R"(",")"));
  return text_form("one of " + listed, schema, [words = std::move(words), listed](std::string_view text) {
    std::optional<Problem> problem;
    if (std::find(words.begin(), words.end(), text) == words.end()) {
      const auto near = did_you_mean(text, words);
      problem = {fmt::format("{} is none of {}", graft::quote(text), listed),
                 near ? fmt::format("did you mean {}?", graft::quote(*near)) : std::string()};
    }
    return problem;
  });
}

Form<std::chrono::seconds> duration_form() {
  return {"duration", R"("type":"string","pattern":"^([0-9]+[wdhms])+$")",
          [](const Node& node, std::string_view label, std::chrono::seconds& out, Reporter& reporter) {
            if (node.type == Node::Type::number) {
              return wrong_type(node, label, "a duration", reporter, "with a unit: 90s, 10m, 24h or 30d");
            }
            if (!is_text(node, label, reporter)) return false;
            const auto parsed = parse_duration(node.scalar);
            if (!parsed) {
              reporter.error(node.at, fmt::format("{}: {}", label, parsed.error().message), parsed.error().hint);
              return false;
            }
            out = *parsed;
            return true;
          }};
}

Form<std::map<std::string, std::string>> text_map_form() {
  return {"map of strings", R"("type":["object","null"],"additionalProperties":{"type":"string"})",
          [](const Node& node, std::string_view label, std::map<std::string, std::string>& out, Reporter& reporter) {
            if (!is_map(node, label, reporter)) return false;
            bool sound = true;
            for (const auto& [key, value] : node.entries) {
              if (is_text(value, fmt::format("{}.{}", label, printable(key.scalar, 60)), reporter)) {
                out.emplace(key.scalar, value.scalar);
              } else {
                sound = false;
              }
            }
            return sound;
          }};
}

Form<const Node*> map_form() {
  return {"map", R"("type":"object")",
          [](const Node& node, std::string_view label, const Node*& out, Reporter& reporter) {
            if (node.type != Node::Type::map) return wrong_type(node, label, "a map", reporter);
            out = &node;
            return true;
          }};
}

}  // namespace graft::manifest
