// Writes down what a test gave graftd to read and what it said, for the tests that hold the JSON Schemas to it. A line
// of JSON for each case, into the file that GRAFTD_TEST_RECORD names; nothing without it.
#pragma once

#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "base/diagnostics.hpp"

namespace graft::test {

inline void record_case(const std::map<std::string, std::string>& files, const Diagnostics& diagnostics) {
  const char* const record = std::getenv("GRAFTD_TEST_RECORD");
  if (record == nullptr) return;
  nlohmann::json errors = nlohmann::json::array();
  for (const Diagnostic& each : diagnostics.items())
    if (each.severity == Severity::error) errors.push_back(each.to_string());
  const nlohmann::json line{{"files", files}, {"errors", errors}};
  std::ofstream(record, std::ios::app) << line.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) << "\n";
}

}  // namespace graft::test
