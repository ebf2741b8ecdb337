#include "admin/broadcast.hpp"

#include <chrono>

#include "base/clock.hpp"

namespace graft::admin {

Broadcast::Broadcast()
    : Broadcast(
          static_cast<std::uint64_t>(std::chrono::microseconds(system_clock().wall().time_since_epoch()).count())) {}

void Broadcast::publish(std::string name, std::string data) {
  {
    const std::lock_guard lock(mutex_);
    events_.push_back(Event{++newest_, std::move(name), std::move(data)});
    if (events_.size() > kept) events_.pop_front();
  }
  const std::lock_guard lock(wakes_mutex_);
  for (const auto& [number, wake] : wakes_) wake();
}

std::vector<Broadcast::Event> Broadcast::since(std::uint64_t id) const {
  const std::lock_guard lock(mutex_);
  const std::uint64_t before_oldest = events_.empty() ? newest_ : events_.front().id - 1;
  std::vector<Event> out;
  if (id > newest_) {
    out.push_back(Event{newest_, "lost", "{}"});
    return out;
  }
  if (id < before_oldest) out.push_back(Event{before_oldest, "lost", "{}"});
  for (const Event& event : events_)
    if (event.id > id) out.push_back(event);
  return out;
}

std::uint64_t Broadcast::newest() const {
  const std::lock_guard lock(mutex_);
  return newest_;
}

std::uint64_t Broadcast::on_publish(std::function<void()> wake) {
  const std::lock_guard lock(wakes_mutex_);
  wakes_.emplace(next_wake_, std::move(wake));
  return next_wake_++;
}

void Broadcast::forget(std::uint64_t number) {
  const std::lock_guard lock(wakes_mutex_);
  wakes_.erase(number);
}

}  // namespace graft::admin
