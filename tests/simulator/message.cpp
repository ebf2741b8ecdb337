#include "message.hpp"

#include "text.hpp"

namespace graft::simulator {
namespace {

// In a query a plus is a blank; in a path it is a plus.
std::string decode_query(std::string_view text) {
  std::string blanks(text);
  for (char& c : blanks) {
    if (c == '+') c = ' ';
  }
  return percent_decode(blanks);
}

void split_query(std::string_view query, Request& request) {
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto pair = query.substr(0, end);
    const auto equals = pair.find('=');
    if (!pair.empty()) {
      const auto value = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
      request.query.emplace_back(decode_query(pair.substr(0, equals)), decode_query(value));
    }
    if (end == std::string_view::npos) return;
    query.remove_prefix(end + 1);
  }
}

}  // namespace

std::string Request::header(std::string_view name) const {
  const auto found = headers.find(std::string(name));
  return found == headers.end() ? std::string() : found->second;
}

std::string Request::parameter(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return {};
}

bool Request::has_parameter(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return true;
  }
  return false;
}

std::vector<std::string> Request::parameters(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : query) {
    if (key == name) values.push_back(value);
  }
  return values;
}

void split_target(Request& request) {
  const std::string_view target = request.target;
  const auto question = target.find('?');
  request.path = std::string(target.substr(0, question));
  if (question != std::string_view::npos) split_query(target.substr(question + 1), request);
  std::string_view rest = request.path;
  if (rest.starts_with('/')) rest.remove_prefix(1);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  while (true) {
    const auto slash = rest.find('/');
    request.segments.push_back(percent_decode(rest.substr(0, slash)));
    if (slash == std::string_view::npos) return;
    rest.remove_prefix(slash + 1);
  }
}

}  // namespace graft::simulator
