// What comparing one desired resource with the live one says is to be done. A value; made by a kind's compare(), joined
// into a plan by lib/plan, carried out by lib/reconcile.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "model/resource.hpp"

namespace graft {

enum class Verb : std::uint8_t {
  none,     // equal: nothing to do
  create,   // not there
  update,   // differs, see the changes
  wait,     // must not be acted upon yet: until `wake_at`, or until what `reason` names has changed
  blocked,  // cannot be done, by us or with this login: a failure of this resource, with its reason
  unknown,  // not known what is there: its organization is not made or joined yet, or could not be read
};

[[nodiscard]] std::string_view to_string(Verb verb);

struct Verdict {
  Verb verb = Verb::none;
  std::vector<FieldChange> changes;  // for update
  std::string reason;                // for people only; never decided upon
  bool unread = false;               // unknown, because it could not be read: not a state that passes by itself
  std::optional<WallTime> wake_at;   // server time at which looking again makes sense
  std::string payload;               // the kind's own decision, handed back to it when it acts; JSON
  std::string_view cause;            // where a kind knows why it acts: "rotation", "request", "recovery"; a literal
};

}  // namespace graft
