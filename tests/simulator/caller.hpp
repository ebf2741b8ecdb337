// Who is calling, and in which organization: Grafana's authentication, its lockout, its five-second memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "message.hpp"
#include "world.hpp"

namespace graft::simulator {

struct Caller {
  enum class Kind { nobody, user, account };

  Kind kind = Kind::nobody;
  std::int64_t id = 0;
  std::string login;
  std::string subject;  // "user:<uid>", as annotations name the author
  bool server_admin = false;
  std::int64_t org = 0;      // the organization the call acts in; the one asked for, member or not
  std::optional<Role> role;  // in that organization; none: no member

  bool signed_in() const { return kind != Kind::nobody; }
  bool has(Role least) const { return role && *role >= least; }
};

// A caller, or the 401 the credentials get. A request without credentials gives nobody.
std::variant<Caller, Reply> identify(World& world, const Request& request);

// The organization a namespace of /apis stands for: "default" is 1, "org-N" is N > 1.
std::optional<std::int64_t> org_of_namespace(std::string_view name);
std::string namespace_of_org(std::int64_t org);

}  // namespace graft::simulator
