#include "events/body.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace graft::events {

namespace {

using json = nlohmann::ordered_json;

json resource_json(const std::optional<Subject>& subject) {
  if (!subject) return nullptr;
  return {{"kind", subject->kind}, {"organization", subject->organization}, {"name", subject->name}};
}

json fields_json(const std::vector<FieldChange>& fields) {
  json list = json::array();
  for (std::size_t i = 0; i < std::min(fields.size(), state::most_fields); ++i) {
    const auto text = [](const std::string& from) { return state::shortened(from, state::longest_field_text); };
    list.push_back(
        {{"path", text(fields[i].pointer)}, {"before", text(fields[i].before)}, {"after", text(fields[i].after)}});
  }
  return list;
}

}  // namespace

std::string body_of(const Told& told, const std::string& uid, const CycleFacts& facts, const Composer& composer) {
  json body;
  body["id"] = uid;
  body["type"] = told.type;
  body["severity"] = told.error ? "error" : "info";
  body["time"] = format_rfc3339(facts.at);
  body["graftd"] = {{"owner", composer.owner}, {"version", composer.version}};
  body["resource"] = resource_json(told.subject);
  body["reason"] = told.reason;
  body["message"] = state::shortened(told.message, state::longest_message);
  body["manifest"] = told.manifest;
  body["revision"] = facts.revision;
  body["cycle"] = facts.cycle;
  body["fields"] = fields_json(told.fields);
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace graft::events
