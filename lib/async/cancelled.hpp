// Cancellation as it travels through coroutines: an exception, boost::system::system_error with operation_aborted. It
// is no failure: no error log, no retry. Catch it at the root of a task, or where a Result is promised, and nowhere
// else.
#pragma once

#include <exception>

#include "base/result.hpp"

namespace graft::async {

[[nodiscard]] bool is_cancellation(const std::exception_ptr& exception) noexcept;

// ErrorCode::cancelled for a cancellation; any other exception goes on. Call it inside a catch block.
[[nodiscard]] Error cancelled_or_rethrow();

}  // namespace graft::async
