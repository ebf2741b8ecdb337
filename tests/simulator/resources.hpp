// Unified storage: dashboards and folders as Kubernetes-style objects, with versions, history and trash. Knows nothing
// of what a dashboard or folder must look like; that is checked before anything is written here.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "managed_fields.hpp"

namespace graft::simulator {

using Texts = std::map<std::string, std::string>;

namespace annotation {
inline constexpr auto folder = "grafana.app/folder";
inline constexpr auto message = "grafana.app/message";
inline constexpr auto created_by = "grafana.app/createdBy";
inline constexpr auto updated_by = "grafana.app/updatedBy";
inline constexpr auto updated_at = "grafana.app/updatedTimestamp";
inline constexpr auto grant_permissions = "grafana.app/grant-permissions";
inline constexpr auto managed_by = "grafana.app/managedBy";
}  // namespace annotation

inline constexpr auto internal_id_label = "grafana.app/deprecatedInternalID";

enum class Kind { dashboard, folder };

struct Resource {
  Kind kind = Kind::dashboard;
  std::int64_t org = 0;
  std::string name;
  std::string uid;
  std::string stored_as;  // the API version it was written with, "v0alpha1"
  std::uint64_t version = 0;
  std::int64_t generation = 1;
  Time created;
  std::optional<Time> deleted;
  Texts labels;
  Texts annotations;
  Json spec;
  std::vector<ManagedFields> owners;
  bool default_permissions = false;  // Editors and Viewers got theirs when it was made

  std::string annotated(const std::string& key) const;  // "" when absent
  std::string folder() const { return annotated(annotation::folder); }
  std::string title() const;
  std::int64_t internal_id() const;
};

using ResourcePtr = std::shared_ptr<const Resource>;

// An object as a client sends it, after the checks.
struct Draft {
  std::string name;
  std::string generate_name;
  Texts labels;
  Texts annotations;
  Json spec;
  std::optional<Json> converted;     // what is stored in its place, when the API version changes what it is given
  bool default_permissions = false;  // when created
  Writer writer;
  std::string author;  // "user:<uid>" or "service-account:<uid>"
};

struct Page {
  std::vector<ResourcePtr> items;
  std::uint64_t version = 0;
  std::string next;  // the continue token, empty at the end
};

class Resources {
 public:
  explicit Resources(const Clock& clock);

  ResourcePtr find(Kind kind, std::int64_t org, const std::string& name) const;
  std::vector<ResourcePtr> all(Kind kind, std::int64_t org) const;  // by name
  std::vector<ResourcePtr> trash(Kind kind, std::int64_t org) const;
  std::vector<ResourcePtr> history(Kind kind, std::int64_t org, const std::string& name) const;  // oldest first

  // What would be stored: `create` and `update` store it, a dry run does not.
  Resource created(Kind kind, std::int64_t org, const Draft& draft);
  Resource updated(const Resource& current, const Draft& draft) const;
  // False: nothing would change, not even who owns a field.
  static bool differs(const Resource& current, const Resource& next);

  ResourcePtr store(Resource resource);
  void remove(const Resource& resource, const std::string& author);
  void remove_all(std::int64_t org);

  // A snapshot that later pages of a list are cut from.
  std::uint64_t keep_snapshot(Kind kind, std::int64_t org);
  std::optional<std::vector<ResourcePtr>> snapshot(Kind kind, std::int64_t org, std::uint64_t version) const;
  std::uint64_t last_version() const { return last_version_; }

 private:
  struct Key {
    Kind kind;
    std::int64_t org;
    auto operator<=>(const Key&) const = default;
  };
  struct Shelf {
    std::map<std::string, ResourcePtr> items;
    std::map<std::string, std::vector<ResourcePtr>> history;
    std::vector<ResourcePtr> trash;
    std::map<std::uint64_t, std::vector<ResourcePtr>> snapshots;
  };

  std::uint64_t next_version();
  const Shelf* shelf(Kind kind, std::int64_t org) const;

  const Clock& clock_;
  std::map<Key, Shelf> shelves_;
  std::uint64_t last_version_;
  std::int64_t last_internal_id_ = 0;
};

}  // namespace graft::simulator
