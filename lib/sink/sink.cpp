#include "sink/sink.hpp"

#include <utility>

#include "async/offload.hpp"

namespace graft::sink {

namespace {

class OnThread final : public Sink {
 public:
  OnThread(asio::thread_pool& disk, std::unique_ptr<BlockingSink> sink) : disk_(disk), sink_(std::move(sink)) {}

  std::string describe() const override { return sink_->describe(); }
  asio::awaitable<Status> probe() override {
    const auto work = [this] { return sink_->probe(); };
    co_return co_await async::offload(disk_, work);
  }
  asio::awaitable<Result<Reading>> read() override {
    const auto work = [this] { return sink_->read(); };
    co_return co_await async::offload(disk_, work);
  }
  asio::awaitable<Status> put(const Secret& key, const Marker& marker) override {
    const auto work = [this, &key, &marker] { return sink_->put(key, marker); };
    co_return co_await async::offload(disk_, work);
  }

 private:
  asio::thread_pool& disk_;
  std::unique_ptr<BlockingSink> sink_;
};

class Unusable final : public Sink {
 public:
  Unusable(std::string description, Error why) : description_(std::move(description)), why_(std::move(why)) {}

  std::string describe() const override { return description_; }
  asio::awaitable<Status> probe() override { co_return fail(why_); }
  asio::awaitable<Result<Reading>> read() override { co_return fail(why_); }
  asio::awaitable<Status> put(const Secret&, const Marker&) override { co_return fail(why_); }

 private:
  std::string description_;
  Error why_;
};

}  // namespace

std::unique_ptr<Sink> on_thread(asio::thread_pool& disk, std::unique_ptr<BlockingSink> sink) {
  return std::make_unique<OnThread>(disk, std::move(sink));
}

std::unique_ptr<Sink> make_unusable_sink(std::string description, Error why) {
  return std::make_unique<Unusable>(std::move(description), std::move(why));
}

}  // namespace graft::sink
