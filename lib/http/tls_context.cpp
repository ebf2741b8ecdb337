#include "http/tls_context.hpp"

#include <array>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <utility>

#include "base/text.hpp"

namespace graft::http {

namespace {

std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* text = code == 0 ? nullptr : ERR_reason_error_string(code);
  return text == nullptr ? "unreadable" : text;
}

Error unusable(std::string_view setting, const std::string& path) {
  return Error(ErrorCode::invalid, fmt::format("{}: {} cannot be used: {}", setting, quote(path), openssl_reason()))
      .with_hint("it must be a readable file in PEM format");
}

// A passphrase cannot be asked for by a daemon; without this OpenSSL would read the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

Status trust(SSL_CTX* context, const TlsFiles& files) {
  if (files.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context);
    return {};
  }
  if (SSL_CTX_load_verify_locations(context, files.ca_file.c_str(), nullptr) != 1)
    return fail(unusable("grafana.tls.caFile", files.ca_file));
  return {};
}

Status identify(SSL_CTX* context, const TlsFiles& files) {
  if (files.cert_file.empty() != files.key_file.empty()) {
    return fail(ErrorCode::invalid, "grafana.tls.certFile and grafana.tls.keyFile are needed together");
  }
  if (files.cert_file.empty()) return {};
  if (SSL_CTX_use_certificate_chain_file(context, files.cert_file.c_str()) != 1)
    return fail(unusable("grafana.tls.certFile", files.cert_file));
  if (SSL_CTX_use_PrivateKey_file(context, files.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1)
    return fail(unusable("grafana.tls.keyFile", files.key_file));
  return {};
}

Result<std::shared_ptr<SSL_CTX>> read_files(const TlsFiles& files) {
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  if (!context) return fail(ErrorCode::internal, "OpenSSL has no TLS client");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_default_passwd_cb(context.get(), no_passphrase);
  if (auto status = trust(context.get(), files); !status) return fail(std::move(status.error()));
  if (auto status = identify(context.get(), files); !status) return fail(std::move(status.error()));
  return context;
}

std::string stamp_of(const TlsFiles& files) {
  std::string stamp;
  for (const std::string* path : {&files.ca_file, &files.cert_file, &files.key_file}) {
    struct stat info{};
    if (path->empty() || ::stat(path->c_str(), &info) != 0) continue;
    stamp += fmt::format("{}:{}:{}.{};", info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
  }
  return stamp;
}

template <class Print>
std::string printed(Print print) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  if (!out) return {};
  print(out.get());
  std::array<char, 300> text{};
  const int size = BIO_read(out.get(), text.data(), static_cast<int>(text.size()));
  return size > 0 ? printable(std::string_view(text.data(), static_cast<std::size_t>(size)), text.size()) : "";
}

bool expect_name(SSL* session, const BaseUrl& server) {
  X509_VERIFY_PARAM* const expected = SSL_get0_param(session);
  if (server.is_address) return X509_VERIFY_PARAM_set1_ip_asc(expected, server.host.c_str()) == 1;
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (X509_VERIFY_PARAM_set1_host(expected, server.host.c_str(), server.host.size()) != 1) return false;
  // What the macro SSL_set_tlsext_host_name does, without its old-style cast.
  std::string name = server.host;
  return SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data()) == 1;
}

}  // namespace

TlsContext::TlsContext(TlsFiles files, std::string stamp, std::shared_ptr<ssl_ctx_st> context)
    : files_(std::move(files)), stamp_(std::move(stamp)), context_(std::move(context)) {}

Result<TlsContext> TlsContext::load(TlsFiles files) {
  std::string stamp = stamp_of(files);
  auto context = read_files(files);
  if (!context) return fail(std::move(context.error()));
  return TlsContext(std::move(files), std::move(stamp), std::move(*context));
}

Result<ssl_st*> TlsContext::new_session(const BaseUrl& server) {
  if (std::string stamp = stamp_of(files_); stamp != stamp_) {
    if (auto context = read_files(files_)) {
      context_ = std::move(*context);
      stamp_ = std::move(stamp);
    }
  }
  std::unique_ptr<SSL, decltype(&SSL_free)> session(SSL_new(context_.get()), SSL_free);
  if (!session || !expect_name(session.get(), server))
    return fail(ErrorCode::internal, fmt::format("no TLS session for {}: {}", server.host, openssl_reason()));
  return session.release();
}

void note_distrust(x509_store_ctx_st* verification, Distrust& out) {
  out.reason = X509_STORE_CTX_get_error(verification);
  out.text = X509_verify_cert_error_string(out.reason);
  X509* const certificate = X509_STORE_CTX_get_current_cert(verification);
  if (certificate == nullptr) return;
  const std::string subject =
      printed([&](BIO* to) { X509_NAME_print_ex(to, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253); });
  const std::string until = printed([&](BIO* to) { ASN1_TIME_print(to, X509_get0_notAfter(certificate)); });
  out.text += fmt::format("; subject {}, valid until {}", subject, until);
}

std::string handshake_hint(const Distrust& distrust, unsigned long library_reason) {
  switch (distrust.reason) {
    case X509_V_OK:
      break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "grafana.url must use a name that the certificate was made for";
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "the certificate must be renewed";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "check the clocks of both machines";
    default:
      return "if this is the right server, put its issuer's certificate into grafana.tls.caFile";
  }
  if (ERR_GET_LIB(library_reason) == ERR_LIB_SSL && ERR_GET_REASON(library_reason) == SSL_R_WRONG_VERSION_NUMBER)
    return "the server does not speak TLS on this port: should grafana.url begin with http://?";
  return "TLS 1.2 or newer is needed on both sides";
}

}  // namespace graft::http
