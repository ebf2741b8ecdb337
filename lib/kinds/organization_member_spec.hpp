// OrganizationMember: a person's role in an organization. Named by login or by e-mail, exactly one of them, and known
// in the manifests by what was written.
//
// Canonical: {"login":"admin","role":"Admin"} or {"email":"jane@example.org","role":"Editor"}
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "manifest/decoder.hpp"

namespace graft::kinds {

struct OrganizationMemberSpec {
  std::string login;  // exactly one of login and email is set
  std::string email;
  std::string role;  // None, Viewer, Editor, Admin
  [[nodiscard]] const std::string& login_or_email() const { return login.empty() ? email : login; }
};

[[nodiscard]] const manifest::Decoder& organization_member_decoder();
[[nodiscard]] std::string canonical(const OrganizationMemberSpec& spec);
[[nodiscard]] Result<OrganizationMemberSpec> organization_member_from_canonical(std::string_view canonical);

}  // namespace graft::kinds
