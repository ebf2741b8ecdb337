// The canonical text of a token's spec, both ways.
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "kinds/service_account_token_spec.hpp"
#include "kinds/spec_support.hpp"
#include "model/canonical_json.hpp"
#include "sink/target_names.hpp"

namespace graft::kinds {

namespace {

using std::chrono::seconds;

nlohmann::json seconds_or_null(const std::optional<seconds>& value) {
  return value ? nlohmann::json(value->count()) : nlohmann::json(nullptr);
}

std::optional<seconds> seconds_at(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return seconds{found->get<std::int64_t>()};
}

nlohmann::json to_json(const FileDelivery& delivery) {
  nlohmann::json file{{"path", delivery.path}, {"mode", delivery.mode}};
  if (!delivery.owner.empty()) file["owner"] = delivery.owner;
  if (!delivery.group.empty()) file["group"] = delivery.group;
  return {{"file", std::move(file)}};
}

nlohmann::json to_json(const KubernetesDelivery& delivery) {
  return {
      {"kubernetesSecret", {{"namespace", delivery.namespace_name}, {"name", delivery.name}, {"key", delivery.key}}}};
}

nlohmann::json to_json(const VaultDelivery& delivery) {
  return {{"vault", {{"mount", delivery.mount}, {"path", delivery.path}, {"field", delivery.field}}}};
}

std::optional<Delivery> delivery_from(const nlohmann::json& entry) {
  if (!entry.is_object() || entry.size() != 1) return std::nullopt;
  const nlohmann::json& body = entry.front();
  if (!body.is_object()) return std::nullopt;
  const std::string& form = entry.begin().key();
  if (form == "file")
    return FileDelivery{text_at(body, "path"), text_at(body, "owner"), text_at(body, "group"), text_at(body, "mode")};
  if (form == "kubernetesSecret")
    return KubernetesDelivery{text_at(body, "namespace"), text_at(body, "name"), text_at(body, "key")};
  if (form == "vault") return VaultDelivery{text_at(body, "mount"), text_at(body, "path"), text_at(body, "field")};
  return std::nullopt;
}

}  // namespace

std::string target_of(const Delivery& delivery) {
  struct Name {
    std::string operator()(const FileDelivery& file) const { return sink::name_of_file(file.path); }
    std::string operator()(const KubernetesDelivery& secret) const {
      return sink::name_of_secret(secret.namespace_name, secret.name, secret.key);
    }
    std::string operator()(const VaultDelivery& vault) const {
      return sink::name_of_vault_field(vault.mount, vault.path, vault.field);
    }
  };
  return std::visit(Name{}, delivery);
}

unsigned FileDelivery::mode_bits() const {
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(mode.data(), mode.data() + mode.size(), bits, 8);
  return error == std::errc{} ? bits : 0600U;
}

std::string canonical(const ServiceAccountTokenSpec& spec) {
  nlohmann::json deliver = nlohmann::json::array();
  for (const Delivery& delivery : spec.deliveries)
    deliver.push_back(std::visit([](const auto& each) { return to_json(each); }, delivery));
  return canonical_text(nlohmann::json{{"account", spec.account},
                                       {"name", spec.name},
                                       {"ttl", seconds_or_null(spec.ttl)},
                                       {"rotateBefore", seconds_or_null(spec.rotate_before)},
                                       {"grace", seconds_or_null(spec.grace)},
                                       {"deliverTo", std::move(deliver)}});
}

Result<ServiceAccountTokenSpec> service_account_token_from_canonical(std::string_view canonical) {
  const auto document = read_canonical(canonical, kind_service_account_token.text());
  if (!document) return fail(document.error());
  ServiceAccountTokenSpec spec{text_at(*document, "account"),  text_at(*document, "name"),
                               seconds_at(*document, "ttl"),   seconds_at(*document, "rotateBefore"),
                               seconds_at(*document, "grace"), {}};
  const auto deliver = document->find("deliverTo");
  if (deliver != document->end() && deliver->is_array()) {
    for (const nlohmann::json& each : *deliver) {
      std::optional<Delivery> delivery = delivery_from(each);
      if (!delivery) return fail(ErrorCode::internal, "the canonical text of a token has an unknown destination");
      spec.deliveries.push_back(std::move(*delivery));
    }
  }
  if (spec.deliveries.empty()) return fail(ErrorCode::internal, "the canonical text of a token has no destination");
  return spec;
}

}  // namespace graft::kinds
