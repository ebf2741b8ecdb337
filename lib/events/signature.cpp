#include "events/signature.hpp"

#include <fmt/format.h>

#include "base/hash.hpp"
#include "base/text.hpp"

namespace graft::events {

namespace {

constexpr std::size_t most_keys = 2;

Error unusable(std::string why) {
  return Error(ErrorCode::invalid, "the webhook's secret file " + std::move(why))
      .with_hint("make one by `openssl rand -hex 32`; while it is replaced, the old one may stay as a second line");
}

}  // namespace

Result<SigningKeys> read_signing_keys(Secret content) {
  SigningKeys keys;
  std::string_view rest = content.reveal();
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty()) continue;
    if (has_control_characters(line)) return fail(unusable("holds a control character"));
    if (line.size() < shortest_secret)
      return fail(unusable(fmt::format("holds a line of less than {} characters", shortest_secret)));
    keys.emplace_back(std::string(line));
  }
  if (keys.empty()) return fail(unusable("is empty"));
  if (keys.size() > most_keys) return fail(unusable("holds more than two lines"));
  return keys;
}

std::string signature_of(const SigningKeys& keys, WallTime time, std::string_view body) {
  const std::string text = fmt::format("{}.{}", time.time_since_epoch().count(), body);
  std::string out;
  for (const Secret& key : keys)
    out += fmt::format("{}v1={}", out.empty() ? "" : ", ", hmac_sha256_hex(key.reveal(), text));
  return out;
}

http::Headers headers_of(const state::Event& event, const SigningKeys& keys, WallTime time) {
  return {{"Content-Type", "application/json"},
          {"X-Graftd-Event", event.type},
          {"X-Graftd-Delivery", event.uid},
          {"X-Graftd-Timestamp", fmt::format("{}", time.time_since_epoch().count())},
          {"X-Graftd-Signature", signature_of(keys, time, event.body)}};
}

}  // namespace graft::events
