#include "async/cancelled.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

namespace graft::async {

bool is_cancellation(const std::exception_ptr& exception) noexcept {
  if (!exception) return false;
  try {
    std::rethrow_exception(exception);
  } catch (const boost::system::system_error& error) {
    return error.code() == boost::asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

Error cancelled_or_rethrow() {
  if (!is_cancellation(std::current_exception())) throw;
  return Error(ErrorCode::cancelled, "stopped before it was done");
}

}  // namespace graft::async
