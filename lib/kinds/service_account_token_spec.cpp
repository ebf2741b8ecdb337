#include "kinds/service_account_token_spec.hpp"

#include <fmt/format.h>
#include <map>
#include <utility>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "kinds/spec_support.hpp"
#include "kinds/token_fields.hpp"
#include "manifest/names.hpp"

namespace graft::kinds {

namespace {

using manifest::Reporter;
using std::chrono::seconds;

constexpr std::size_t token_name_limit = 150;  // of 190: the name in Grafana also says account and generation

// Of a ttl, where a manifest says nothing.
seconds default_rotate_before(seconds ttl) { return ttl / 3; }

std::optional<seconds> given(const manifest::Located<seconds>& value) {
  return value.given() ? std::optional<seconds>(value.value) : std::nullopt;
}

// Whether a key that lives for `ttl` leaves time for its successor: a second before it is due, and one after.
bool check_rotation(const WrittenToken& token, seconds ttl, Reporter& reporter) {
  const bool said = token.rotate_before.given();
  const seconds rotate_before = said ? token.rotate_before.value : default_rotate_before(ttl);
  const Position& at = said ? token.rotate_before.at : token.ttl.at;
  if (rotate_before >= seconds{1} && rotate_before <= ttl - seconds{1}) return true;
  if (!said) {
    reporter.error(at,
                   fmt::format("ttl: {} leaves no time to replace a key before its end: rotateBefore would be a third "
                               "of it, and that is less than 1s",
                               format_duration(ttl)),
                   "3s at least, or 2s with rotateBefore: 1s");
  } else if (rotate_before < seconds{1}) {
    reporter.error(at, "rotateBefore: must be longer than 0s");
  } else {
    reporter.error(at, fmt::format("rotateBefore: {} is not less than the ttl of {}", format_duration(rotate_before),
                                   format_duration(ttl)));
  }
  return false;
}

// The times of a token make sense only together.
bool check_times(const WrittenToken& token, Reporter& reporter) {
  const auto refuse = [&](const Position& at, const std::string& message, std::string hint = {}) {
    reporter.error(at, message, std::move(hint));
    return false;
  };
  const std::optional<seconds> ttl = token.ttl.value.length;
  if (!ttl) {
    if (!token.rotate_before.given()) return true;
    return refuse(token.rotate_before.at, "rotateBefore: a key that never expires has no end to be replaced before",
                  "take it out");
  }
  if (*ttl < seconds{1}) return refuse(token.ttl.at, "ttl: a key must live for at least 1s", "or write never");
  if (*ttl > longest_ttl) return refuse(token.ttl.at, "ttl: at most ten years (3650d)", "or write never");
  if (!check_rotation(token, *ttl, reporter)) return false;
  const seconds rotate_before = token.rotate_before.given() ? token.rotate_before.value : default_rotate_before(*ttl);
  if (!token.grace.given() || token.grace.value < rotate_before) return true;
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
                               graft::quote(token.account.value)),
                   "take it out");
    return std::nullopt;
  }
  return metadata.account;
}

// The place that an entry of deliverTo stands at, and what it says; nothing when it says less or more than one.
struct Declared {
  Position at;
  Delivery delivery;
};
std::optional<Declared> declared(const WrittenDelivery& written) {
  if (int{written.file.given()} + int{written.secret.given()} + int{written.vault.given()} != 1) return std::nullopt;
  if (written.secret.given()) {
    const WrittenSecret& secret = written.secret.value;
    return Declared{written.secret.at, KubernetesDelivery{secret.namespace_name, secret.name, secret.key}};
  }
  if (written.vault.given()) {
    const WrittenVault& vault = written.vault.value;
    return Declared{written.vault.at, VaultDelivery{vault.mount, vault.path, vault.field}};
  }
  const WrittenFile& file = written.file.value;
  const std::string mode = file.mode.size() == 3 ? "0" + file.mode : file.mode;
  return Declared{written.file.at, FileDelivery{file.path.value, file.owner, file.group, mode}};
}

// Where an entry stands; an empty one has no place of its own.
Position place_of(const WrittenDelivery& written, const Position& list) {
  for (const Position* at : {&written.vault.at, &written.secret.at, &written.file.at})
    if (at->known()) return *at;
  return list;
}

