// Keys of service-account tokens: glsa_<32 letters>_<8 hex digits>, the digits being a checksum of what stands before.
#pragma once

#include <string>
#include <string_view>

namespace graft::simulator {

std::string new_key();
bool is_well_formed_key(std::string_view key);
std::string hash_of_key(std::string_view key);  // all that is stored

}  // namespace graft::simulator
