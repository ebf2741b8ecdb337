#include "daemon/request_desk.hpp"

#include <doctest/doctest.h>

using namespace graft;
using namespace graft::daemon;

namespace {

std::int64_t ask(state::Store& store, const char* name) {
  state::Request request;
  request.organization = "apiorg";
  request.name = name;
  return store.ask(request, WallTime{}).value();
}

}  // namespace

TEST_CASE("a request wakes the loop once, and one for a token that nobody declares is refused") {
  const auto store = state::make_memory_store();
  RequestDesk desk;
  CHECK_FALSE(desk.waiting(*store));
  const std::int64_t declared = ask(*store, "test/here");
  const std::int64_t undeclared = ask(*store, "test/nowhere");
  CHECK(desk.waiting(*store));
  desk.begin_cycle(*store);
  const std::int64_t later = ask(*store, "test/nowhere");  // while the cycle runs
  CHECK(desk.waiting(*store));

  auto state = std::make_shared<manifest::DesiredState>();
  Desired desired;
  desired.key = {kind_service_account_token, "apiorg", "test/here"};
  state->resources.push_back(desired);
  reconcile::Report report;
  report.state = state;
  desk.end_cycle(*store, report, WallTime{}, null_log());
  CHECK(store->request(declared).value()->state == state::Request::State::open);  // its slot answers it
  CHECK(store->request(undeclared).value()->state == state::Request::State::failed);
  CHECK(store->request(later).value()->state == state::Request::State::open);
  desk.begin_cycle(*store);
  CHECK_FALSE(desk.waiting(*store));  // one that stays open does not wake the loop again and again
  desk.end_cycle(*store, report, WallTime{}, null_log());
  CHECK(store->request(later).value()->state == state::Request::State::failed);
}

TEST_CASE("a cycle that did not come to know what is declared refuses nothing") {
  const auto store = state::make_memory_store();
  RequestDesk desk;
  const std::int64_t id = ask(*store, "test/nowhere");
  desk.begin_cycle(*store);
  desk.end_cycle(*store, {}, WallTime{std::chrono::minutes(9)}, null_log());
  CHECK(store->request(id).value()->state == state::Request::State::open);
  desk.end_cycle(*store, {}, WallTime{std::chrono::minutes(10)}, null_log());  // who asked has gone
  CHECK(store->request(id).value()->state == state::Request::State::failed);
}
