#include "admin/head.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace graft::admin {

namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }

bool token_character(char c) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || others.find(c) != std::string_view::npos;
}

bool token(std::string_view text) { return !text.empty() && std::ranges::all_of(text, token_character); }

Refusal bad(std::string_view message) { return Refusal{400, std::string(message)}; }

// A line without its end, complete or not: a carriage return may stand at the end only.
std::optional<Refusal> check_bytes(std::string_view line, bool complete) {
  if (complete && !line.ends_with('\r')) return bad("a line of the request does not end in CR LF");
  if (line.ends_with('\r')) line.remove_suffix(1);
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7f) return bad("a control character in the head of the request");
  }
  return std::nullopt;
}

std::optional<Refusal> check_version(std::string_view version) {
  if (version == "HTTP/1.1" || version == "HTTP/1.0") return std::nullopt;
  const bool form = version.size() == 8 && version.starts_with("HTTP/") && digit(version[5]) && version[6] == '.' &&
                    digit(version[7]);
  if (form) return Refusal{505, "HTTP/1.1 is spoken here"};
  return bad("the request line does not end in a version of HTTP");
}

std::optional<Refusal> check_request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos) return bad("the request line is not METHOD TARGET HTTP/1.1");
  if (!token(line.substr(0, first))) return bad("the method is no token");
  if (auto refused = check_version(line.substr(second + 1))) return refused;
  if (line.substr(0, first) == "CONNECT") return Refusal{405, "no proxy is here"};
  const std::string_view target = line.substr(first + 1, second - first - 1);
  if (!target.starts_with('/')) return bad("the target of a request begins with /");
  const auto plain = [](char c) { return c > 0x20 && c < 0x7f && c != '#'; };
  if (!std::ranges::all_of(target, plain)) return bad("the target of a request is printable ASCII");
  return std::nullopt;
}

std::optional<Refusal> check_field(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') return bad("a folded header line");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !token(line.substr(0, colon)))
    return bad("a header line is not `name: value`");
  return std::nullopt;
}

std::optional<unsigned> hex_digit(char c) {
  if (digit(c)) return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10U;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10U;
  return std::nullopt;
}

std::optional<std::string> decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const auto high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
    if (!high || !low) return std::nullopt;
    out.push_back(static_cast<char>(*high * 16U + *low));
    i += 2;
  }
  if (invalid_utf8(out) || has_control_characters(out)) return std::nullopt;
  return out;
}

}  // namespace

HeadScan scan_head(std::string_view bytes, std::size_t limit) {
  const std::string_view seen = bytes.substr(0, limit);
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = seen.find('\n', begin);
    const bool complete = end != std::string_view::npos;
    std::string_view line = seen.substr(begin, complete ? end - begin : std::string_view::npos);
    if (auto refused = check_bytes(line, complete)) return {0, std::move(refused)};
    if (!complete) break;
    line.remove_suffix(1);
    const bool first = begin == 0;
    if (line.empty() && !first) return {end + 1, std::nullopt};
    if (auto refused = first ? check_request_line(line) : check_field(line)) return {0, std::move(refused)};
    begin = end + 1;
  }
  if (bytes.size() < limit) return {};
  if (begin == 0) return {0, Refusal{414, "the target of the request is too long"}};
  return {0, Refusal{431, "the head of the request is too large"}};
}

std::expected<Target, Refusal> split_target(std::string_view target) {
  Target out;
  const std::size_t mark = target.find('?');
  out.path = target.substr(0, mark);
  std::string_view rest = mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    auto name = decode(pair.substr(0, equals));
    auto value = equals == std::string_view::npos ? std::string() : decode(pair.substr(equals + 1));
    if (!name || !value) return std::unexpected(bad("the query is not well encoded"));
    if (!out.query.emplace(*name, std::move(*value)).second)
      return std::unexpected(bad("the query gives " + quote(*name) + " twice"));
  }
  return out;
}

}  // namespace graft::admin
