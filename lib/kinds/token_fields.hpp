// The field table of a token and the rules of its single values: lifetimes, the names of the places that a key goes to.
// What needs several fields or the whole desired state is in service_account_token_spec.cpp.
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

struct WrittenSecret {
  std::string namespace_name, name, key;
};

struct WrittenVault {
  std::string mount, path, field;
};

struct WrittenDelivery {  // exactly one of these
  manifest::Located<WrittenFile> file;
  manifest::Located<WrittenSecret> secret;
  manifest::Located<WrittenVault> vault;
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
[[nodiscard]] const manifest::Table<WrittenSecret>& secret_delivery_table();
[[nodiscard]] const manifest::Table<WrittenVault>& vault_delivery_table();
[[nodiscard]] const manifest::Table<WrittenDelivery>& delivery_table();
[[nodiscard]] const manifest::Table<WrittenToken>& token_table();

// A path below the token directory. It can never name a marker or temporary file of the file sink, since those begin
// with a dot.
[[nodiscard]] std::optional<manifest::Problem> bad_key_path(std::string_view path);
[[nodiscard]] std::optional<manifest::Problem> bad_file_mode(std::string_view mode);

// The forms that the API server demands (apimachinery, util/validation: IsDNS1123Label, IsDNS1123Subdomain,
// IsConfigMapKey).
[[nodiscard]] std::optional<manifest::Problem> bad_namespace(std::string_view name);
[[nodiscard]] std::optional<manifest::Problem> bad_secret_name(std::string_view name);
[[nodiscard]] std::optional<manifest::Problem> bad_data_key(std::string_view key);

// Mount and path in Vault: names with / between them. Neither they nor a field hold a #, so that a target reads in one
// way; a field does not end like those in which markers are kept.
[[nodiscard]] std::optional<manifest::Problem> bad_vault_path(std::string_view path);
[[nodiscard]] std::optional<manifest::Problem> bad_vault_field(std::string_view field);

}  // namespace graft::kinds
