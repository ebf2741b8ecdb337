#include "plan/render.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace graft::plan {

namespace {

struct Sign {
  char letter;
  std::string_view ansi;
};

Sign sign(Verb verb) {
  switch (verb) {
    case Verb::none:
      return {' ', ""};
    case Verb::create:
      return {'+', "\x1b[32m"};
    case Verb::update:
      return {'~', "\x1b[33m"};
    case Verb::wait:
      return {'!', "\x1b[35m"};
    case Verb::blocked:
      return {'x', "\x1b[31m"};
    case Verb::unknown:
      return {'?', "\x1b[36m"};
  }
  return {' ', ""};
}

// Changes are what an update is about; other verbs say why in words.
std::string remark(const Action& action) {
  const Verdict& verdict = action.verdict;
  std::string text = action.desired->summary;
  if (!verdict.reason.empty()) text += (text.empty() ? "" : "; ") + verdict.reason;
  return text;
}

std::string head_of(const Action& action) {
  if (action.key().kind == kind_organization) return "organization";
  return fmt::format("{} {}", action.key().kind.noun(), action.key().name);
}

void append_changes(std::string& out, const std::vector<FieldChange>& changes) {
  std::size_t width = 0;
  const std::size_t shown = std::min(changes.size(), shown_changes);
  for (std::size_t i = 0; i < shown; ++i) width = std::max(width, changes[i].pointer.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const FieldChange& change = changes[i];
    const std::string before = change.before.empty() ? "(none)" : change.before;
    const std::string after = change.after.empty() ? "(none)" : change.after;
    out += fmt::format("      {:<{}}   {} → {}\n", change.pointer, width, before, after);
  }
  if (changes.size() > shown) out += fmt::format("      … and {} more differences\n", changes.size() - shown);
}

void append_action(std::string& out, const Action& action, Colour colour) {
  const Sign mark = sign(action.verdict.verb);
  const bool paint = colour == Colour::yes;
  const std::string note = remark(action);
  // Short remarks like "(Admin)" stand beside the name, longer ones in a column of their own.
  const std::string line = note.empty()          ? head_of(action)
                           : note.front() == '(' ? fmt::format("{} {}", head_of(action), note)
                                                 : fmt::format("{:<28} {}", head_of(action), note);
  out += fmt::format("  {}{} {}{}\n", paint ? mark.ansi : "", mark.letter, line, paint ? "\x1b[0m" : "");
  append_changes(out, action.verdict.changes);
}

nlohmann::json action_json(const Action& action) {
  nlohmann::json changes = nlohmann::json::array();
  for (const FieldChange& change : action.verdict.changes)
    changes.push_back({{"path", change.pointer}, {"before", change.before}, {"after", change.after}});
  return {{"action", to_string(action.verdict.verb)},
          {"kind", action.key().kind.text()},
          {"organization", action.key().organization},
          {"name", action.key().name},
          {"changes", std::move(changes)},
          {"reason", action.verdict.reason},
          {"manifest", action.desired->at.to_string()}};
}

}  // namespace

std::string render_counts(const Counts& counts) {
  std::string text = fmt::format("{} to create, {} to update, {} to delete, {} held", counts.create, counts.update,
                                 counts.remove, counts.held);
  if (counts.blocked > 0) text += fmt::format(", {} refused", counts.blocked);
  if (counts.unknown > 0) text += fmt::format(", {} not known yet", counts.unknown);
  return text;
}

std::string render_text(const Plan& plan, Colour colour) {
  std::string out;
  // By organization, in order of first appearance: an organization's own action and its content belong together.
  std::vector<std::string_view> organizations;
  for (const Action& action : plan.actions)
    if (std::find(organizations.begin(), organizations.end(), action.key().organization) == organizations.end())
      organizations.push_back(action.key().organization);
  for (const std::string_view organization : organizations) {
    out += fmt::format("organization {}\n", organization);
    for (const Action& action : plan.actions)
      if (action.key().organization == organization) append_action(out, action, colour);
  }
  const Counts counts = plan.counts();
  if (counts.nothing_to_do()) return fmt::format("nothing to do: {} resources are as declared\n", counts.in_sync);
  return out + fmt::format("{}          digest {}\n", render_counts(counts), plan.digest());
}

std::string render_json(const Plan& plan) {
  const Counts counts = plan.counts();
  nlohmann::json actions = nlohmann::json::array();
  for (const Action& action : plan.actions) actions.push_back(action_json(action));
  const nlohmann::json document = {{"digest", plan.digest()},
                                   {"summary",
                                    {{"create", counts.create},
                                     {"update", counts.update},
                                     {"delete", counts.remove},
                                     {"held", counts.held},
                                     {"blocked", counts.blocked},
                                     {"unknown", counts.unknown},
                                     {"inSync", counts.in_sync}}},
                                   {"actions", std::move(actions)}};
  return document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace graft::plan
