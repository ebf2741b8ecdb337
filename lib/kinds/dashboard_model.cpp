#include "kinds/dashboard_model.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/hash.hpp"
#include "base/text.hpp"
#include "kinds/spec_support.hpp"
#include "manifest/names.hpp"
#include "model/canonical_json.hpp"

namespace graft::kinds {

namespace {

using manifest::Reporter;
using nlohmann::json;

constexpr std::size_t title_limit = 5000;  // characters; Grafana answers 400 beyond
constexpr std::size_t tag_limit = 50;

const json* member(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

bool is_object(const json* value) { return value != nullptr && value->is_object(); }

void replace_by(json& document, const char* key) {
  json inner = std::move(document[key]);
  document = std::move(inner);
}

class Reading {
 public:
  Reading(json&& document, const Inputs& inputs, std::set<std::string>& asked, const PlaceOf& place, Reporter& reporter)
      : document_(std::move(document)), inputs_(inputs), asked_(asked), place_(place), reporter_(reporter) {}

  std::optional<DashboardModel> run() {
    if (!unwrap()) return std::nullopt;
    bool sound = resolve_inputs();
    sound = no_library_panels() && sound;
    if (!sound) return std::nullopt;
    for (const char* key : {"__inputs", "__requires", "__elements"}) document_.erase(key);
    sound = take_uid();
    sound = check_title() && sound;
    sound = check_tags() && sound;
    sound = check_strings() && sound;
    if (!sound) return std::nullopt;
    for (const char* key : {"id", "uid", "version"}) document_.erase(key);
    found_.text = canonical_text(document_);
    return std::move(found_);
  }

 private:
  bool refuse(std::string_view field, std::string_view message, std::string hint = {}) {
    reporter_.error(place_(field), message, std::move(hint));
    return false;
  }

  // Takes the model out of what it came in; the HTTP API's wrapper may hold a whole object.
  bool unwrap() {
    for (int layer = 0; layer < 3; ++layer) {
      if (!document_.is_object()) {
        return refuse("", "a dashboard is a JSON object", fmt::format("this is {}", document_.type_name()));
      }
      const json* version = member(document_, "apiVersion");
      if (version != nullptr && version->is_string()) {
        if (!unwrap_object(version->get<std::string>())) return false;
      } else if (is_object(member(document_, "dashboard")) && member(document_, "panels") == nullptr) {
        found_.folder = text_at(document_, "folderUid");
        replace_by(document_, "dashboard");
      } else {
        break;
      }
    }
    if (is_object(member(document_, "elements")) && is_object(member(document_, "layout"))) return refuse_layout("v2");
    return true;
  }

  bool unwrap_object(const std::string& version) {
    const std::string_view group = std::string_view(version).substr(0, version.find('/'));
    if (group == "graftd") return refuse("apiVersion", "this is a manifest of graftd, not a dashboard");
    const json* kind = member(document_, "kind");
    if (group != "dashboard.grafana.app" || (kind != nullptr && *kind != "Dashboard")) {
      return refuse("apiVersion",
                    fmt::format("apiVersion {} is no dashboard that graftd can read", graft::quote(version)),
                    "use the dashboard's JSON model, or an object of dashboard.grafana.app");
    }
    const std::string_view number = std::string_view(version).substr(std::min(version.size(), group.size() + 1));
    if (number.starts_with("v2")) return refuse_layout(number);
    if (!number.starts_with("v0") && !number.starts_with("v1")) {
      return refuse("apiVersion", fmt::format("apiVersion {} is not known", graft::quote(version)),
                    "known are versions that begin with v0 or v1");
    }
    if (!is_object(member(document_, "spec"))) return refuse("spec", "the dashboard object has no spec");
    if (const json* metadata = member(document_, "metadata"); is_object(metadata)) {
      found_.uid = text_at(*metadata, "name");
      const json* annotations = member(*metadata, "annotations");
      if (is_object(annotations)) found_.folder = text_at(*annotations, "grafana.app/folder");
    }
    replace_by(document_, "spec");
    return true;
  }

  bool refuse_layout(std::string_view version) {
    return refuse("apiVersion",
                  fmt::format("the dashboard is in Grafana's new layout format ({}), which is not supported yet",
                              printable(version, 40)),
                  "export it as classic JSON");
  }

  struct Asked {
    std::string name, type;
  };

  bool read_asked(std::vector<Asked>& out) {
    const json* inputs = member(document_, "__inputs");
    if (inputs == nullptr || inputs->is_null()) return true;
    if (!inputs->is_array()) return refuse("__inputs", "__inputs is not a list");
    for (const json& input : *inputs) {
      Asked each = input.is_object() ? Asked{text_at(input, "name"), text_at(input, "type")} : Asked{};
      if (each.name.empty()) return refuse("__inputs", "an entry of __inputs has no name");
      asked_.insert(each.name);
      out.push_back(std::move(each));
    }
    return true;
  }

  bool resolve_inputs() {
    std::vector<Asked> inputs;
    if (!read_asked(inputs)) return false;
    std::map<std::string, std::string, std::less<>> variables;
    std::vector<std::string> missing, example;
    for (const Asked& input : inputs) {
      const auto given = inputs_.find(input.name);
      if (given == inputs_.end()) missing.push_back(fmt::format("{} ({})", input.name, input.type));
      if (given != inputs_.end()) variables.emplace("${" + input.name + "}", given->second);
      const std::string_view value = input.type == "datasource" ? "<data source uid>" : "<value>";
      example.push_back(fmt::format("{}: {}", input.name, value));
    }
    if (!missing.empty()) {
      return refuse("__inputs",
                    fmt::format("the dashboard was exported for sharing externally and asks for {}",
                                printable(fmt::format("{}", fmt::join(missing, ", ")))),
                    fmt::format("export it without that option, or add inputs: {{{}}}",
                                printable(fmt::format("{}", fmt::join(example, ", ")))));
    }
    if (!variables.empty()) substitute(document_, variables);
    return true;
  }

  bool no_library_panels() {
    const json* elements = member(document_, "__elements");
    if (elements == nullptr || elements->is_null() || elements->empty()) return true;
    return refuse("__elements", "the export carries library panels (__elements), which are not supported yet",
                  "unlink the library panels, or export without \"share externally\"");
  }

  bool take_uid() {
    const json* uid = member(document_, "uid");
    if (uid == nullptr || uid->is_null()) return true;
    if (!uid->is_string()) return refuse("uid", "uid: expected a string", "quote it");
    if (found_.uid.empty()) found_.uid = uid->get<std::string>();
    return true;
  }

  bool check_title() {
    const json* title = member(document_, "title");
    if (title == nullptr) return refuse("", "the dashboard has no title", "give it one: Grafana refuses it without");
    if (!title->is_string())
      return refuse("title", fmt::format("title: expected a string, found {}", title->type_name()));
    const std::string trimmed(trim(title->get_ref<const std::string&>()));
    if (trimmed.empty()) return refuse("title", "title: must not be empty or blanks only");
    if (manifest::characters(trimmed) > title_limit) {
      return refuse("title", fmt::format("title: longer than {} characters", title_limit));
    }
    document_["title"] = trimmed;
    return true;
  }

  bool check_tags() {  // only a list is looked into: Grafana stores anything else as it is
    const json* tags = member(document_, "tags");
    if (tags == nullptr || !tags->is_array()) return true;
    for (const json& tag : *tags) {
      if (!tag.is_string())
        return refuse("tags", fmt::format("tags: expected strings, found {}", tag.type_name()), "quote it");
      const std::string& text = tag.get_ref<const std::string&>();
      if (manifest::characters(text) > tag_limit) {
        return refuse(
            "tags", fmt::format("tags: {} is longer than {} characters", graft::quote(printable(text, 60)), tag_limit));
      }
    }
    return true;
  }

  static bool has_nul(const json& value) {
    if (value.is_string()) return value.get_ref<const std::string&>().find('\0') != std::string::npos;
    if (!value.is_structured()) return false;
    if (value.is_array()) return std::any_of(value.begin(), value.end(), has_nul);
    const auto& members = value.get_ref<const json::object_t&>();
    return std::any_of(members.begin(), members.end(), [](const auto& each) {
      return each.first.find('\0') != std::string::npos || has_nul(each.second);
    });
  }

  bool check_strings() {
    return !has_nul(document_) || refuse("", "a NUL character in a string of the dashboard", "take it out");
  }

  json document_;
  const Inputs& inputs_;
  std::set<std::string>& asked_;
  const PlaceOf& place_;
  Reporter& reporter_;
  DashboardModel found_;
};

// Grafana's import replaces by the expression \$\{.+?\}: from a "${" to the nearest "}" at least one character on, all
// in one line. What the match does not name stays as it is.
std::string substituted(std::string_view text, const std::map<std::string, std::string, std::less<>>& variables) {
  std::string out;
  while (true) {
    const std::size_t start = text.find("${");
    const std::size_t end = start == text.npos ? start : text.find('}', std::min(start + 3, text.size()));
    if (end == text.npos) return out.append(text);
    const std::string_view match = text.substr(start, end + 1 - start);
    out.append(text.substr(0, start));
    if (match.find('\n') != match.npos) {  // no match here; the next may begin inside
      out.append(text.substr(start, 2));
      text.remove_prefix(start + 2);
      continue;
    }
    const auto known = variables.find(match);
    out.append(known == variables.end() ? match : std::string_view(known->second));
    text.remove_prefix(end + 1);
  }
}

}  // namespace

void substitute(json& value, const std::map<std::string, std::string, std::less<>>& variables) {
  if (value.is_string()) {
    std::string& text = value.get_ref<std::string&>();
    if (text.find("${") != text.npos) text = substituted(text, variables);
  } else if (value.is_structured()) {
    for (json& inner : value) substitute(inner, variables);
  }
}

std::optional<DashboardModel> read_dashboard(json&& document, const Inputs& inputs, std::set<std::string>& asked,
                                             const PlaceOf& place, Reporter& reporter) {
  return Reading(std::move(document), inputs, asked, place, reporter).run();
}

std::string derived_dashboard_uid(std::string_view path) {
  std::string_view stem = path.substr(path.rfind('/') == path.npos ? 0 : path.rfind('/') + 1);
  stem = stem.substr(0, stem.rfind('.'));
  std::string uid;
  for (const char c : stem.substr(0, 30)) {
    const bool sound = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (sound) uid.push_back(c);
    if (!sound && !uid.empty() && uid.back() != '-') uid.push_back('-');
  }
  if (!uid.empty() && uid.back() != '-') uid.push_back('-');
  return uid + sha256_base32(path, 9);
}

}  // namespace graft::kinds
