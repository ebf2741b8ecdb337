#include "git/url.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/text.hpp"

namespace graft::git {

namespace {

std::string_view scheme_of(std::string_view url) {
  const std::size_t end = url.find("://");
  return end == url.npos ? std::string_view{} : url.substr(0, end);
}

// Between the scheme and the first slash: "git:secret@example.org:22".
std::string_view authority_of(std::string_view url) {
  const std::size_t begin = url.find("://");
  if (begin == url.npos) return {};
  const std::string_view rest = url.substr(begin + 3);
  return rest.substr(0, rest.find('/'));
}

std::string_view host_of(std::string_view authority) {
  const std::size_t at = authority.rfind('@');
  if (at != authority.npos) authority.remove_prefix(at + 1);
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

// As git reads it: a colon before any slash, and a name before it.
bool is_short_ssh(std::string_view url) {
  const std::size_t colon = url.find(':');
  return scheme_of(url).empty() && colon != url.npos && colon > 0 && colon < url.find('/') &&
         !url.substr(colon).starts_with("::");
}

}  // namespace

bool is_ssh(std::string_view url) { return scheme_of(url) == "ssh" || is_short_ssh(url); }

bool is_in_the_clear(std::string_view url) {
  const std::string_view host = host_of(authority_of(url));
  in_addr address{};
  const bool loopback =
      host == "localhost" || host == "[::1]" ||
      (::inet_pton(AF_INET, std::string(host).c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24U) == 127);
  return scheme_of(url) == "http" && !loopback;
}

Status check_url(std::string_view url, bool allow_local) {
  const auto refused = [](std::string message, std::string hint) {
    return fail(Error(ErrorCode::invalid, std::move(message)).with_hint(std::move(hint)));
  };
  constexpr const char* forms = "write https://…, ssh://… or USER@HOST:PATH";
  if (has_control_characters(url) || url.find(' ') != url.npos)
    return refused("a url has neither blanks nor control characters", forms);
  const std::string_view scheme = scheme_of(url);
  const std::string_view authority = authority_of(url);
  const std::size_t at = authority.rfind('@');
  if (at != authority.npos && (scheme != "ssh" || authority.substr(0, at).find(':') != authority.npos))
    return refused("a url holds no login and no password",
                   "put the token into a file, and name that by manifests.git.auth.tokenFile");
  if (scheme == "https" || scheme == "http" || is_ssh(url)) {
    if (!scheme.empty() && host_of(authority).empty()) return refused("a url names a host", forms);
    if (host_of(is_short_ssh(url) ? url : authority).starts_with('-'))
      return refused("no host begins with a dash", forms);
    return {};
  }
  if (scheme == "file" || (scheme.empty() && url.starts_with('/'))) {
    if (allow_local) return {};
    return refused("a repository on this machine is read only when manifests.git.allowLocal is true",
                   "or name its folder by manifests.directory");
  }
  return refused(fmt::format("{} is not the address of a repository that can be fetched from", quote(url)), forms);
}

}  // namespace graft::git
