// What all Kubernetes-style routes share: namespaces, objects as JSON, reading an object from a body, Status errors.
#pragma once

#include <optional>
#include <variant>

#include "routes.hpp"
#include "rules.hpp"

namespace graft::simulator {

// What the routes say of a kind of object.
struct KindNames {
  Kind kind;
  const char* group;
  const char* version;
  const char* plural;
  const char* name;

  std::string api_version() const { return std::string(group) + "/" + version; }
  std::string resource() const { return std::string(plural) + "." + group; }
};

inline constexpr KindNames dashboards{Kind::dashboard, "dashboard.grafana.app", "v0alpha1", "dashboards", "Dashboard"};
inline constexpr KindNames folders{Kind::folder, "folder.grafana.app", "v1beta1", "folders", "Folder"};

std::optional<Reply> namespace_refusal(const Call& call);
// The 404 for a group, version or resource Grafana does not have; nothing where it has one that is not in the table.
std::optional<Reply> not_in_apis(const Request& request);

// An object as it is served. `version_told` false: without resourceVersion, as after a write that changed nothing.
Json object_json(const KindNames& names, const Resource& resource, bool version_told = true);
// The same as it is asked for in the Accept header: whole, or its metadata only.
Reply object_reply(const Call& call, const KindNames& names, const Resource& resource, int status = 200,
                   bool version_told = true);

Reply problem_reply(const Problem& problem);
Reply not_found_status(const KindNames& names, const std::string& name);
Reply forbidden_status();

// An object sent by a client, before the rules of its kind.
struct Sent {
  Draft draft;
  std::string resource_version;
  std::string uid;
};

std::variant<Sent, Reply> read_object(const Call& call, const KindNames& names);
std::variant<Sent, Reply> sent_from_json(const Call& call, const KindNames& names, const Json& object);

bool is_dry_run(const Call& call);
// The name in a body must be there and be the one of the path.
std::optional<Reply> wrong_name(const Call& call, const Sent& sent);
// Server-side apply and unknown patch types.
std::optional<Reply> unfit_patch(const Call& call, const KindNames& names);
// The resourceVersion and uid an update may carry.
std::optional<Reply> failed_update_precondition(const KindNames& names, const Resource& current, const Sent& sent);
// The preconditions a DELETE may carry in its body.
std::optional<Reply> failed_precondition(const Call& call, const KindNames& names, const Resource& current);
Reply deleted_reply(const KindNames& names, const Resource& gone);

// The list of a kind, with selectors, pages, and the representation asked for.
Reply list_reply(Call& call, const KindNames& names);

// The changed object after a PATCH, or why there is none.
std::variant<Json, Reply> patched_object(const Call& call, const KindNames& names, const Resource& current);

}  // namespace graft::simulator
