// The head of a request as bytes: what is no HTTP/1.1 in its strict form is refused before a parser sees it. Every
// leniency (a bare line feed, a folded line, a blank before the colon) is a difference of opinion with some proxy, and
// the first half of an attack. Pure.
#pragma once

#include <cstddef>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace graft::admin {

// A request that is not carried out: the status, and our words for the person who reads the answer.
struct Refusal {
  int status = 400;
  std::string message;
};

struct HeadScan {
  std::size_t size = 0;  // bytes of the whole head, with its empty line; 0: more are needed
  std::optional<Refusal> refused;
};

// Looks at all that has come so far; what can never become right is refused without waiting for the rest. A head of
// more than `limit` bytes is refused: 414 when its first line is too long, else 431.
[[nodiscard]] HeadScan scan_head(std::string_view bytes, std::size_t limit);

struct Target {
  std::string path;  // exactly as sent
  std::map<std::string, std::string> query;
};

// "/path?a=b%20c": refuses broken escapes, control characters and broken UTF-8 in values, and a name given twice.
[[nodiscard]] std::expected<Target, Refusal> split_target(std::string_view target);

}  // namespace graft::admin
