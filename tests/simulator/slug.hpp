// The slug of a title, as it stands in URLs: letters and digits of ASCII joined by dashes.
#pragma once

#include <string>
#include <string_view>

namespace graft::simulator {

std::string slug_of(std::string_view title);

}  // namespace graft::simulator
