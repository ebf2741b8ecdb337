#include "kinds/organization_member_spec.hpp"

#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "kinds/spec_support.hpp"
#include "manifest/cursor.hpp"
#include "manifest/forms.hpp"
#include "manifest/names.hpp"
#include "model/canonical_json.hpp"

namespace graft::kinds {

namespace {

using manifest::Located;

struct Written {
  Located<std::string> login, email;
  std::string role;
};

const manifest::Table<Written>& table() {
  static const manifest::Table<Written> table{
      {manifest::field("login", &Written::login, manifest::name_form(), manifest::optional,
                       "The user's login. Either this or email; the user must exist."),
       manifest::field("email", &Written::email, manifest::name_form(), manifest::optional,
                       "The user's e-mail address."),
       manifest::field("role", &Written::role, role_form(), manifest::required, "The role in the organization.")},
      {},
      R"("oneOf":[{"required":["login"]},{"required":["email"]}])"};
  return table;
}

class OrganizationMemberDecoder final : public manifest::Decoder {
 public:
  [[nodiscard]] KindName kind() const override { return kind_organization_member; }
  [[nodiscard]] std::string_view identity() const override { return ""; }
  [[nodiscard]] std::string_view nested_as() const override { return "members"; }
  [[nodiscard]] KindName nested_in() const override { return kind_organization; }
  [[nodiscard]] std::vector<manifest::FieldDoc> fields() const override { return table().docs(); }
  [[nodiscard]] std::string json_schema() const override { return table().schema(); }

  void decode(const manifest::Metadata& metadata, const manifest::Node& spec,
              manifest::Context& context) const override {
    const manifest::Node* who = spec.find("login") != nullptr ? spec.find("login") : spec.find("email");
    ResourceKey key{kind_organization_member, metadata.organization, who != nullptr ? who->scalar : std::string()};
    manifest::Reporter reporter = reporter_for(key, context.diagnostics);
    const std::optional<Written> read = table().read(spec, reporter, context.also_known);
    if (!read) return;
    if (read->login.given() == read->email.given()) {
      reporter.error(spec.at, read->login.given() ? "both login and email are given" : "login or email is missing",
                     "write exactly one of login and email");
      return;
    }
    const Located<std::string>& given = read->login.given() ? read->login : read->email;
    if (!manifest::check_name(given.value, read->login.given() ? "login" : "email", given.at, reporter)) return;
    if (read->email.given() && given.value.find('@') == given.value.npos) {
      reporter.error(given.at, fmt::format("email: {} has no @", graft::quote(given.value)), "use login for a login");
      return;
    }
    Desired desired = make_desired(key, canonical({read->login.value, read->email.value, read->role}), metadata.at);
    desired.summary = fmt::format("({})", read->role);
    context.out.push_back(std::move(desired));
  }

  // Grafana takes logins and addresses for equal whatever their case.
  void check(std::span<const Desired> all, Diagnostics& diagnostics) const override {
    std::map<std::pair<std::string, std::string>, const Desired*> seen;
    for (const Desired* member : of_kind(all, kind_organization_member)) {
      const auto [first, added] = seen.try_emplace({member->key.organization, to_lower(member->key.name)}, member);
      if (added || first->second->key == member->key) continue;  // equal keys are the loader's to report
      diagnostics.error(member->at,
                        fmt::format("{} and {} are one user: Grafana ignores case here",
                                    printable(member->key.to_string()), graft::quote(first->second->key.name)),
                        also_at(*first->second));
    }
  }
};

}  // namespace

const manifest::Decoder& organization_member_decoder() {
  static const OrganizationMemberDecoder decoder;
  return decoder;
}

std::string canonical(const OrganizationMemberSpec& spec) {
  const char* const who = spec.login.empty() ? "email" : "login";
  return canonical_text(nlohmann::json{{who, spec.login_or_email()}, {"role", spec.role}});
}

Result<OrganizationMemberSpec> organization_member_from_canonical(std::string_view canonical) {
  const auto document = read_canonical(canonical, kind_organization_member.text());
  if (!document) return fail(document.error());
  return OrganizationMemberSpec{text_at(*document, "login"), text_at(*document, "email"), text_at(*document, "role")};
}

}  // namespace graft::kinds
