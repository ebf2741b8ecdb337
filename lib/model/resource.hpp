// The values that everything else speaks of: what is wanted (Desired), what is there (Observed), and their names.
//
// Memory is a promise (ten thousand resources): a resource keeps its canonical text and a digest of it, never a
// document tree. Desired and Observed use the same canonical form per kind, so that form never reads as drift.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/position.hpp"

namespace graft {

// The name of a kind, "Dashboard", and the noun that plans use for it, "dashboard". Refers to string literals; ordered
// and equal by name.
class KindName {
 public:
  constexpr KindName() = default;
  constexpr explicit KindName(std::string_view name, std::string_view noun = {}) : text_(name), noun_(noun) {}
  [[nodiscard]] constexpr std::string_view text() const { return text_; }
  [[nodiscard]] constexpr std::string_view noun() const { return noun_.empty() ? text_ : noun_; }
  constexpr auto operator<=>(const KindName& other) const { return text_ <=> other.text_; }
  constexpr bool operator==(const KindName& other) const { return text_ == other.text_; }

 private:
  std::string_view text_, noun_;
};

inline constexpr KindName kind_organization{"Organization", "organization"};
inline constexpr KindName kind_organization_member{"OrganizationMember", "member"};
inline constexpr KindName kind_service_account{"ServiceAccount", "service account"};
inline constexpr KindName kind_service_account_token{"ServiceAccountToken", "token"};
inline constexpr KindName kind_folder{"Folder", "folder"};
inline constexpr KindName kind_dashboard{"Dashboard", "dashboard"};

// Identity in the manifests. Unique in one desired state.
//   Organization        organization = name = its name
//   OrganizationMember  name = login or e-mail as declared
//   ServiceAccount      name = account name
//   ServiceAccountToken name = "<account>/<token>"
//   Folder, Dashboard   name = uid
struct ResourceKey {
  KindName kind;
  std::string organization;
  std::string name;
  auto operator<=>(const ResourceKey&) const = default;
  [[nodiscard]] std::string to_string() const;  // "Folder apiorg/ops"; "Organization apiorg"
};

// First 16 bytes of the SHA-256 of a canonical text.
struct Digest {
  std::uint64_t high = 0, low = 0;
  auto operator<=>(const Digest&) const = default;
  [[nodiscard]] static Digest of(std::string_view canonical);
};

struct Desired {
  ResourceKey key;
  std::string canonical;           // canonical JSON of what is wanted; the kind's own document
  Digest digest;                   // of canonical
  std::vector<ResourceKey> needs;  // what must be there first, besides the organization
  Position at;                     // where it is declared
  std::string summary;  // a few words for the plan: "(Admin)", "ttl 30d → file apiorg/test-token"; may be empty
};

struct Observed {
  ResourceKey key;        // of the Desired that it answers to
  std::string id;         // Grafana's own: a number, or the uid
  std::string version;    // resourceVersion where there is one
  std::string canonical;  // empty when digest equals the desired one: nobody needs the text then
  Digest digest;
  std::string facts;  // JSON of what else was seen and is not compared: an account's login and number of tokens
  std::optional<WallTime> wake_at;  // after an action: server time at which to look again
};

// One difference, named by a JSON pointer into the canonical document.
struct FieldChange {
  std::string pointer;  // "/title"
  std::string before;   // JSON text, shortened for people; empty: was not there
  std::string after;    // JSON text, shortened; empty: is taken away
  auto operator<=>(const FieldChange&) const = default;
};

}  // namespace graft

template <>
struct std::hash<graft::ResourceKey> {
  std::size_t operator()(const graft::ResourceKey& key) const noexcept;
};
