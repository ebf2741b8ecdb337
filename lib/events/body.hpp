// The JSON text of an event, as the receiver gets it. Pure.
#pragma once

#include <optional>
#include <string>

#include "events/compose.hpp"

namespace graft::events {

struct Told {
  std::string type, reason, message, manifest;  // reason: one word in CamelCase, to be decided upon
  bool error = false;                           // severity: error, else info
  std::optional<Subject> subject = {};          // nullopt: about no single resource
  std::vector<FieldChange> fields = {};
};

[[nodiscard]] std::string body_of(const Told& told, const std::string& uid, const CycleFacts& facts,
                                  const Composer& composer);

}  // namespace graft::events
