// What is told to all who listen to the stream of events. Publishing never waits and never fails: who is too slow, or
// was away too long, is told so by an event `lost` and reads the documents anew.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace graft::admin {

class Broadcast {
 public:
  struct Event {
    std::uint64_t id = 0;  // grows
    std::string name;      // "status"
    std::string data;      // JSON, one line
  };

  // Ids go on from here. They begin with the microseconds of the clock, so that an id of an earlier process is older
  // than all of ours, or, should the clock have been set back, newer: in both cases "lost", never mistaken.
  Broadcast();
  explicit Broadcast(std::uint64_t newest) : newest_(newest) {}

  void publish(std::string name, std::string data);  // any thread

  // Those after `id`, oldest first; one named "lost" in place of those that are no longer kept, or when the id is none
  // of this process. Any thread.
  [[nodiscard]] std::vector<Event> since(std::uint64_t id) const;
  [[nodiscard]] std::uint64_t newest() const;

  // Called after each publish(), on the publishing thread, until it is forgotten; several may be told. It must not wait
  // and must not come back here. Returns the number by which it is forgotten; when forget() has returned it is not
  // running and never will again.
  [[nodiscard]] std::uint64_t on_publish(std::function<void()> wake);
  void forget(std::uint64_t number);

  static constexpr std::size_t kept = 256;

 private:
  mutable std::mutex mutex_;
  std::deque<Event> events_;
  std::uint64_t newest_ = 0;
  std::mutex wakes_mutex_;  // apart, since a wake-up may run while somebody reads
  std::map<std::uint64_t, std::function<void()>> wakes_;
  std::uint64_t next_wake_ = 1;
};

}  // namespace graft::admin
