#include "sink/account_names.hpp"

#include <cerrno>
#include <charconv>
#include <fmt/format.h>
#include <grp.h>
#include <optional>
#include <pwd.h>
#include <system_error>
#include <vector>

#include "base/text.hpp"

namespace graft::sink {

namespace {

constexpr std::size_t largest_entry = std::size_t{1} << 20U;  // a group with thousands of members

std::optional<unsigned> as_number(const std::string& name) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return number;
}

// `query(buffer, size)` is getpwnam_r or getgrnam_r; it answers ERANGE while the buffer is too small.
template <class Query>
int ask(Query query) {
  int error = ERANGE;
  for (std::size_t size = 1024; error == ERANGE && size <= largest_entry; size *= 4) {
    std::vector<char> buffer(size);
    error = query(buffer.data(), buffer.size());
  }
  return error;
}

Error unknown(const char* what, const std::string& name, int error) {
  if (error == 0 || error == ENOENT || error == ESRCH) {
    return Error(ErrorCode::io, fmt::format("this machine has no {} {}", what, quote(name)))
        .with_hint("make it, or name another in the token's file")
        .retry();
  }
  const std::string reason = std::generic_category().message(error);
  return Error(ErrorCode::io, fmt::format("cannot look up the {} {}: {}", what, quote(name), reason)).retry();
}

}  // namespace

Result<uid_t> user_id(const std::string& name) {
  std::optional<uid_t> found;
  const int error = ask([&](char* buffer, std::size_t size) {
    passwd entry{};
    passwd* result = nullptr;
    const int outcome = ::getpwnam_r(name.c_str(), &entry, buffer, size, &result);
    if (result != nullptr) found = entry.pw_uid;
    return outcome;
  });
  if (!found) found = as_number(name);
  if (!found) return fail(unknown("user", name, error));
  return *found;
}

Result<gid_t> group_id(const std::string& name) {
  std::optional<gid_t> found;
  const int error = ask([&](char* buffer, std::size_t size) {
    group entry{};
    group* result = nullptr;
    const int outcome = ::getgrnam_r(name.c_str(), &entry, buffer, size, &result);
    if (result != nullptr) found = entry.gr_gid;
    return outcome;
  });
  if (!found) found = as_number(name);
  if (!found) return fail(unknown("group", name, error));
  return *found;
}

}  // namespace graft::sink
