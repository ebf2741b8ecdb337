// Lists of the Kubernetes-style APIs: selectors, pages that also end by size, snapshots behind continue tokens, tables.
#include <algorithm>
#include <sstream>

#include "apis.hpp"
#include "dashboard_versions.hpp"
#include "json.hpp"
#include "replies.hpp"
#include "text.hpp"

namespace graft::simulator {
namespace {

constexpr std::int64_t default_limit = 500;

struct Selection {
  std::string name;  // metadata.name=..., or ""
  std::vector<std::pair<std::string, std::string>> labels;
  bool trash = false;
};

Reply bad_request_status(const std::string& message) { return status_reply(400, message, "BadRequest"); }

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, by);) parts.push_back(trim(part));
  return parts;
}

// key=value and key==value; anything more elaborate is not simulated.
std::optional<Reply> read_labels(const std::string& text, Selection& selection) {
  for (const std::string& part : split(text, ',')) {
    const auto equals = part.find('=');
    if (equals == std::string::npos || equals == 0 || part[equals - 1] == '!') {
      return not_simulated("the label selector " + text);
    }
    auto value = part.substr(equals + 1);
    if (value.starts_with('=')) value.erase(0, 1);
    if (value.starts_with('='))
      return bad_request_status("unable to parse requirement: found '=', expected: identifier");
    const std::string key = trim(part.substr(0, equals));
    if (key == "grafana.app/get-trash") {
      selection.trash = value == "true";
    } else if (key == "grafana.app/get-history") {
      return not_simulated("the label selector " + text);
    } else {
      selection.labels.emplace_back(key, trim(value));
    }
  }
  return std::nullopt;
}

