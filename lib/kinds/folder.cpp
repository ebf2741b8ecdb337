// The live half of Folder, through /apis/folder.grafana.app (grafana-api.md sections 6 and 8). Grafana does not check a
// folder's parent: parents are made first, because a folder needs its parent and the lane makes one at a time.
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "kinds/objects.hpp"
#include "kinds/registry.hpp"
#include "model/canonical_json.hpp"

namespace graft::kinds {

namespace {

using nlohmann::json;

std::string canonical_folder(const json& object) {
  const json* spec = member(object, "spec");
  const std::string title = spec == nullptr ? std::string() : text_of(*spec, "title");
  return canonical_text({{"parent", object_folder(object)}, {"title", std::string(trim(title))}});
}

grafana::Collection folders_of(const Live& live) {
  return {grafana::content_routes(live.id).folders, live.id, "folder", grafana::Access::lane};
}

class FolderKind final : public Kind {
 public:
  KindName name() const override { return kind_folder; }
  int rank() const override { return 5; }

  asio::awaitable<Result<std::vector<Observed>>> observe(const Live& live, std::span<const Desired* const> wanted,
                                                         const Snapshot&) const override {
    grafana::Collection folders = folders_of(live);
    co_return co_await observe_objects(live, folders, wanted, canonical_folder);
  }

  asio::awaitable<Result<Observed>> create(const Live& live, const Desired& desired, const Verdict&) const override {
    const json wanted = json::parse(desired.canonical);
    grafana::Collection folders = folders_of(live);
    json spec{{"title", wanted.at("title")}};
    json object = new_object(desired.key.name, text_of(wanted, "parent"), std::move(spec));
    co_return co_await create_wanted(live, folders, desired, std::move(object), canonical_folder);
  }

  asio::awaitable<Result<Observed>> update(const Live& live, const Desired& desired, const Observed& observed,
                                           const Verdict&) const override {
    grafana::Collection folders = folders_of(live);
    const json wanted = json::parse(desired.canonical);
    const std::string parent = text_of(wanted, "parent");
    // Only the title: a description is not ours and stays as it is.
    const SpecChange change = [&wanted](json& spec) { spec["title"] = wanted.at("title"); };
    co_return co_await replace_wanted(live, folders, desired, observed, parent, change, canonical_folder);
  }
};

}  // namespace

std::unique_ptr<Kind> make_folder_kind() { return std::make_unique<FolderKind>(); }

}  // namespace graft::kinds
