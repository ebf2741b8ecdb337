#include "kinds/organization_spec.hpp"

#include <nlohmann/json.hpp>

#include "kinds/spec_support.hpp"
#include "manifest/cursor.hpp"
#include "manifest/names.hpp"
#include "model/canonical_json.hpp"

namespace graft::kinds {

namespace {

using manifest::Table;

const Table<OrganizationSpec>& table() {  // all its content is nested resources
  static const Table<OrganizationSpec> table{{}, {{"previousNames"}}};
  return table;
}

class OrganizationDecoder final : public manifest::Decoder {
 public:
  [[nodiscard]] KindName kind() const override { return kind_organization; }
  [[nodiscard]] bool server_wide() const override { return true; }
  [[nodiscard]] std::string_view identity() const override { return "name"; }
  [[nodiscard]] std::string_view nested_as() const override { return ""; }
  [[nodiscard]] KindName nested_in() const override { return {}; }
  [[nodiscard]] std::vector<manifest::FieldDoc> fields() const override { return table().docs(); }
  [[nodiscard]] std::string json_schema() const override { return table().schema(); }

  void decode(const manifest::Metadata& metadata, const manifest::Node& spec,
              manifest::Context& context) const override {
    const ResourceKey key{kind_organization, metadata.name, metadata.name};
    manifest::Reporter reporter = reporter_for(key, context.diagnostics);
    if (metadata.name.empty() && !metadata.name_at.known()) {
      reporter.error(metadata.at, "metadata.name is missing", "an organization is known by its name");
      return;
    }
    const bool named = manifest::check_name(metadata.name, "metadata.name", metadata.name_at, reporter);
    const auto read = table().read(spec, reporter, context.also_known);
    if (named && read) context.out.push_back(make_desired(key, canonical({metadata.name}), metadata.at));
  }
};

}  // namespace

const manifest::Decoder& organization_decoder() {
  static const OrganizationDecoder decoder;
  return decoder;
}

std::string canonical(const OrganizationSpec& spec) { return canonical_text(nlohmann::json{{"name", spec.name}}); }

Result<OrganizationSpec> organization_from_canonical(std::string_view canonical) {
  const auto document = read_canonical(canonical, kind_organization.text());
  if (!document) return fail(document.error());
  return OrganizationSpec{text_at(*document, "name")};
}

}  // namespace graft::kinds
