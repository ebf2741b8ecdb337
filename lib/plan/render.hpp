// A plan for people (text, with colour on a terminal) and for programs (JSON). Pure.
#pragma once

#include <string>

#include "plan/plan.hpp"

namespace graft::plan {

enum class Colour : bool { no, yes };

inline constexpr std::size_t shown_changes = 20;  // of one resource; the rest is counted

[[nodiscard]] std::string render_text(const Plan& plan, Colour colour);

// {"digest", "summary": {"create","update","delete","held","blocked","unknown","inSync"}, "actions": [{"action","kind",
// "organization","name","changes":[{"path","before","after"}],"reason","manifest"}]}; before and after are JSON texts.
[[nodiscard]] std::string render_json(const Plan& plan);

// "3 to create, 1 to update, 0 to delete, 1 held"; blocked and unknown are added when there are any.
[[nodiscard]] std::string render_counts(const Counts& counts);

}  // namespace graft::plan
