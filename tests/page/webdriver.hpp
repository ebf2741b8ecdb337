// One session of a headless Chromium, spoken to as W3C WebDriver says: JSON over HTTP to a chromedriver of our own.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <stdexcept>
#include <string>

#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace graft::test {

// What the driver or the browser refused: "no such element: …".
class WebDriverError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class WebDriver {
 public:
  // Starts both programs. Throws WebDriverError when one is not installed or does not come up.
  WebDriver();
  WebDriver(const WebDriver&) = delete;
  WebDriver& operator=(const WebDriver&) = delete;
  ~WebDriver();  // ends both

  // `path` is below the session: "/url". The "value" of the reply; a refusal is thrown as a WebDriverError.
  [[nodiscard]] nlohmann::json get(const std::string& path) const;
  nlohmann::json post(const std::string& path, const nlohmann::json& body) const;  // NOLINT(modernize-use-nodiscard)
  // A command of Chromium's DevTools protocol.
  void devtools(const std::string& command, const nlohmann::json& parameters) const;

 private:
  [[nodiscard]] std::string begin_session() const;

  TemporaryDirectory directory_;  // the profile of the browser, and what both print
  test_support::Process driver_;
  std::string url_;
  std::string session_;  // "/session/ID"
};

}  // namespace graft::test
