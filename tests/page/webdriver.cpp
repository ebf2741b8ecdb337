#include "page/webdriver.hpp"

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <signal.h>
#include <utility>
#include <vector>

#include "support/http_client.hpp"

namespace graft::test {

namespace {

using nlohmann::json;

constexpr const char* chromium = "/usr/bin/chromium";
constexpr const char* chromedriver = "/usr/bin/chromedriver";
constexpr const char* setpriv = "/usr/bin/setpriv";

void require_programs() {
  for (const char* program : std::array{chromium, chromedriver, setpriv})
    if (!std::filesystem::exists(program))
      throw WebDriverError(std::string(program) +
                           " is not installed: the status page is tested in Chromium "
                           "(Debian packages chromium and chromium-driver; scripts/test installs them)");
}

// The driver ends with the thread that starts it, and the browser with the driver (its pipe is closed then): a test
// that is killed leaves nothing behind.
std::vector<std::string> driver_command() {
  require_programs();
  return {setpriv, "--pdeathsig", "TERM", chromedriver, "--port=0"};
}

json wanted_session(const std::string& profile) {
  // As root, which tests in containers often are, there is no sandbox; the only pages are our own.
  json arguments = {"--headless=new",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--disable-dev-shm-usage",
                    "--remote-debugging-pipe",
                    "--no-proxy-server",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--force-color-profile=srgb",
                    "--lang=en-US",
                    "--user-data-dir=" + profile};
  json wanted;
  wanted["browserName"] = "chrome";
  wanted["goog:loggingPrefs"]["browser"] = "ALL";
  wanted["goog:chromeOptions"] = {{"binary", chromium}, {"args", arguments}};
  json body;
  body["capabilities"]["alwaysMatch"] = std::move(wanted);
  return body;
}

// The port that the driver has chosen, "" when it has not said so.
std::string port_in(const std::string& output) {
  const std::string before = "started successfully on port ";
  const std::size_t found = output.find(before);
  if (found == std::string::npos) return {};
  const std::size_t begin = found + before.size();
  return output.substr(begin, output.find_first_not_of("0123456789", begin) - begin);
}

std::string address_of(const test_support::Process& driver) {
  std::string port;
  const bool started = test_support::eventually([&] { return !(port = port_in(driver.out())).empty(); });
  if (!started) throw WebDriverError("chromedriver does not start: " + driver.out() + driver.err());
  return "http://127.0.0.1:" + port;
}

json value_of(const test_support::Reply& reply) {
  json document = json::parse(reply.body, nullptr, false);
  const auto value = document.find("value");
  if (value == document.end()) throw WebDriverError("no WebDriver answer: " + reply.body.substr(0, 500));
  if (reply.status != 200)
    throw WebDriverError(value->value("error", "") + ": " + value->value("message", "").substr(0, 1000));
  return std::move(*value);
}

json send(const std::string& url, const std::string& target, const json& body) {
  const std::string text = body.dump(-1, ' ', false, json::error_handler_t::replace);
  return value_of(test_support::request(url, "POST", target, {{"Content-Type", "application/json"}}, text));
}

}  // namespace

WebDriver::WebDriver()
    : driver_(driver_command(), directory_.path().string(), {{"HOME", directory_.path().string()}}),
      url_(address_of(driver_)),
      session_(begin_session()) {}

// The browser goes with its session: what is killed instead may still be writing into the directory.
WebDriver::~WebDriver() {
  try {
    (void)test_support::request(url_, "DELETE", session_);
  } catch (const std::exception&) {  // it has ended already
  }
  driver_.signal(SIGTERM);
  (void)driver_.wait(std::chrono::seconds(10));
}

std::string WebDriver::begin_session() const {
  const json session = send(url_, "/session", wanted_session(directory_ / "profile"));
  return "/session/" + session.at("sessionId").get<std::string>();
}

json WebDriver::get(const std::string& path) const {
  return value_of(test_support::request(url_, "GET", session_ + path));
}

json WebDriver::post(const std::string& path, const json& body) const { return send(url_, session_ + path, body); }

void WebDriver::devtools(const std::string& command, const json& parameters) const {
  post("/goog/cdp/execute", {{"cmd", command}, {"params", parameters}});
}

}  // namespace graft::test
