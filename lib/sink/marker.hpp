// The marker as a text, the same for every sink that keeps one as a text. JSON, one line:
//
//   {"version":1,"owner":"<owner>","slot":"2/sa-2-test/test-token","salt":"<32 hex>","entries":[
//    {"fingerprint":"<16 hex>","generation":3,"tokenId":17,"deliveredAt":"2026-11-24T06:29:53Z"}, ...]}
//
// Newest entry first, at most three. Fields that a reader does not know are ignored; a change that old readers would
// misread raises the version. A marker that is broken, of another version or without one of these fields is no marker.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sink/reading.hpp"

namespace graft::sink {

constexpr std::size_t marker_entries = 3;

[[nodiscard]] std::string marker_line(const Marker& marker);  // without a line end
[[nodiscard]] std::string write_marker(const Marker& marker);
[[nodiscard]] std::optional<Marker> read_marker(std::string_view text);

}  // namespace graft::sink
