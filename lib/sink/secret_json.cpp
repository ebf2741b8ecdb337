#include "sink/secret_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/secret.hpp"
#include "model/canonical_json.hpp"

namespace graft::sink {

namespace {

using nlohmann::json;

void wipe_texts(json& value) {
  if (value.is_string()) wipe(value.get_ref<std::string&>());
  if (!value.is_structured()) return;
  for (json& each : value) wipe_texts(each);
}

constexpr std::string_view blanks = " \t\r\n";

std::size_t after_blanks(std::string_view text, std::size_t at) {
  return std::min(text.find_first_not_of(blanks, at), text.size());
}

// `at` is at the opening quote; the result is behind the closing one.
std::size_t after_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at)
    if (text[at] == '\\') ++at;
  return std::min(at + 1, text.size());
}

std::size_t after_value(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (depth == 0 && (c == ',' || c == '}' || c == ']' || blanks.find(c) != blanks.npos)) return at;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    at = c == '"' ? after_string(text, at) : at + 1;
    if (depth == 0 && (c == '"' || c == '}' || c == ']')) return at;
  }
  return at;
}

}  // namespace

std::optional<SecretJson> SecretJson::parse(std::string_view text) {
  Result<json> parsed = parse_json(text);
  if (!parsed) return std::nullopt;
  return SecretJson(std::make_unique<json>(std::move(*parsed)));
}

SecretJson::SecretJson(std::unique_ptr<json> document) : document_(std::move(document)) {}
SecretJson::SecretJson(SecretJson&&) noexcept = default;
SecretJson& SecretJson::operator=(SecretJson&& other) noexcept {
  std::swap(document_, other.document_);
  return *this;
}
SecretJson::~SecretJson() { wipe_document(); }

void SecretJson::wipe_document() noexcept {
  if (document_) wipe_texts(*document_);
}

bool RawMember::is(std::string_view plain_name) const {
  if (name.size() == plain_name.size() + 2 && name.find('\\') == name.npos)
    return name.substr(1, plain_name.size()) == plain_name;
  const json decoded = json::parse(name, nullptr, false);
  return decoded.is_string() && decoded.get_ref<const std::string&>() == plain_name;
}

std::vector<RawMember> raw_members(std::string_view object) {
  std::vector<RawMember> members;
  std::size_t at = after_blanks(object, 0);
  if (at >= object.size() || object[at] != '{') return members;
  for (at = after_blanks(object, at + 1); at < object.size() && object[at] == '"';) {
    RawMember member;
    const std::size_t name_end = after_string(object, at);
    member.name = object.substr(at, name_end - at);
    at = after_blanks(object, name_end);
    at = after_blanks(object, at + 1);  // the colon
    const std::size_t value_end = after_value(object, at);
    member.value = object.substr(std::min(at, object.size()), value_end - std::min(at, value_end));
    members.push_back(member);
    at = after_blanks(object, value_end);
    if (at < object.size() && object[at] == ',') at = after_blanks(object, at + 1);
  }
  return members;
}

std::optional<std::string_view> raw_member(std::string_view object, std::string_view name) {
  for (const RawMember& member : raw_members(object))
    if (member.is(name)) return member.value;
  return std::nullopt;
}

std::string json_quoted(std::string_view text) {
  std::string out;
  out.reserve(text.size() * 6 + 2);  // a string that grows leaves its old bytes behind
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
  return out;
}

}  // namespace graft::sink
