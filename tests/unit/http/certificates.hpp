// Certificates made on the spot for the TLS tests.
#pragma once

#include <memory>
#include <openssl/ssl.h>
#include <string>

namespace graft::test {

struct CertificateSpec {
  std::string common_name = "grafana.test";
  std::string alternative_names = "DNS:localhost,IP:127.0.0.1";
  long valid_from = -3600;  // seconds from now
  long valid_until = 3600;
};

// A self-signed certificate and its key, in memory and as PEM texts.
class Certificate {
 public:
  explicit Certificate(const CertificateSpec& spec);

  [[nodiscard]] std::string pem() const;
  [[nodiscard]] std::string key_pem() const;
  // A server that shows it; `highest` limits the version of TLS (0: no limit).
  [[nodiscard]] std::shared_ptr<SSL_CTX> server(int highest = 0) const;

 private:
  std::shared_ptr<EVP_PKEY> key_;
  std::shared_ptr<X509> certificate_;
};

}  // namespace graft::test
