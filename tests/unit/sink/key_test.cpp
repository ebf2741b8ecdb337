#include <doctest/doctest.h>
#include <string>

#include "sink/reading.hpp"

namespace graft::sink {

TEST_CASE("keys whose checksum Grafana itself has computed are well-formed, and no other checksum is") {
  CHECK_FALSE(malformed_key("glsa_00000000000000000000000000000000_162149fe"));
  CHECK_FALSE(malformed_key("glsa_iNValIdinValiDinvalidinvalidinva_5b582697"));
  CHECK(malformed_key("glsa_00000000000000000000000000000000_00000000") == "its checksum does not match");
  CHECK(malformed_key("glsa_00000000000000000000000000000000_fe492116") == "its checksum does not match");
  CHECK(malformed_key("glsa_00000000000000000000000000000000_162149FE") == "its checksum does not match");
}

TEST_CASE("a fingerprint depends on salt and key, and shows neither") {
  const Secret key(std::string("glsa_00000000000000000000000000000000_162149fe"));
  const std::string mark = fingerprint("salt", key);
  CHECK(mark.size() == 16);
  CHECK(mark.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(mark == fingerprint("salt", key));
  CHECK(mark != fingerprint("other", key));
  CHECK(mark != fingerprint("salt", Secret(std::string("glsa_iNValIdinValiDinvalidinvalidinva_5b582697"))));
}

}  // namespace graft::sink
