// A store that several threads may call: the same interface, one call at a time.
#pragma once

#include <memory>

#include "state/store.hpp"

namespace graft::state {

[[nodiscard]] std::unique_ptr<Store> make_locked_store(std::unique_ptr<Store> store);

}  // namespace graft::state
