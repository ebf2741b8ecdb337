#include "daemon/version.hpp"

#include <boost/version.hpp>
#include <fmt/format.h>
#include <openssl/crypto.h>

#ifndef GRAFTD_VERSION
#error "the build defines GRAFTD_VERSION and GRAFTD_REVISION"
#endif

namespace graft::daemon {

std::string version() { return GRAFTD_VERSION; }
std::string build_revision() { return GRAFTD_REVISION; }
std::string compiler() { return __VERSION__; }
std::string tls_library() { return OpenSSL_version(OPENSSL_VERSION); }

std::string version_text() {
  return fmt::format("graftd {}\nrevision  {}\ncompiler  {}\nboost     {}.{}.{}\ntls       {}\n", version(),
                     build_revision(), compiler(), BOOST_VERSION / 100'000, BOOST_VERSION / 100 % 1'000,
                     BOOST_VERSION % 100, tls_library());
}

}  // namespace graft::daemon
