#include "manifest/names.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

#include "base/text.hpp"

namespace graft::manifest {

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;  // all but continuation bytes
  }));
}

std::optional<Problem> bad_name(std::string_view name, std::size_t limit) {
  if (name.empty()) return Problem{"must not be empty", {}};
  if (invalid_utf8(name)) return Problem{"is not sound UTF-8", {}};
  if (has_control_characters(name)) {
    return Problem{fmt::format("{} has a line break or another control character in it", graft::quote(name)),
                   "take it out"};
  }
  if (trim(name).empty()) return Problem{"must not be blanks only", {}};
  if (characters(name) > limit) {
    return Problem{fmt::format("{} has {} characters", graft::quote(printable(name, 40)), characters(name)),
                   fmt::format("at most {} are possible", limit)};
  }
  return std::nullopt;
}

std::optional<Problem> bad_uid(std::string_view uid) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  const std::string hint = "at most 40 of a-z, A-Z, 0-9, - and _";
  if (uid.empty()) return Problem{"must not be empty", hint};
  if (uid.size() > uid_limit) {
    return Problem{fmt::format("{} has {} characters", graft::quote(printable(uid, 60)), uid.size()), hint};
  }
  if (uid.find_first_not_of(allowed) != uid.npos) {
    return Problem{fmt::format("{} has a character that Grafana refuses in a uid", graft::quote(uid)), hint};
  }
  return std::nullopt;
}

Form<std::string> uid_form() {
  return text_form("uid", R"("minLength":1,"maxLength":40,"pattern":"^[a-zA-Z0-9_-]+$")", bad_uid);
}

Form<std::string> name_form(std::size_t limit) {
  return text_form("string", fmt::format(R"("minLength":1,"maxLength":{})", limit),
                   [limit](std::string_view text) { return bad_name(text, limit); });
}

bool check_name(std::string_view name, std::string_view label, const Position& at, Reporter& reporter,
                std::size_t limit) {
  if (const auto problem = bad_name(name, limit)) {
    reporter.error(at, fmt::format("{}: {}", label, problem->message), problem->hint);
    return false;
  }
  if (trim(name) != name) {
    reporter.warning(at, fmt::format("{}: {} begins or ends with a blank", label, graft::quote(name)),
                     "Grafana keeps it; take it out unless it is meant");
  }
  return true;
}

Result<std::string> path_in_tree(std::string_view document, std::string_view relative) {
  const auto refuse = [&](std::string_view why) {
    return fail(Error(ErrorCode::invalid, fmt::format("the path {} {}", graft::quote(relative), why))
                    .with_hint("name a file of the manifest tree, relative to the folder of this manifest"));
  };
  if (relative.empty()) return refuse("is empty");
  if (relative.front() == '/') return refuse("is absolute");
  if (has_control_characters(relative) || invalid_utf8(relative)) return refuse("has control characters in it");
  const std::size_t folder_end = document.rfind('/');
  std::string whole(folder_end == document.npos ? std::string_view() : document.substr(0, folder_end + 1));
  whole += relative;
  std::vector<std::string_view> parts;
  for (std::string_view rest = whole; !rest.empty();) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (parts.empty()) {
      return refuse("leaves the manifest tree");
    } else {
      parts.pop_back();
    }
  }
  return fmt::format("{}", fmt::join(parts, "/"));
}

}  // namespace graft::manifest
