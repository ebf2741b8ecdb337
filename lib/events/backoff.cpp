#include "events/backoff.hpp"

#include <algorithm>
#include <charconv>

#include "base/text.hpp"

namespace graft::events {

namespace {

constexpr int gone = 410;

}  // namespace

Answer judge(const Result<http::Response>& reply) {
  if (!reply) return Answer::trouble;
  const int status = reply->status;
  if (status >= 200 && status < 300) return Answer::delivered;
  switch (status) {
    case 408:
    case 425:
    case 429:
      return Answer::trouble;
    case 401:
    case 403:
    case 404:
    case 405:
    case gone:
      return Answer::wrong;
    default:
      break;
  }
  if (status < 400) return Answer::wrong;
  return status < 500 ? Answer::unwanted : Answer::trouble;
}

std::optional<std::chrono::seconds> retry_after(std::string_view header, WallTime now) {
  const std::string_view text = trim(header);
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (!text.empty() && error == std::errc{} && end == text.data() + text.size() && seconds >= 0)
    return std::chrono::seconds(seconds);
  const auto date = parse_http_date(text);
  return date ? std::optional(std::max(*date - now, std::chrono::seconds(0))) : std::nullopt;
}

std::chrono::seconds wait_after(const Result<http::Response>& reply, int attempts, const Pace& pace, WallTime now,
                                double chance) {
  using std::chrono::seconds;
  const bool slow = judge(reply) != Answer::trouble;
  constexpr int enough_doublings = 20;
  const int doublings = std::clamp(attempts - 1, 0, enough_doublings);
  seconds wait = std::min((slow ? pace.first_slow : pace.first) * (std::int64_t{1} << doublings), pace.longest);
  if (reply && reply->status == gone) wait = pace.longest;
  wait -= seconds(static_cast<std::int64_t>(chance * static_cast<double>(wait.count()) / 4));
  const auto asked = reply ? retry_after(reply->header("Retry-After"), now) : std::nullopt;
  return asked ? std::max(wait, std::min(*asked, pace.longest_asked)) : wait;
}

}  // namespace graft::events
