#include "daemon/triggers.hpp"

#include <algorithm>

namespace graft::daemon {

void Triggers::on_ask(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

std::uint64_t Triggers::ask(Trigger what) {
  const std::lock_guard lock(mutex_);
  Queue& asked = queue(what);
  if (!asked.waiting) ++asked.newest;
  asked.waiting = true;
  if (wake_) wake_();
  return asked.newest;
}

std::optional<TriggerAnswer> Triggers::answer(Trigger what, std::uint64_t ticket) const {
  const std::lock_guard lock(mutex_);
  const auto found = queue(what).answers.find(ticket);
  return found == queue(what).answers.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::chrono::milliseconds> Triggers::due_in_locked() const {
  using std::chrono::milliseconds;
  if (!sync_.waiting && !reload_.waiting) return std::nullopt;
  if (!last_taken_) return milliseconds(0);
  const auto left = std::chrono::ceil<milliseconds>(*last_taken_ + trigger_spacing - clock_.steady());
  return std::max(left, milliseconds(0));
}

std::optional<std::chrono::milliseconds> Triggers::due_in() const {
  const std::lock_guard lock(mutex_);
  return due_in_locked();
}

Triggers::Taken Triggers::take() {
  const std::lock_guard lock(mutex_);
  Taken taken;
  if (due_in_locked() != std::chrono::milliseconds(0)) return taken;
  last_taken_ = clock_.steady();
  if (sync_.waiting) taken.sync = sync_.newest;
  if (reload_.waiting) taken.reload = reload_.newest;
  sync_.waiting = reload_.waiting = false;
  return taken;
}

void Triggers::answered(Trigger what, std::uint64_t ticket, TriggerAnswer answer) {
  const std::lock_guard lock(mutex_);
  auto& answers = queue(what).answers;
  answers.insert_or_assign(ticket, std::move(answer));
  while (answers.size() > answers_kept) answers.erase(answers.begin());
}

}  // namespace graft::daemon
