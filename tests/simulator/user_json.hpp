// A user as the user routes show it, and the organizations it is a member of.
#pragma once

#include "json.hpp"
#include "world.hpp"

namespace graft::simulator {

inline constexpr auto avatar_url = "/public/img/user_profile.png";

Json user_json(const User& user);
Json orgs_of_user_json(const World& world, std::int64_t user);

}  // namespace graft::simulator
