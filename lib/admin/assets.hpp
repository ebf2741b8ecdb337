// What the endpoint serves besides documents; made of the files of this folder when graftd is built.
#pragma once

#include <string_view>

namespace graft::admin {

extern const std::string_view page;     // web/index.html
extern const std::string_view openapi;  // openapi.json

}  // namespace graft::admin
