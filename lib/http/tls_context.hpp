// What TLS connections are made from: trusted certificates, our own certificate, the floor of versions; by OpenSSL
// alone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "http/base_url.hpp"
#include "http/beast_transport.hpp"

struct ssl_ctx_st;
struct ssl_st;
struct x509_store_ctx_st;

namespace graft::http {

class TlsContext {
 public:
  // Reads the files; an error names the one that cannot be used.
  [[nodiscard]] static Result<TlsContext> load(TlsFiles files);

  // A client session for one connection to the server: verifies chain and name, sends the name (SNI). The caller owns
  // it. Files that have changed are read again first; while they cannot be read, what was read last stays in force.
  [[nodiscard]] Result<ssl_st*> new_session(const BaseUrl& server);

 private:
  TlsContext(TlsFiles files, std::string stamp, std::shared_ptr<ssl_ctx_st> context);

  TlsFiles files_;
  std::string stamp_;  // identity of the files' content as of the last reading
  std::shared_ptr<ssl_ctx_st> context_;
};

// Why a certificate was not accepted, noted while OpenSSL verifies.
struct Distrust {
  long reason = 0;   // X509_V_ERR_…; 0: no objection
  std::string text;  // "self-signed certificate; subject CN=grafana, valid until Jan  1 00:00:00 2027 GMT"
};
void note_distrust(x509_store_ctx_st* verification, Distrust& out);

// What to do about a failed handshake; `library_reason` is OpenSSL's error code, 0 if the connection broke.
[[nodiscard]] std::string handshake_hint(const Distrust& distrust, unsigned long library_reason);

}  // namespace graft::http
