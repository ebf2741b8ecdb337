// The field table of a token and the rules of its single values: lifetimes, the path and mode of a key file. What needs
// several fields or the whole desired state is in service_account_token_spec.cpp.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/cursor.hpp"
#include "manifest/forms.hpp"

namespace graft::kinds {

inline constexpr std::chrono::seconds longest_ttl{std::int64_t{10} * 365 * 86'400};  // tokens.md: ten years

struct WrittenFile {
  manifest::Located<std::string> path;
  std::string owner, group, mode;
};

struct WrittenDelivery {
  WrittenFile file;
};

struct Lifetime {
  std::optional<std::chrono::seconds> length;  // nullopt: never ends
};

struct WrittenToken {
  manifest::Located<std::string> account;
  manifest::Located<Lifetime> ttl;
  manifest::Located<std::chrono::seconds> rotate_before, grace;
  manifest::Located<std::vector<WrittenDelivery>> deliver_to;
};

[[nodiscard]] const manifest::Table<WrittenFile>& file_delivery_table();
[[nodiscard]] const manifest::Table<WrittenDelivery>& delivery_table();
[[nodiscard]] const manifest::Table<WrittenToken>& token_table();

// A path below the token directory. It can never name a marker or temporary file of the file sink, since those begin
// with a dot.
[[nodiscard]] std::optional<manifest::Problem> bad_key_path(std::string_view path);
[[nodiscard]] std::optional<manifest::Problem> bad_file_mode(std::string_view mode);

}  // namespace graft::kinds
