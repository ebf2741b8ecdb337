#include "faults.hpp"

#include <algorithm>
#include <array>

#include "text.hpp"

namespace graft::simulator {
namespace {

using Kind = Fault::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 6> kinds = {{{"refuse", Kind::refuse},
                                                                     {"drop_reply", Kind::drop_reply},
                                                                     {"delay", Kind::delay},
                                                                     {"status", Kind::status},
                                                                     {"truncate", Kind::truncate},
                                                                     {"reply_raw", Kind::reply_raw}}};

bool read_subject(std::string_view subject, Fault& fault) {
  if (subject.starts_with('#')) {
    const auto number = to_integer(subject.substr(1));
    if (!number || *number < 1) return false;
    fault.number = static_cast<std::uint64_t>(*number);
    return true;
  }
  const auto blank = subject.find(' ');
  if (blank == std::string_view::npos) return false;
  const auto any_or = [](std::string_view text) { return text == "*" ? std::string() : std::string(text); };
  fault.method = any_or(subject.substr(0, blank));
  fault.route = any_or(subject.substr(blank + 1));
  return true;
}

bool read_times(std::string_view& text, Fault& fault) {
  const auto at = text.rfind('@');
  if (at == std::string_view::npos) return true;
  const auto times = to_integer(text.substr(at + 1));
  if (!times || *times < 1) return false;
  fault.times = static_cast<int>(*times);
  text = text.substr(0, at);
  return true;
}

// milliseconds, a status code, a number of bytes, or "STATUS body"
bool read_argument(std::string_view argument, Fault& fault) {
  if (fault.kind == Kind::refuse || fault.kind == Kind::drop_reply) return argument.empty();
  const auto blank = argument.find(' ');
  const auto number = to_integer(argument.substr(0, blank));
  if (!number || *number < 0) return false;
  if (fault.kind == Kind::delay) fault.delay = std::chrono::milliseconds(*number);
  if (fault.kind == Kind::truncate) fault.bytes = static_cast<std::size_t>(*number);
  if (fault.kind == Kind::status || fault.kind == Kind::reply_raw) fault.status = static_cast<int>(*number);
  if (blank != std::string_view::npos) fault.body = std::string(argument.substr(blank + 1));
  return true;
}

}  // namespace

bool Faults::matches(const Pending& pending, std::uint64_t number, std::string_view method, std::string_view route) {
  const Fault& fault = pending.fault;
  return (!fault.number || pending.from + *fault.number == number) &&
         (fault.method.empty() || fault.method == method) && (fault.route.empty() || fault.route == route);
}

void Faults::restart_numbering() {
  for (Pending& pending : faults_) pending.from = 0;
}

std::optional<Fault> Faults::take(std::uint64_t number, std::string_view method, std::string_view route) {
  const auto found =
      std::ranges::find_if(faults_, [&](const Pending& pending) { return matches(pending, number, method, route); });
  if (found == faults_.end()) return std::nullopt;
  Fault fault = found->fault;
  if (--found->fault.times <= 0) faults_.erase(found);
  return fault;
}

std::optional<Fault> parse_fault(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  Fault fault;
  if (!read_subject(text.substr(0, equals), fault)) return std::nullopt;
  std::string_view rest = text.substr(equals + 1);
  if (!read_times(rest, fault)) return std::nullopt;
  const auto colon = rest.find(':');
  const auto kind = std::ranges::find(kinds, rest.substr(0, colon), [](const auto& item) { return item.first; });
  if (kind == kinds.end()) return std::nullopt;
  fault.kind = kind->second;
  const auto argument = colon == std::string_view::npos ? std::string_view() : rest.substr(colon + 1);
  if (!read_argument(argument, fault)) return std::nullopt;
  return fault;
}

}  // namespace graft::simulator
