#include "sink/marker.hpp"

#include <doctest/doctest.h>
#include <string>

namespace graft::sink {

namespace {

Marker sample(unsigned entries) {
  Marker marker{"the \"owner\"", "2/sa-2-tést/token", "00ff", {}};
  for (unsigned i = 0; i < entries; ++i)
    marker.entries.push_back({"0123456789abcdef", 4'294'967'295U - i, TokenId(std::int64_t{1} << (40 + i)),
                              WallTime{std::chrono::seconds{1'800'000'000 + i}}});
  return marker;
}

}  // namespace

TEST_CASE("a marker survives writing and reading, three entries of it") {
  for (const unsigned entries : {0U, 1U, 3U, 5U}) {
    const Marker before = sample(entries);
    const auto after = read_marker(write_marker(before));
    REQUIRE(after);
    CHECK(after->owner == before.owner);
    CHECK(after->slot == before.slot);
    CHECK(after->salt == before.salt);
    auto expected = before.entries;
    if (expected.size() > 3) expected.resize(3);
    CHECK(after->entries == expected);
  }
}

TEST_CASE("the text of a marker is what the header documents") {
  CHECK(write_marker(sample(1)) ==
        R"({"entries":[{"deliveredAt":"2027-01-15T08:00:00Z","fingerprint":"0123456789abcdef","generation":4294967295,)"
        R"("tokenId":1099511627776}],"owner":"the \"owner\"","salt":"00ff","slot":"2/sa-2-tést/token","version":1})"
        "\n");
}

TEST_CASE("unknown fields are passed over, anything broken is no marker") {
  const std::string entry = R"({"fingerprint":"f","generation":1,"tokenId":2,"deliveredAt":"2026-11-24T06:29:53Z")";
  const std::string start = R"({"version":1,"owner":"o","slot":"s","salt":"x")";
  CHECK(read_marker(start + R"(,"entries":[)" + entry + R"(,"sink":{"a":[1]}}],"later":true})"));
  for (const std::string& broken : {
           std::string(),
           std::string("null"),
           std::string("[]"),
           std::string("{}"),
           std::string("{"),
           std::string("\xff"),
           start + "}",
           start + R"(,"entries":{}})",
           start + R"(,"entries":[1]})",
           start + R"(,"entries":[{}]})",
           start + R"(,"entries":[)" + entry + R"(,"generation":"1"}]})",
           start + R"(,"entries":[)" + entry + R"(,"generation":-1}]})",
           start + R"(,"entries":[)" + entry + R"(,"generation":4294967296}]})",
           start + R"(,"entries":[)" + entry + R"(,"generation":1.5}]})",
           start + R"(,"entries":[)" + entry + R"(,"deliveredAt":"yesterday"}]})",
           start + R"(,"entries":[],"version":2})",
           start + R"(,"entries":[],"version":"1"})",
           start + R"(,"entries":[],"salt":null})",
           start + R"(,"entries":[]} trailing)",
           std::string(60'000, '['),
       }) {
    CAPTURE(broken);
    CHECK_FALSE(read_marker(broken));
  }
}

TEST_CASE("a marker cut or flipped at any byte is read whole or not at all, and never fails") {
  const std::string text = write_marker(sample(3));
  for (std::size_t at = 0; at < text.size() - 1; ++at) {
    CHECK_FALSE(read_marker(text.substr(0, at)));
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = text;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      const auto marker = read_marker(flipped);
      if (marker) CHECK(marker->entries.size() == 3);
    }
  }
}

}  // namespace graft::sink
