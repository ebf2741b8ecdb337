#include "base/log.hpp"

namespace graft {

namespace {
class NullLog final : public Log {
 public:
  void write(LogLevel, std::string_view, const std::vector<LogField>&) override {}
};
}  // namespace

Log& null_log() {
  static NullLog log;
  return log;
}

}  // namespace graft
