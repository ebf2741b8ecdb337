#include "sink/remote.hpp"

#include <fmt/format.h>
#include <utility>

#include "base/atomic_file.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"

namespace graft::sink {

namespace {

constexpr std::size_t credential_limit = std::size_t{16} * 1024;  // a JWT with many audiences has 2 KiB

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  if (what.empty()) return;
  for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

// A server may quote what it was sent.
std::string without_key(std::string text, std::string_view key) {
  replace_all(text, key, "(the key)");
  std::string encoded = base64(key);
  replace_all(text, encoded, "(the key)");
  wipe(encoded);
  return text;
}

ErrorCode code_of(int status) {
  if (status < 400) return ErrorCode::protocol;
  if (status == 401) return ErrorCode::unauthenticated;
  if (status == 403) return ErrorCode::forbidden;
  if (status == 404) return ErrorCode::not_found;
  if (status == 409 || status == 412) return ErrorCode::conflict;
  return status == 429 || status >= 500 ? ErrorCode::unavailable : ErrorCode::rejected;
}

std::string usual_hint(const Doing& doing, const http::Response& answer, ErrorCode code) {
  if (code == ErrorCode::protocol)
    return fmt::format("{} must be the server's own address, not one that leads elsewhere", doing.url_setting);
  if (code != ErrorCode::unavailable) return {};
  const std::string_view pause = answer.header("Retry-After");
  if (pause.empty()) return "the server has trouble; it is tried again";
  return fmt::format("the server asks to be left alone for {} s; it is tried again", printable(pause, 40));
}

}  // namespace

Result<Secret> read_credential_line(const std::string& path) {
  auto text = read_small_file(path, credential_limit);
  if (!text) return fail(std::move(text.error()));
  while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
  const bool sound = !text->empty() && !has_control_characters(*text);
  Secret line(std::move(*text));
  if (!sound) return fail(ErrorCode::invalid, fmt::format("{} must hold one line", path));
  return line;
}

Error in_terms_of(std::string_view section, Error error) {
  const std::string prefix = std::string(section) + ".";
  for (std::string* text : {&error.message, &error.hint}) {
    replace_all(*text, "grafana.tls.", prefix);
    replace_all(*text, "grafana.auth", prefix + "auth");
    replace_all(*text, "grafana.url", prefix + "url");
    replace_all(*text, "is Grafana running", "is the server running");
  }
  return error;
}

Error no_answer(const Doing& doing, Error error) {
  wipe(error.server_text);
  error = in_terms_of(doing.url_setting.substr(0, doing.url_setting.find('.')), std::move(error));
  if (error.code == ErrorCode::protocol)
    error.hint = fmt::format("is it the right server that answers at {}, or something in between?", doing.url_setting);
  return std::move(error).context(fmt::format("{}: {}", doing.place, doing.what));
}

Error refusal(const Doing& doing, const http::Response& answer, Said said) {
  const ErrorCode code = code_of(answer.status);
  if (answer.status < 400) wipe(said.words);  // what a success that is none holds may be a secret
  Error error = Error(code, fmt::format("{}: {}: HTTP {}", doing.place, doing.what, answer.status))
                    .with_server_text(without_key(std::move(said.words), doing.key));
  error.server_code = without_key(printable(said.code, 100), doing.key);
  error.http_status = answer.status;
  error.retryable = code == ErrorCode::unavailable || code == ErrorCode::conflict;
  error.hint = usual_hint(doing, answer, code);
  return error;
}

Error not_understood(const Doing& doing, std::string_view why) {
  return Error(ErrorCode::protocol, fmt::format("{}: {}: {}", doing.place, doing.what, why))
      .with_hint(fmt::format("is it the right server that answers at {}?", doing.url_setting));
}

void take_in_key(Reading& reading, std::string&& text) {
  Secret held(std::move(text));
  auto problem = malformed_key(held.reveal());
  reading.state = problem ? KeyState::malformed : KeyState::present;
  if (problem) {
    reading.problem = std::move(*problem);
    return;
  }
  reading.key = std::move(held);
  if (reading.marker) reading.fingerprint = fingerprint(reading.marker->salt, reading.key);
}

bool is_foreign(const Reading& reading) { return reading.state == KeyState::malformed && !reading.marker; }

Error foreign_content(const std::string& place, const std::string& problem) {
  return Error(ErrorCode::conflict,
               fmt::format("{} holds something that is not ours: no marker of graftd, and no Grafana key ({})", place,
                           problem))
      .with_hint("deliver to another place, or delete what lies there if nobody needs it");
}

}  // namespace graft::sink
