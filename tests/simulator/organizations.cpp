// Organizations: made, listed (0-based pages), renamed and deleted by server administrators.
#include <algorithm>

#include "handlers.hpp"
#include "json.hpp"
#include "replies.hpp"
#include "request_body.hpp"
#include "text.hpp"

namespace graft::simulator {
namespace {

constexpr std::int64_t default_page_size = 1000;

Json organization_json(const Organization& org) {
  Json address;
  for (const char* key : {"address1", "address2", "city", "zipCode", "state", "country"}) address[key] = "";
  return {{"id", org.id}, {"name", org.name}, {"address", address}};
}

Reply organization_reply(const Organization* org) {
  if (org == nullptr) return message_reply(404, "Organization not found");
  return json_reply(organization_json(*org));
}

const Organization* with_name(const World& world, const std::string& name) {
  const auto found =
      std::ranges::find_if(world.organizations, [&](const auto& item) { return item.second.name == name; });
  return found == world.organizations.end() ? nullptr : &found->second;
}

// The required "name" of a body; nothing when the body or the name will not do.
std::optional<std::string> name_in_body(const Request& request) {
  const auto body = struct_body(request);
  bool bad = !body;
  const std::string name = body ? string_field(*body, "name", bad) : "";
  if (bad || name.empty()) return std::nullopt;
  return name;
}

std::vector<Organization> selected(const World& world, const Request& request) {
  const std::string name = request.parameter("name");
  const std::string query = request.parameter("query");
  std::vector<Organization> orgs;
  for (const auto& [id, org] : world.organizations) {
    if (!name.empty() && org.name != name) continue;
    if (!starts_with_ignoring_case(org.name, query)) continue;
    orgs.push_back(org);
  }
  std::ranges::sort(orgs, {}, &Organization::name);
  return orgs;
}

}  // namespace

Reply current_organization(Call& call) { return organization_reply(find_organization(call.world, call.caller.org)); }

Reply list_organizations(Call& call) {
  const auto orgs = selected(call.world, call.request);
  auto size = to_integer(call.request.parameter("perpage")).value_or(0);
  if (size <= 0) size = default_page_size;
  const auto page =
      std::clamp(to_integer(call.request.parameter("page")).value_or(0), std::int64_t{0}, std::int64_t{1} << 30);
  const auto count = static_cast<std::int64_t>(orgs.size());
  // The first page is number 0, unlike in every other list of Grafana's.
  const auto first = size > count ? (page == 0 ? 0 : count) : std::min(count, page * size);
  Json list = Json::array();
  for (auto i = first; i < std::min(count, first + std::min(size, count)); ++i) {
    const Organization& org = orgs[static_cast<std::size_t>(i)];
    list.push_back({{"id", org.id}, {"name", org.name}});
  }
  return json_reply(list);
}

Reply create_organization(Call& call) {
  const auto name = name_in_body(call.request);
  if (!name) return bad_request();
  if (with_name(call.world, *name) != nullptr) return message_reply(409, "Organization name taken");
  const std::int64_t id = call.world.next_organization_id++;
  call.world.organizations[id] = {id, *name};
  call.world.members[id][call.caller.id] = Role::admin;
  return json_reply({{"orgId", id}, {"message", "Organization created"}});
}

Reply get_organization(Call& call) { return organization_reply(find_organization(call.world, *call.id("orgId"))); }

Reply get_organization_by_name(Call& call) { return organization_reply(with_name(call.world, call.name("name"))); }

Reply rename_organization(Call& call) {
  const auto name = name_in_body(call.request);
  if (!name) return bad_request();
  Organization* org = find_organization(call.world, *call.id("orgId"));
  const Organization* other = with_name(call.world, *name);
  if (other != nullptr && other != org) return message_reply(400, "Organization name taken");
  if (org == nullptr) return message_reply(500, "Failed to update organization");
  org->name = *name;
  return message_reply(200, "Organization updated");
}

Reply delete_organization(Call& call) {
  const std::int64_t id = *call.id("orgId");
  if (call.caller.org == id) {
    return message_reply(400,
                         "Cannot delete your active organization. Please switch to a different organization first.");
  }
  if (find_organization(call.world, id) == nullptr) {
    return message_reply(404, "Failed to delete organization. ID not found");
  }
  remove_organization(call.world, id);
  return message_reply(200, "Organization deleted");
}

// Quotas are off by default, and then this route fails.
Reply organization_quotas(Call&) { return message_reply(500, "failed to get quota"); }

}  // namespace graft::simulator
