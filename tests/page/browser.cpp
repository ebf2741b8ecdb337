#include "page/browser.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>

namespace graft::test {

namespace {

using nlohmann::json;

// The keys of the keyboard have code points of their own in WebDriver.
std::string code_of(const std::string& key) {
  static const std::map<std::string, std::string> codes{
      {"Backspace", "\uE003"}, {"Tab", "\uE004"},      {"Enter", "\uE007"},      {"Escape", "\uE00C"},
      {"PageUp", "\uE00E"},    {"PageDown", "\uE00F"}, {"End", "\uE010"},        {"Home", "\uE011"},
      {"ArrowLeft", "\uE012"}, {"ArrowUp", "\uE013"},  {"ArrowRight", "\uE014"}, {"ArrowDown", "\uE015"},
      {"Delete", "\uE017"}};
  const auto found = codes.find(key);
  return found == codes.end() ? key : found->second;
}

std::string decode_base64(const std::string& text) {
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) throw WebDriverError("the screenshot is not base64");
  // OpenSSL counts the padding as bytes of zero.
  bytes.resize(static_cast<std::size_t>(size) - (text.ends_with("==") ? 2U : text.ends_with('=') ? 1U : 0U));
  return bytes;
}

// `seen` is true of what a person sees, as far as that can be had: hidden, transparent and scrolled-away ancestors that
// hide it are not looked for.
constexpr const char* seen = "const seen = e => e.checkVisibility({opacityProperty: true, visibilityProperty: true});";

}  // namespace

void Browser::open(const std::string& url) { driver_.post("/url", {{"url", url}}); }
std::string Browser::title() const { return driver_.get("/title").get<std::string>(); }
std::string Browser::html() const { return execute("return document.documentElement.outerHTML").get<std::string>(); }

std::size_t Browser::count(const std::string& css) const {
  return execute("return document.querySelectorAll(arguments[0]).length", json::array({css})).get<std::size_t>();
}

bool Browser::visible(const std::string& css) const {
  return execute(std::string(seen) + "return [...document.querySelectorAll(arguments[0])].some(seen)",
                 json::array({css}))
      .get<bool>();
}

std::string Browser::text(const std::string& css) const {
  return execute(std::string(seen) +
                     "const e = document.querySelector(arguments[0]);"
                     "return e && seen(e) ? e.innerText : ''",
                 json::array({css}))
      .get<std::string>();
}

std::vector<std::string> Browser::texts(const std::string& css) const {
  return execute(std::string(seen) +
                     "return [...document.querySelectorAll(arguments[0])].filter(seen).map(e => e.innerText)",
                 json::array({css}))
      .get<std::vector<std::string>>();
}

std::string Browser::attribute(const std::string& css, const std::string& name) const {
  return execute("return document.querySelector(arguments[0])?.getAttribute(arguments[1]) ?? ''",
                 json::array({css, name}))
      .get<std::string>();
}

namespace {

// "/element/ID" of the first match.
std::string element(const WebDriver& driver, const std::string& css) {
  const json found = driver.post("/element", {{"using", "css selector"}, {"value", css}});
  return "/element/" + found.begin().value().get<std::string>();
}

}  // namespace

void Browser::click(const std::string& css) const { driver_.post(element(driver_, css) + "/click", json::object()); }
void Browser::type(const std::string& css, const std::string& text) const {
  driver_.post(element(driver_, css) + "/value", {{"text", text}});
}

void Browser::press(const std::string& key) const {
  const std::string code = code_of(key);
  const json down{{"type", "keyDown"}, {"value", code}}, up{{"type", "keyUp"}, {"value", code}};
  const json keyboard{{"type", "key"}, {"id", "keyboard"}, {"actions", json::array({down, up})}};
  driver_.post("/actions", {{"actions", json::array({keyboard})}});
}

json Browser::execute(const std::string& script) const { return execute(script, json::array()); }
json Browser::execute(const std::string& script, const json& arguments) const {
  return driver_.post("/execute/sync", {{"script", script}, {"args", arguments}});
}

// The driver tells each entry once.
std::vector<std::string> Browser::console() {
  for (const json& entry : driver_.post("/se/log", {{"type", "browser"}})) {
    const auto level = entry.at("level").get<std::string>();
    if (level == "WARNING" || level == "SEVERE")
      console_.push_back(level + " " + entry.at("message").get<std::string>());
  }
  return console_;
}

// The window itself cannot be made as narrow as a phone.
void Browser::set_window(int width, int height) const {
  driver_.devtools("Emulation.setDeviceMetricsOverride",
                   {{"width", width}, {"height", height}, {"deviceScaleFactor", 1}, {"mobile", false}});
}

void Browser::set_media(Media media) const {
  const json scheme{{"name", "prefers-color-scheme"}, {"value", media.dark ? "dark" : "light"}};
  const json motion{{"name", "prefers-reduced-motion"}, {"value", media.reduced_motion ? "reduce" : "no-preference"}};
  driver_.devtools("Emulation.setEmulatedMedia", {{"features", json::array({scheme, motion})}});
}

std::string Browser::screenshot(const std::string& name) const {
  const std::filesystem::path directory = std::filesystem::path(GRAFTD_BIN_DIR).parent_path() / "page-screenshots";
  std::filesystem::create_directories(directory);
  const std::string file = (directory / (name + ".png")).string();
  std::ofstream(file, std::ios::binary) << decode_base64(driver_.get("/screenshot").get<std::string>());
  return file;
}

}  // namespace graft::test