// All destinations, or nothing when one of them is wrong.
std::vector<Delivery> deliveries_of(const WrittenToken& token, Reporter& reporter) {
  const auto& written = token.deliver_to;
  if (written.value.empty())
    reporter.error(written.at, "deliverTo: is empty", "a key that goes nowhere is lost at once");
  std::vector<Delivery> deliveries;
  std::map<std::string, Position, std::less<>> seen;
  for (const WrittenDelivery& each : written.value) {
    const std::optional<Declared> one = declared(each);
    if (!one) {
      reporter.error(place_of(each, written.at),
                     "deliverTo: each entry is exactly one of file, kubernetesSecret and vault",
                     "two places are two entries");
      return {};
    }
    const auto [first, added] = seen.try_emplace(target_of(one->delivery), one->at);
    if (!added) {
      reporter.error(one->at, fmt::format("deliverTo: {} is named twice", printable(first->first)),
                     fmt::format("also at {}", first->second.to_string()));
      return {};
    }
    deliveries.push_back(one->delivery);
  }
  return deliveries;
}

bool check_token_name(const manifest::Metadata& metadata, Reporter& reporter) {
  if (!metadata.name_at.known()) {
    reporter.error(metadata.at, "the name of the token is missing");
    return false;
  }
  return manifest::check_name(metadata.name, "name", metadata.name_at, reporter, token_name_limit);
}

std::string summary(const ServiceAccountTokenSpec& spec) {
  std::string targets;
  for (const Delivery& delivery : spec.deliveries) targets += (targets.empty() ? "" : ", ") + target_of(delivery);
  return fmt::format("ttl {} → {}", spec.ttl ? format_duration(*spec.ttl) : "never", printable(targets));
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
    std::vector<Delivery> deliveries = deliveries_of(*read, reporter);
    const std::optional<std::string> account = account_of(metadata, *read, reporter);
    if (!sound || deliveries.empty() || !account) return;
    const ServiceAccountTokenSpec token{
        *account,           metadata.name,        read->ttl.value.length, given(read->rotate_before),
        given(read->grace), std::move(deliveries)};
    const ResourceKey key{kind(), metadata.organization, *account + "/" + metadata.name};
    Desired desired = make_desired(key, canonical(token), metadata.at);
    desired.needs.push_back({kind_service_account, metadata.organization, *account});
    desired.summary = summary(token);
    context.out.push_back(std::move(desired));
  }

  // Two keys in one place would overwrite each other at every cycle, over organizations too.
  void check(std::span<const Desired> all, Diagnostics& diagnostics) const override {
    std::map<std::string, const Desired*, std::less<>> by_target, by_path;
    for (const Desired* token : of_kind(all, kind())) {
      const auto spec = service_account_token_from_canonical(token->canonical);
      if (!spec) continue;
      for (const Delivery& delivery : spec->deliveries) {
        const auto [first, added] = by_target.try_emplace(target_of(delivery), token);
        if (!added && first->second->key != token->key) collide(*token, *first->second, first->first, diagnostics);
        if (const auto* file = std::get_if<FileDelivery>(&delivery)) by_path.try_emplace(file->path, token);
      }
    }
    for (const auto& [path, token] : by_path) {
      for (std::size_t slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1)) {
        const auto above = by_path.find(std::string_view(path).substr(0, slash));
        if (above != by_path.end()) under(*token, path, *above->second, above->first, diagnostics);
      }
    }
  }

 private:
  static void collide(const Desired& token, const Desired& first, const std::string& target, Diagnostics& diagnostics) {
    Reporter reporter = reporter_for(token.key, diagnostics);
    reporter.error(
        token.at, fmt::format("{} delivers to the same place, {}", printable(first.key.to_string()), printable(target)),
        also_at(first));
  }
  static void under(const Desired& token, const std::string& path, const Desired& above, const std::string& file,
                    Diagnostics& diagnostics) {
    Reporter reporter = reporter_for(token.key, diagnostics);
    reporter.error(token.at,
                   fmt::format("{} cannot lie below {}, which is the key file of {}", graft::quote(path),
                               graft::quote(file), printable(above.key.to_string())),
                   also_at(above));
  }
};

}  // namespace

const manifest::Decoder& service_account_token_decoder() {
  static const ServiceAccountTokenDecoder decoder;
  return decoder;
}

}  // namespace graft::kinds
