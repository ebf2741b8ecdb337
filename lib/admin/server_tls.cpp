#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include "admin/listen.hpp"
#include "base/text.hpp"

namespace graft::admin {

namespace {

Error unusable(std::string_view what, const std::string& path) {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* const text = code == 0 ? nullptr : ERR_reason_error_string(code);
  return Error(ErrorCode::invalid, fmt::format("admin: the {} {} cannot be used: {}", what, quote(path),
                                               text == nullptr ? "unreadable" : text))
      .with_hint("it must be a readable file in PEM format, and both must belong together");
}

// A passphrase cannot be asked for by a daemon; without this OpenSSL would read the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

Result<std::shared_ptr<SSL_CTX>> read_files(const std::string& cert_file, const std::string& key_file) {
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return fail(ErrorCode::internal, "OpenSSL has no TLS server");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_default_passwd_cb(context.get(), no_passphrase);
  if (SSL_CTX_use_certificate_chain_file(context.get(), cert_file.c_str()) != 1)
    return fail(unusable("certificate", cert_file));
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1)
    return fail(unusable("key", key_file));
  return context;
}

std::string stamp_of(const std::string& cert_file, const std::string& key_file) {
  std::string stamp;
  for (const std::string* path : {&cert_file, &key_file}) {
    struct stat info{};
    if (::stat(path->c_str(), &info) != 0) continue;
    stamp += fmt::format("{}:{}:{}.{};", info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
  }
  return stamp;
}

}  // namespace

ServerTls::ServerTls(std::string cert_file, std::string key_file, std::string stamp,
                     std::shared_ptr<ssl_ctx_st> context)
    : cert_file_(std::move(cert_file)),
      key_file_(std::move(key_file)),
      stamp_(std::move(stamp)),
      context_(std::move(context)) {}

Result<ServerTls> ServerTls::load(std::string cert_file, std::string key_file) {
  if (cert_file.empty() || key_file.empty())
    return fail(ErrorCode::invalid, "admin: the certificate file and the key file are needed together");
  std::string stamp = stamp_of(cert_file, key_file);
  auto context = read_files(cert_file, key_file);
  if (!context) return fail(std::move(context.error()));
  return ServerTls(std::move(cert_file), std::move(key_file), std::move(stamp), std::move(*context));
}

ssl_st* ServerTls::new_session() {
  if (std::string stamp = stamp_of(cert_file_, key_file_); stamp != stamp_) {
    // A failure is remembered too: files that are broken are not read again for each connection.
    stamp_ = std::move(stamp);
    if (auto context = read_files(cert_file_, key_file_)) context_ = std::move(*context);
  }
  return SSL_new(context_.get());
}

}  // namespace graft::admin
