// The route table: everything the simulator can do. A route is answered as Grafana 12.4 answers it, or not at all.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "caller.hpp"
#include "message.hpp"
#include "world.hpp"

namespace graft::simulator {

// One request on its way to a handler.
struct Call {
  World& world;
  const Request& request;
  Caller caller;
  std::map<std::string, std::string> names;  // ":uid" of the pattern under "uid"
  bool apis = true;

  const std::string& name(const std::string& key) const { return names.at(key); }
  std::optional<std::int64_t> id(const std::string& key) const;  // when the name is a number
};

// Who may call. Grafana refuses with 403 and the text of `permissions`.
struct Access {
  enum class Where {
    open,         // credentials are not looked at
    signed_in,    // anybody with good credentials
    server,       // server administrators
    org_in_path,  // `least` in the organization :orgId, or a server administrator
    org_of_call,  // `least` in the organization the call acts in; being server administrator does not help
    apis,         // a member of the namespace's organization; the handler looks at the rest
  };
  Where where = Where::signed_in;
  Role least = Role::none;
  std::string_view permissions;
};

using Handler = Reply (*)(Call& call);

struct Route {
  std::string_view method;  // GET serves HEAD too
  std::string_view pattern;
  Access access;
  Handler handler;
};

std::span<const Route> route_table();

// The row for a request: literal segments win over names.
const Route* find_route(std::string_view method, const Request& request);

}  // namespace graft::simulator
