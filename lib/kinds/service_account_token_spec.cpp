#include "kinds/service_account_token_spec.hpp"

#include <charconv>
#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "kinds/spec_support.hpp"
#include "kinds/token_fields.hpp"
#include "manifest/names.hpp"
#include "model/canonical_json.hpp"

namespace graft::kinds {

namespace {

using manifest::Reporter;
using std::chrono::seconds;

constexpr std::size_t token_name_limit = 150;  // of 190: the name in Grafana also says account and generation

std::optional<seconds> given(const manifest::Located<seconds>& value) {
  return value.given() ? std::optional<seconds>(value.value) : std::nullopt;
}

// The times of a token make sense only together.
bool check_times(const WrittenToken& token, Reporter& reporter) {
  const auto refuse = [&](const Position& at, const std::string& message, std::string hint = {}) {
    reporter.error(at, message, std::move(hint));
    return false;
  };
  const std::optional<seconds> ttl = token.ttl.value.length;
  if (ttl && *ttl < seconds{1}) return refuse(token.ttl.at, "ttl: a key must live for at least 1s", "or write never");
  if (ttl && *ttl > longest_ttl) return refuse(token.ttl.at, "ttl: at most ten years (3650d)", "or write never");
  if (token.rotate_before.given()) {
    const Position& at = token.rotate_before.at;
    if (!ttl)
      return refuse(at, "rotateBefore: a key that never expires has no end to be replaced before", "take it out");
    if (token.rotate_before.value <= seconds{0}) return refuse(at, "rotateBefore: must be longer than 0s");
    if (token.rotate_before.value >= *ttl) {
      return refuse(at, fmt::format("rotateBefore: {} is not less than the ttl of {}",
                                    format_duration(token.rotate_before.value), format_duration(*ttl)));
    }
  }
  if (!token.grace.given() || !ttl) return true;
  const seconds rotate_before = token.rotate_before.given() ? token.rotate_before.value : *ttl / 3;
  if (token.grace.value < rotate_before) return true;
  return refuse(token.grace.at,
                fmt::format("grace: {} is not less than rotateBefore ({})", format_duration(token.grace.value),
                            format_duration(rotate_before)),
                "else old keys would still be around when the next one comes");
}

std::optional<std::string> account_of(const manifest::Metadata& metadata, const WrittenToken& token,
                                      Reporter& reporter) {
  if (metadata.account.empty()) {
    if (token.account.given()) return token.account.value;
    reporter.error(metadata.at, "the field \"serviceAccount\" is missing",
                   "name the account that the token belongs to");
    return std::nullopt;
  }
  if (token.account.given() && token.account.value != metadata.account) {
    reporter.error(token.account.at,
                   fmt::format("serviceAccount: {} is not the account that this token is nested in",
                               graft::quoted(token.account.value)),
                   "take it out");
    return std::nullopt;
  }
  return metadata.account;
}

bool one_delivery(const WrittenToken& token, Reporter& reporter) {
  const auto count = token.deliver_to.value.size();
  if (count == 0) reporter.error(token.deliver_to.at, "deliverTo: is empty", "a key that goes nowhere is lost at once");
  if (count > 1) {
    reporter.error(token.deliver_to.at,
                   "deliverTo: more than one destination is not supported yet by this version of graftd",
                   "keep one file");
  }
  return count == 1;
}

bool check_token_name(const manifest::Metadata& metadata, Reporter& reporter) {
  if (!metadata.name_at.known()) {
    reporter.error(metadata.at, "the name of the token is missing");
    return false;
  }
  return manifest::check_name(metadata.name, "name", metadata.name_at, reporter, token_name_limit);
}

std::string summary(const ServiceAccountTokenSpec& spec) {
  return fmt::format("ttl {} → file {}", spec.ttl ? format_duration(*spec.ttl) : "never", spec.files.front().path);
}

class ServiceAccountTokenDecoder final : public manifest::Decoder {
 public:
  [[nodiscard]] KindName kind() const override { return kind_service_account_token; }
  [[nodiscard]] std::string_view identity() const override { return "name"; }
  [[nodiscard]] std::string_view nested_as() const override { return "tokens"; }
  [[nodiscard]] KindName nested_in() const override { return kind_service_account; }
  [[nodiscard]] std::vector<manifest::FieldDoc> fields() const override { return token_table().docs(); }
  [[nodiscard]] std::string json_schema() const override { return token_table().schema(); }

