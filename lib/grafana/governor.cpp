#include "grafana/governor.hpp"

#include <algorithm>

namespace graft::grafana {

Governor::Governor(const Limits& limits)
    : highest_(limits.writes),
      reads_(limits.reads),
      writes_(std::min(limits.writes, first_write_limit)),
      total_(limits.total) {}

asio::awaitable<Permits> Governor::admit(Access access) {
  Permits permits;
  async::Semaphore& own = access == Access::read ? reads_ : access == Access::lane ? lane_ : writes_;
  // The narrow one first: whoever waits for the lane must not keep others from the whole.
  permits.own = co_await own.acquire();
  permits.total = co_await total_.acquire();
  co_return permits;
}

void Governor::went_well(Access access) {
  if (access != Access::write || ++good_answers_ < good_answers_to_grow) return;
  good_answers_ = 0;
  if (writes_.limit() < highest_) writes_.set_limit(writes_.limit() + 1);
}

void Governor::had_trouble() {
  good_answers_ = 0;
  writes_.set_limit(std::max<std::size_t>(1, writes_.limit() / 2));
}

}  // namespace graft::grafana