std::optional<Reply> read_fields(const std::string& text, Selection& selection) {
  for (const std::string& part : split(text, ',')) {
    const auto equals = part.find('=');
    const std::string key = part.substr(0, equals);
    if (key == "metadata.name" && equals != std::string::npos) selection.name = part.substr(equals + 1);
    if (key != "metadata.name" && key != "metadata.namespace") {
      return bad_request_status("\"" + key +
                                "\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"");
    }
  }
  return std::nullopt;
}

bool is_selected(const Resource& resource, const Selection& selection) {
  return std::ranges::all_of(selection.labels, [&](const auto& label) {
    const auto found = resource.labels.find(label.first);
    return found != resource.labels.end() && found->second == label.second;
  });
}

struct Position {
  std::int64_t offset = 0;
  std::uint64_t version = 0;  // 0: a new list
};

std::string go_quoted_byte(unsigned char byte) {
  if (byte >= 0x20 && byte < 0x7F) return std::string("'") + static_cast<char>(byte) + "'";
  std::string code = "'\\u00";
  code += "0123456789abcdef"[byte >> 4U];
  code += "0123456789abcdef"[byte & 15U];
  return code + "'";
}

std::variant<Position, Reply> read_position(const std::string& token) {
  if (token.empty()) return Position{};
  const auto fail = [&](const std::string& why) {
    return status_reply(500, "get continue token (\"" + token + "\"): " + why);
  };
  const auto text = base64_decode(token);
  if (!text) return fail("error decoding continue token");
  const Json value = Json::parse(*text, nullptr, false);
  if (!value.is_object()) {
    const auto first = static_cast<unsigned char>(text->empty() ? ' ' : (*text)[0]);
    return fail("invalid character " + go_quoted_byte(first) + " looking for beginning of value");
  }
  return Position{value.value("o", std::int64_t{0}), value.value("v", std::uint64_t{0})};
}

std::string token_of(std::int64_t offset, std::uint64_t version) {
  return base64_encode("{\"o\":" + std::to_string(offset) + ",\"v\":" + std::to_string(version) + ",\"s\":false}");
}

std::size_t stored_bytes(const KindNames& names, const Resource& resource) {
  return print(object_json(names, resource)).size();
}

// A page ends at the limit or when the objects on it exceed the page size; what the caller may not read, and what the
// label selector leaves out, still counts for the limit.
Page cut(Call& call, const KindNames& names, const std::vector<ResourcePtr>& items, const Position& from,
         const Selection& selection, std::int64_t limit) {
  Page page;
  std::size_t bytes = 0;
  std::int64_t taken = 0;
  const auto count = static_cast<std::int64_t>(items.size());
  for (std::int64_t i = from.offset; i < count; ++i) {
    const ResourcePtr& item = items[static_cast<std::size_t>(i)];
    if (level_of(call.world, call.caller, *item) == Level::nothing) continue;
    bytes += stored_bytes(names, *item);
    ++taken;
    if (is_selected(*item, selection)) page.items.push_back(item);
    if (taken < limit && bytes < call.world.settings.max_page_bytes) continue;
    if (i + 1 < count) page.next = token_of(i + 1, from.version);
    break;
  }
  page.version = from.version;
  return page;
}

std::variant<Page, Reply> page_of(Call& call, const KindNames& names, const Selection& selection) {
  const std::string limit_text = call.request.parameter("limit");
  const auto limit = to_integer(limit_text);
  if (!limit && !limit_text.empty()) {
    return bad_request_status("strconv.ParseInt: parsing \"" + limit_text + "\": invalid syntax");
  }
  const auto read = read_position(call.request.parameter("continue"));
  if (const Reply* bad = std::get_if<Reply>(&read)) return *bad;
  Position from = std::get<Position>(read);
  Resources& resources = call.world.resources;
  const std::int64_t org = call.caller.org;
  if (!selection.name.empty()) {
    Page page;
    const auto item = resources.find(names.kind, org, selection.name);
    if (item != nullptr && is_selected(*item, selection) &&
        level_of(call.world, call.caller, *item) != Level::nothing) {
      page.items.push_back(item);
    }
    page.version = item == nullptr ? resources.last_version() : item->version;
    return page;
  }
  if (from.version == 0) from.version = resources.keep_snapshot(names.kind, org);
  const auto items = selection.trash ? std::optional(resources.trash(names.kind, org))
                                     : resources.snapshot(names.kind, org, from.version);
  const std::int64_t most = limit.value_or(0) > 0 ? *limit : default_limit;
  return cut(call, names, items.value_or(resources.all(names.kind, org)), from, selection, most);
}

Json metadata_only(const Json& object) {
  return {{"kind", "PartialObjectMetadata"}, {"apiVersion", "meta.k8s.io/v1"}, {"metadata", object["metadata"]}};
}

Json columns() {
  const auto column = [](const char* name, const char* type, const char* format, const char* description) {
    return Json{{"name", name}, {"type", type}, {"format", format}, {"description", description}, {"priority", 0}};
  };
  return {column("Name", "string", "name", "Name must be unique within a namespace."),
          column("Title", "string", "string", "The dashboard name"),
          column("Created At", "date", "", "CreationTimestamp is the time when this object was created.")};
}

Reply table_reply(const KindNames& names, const Page& page, const Json& metadata) {
  Json rows = Json::array();
  for (const ResourcePtr& item : page.items) {
    rows.push_back({{"cells", {item->name, item->title(), rfc3339(item->created)}},
                    {"object", metadata_only(object_json(names, *item))}});
  }
  return json_reply({{"kind", "Table"},
                     {"apiVersion", "meta.k8s.io/v1"},
                     {"metadata", metadata},
                     {"columnDefinitions", columns()},
                     {"rows", rows}});
}

std::variant<Selection, Reply> selection_of(const Call& call) {
  Selection selection;
  if (const auto bad = read_labels(call.request.parameter("labelSelector"), selection)) return *bad;
  if (const auto bad = read_fields(call.request.parameter("fieldSelector"), selection)) return *bad;
  return selection;
}

Reply page_reply(const Call& call, const KindNames& names, const Page& page) {
  const std::string accept = call.request.header("accept");
  Json metadata = {{"resourceVersion", std::to_string(page.version)}};
  if (!page.next.empty()) metadata["continue"] = page.next;
  if (accept.find("as=Table") != std::string::npos) return table_reply(names, page, metadata);
  const bool partial = accept.find("as=PartialObjectMetadataList") != std::string::npos;
  Json items = Json::array();
  for (const ResourcePtr& item : page.items) {
    const auto object = converted_object(names, *item);
    if (!object) return not_simulated("how to convert " + item->name + " to " + names.version);
    items.push_back(partial ? metadata_only(*object) : *object);
  }
  return json_reply({{"kind", partial ? "PartialObjectMetadataList" : std::string(names.name) + "List"},
                     {"apiVersion", partial ? "meta.k8s.io/v1" : names.api_version()},
                     {"metadata", metadata},
                     {"items", items}});
}

}  // namespace

Reply list_reply(Call& call, const KindNames& names) {
  const std::string watch = call.request.parameter("watch");
  if (watch == "1" || watch == "true") {
    return status_reply(405, "watch is not supported on resources of kind \"" + names.resource() + "\"",
                        "MethodNotAllowed", {{"group", names.group}, {"kind", names.plural}});
  }
  const std::string version = call.request.parameter("resourceVersion");
  if (!version.empty() && !to_integer(version)) return bad_request_status("invalid resource version: " + version);
  const auto selection = selection_of(call);
  if (const Reply* bad = std::get_if<Reply>(&selection)) return *bad;
  const auto page = page_of(call, names, std::get<Selection>(selection));
  if (const Reply* bad = std::get_if<Reply>(&page)) return *bad;
  return page_reply(call, names, std::get<Page>(page));
}

}  // namespace graft::simulator
