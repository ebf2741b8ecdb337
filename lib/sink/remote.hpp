// What the sinks behind an HTTP server have in common: credentials from files, answers that are no success, the key
// among what was read. No text that leaves here holds a key: neither raw nor in base64.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "http/transport.hpp"
#include "sink/reading.hpp"

namespace graft::sink {

// The one line of a file: a bearer token, a JWT. To be read anew for each request, since such files are renewed while
// we run. not_found: no such file. Blocks for as long as a small file takes (they lie in memory).
[[nodiscard]] Result<Secret> read_credential_line(const std::string& path);

// What an exchange is about, for the texts of its errors.
struct Doing {
  std::string place;             // "secret monitoring/apiorg-token/token"
  std::string_view what;         // "reading it"
  std::string_view url_setting;  // "kubernetes.url": what to look at when it is no such server that answers
  std::string_view key = {};     // taken out of all that the server says
};

// The transport was made for Grafana, and its texts name Grafana's settings; here they name those of `section`
// ("kubernetes", "vault").
[[nodiscard]] Error in_terms_of(std::string_view section, Error error);
// Of an exchange that gave no answer: the server's words are dropped, they may be a piece of a secret that was read.
[[nodiscard]] Error no_answer(const Doing& doing, Error error);
// What a server says of a refusal: its words, and its own code for the case.
struct Said {
  std::string words, code;
};
// Of an answer with any status but a success. The code is by the status; 429 and 5xx are worth a retry.
[[nodiscard]] Error refusal(const Doing& doing, const http::Response& answer, Said said);
// Of an answer that has the status of a success and is none: HTML, JSON cut short, a field of another type.
[[nodiscard]] Error not_understood(const Doing& doing, std::string_view why);

// Fills in what follows from the text that lies in the key's place; `marker` is set already. Wipes the text.
void take_in_key(Reading& reading, std::string&& text);
// Somebody else's: not ours by a marker, and no Grafana key. It is never overwritten.
[[nodiscard]] bool is_foreign(const Reading& reading);
[[nodiscard]] Error foreign_content(const std::string& place, const std::string& problem);

}  // namespace graft::sink
