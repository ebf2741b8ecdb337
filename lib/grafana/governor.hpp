// How much is in flight at one Grafana, adapted to how it answers: writes start at two, grow to the limit while it
// answers well, halve when it shows trouble (speed.md section 2, point 4). One thread.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "async/semaphore.hpp"
#include "grafana/api.hpp"

namespace graft::grafana {

// What one request holds while it is in flight.
struct Permits {
  async::Permit own, total;
};

class Governor {
 public:
  explicit Governor(const Limits& limits);
  [[nodiscard]] asio::awaitable<Permits> admit(Access access);
  void went_well(Access access);
  void had_trouble();  // 429, any 5xx, a time-out
  [[nodiscard]] std::size_t write_limit() const { return writes_.limit(); }

 private:
  static constexpr std::size_t first_write_limit = 2;
  static constexpr int good_answers_to_grow = 8;

  std::size_t highest_;
  async::Semaphore reads_, writes_, total_;
  async::Lane lane_;
  int good_answers_ = 0;
};

}  // namespace graft::grafana
