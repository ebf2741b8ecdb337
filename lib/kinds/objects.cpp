#include "kinds/objects.hpp"

#include <fmt/format.h>
#include <unordered_map>

namespace graft::kinds {

namespace {

using nlohmann::json;

std::string metadata_text(const json& object, const char* name) {
  const json* metadata = member(object, "metadata");
  return metadata == nullptr ? std::string() : text_of(*metadata, name);
}

Observed seen(const Desired& desired, const json& object, CanonicalForm form) {
  return make_observed(desired, object_name(object), object_version(object), form(object));
}

std::string body_of(const json& object) { return object.dump(-1, ' ', false, json::error_handler_t::replace); }

// A 2xx without a resourceVersion may have written nothing (8.4): what is there is read and compared.
asio::awaitable<Result<Observed>> confirm(const Live& live, const grafana::Collection& collection,
                                          const Desired& desired, const json& written, CanonicalForm form) {
  if (!object_version(written).empty()) co_return seen(desired, written, form);
  Result<json> read = co_await grafana::get_object(live.api, collection, desired.key.name);
  if (!read) co_return fail(std::move(read.error()));
  Observed observed = seen(desired, *read, form);
  if (observed.digest != desired.digest)
    co_return fail(Error(ErrorCode::conflict, "Grafana answered success but did not store the change").retry());
  co_return observed;
}

void set_folder(json& object, const std::string& folder) {
  json& metadata = object["metadata"];
  if (!metadata.contains("annotations") || !metadata["annotations"].is_object())
    metadata["annotations"] = json::object();
  json& annotations = metadata["annotations"];
  if (folder.empty()) {
    annotations.erase(grafana::annotation_folder);
  } else {
    annotations[grafana::annotation_folder] = folder;
  }
  annotations.erase("grafana.app/message");  // it spoke of the change before this one
}

}  // namespace

std::string object_name(const json& object) { return metadata_text(object, "name"); }
std::string object_version(const json& object) { return metadata_text(object, "resourceVersion"); }

std::string object_folder(const json& object) {
  const json* metadata = member(object, "metadata");
  const json* annotations = metadata == nullptr ? nullptr : member(*metadata, "annotations");
  return annotations == nullptr ? std::string() : text_of(*annotations, grafana::annotation_folder);
}

json new_object(const std::string& name, const std::string& folder, json spec) {
  json object{{"metadata", {{"name", name}, {"annotations", json::object()}}}, {"spec", std::move(spec)}};
  if (!folder.empty()) object["metadata"]["annotations"][grafana::annotation_folder] = folder;
  return object;
}

asio::awaitable<Result<std::vector<Observed>>> observe_objects(const Live& live, const grafana::Collection& collection,
                                                               std::span<const Desired* const> wanted,
                                                               CanonicalForm form) {
  std::unordered_map<std::string_view, const Desired*> by_name;
  for (const Desired* desired : wanted) by_name.emplace(desired->key.name, desired);
  std::vector<Observed> observed;
  const auto each = [&](json& object) {
    const auto found = by_name.find(object_name(object));
    if (found != by_name.end()) observed.push_back(seen(*found->second, object, form));
  };
  const std::function<void(json&)> visitor = each;
  Status listed = co_await grafana::list_objects(live.api, collection, visitor);
  if (!listed) co_return fail(std::move(listed.error()));
  co_return observed;
}

asio::awaitable<Result<Observed>> create_wanted(const Live& live, const grafana::Collection& collection,
                                                const Desired& desired, json object, CanonicalForm form) {
  std::string body = body_of(object);
  Result<json> made = co_await grafana::create_object(live.api, collection, desired.key.name, std::move(body));
  if (made) co_return co_await confirm(live, collection, desired, *made, form);
  Error error = std::move(made.error());
  const bool look = error.code == ErrorCode::exists || error.code == ErrorCode::ambiguous || error.http_status >= 500;
  if (!look) co_return fail(std::move(error));
  // An error under load says little (speed.md section 2, point 5): look, then decide.
  Result<json> there = co_await grafana::get_object(live.api, collection, desired.key.name);
  if (!there) co_return fail(std::move(error));
  Observed observed = seen(desired, *there, form);
  if (observed.digest == desired.digest) co_return observed;
  error.hint = "it was made by someone else meanwhile; the next cycle compares and updates it";
  error.retryable = true;
  co_return fail(std::move(error));
}

asio::awaitable<Result<Observed>> replace_wanted(const Live& live, const grafana::Collection& collection,
                                                 const Desired& desired, const Observed& planned,
                                                 const std::string& folder, const SpecChange& change,
                                                 CanonicalForm form) {
  Result<json> current = co_await grafana::get_object(live.api, collection, desired.key.name);
  if (!current) co_return fail(std::move(current.error()));
  if (object_version(*current) != planned.version) {
    Observed now = seen(desired, *current, form);
    if (now.digest == desired.digest) co_return now;
    co_return fail(Error(ErrorCode::conflict, "it was changed by someone else since it was compared")
                       .with_hint("nothing was overwritten; the next cycle compares anew")
                       .retry());
  }
  json object = std::move(*current);
  change(object["spec"]);
  object.erase("status");
  object["metadata"].erase("managedFields");
  set_folder(object, folder);
  std::string body = body_of(object);
  Result<json> written = co_await grafana::replace_object(live.api, collection, desired.key.name, std::move(body));
  if (written) co_return co_await confirm(live, collection, desired, *written, form);
  Error error = std::move(written.error());
  if (error.code == ErrorCode::conflict || error.code == ErrorCode::ambiguous) error.retryable = true;
  co_return fail(std::move(error));
}

}  // namespace graft::kinds