  void decode(const manifest::Metadata& metadata, const manifest::Node& spec,
              manifest::Context& context) const override {
    const std::string shown = metadata.account.empty() ? metadata.name : metadata.account + "/" + metadata.name;
    Reporter reporter = reporter_for({kind(), metadata.organization, shown}, context.diagnostics);
    bool sound = check_token_name(metadata, reporter);
    std::optional<WrittenToken> read = token_table().read(spec, reporter, context.also_known);
    if (!read) return;
    sound = check_times(*read, reporter) && sound;
    sound = one_delivery(*read, reporter) && sound;
    const std::optional<std::string> account = account_of(metadata, *read, reporter);
    if (!sound || !account) return;
    WrittenFile& file = read->deliver_to.value.front().file;
    if (file.mode.size() == 3) file.mode.insert(0, "0");
    const ServiceAccountTokenSpec token{*account,
                                        metadata.name,
                                        read->ttl.value.length,
                                        given(read->rotate_before),
                                        given(read->grace),
                                        {{file.path.value, file.owner, file.group, file.mode}}};
    const ResourceKey key{kind(), metadata.organization, *account + "/" + metadata.name};
    Desired desired = make_desired(key, canonical(token), metadata.at);
    desired.needs.push_back({kind_service_account, metadata.organization, *account});
    desired.summary = summary(token);
    context.out.push_back(std::move(desired));
  }

  // Two keys in one file would overwrite each other at every cycle, over organizations too.
  void check(std::span<const Desired> all, Diagnostics& diagnostics) const override {
    std::map<std::string, const Desired*, std::less<>> by_path;
    const auto tokens = of_kind(all, kind());
    for (const Desired* token : tokens) {
      const auto spec = service_account_token_from_canonical(token->canonical);
      if (!spec) continue;
      const auto [first, added] = by_path.try_emplace(spec->files.front().path, token);
      if (!added && first->second->key != token->key) collide(*token, *first->second, first->first, diagnostics);
    }
    for (const auto& [path, token] : by_path) {
      for (std::size_t slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1)) {
        const auto above = by_path.find(std::string_view(path).substr(0, slash));
        if (above != by_path.end()) under(*token, path, *above->second, above->first, diagnostics);
      }
    }
  }

 private:
  static void collide(const Desired& token, const Desired& first, const std::string& path, Diagnostics& diagnostics) {
    Reporter reporter = reporter_for(token.key, diagnostics);
    reporter.error(
        token.at, fmt::format("{} delivers to the same file {}", printable(first.key.to_string()), graft::quoted(path)),
        also_at(first));
  }
  static void under(const Desired& token, const std::string& path, const Desired& above, const std::string& file,
                    Diagnostics& diagnostics) {
    Reporter reporter = reporter_for(token.key, diagnostics);
    reporter.error(token.at,
                   fmt::format("{} cannot lie below {}, which is the key file of {}", graft::quoted(path),
                               graft::quoted(file), printable(above.key.to_string())),
                   also_at(above));
  }
};

nlohmann::json seconds_or_null(const std::optional<seconds>& value) {
  return value ? nlohmann::json(value->count()) : nlohmann::json(nullptr);
}

std::optional<seconds> seconds_at(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return seconds{found->get<std::int64_t>()};
}

}  // namespace

unsigned FileDelivery::mode_bits() const {
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(mode.data(), mode.data() + mode.size(), bits, 8);
  return error == std::errc{} ? bits : 0600U;
}

const manifest::Decoder& service_account_token_decoder() {
  static const ServiceAccountTokenDecoder decoder;
  return decoder;
}

std::string canonical(const ServiceAccountTokenSpec& spec) {
  nlohmann::json deliver = nlohmann::json::array();
  for (const FileDelivery& delivery : spec.files) {
    nlohmann::json file{{"path", delivery.path}, {"mode", delivery.mode}};
    if (!delivery.owner.empty()) file["owner"] = delivery.owner;
    if (!delivery.group.empty()) file["group"] = delivery.group;
    deliver.push_back({{"file", std::move(file)}});
  }
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
      if (!each.is_object() || !each.contains("file")) continue;
      const nlohmann::json& file = each["file"];
      spec.files.push_back(
          {text_at(file, "path"), text_at(file, "owner"), text_at(file, "group"), text_at(file, "mode")});
    }
  }
  if (spec.files.empty()) return fail(ErrorCode::internal, "the canonical text of a token has no destination");
  return spec;
}

}  // namespace graft::kinds
