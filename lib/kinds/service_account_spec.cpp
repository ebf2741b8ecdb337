#include "kinds/service_account_spec.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.hpp"
#include "kinds/spec_support.hpp"
#include "manifest/cursor.hpp"
#include "manifest/forms.hpp"
#include "manifest/names.hpp"
#include "model/canonical_json.hpp"

namespace graft::kinds {

namespace {

constexpr std::string_view reserved_prefix = "extsvc-";  // accounts that Grafana makes for plugins

const manifest::Table<ServiceAccountSpec>& table() {
  using S = ServiceAccountSpec;
  static const manifest::Table<S> table{
      {manifest::field("role", &S::role, role_form(), manifest::required, "The account's role in its organization."),
       manifest::field("disabled", &S::disabled, manifest::boolean_form(), manifest::defaults_to("false"),
                       "A disabled account's tokens are refused by Grafana.")}};
  return table;
}

class ServiceAccountDecoder final : public manifest::Decoder {
 public:
  [[nodiscard]] KindName kind() const override { return kind_service_account; }
  [[nodiscard]] std::string_view identity() const override { return "name"; }
  [[nodiscard]] std::string_view nested_as() const override { return "serviceAccounts"; }
  [[nodiscard]] KindName nested_in() const override { return kind_organization; }
  [[nodiscard]] std::vector<manifest::FieldDoc> fields() const override { return table().docs(); }
  [[nodiscard]] std::string json_schema() const override { return table().schema(); }

  void decode(const manifest::Metadata& metadata, const manifest::Node& spec,
              manifest::Context& context) const override {
    const ResourceKey key{kind_service_account, metadata.organization, metadata.name};
    manifest::Reporter reporter = reporter_for(key, context.diagnostics);
    const bool named = check_own_name(metadata, reporter);
    auto read = table().read(spec, reporter, context.also_known);
    if (!named || !read) return;
    read->name = metadata.name;
    Desired desired = make_desired(key, canonical(*read), metadata.at);
    desired.summary = fmt::format("({}{})", read->role, read->disabled ? ", disabled" : "");
    context.out.push_back(std::move(desired));
  }

  void check(std::span<const Desired> all, Diagnostics& diagnostics) const override {
    std::map<std::pair<std::string, std::string>, const Desired*> seen;
    for (const Desired* account : of_kind(all, kind_service_account)) {
      const auto slug = account_slug(account->key.name);
      const auto [first, added] = seen.try_emplace({account->key.organization, slug}, account);
      if (added || first->second->key == account->key) continue;
      diagnostics.error(account->at,
                        fmt::format("{} and {} would have one login in Grafana (sa-<organization>-{})",
                                    printable(account->key.to_string()), graft::quote(first->second->key.name), slug),
                        also_at(*first->second));
    }
  }

 private:
  static bool check_own_name(const manifest::Metadata& metadata, manifest::Reporter& reporter) {
    if (!metadata.name_at.known()) {
      reporter.error(metadata.at, "the name of the service account is missing");
      return false;
    }
    if (!manifest::check_name(metadata.name, "name", metadata.name_at, reporter)) return false;
    if (!account_slug(metadata.name).starts_with(reserved_prefix)) return true;
    reporter.error(metadata.name_at, fmt::format("names that begin with {} are reserved by Grafana", reserved_prefix),
                   "choose another name");
    return false;
  }
};

}  // namespace

const manifest::Decoder& service_account_decoder() {
  static const ServiceAccountDecoder decoder;
  return decoder;
}

std::string canonical(const ServiceAccountSpec& spec) {
  return canonical_text(nlohmann::json{{"name", spec.name}, {"role", spec.role}, {"disabled", spec.disabled}});
}

Result<ServiceAccountSpec> service_account_from_canonical(std::string_view canonical) {
  const auto document = read_canonical(canonical, kind_service_account.text());
  if (!document) return fail(document.error());
  return ServiceAccountSpec{text_at(*document, "name"), text_at(*document, "role"), flag_at(*document, "disabled")};
}

}  // namespace graft::kinds
