// The live half of Dashboard, through /apis/dashboard.grafana.app/v0alpha1, which stores what is sent
// (grafana-api.md 8.3). Canonical on both sides: id, uid and version taken out, title trimmed, numbers as float64
// (model/canonical_json.hpp).
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "kinds/objects.hpp"
#include "kinds/refresh.hpp"
#include "kinds/registry.hpp"
#include "model/canonical_json.hpp"
#include "model/diff.hpp"

namespace graft::kinds {

namespace {

using nlohmann::json;

std::string canonical_dashboard(const json& object) {
  json spec = object.contains("spec") ? object["spec"] : json::object();
  if (spec.is_object()) {
    for (const char* name : {"id", "uid", "version"}) spec.erase(name);
    if (const auto title = spec.find("title"); title != spec.end() && title->is_string())
      *title = std::string(trim(title->get_ref<const std::string&>()));
  }
  return canonical_text({{"folder", object_folder(object)}, {"spec", std::move(spec)}});
}

grafana::Collection dashboards_of(const Live& live) {
  return {grafana::content_routes(live.id).dashboards, live.id, "dashboard", grafana::Access::write};
}

class DashboardKind final : public Kind {
 public:
  KindName name() const override { return kind_dashboard; }
  int rank() const override { return 8; }
  bool one_at_a_time() const override { return false; }

  asio::awaitable<Result<std::vector<Observed>>> observe(const Live& live, std::span<const Desired* const> wanted,
                                                         const Snapshot&) const override {
    grafana::Collection dashboards = dashboards_of(live);
    co_return co_await observe_objects(live, dashboards, wanted, canonical_dashboard);
  }

  asio::awaitable<Result<Observed>> create(const Live& live, const Desired& desired, const Verdict&) const override {
    json wanted = json::parse(desired.canonical);
    grafana::Collection dashboards = dashboards_of(live);
    const std::string folder = text_of(wanted, "folder");
    json object = new_object(desired.key.name, folder, std::move(wanted["spec"]));
    // Without it nobody but Admins sees a dashboard at the root; at creation only, never to be repaired (8.3 [run]).
    if (folder.empty()) object["metadata"]["annotations"][grafana::annotation_grant_permissions] = "default";
    co_return co_await create_wanted(live, dashboards, desired, std::move(object), canonical_dashboard);
  }

  asio::awaitable<Result<Observed>> update(const Live& live, const Desired& desired, const Observed& observed,
                                           const Verdict&) const override {
    json wanted = json::parse(desired.canonical);
    grafana::Collection dashboards = dashboards_of(live);
    const std::string folder = text_of(wanted, "folder");
    const SpecChange change = [&wanted](json& spec) { spec = std::move(wanted["spec"]); };
    co_return co_await replace_wanted(live, dashboards, desired, observed, folder, change, canonical_dashboard);
  }
};

}  // namespace

std::unique_ptr<Kind> make_dashboard_kind() { return std::make_unique<DashboardKind>(); }

std::optional<std::string> dashboard_refresh(std::string_view canonical) {
  // Looked for as text first: most dashboards have none, and parsing ten thousand to find that out would be a pity.
  if (canonical.find("\"refresh\":\"") == std::string_view::npos) return std::nullopt;
  const json document = json::parse(canonical, nullptr, false);
  const json* spec = member(document, "spec");
  if (spec == nullptr) return std::nullopt;
  const std::string refresh = text_of(*spec, "refresh");
  return refresh.empty() ? std::nullopt : std::optional(refresh);
}

void adapt_dashboard(Desired& desired, const std::string& min_refresh) {
  const std::optional<std::string> refresh = dashboard_refresh(desired.canonical);
  if (!refresh) return;
  const std::string raised = raised_refresh(*refresh, min_refresh);
  if (raised == *refresh) return;
  json document = json::parse(desired.canonical);
  document["spec"]["refresh"] = raised;
  desired.canonical = canonical_text(document);
  desired.digest = Digest::of(desired.canonical);
}

}  // namespace graft::kinds
