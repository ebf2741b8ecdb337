#include "grafana/objects.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "grafana/json_fields.hpp"

namespace graft::grafana {

namespace {

using nlohmann::json;

constexpr int objects_per_page = 200;  // a page of usual dashboards is then below 1 MiB, and several MiB as a tree

std::string object_path(const Collection& collection, const std::string& name) {
  return fmt::format("{}/{}", collection.path, url_encode(name));
}

}  // namespace

asio::awaitable<Status> list_objects(Api& api, const Collection& collection, const std::function<void(json&)>& each) {
  std::string next;
  do {
    std::string target = fmt::format("{}?limit={}", collection.path, objects_per_page);
    if (!next.empty()) target += "&continue=" + url_encode(next);
    Call call("GET", std::move(target), fmt::format("listing {}", collection.noun));
    call.organization = collection.organization;
    Result<json> page = co_await api.fetch(std::move(call));
    if (!page) co_return fail(std::move(page.error()));
    const json* items = member(*page, "items");
    // A list without items is not an empty list: Grafana always sends the member (8.2 [run]).
    if (items == nullptr || !items->is_array())
      co_return fail(ErrorCode::protocol, fmt::format("listing {}: the answer has no items", collection.noun));
    for (json& item : (*page)["items"]) each(item);
    const json* metadata = member(*page, "metadata");
    std::string following = metadata != nullptr ? text_of(*metadata, "continue") : std::string();
    if (!following.empty() && following == next)
      co_return fail(ErrorCode::protocol, fmt::format("listing {}: the same page was answered twice", collection.noun));
    next = std::move(following);
  } while (!next.empty());
  co_return Status{};
}

asio::awaitable<Result<json>> get_object(Api& api, const Collection& collection, const std::string& name) {
  Call call("GET", object_path(collection, name), fmt::format("reading {} {}", collection.noun, name));
  call.organization = collection.organization;
  return api.fetch(std::move(call));
}

asio::awaitable<Result<json>> create_object(Api& api, const Collection& collection, const std::string& name,
                                            std::string body) {
  Call call("POST", collection.path, fmt::format("creating {} {}", collection.noun, name));
  call.organization = collection.organization;
  call.access = collection.create_access;
  call.idempotent = false;
  call.body = std::move(body);
  Result<json> made = co_await api.fetch(std::move(call));
  if (!made && made.error().code == ErrorCode::conflict) made.error().code = ErrorCode::exists;
  co_return made;
}

asio::awaitable<Result<json>> replace_object(Api& api, const Collection& collection, const std::string& name,
                                             std::string body) {
  Call call("PUT", object_path(collection, name), fmt::format("updating {} {}", collection.noun, name));
  call.organization = collection.organization;
  call.access = Access::write;
  call.idempotent = false;  // a repeated PUT would meet the version that the first one made
  call.body = std::move(body);
  return api.fetch(std::move(call));
}

}  // namespace graft::grafana
