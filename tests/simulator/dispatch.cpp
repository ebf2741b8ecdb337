#include "dispatch.hpp"

#include <algorithm>
#include <array>

#include "apis.hpp"
#include "json.hpp"
#include "replies.hpp"
#include "simulator.hpp"
#include "text.hpp"

namespace graft::simulator {
namespace {

// First path segments under /api that Grafana 12.4 has. Any other is its router's own 404, which we may give too.
constexpr std::array known_areas = {"access-control",
                                    "admin",
                                    "alertmanager",
                                    "annotations",
                                    "anonymous",
                                    "apiserver",
                                    "auth",
                                    "avatar",
                                    "cloudmigration",
                                    "convert",
                                    "correlations",
                                    "dashboard",
                                    "dashboards",
                                    "datasources",
                                    "ds",
                                    "featuremgmt",
                                    "folders",
                                    "frontend",
                                    "frontend-metrics",
                                    "gnet",
                                    "health",
                                    "ldap",
                                    "library-elements",
                                    "licensing",
                                    "live",
                                    "login",
                                    "org",
                                    "orgs",
                                    "playlists",
                                    "plugin-proxy",
                                    "plugins",
                                    "preferences",
                                    "prom",
                                    "prometheus",
                                    "public",
                                    "query-history",
                                    "queries",
                                    "ruler",
                                    "search",
                                    "search-v2",
                                    "serviceaccounts",
                                    "short-urls",
                                    "snapshot",
                                    "snapshots",
                                    "snapshots-delete",
                                    "storage",
                                    "support-bundles",
                                    "teams",
                                    "tsdb",
                                    "usage",
                                    "user",
                                    "users",
                                    "v1",
                                    "v2"};

// Paths all of whose methods are in the table: other methods are the router's 404.
constexpr std::array complete_paths = {
    "/api/health",          "/api/orgs",          "/api/orgs/:orgId",           "/api/orgs/name/:name", "/api/search",
    "/api/serviceaccounts", "/api/dashboards/db", "/api/serviceaccounts/search"};

std::string required_text(const Access& access) { return std::string(access.permissions); }

bool may_in_path(const Call& call, const Access& access, std::int64_t org) {
  if (call.caller.server_admin) return true;
  if (access.least == Role::none) return false;
  if (call.caller.kind == Caller::Kind::account) return call.caller.org == org && call.caller.has(access.least);
  const auto role = role_in(call.world, org, call.caller.id);
  return role && *role >= access.least;
}

std::optional<Reply> refusal_in_path(const Call& call, const Access& access) {
  const auto org = call.id("orgId");
  if (!org || *org <= 0) return access_denied("");
  if (!may_in_path(call, access, *org)) return access_denied(required_text(access));
  return std::nullopt;
}

std::optional<Reply> refusal(const Call& call, const Access& access) {
  switch (access.where) {
    case Access::Where::open:
    case Access::Where::signed_in:
      return std::nullopt;
    case Access::Where::server:
      if (call.caller.server_admin) return std::nullopt;
      return access_denied(required_text(access));
    case Access::Where::org_in_path:
      return refusal_in_path(call, access);
    case Access::Where::org_of_call:
      if (call.caller.has(access.least)) return std::nullopt;
      return access_denied(required_text(access));
    case Access::Where::apis:
      return namespace_refusal(call);
  }
  return std::nullopt;
}

Reply sign_in_first(const Request& request) {
  if (request.path.starts_with("/api")) return unauthorized("auth.unauthorized", "Unauthorized");
  return redirect("/login?redirectTo=" + percent_encode(request.target));
}

// ?orgId=N that differs from the active organization writes the user's stored one and answers 302. Nobody expects it.
std::optional<Reply> org_redirect(World& world, const Caller& caller, const Request& request) {
  const auto org = to_integer(request.parameter("orgId"));
  if (!org || *org <= 0 || caller.kind != Caller::Kind::user || *org == caller.org) return std::nullopt;
  if (!role_in(world, *org, caller.id)) return route_not_found();
  world.users.at(caller.id).org = *org;
  return redirect(request.target);
}

bool matches(std::string_view pattern, const Request& request) {
  Request as_path;
  as_path.target = std::string(pattern);
  split_target(as_path);
  const auto same = [](const std::string& want, const std::string& have) {
    return want.starts_with(':') || want == have;
  };
  return std::ranges::equal(as_path.segments, request.segments, same);
}

// Grafana's 404 for what its own router does not have; nothing where we cannot tell.
std::optional<Reply> not_in_grafana(const Request& request) {
  if (request.segments[0] == "apis") return not_in_apis(request);
  if (request.segments[0] != "api") return std::nullopt;
  const bool known =
      request.segments.size() > 1 && std::ranges::find(known_areas, request.segments[1]) != known_areas.end();
  const bool complete = std::ranges::any_of(complete_paths, [&](const char* path) { return matches(path, request); });
  if (!known || complete || request.method == "OPTIONS") return route_not_found();
  return std::nullopt;
}

Reply unrouted(const Request& request, bool apis) {
  if (!apis && request.segments[0] == "apis") return text_reply(404, "404 page not found\n");
  return not_in_grafana(request).value_or(not_simulated(request.method + " " + request.path));
}

std::map<std::string, std::string> names_of(std::string_view pattern, const Request& request) {
  Request as_path;
  as_path.target = std::string(pattern);
  split_target(as_path);
  std::map<std::string, std::string> names;
  for (std::size_t i = 0; i < as_path.segments.size(); ++i) {
    if (as_path.segments[i].starts_with(':')) names[as_path.segments[i].substr(1)] = request.segments[i];
  }
  return names;
}

std::string shown_user(const Caller& caller) { return caller.kind == Caller::Kind::account ? "key" : caller.login; }

Reply carry_out(World& world, const Request& request, const Route* route, const Caller& caller, bool apis) {
  if (!caller.signed_in()) return sign_in_first(request);
  if (const auto redirected = org_redirect(world, caller, request)) return *redirected;
  if (route == nullptr) return unrouted(request, apis);
  Call call{world, request, caller, names_of(route->pattern, request), apis};
  if (const auto refused = refusal(call, route->access)) return *refused;
  return route->handler(call);
}

}  // namespace

std::optional<std::int64_t> Call::id(const std::string& key) const { return to_integer(name(key)); }

Answer answer(World& world, const Request& request, bool apis) {
  const Route* route = find_route(request.method, request);
  if (!apis && !request.segments.empty() && request.segments[0] == "apis") route = nullptr;
  const std::string pattern(route == nullptr ? std::string_view() : route->pattern);
  if (route != nullptr && route->access.where == Access::Where::open) {
    Call call{world, request, {}, names_of(route->pattern, request), apis};
    return {route->handler(call), pattern, ""};
  }
  const auto identified = identify(world, request);
  if (const Reply* refused = std::get_if<Reply>(&identified)) return {*refused, pattern, ""};
  const Caller& caller = std::get<Caller>(identified);
  return {carry_out(world, request, route, caller, apis), pattern, shown_user(caller)};
}

bool has_rule_for(std::string_view method, std::string_view target) {
  Request request;
  request.method = std::string(method);
  request.target = std::string(target);
  split_target(request);
  return find_route(method, request) == nullptr && not_in_grafana(request).has_value();
}

}  // namespace graft::simulator
