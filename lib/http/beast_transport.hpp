// Transport over real sockets, by Boost.Beast: one server, connections kept alive, TLS verified.
//
// A connection is looked at before it is used again, so that one that the server has closed meanwhile costs nothing; an
// idempotent request whose kept connection breaks before any byte of the reply is sent once more on a fresh one. A
// reply that is cut short, or whose end cannot be known, is an error and never a Response. Redirects are Responses.
//
// TLS: 1.2 or newer, the peer's certificate and name are always verified, and the files are read again when they
// change. The transport outlives its exchanges and is destroyed before the io_context they ran on.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "http/transport.hpp"

namespace graft::http {

// Files in PEM. Empty: the system's certificates; no client certificate.
struct TlsFiles {
  std::string ca_file;    // trusted instead of the system's
  std::string cert_file;  // our own certificate and its chain, with key_file
  std::string key_file;
};

struct Endpoint {
  std::string url;  // as base_url.hpp reads it
  TlsFiles tls;
  std::string user_agent = "graftd";
  std::size_t body_limit = std::size_t{64} * 1024 * 1024;  // of one reply
  std::size_t max_idle = 8;                                // connections kept open
  std::chrono::milliseconds idle_time{45'000};  // below the 60 s after which balancers drop connections silently
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds handshake_timeout{5'000};
  bool refuse_link_local = false;  // connect to no such address, whatever name leads there; see dialer.hpp
  bool status_suffices = false;    // a reply counts once its head was read: its body may have no length or be cut short
};

// An error (ErrorCode::invalid) when the URL or a file cannot be used; nothing is connected yet.
// Connections belong to the executor of the coroutines that call exchange(): always the same one.
[[nodiscard]] Result<std::unique_ptr<Transport>> make_beast_transport(Endpoint endpoint);

}  // namespace graft::http
