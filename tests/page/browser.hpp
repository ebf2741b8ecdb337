// A person at a browser: opens a page, reads what is to be seen on it, types, clicks, and looks into the console. What
// the browser refuses (no such element, an exception in a script) is thrown as a WebDriverError.
//
// All that is read is read by one script at one moment, so that a page that renews itself meanwhile disturbs nothing.
#pragma once

#include <chrono>
#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "page/webdriver.hpp"

namespace graft::test {

struct Media {
  bool dark = false;
  bool reduced_motion = false;
};

class Browser {
 public:
  void open(const std::string& url);
  [[nodiscard]] std::string title() const;
  [[nodiscard]] std::string html() const;  // of the whole document, as it is now

  // Elements are named by CSS selectors. Text is what can be seen: "" of an element that is hidden or not there.
  [[nodiscard]] std::size_t count(const std::string& css) const;
  [[nodiscard]] bool visible(const std::string& css) const;
  [[nodiscard]] std::string text(const std::string& css) const;  // of the first one
  [[nodiscard]] std::vector<std::string> texts(const std::string& css) const;
  [[nodiscard]] std::string attribute(const std::string& css, const std::string& name) const;  // "" when absent

  void click(const std::string& css) const;
  void type(const std::string& css, const std::string& text) const;
  // A key as it lies on the keyboard, wherever the focus is: "ArrowDown", "Enter", "Escape", "Tab", or one character.
  void press(const std::string& key) const;

  // The body of a function; what it returns. A promise is waited for.
  nlohmann::json execute(const std::string& script) const;  // NOLINT(modernize-use-nodiscard)
  nlohmann::json execute(const std::string& script, const nlohmann::json& arguments) const;

  // What the console has said since the browser began, at level WARNING and worse.
  [[nodiscard]] std::vector<std::string> console();

  void set_window(int width, int height) const;  // of the page, in CSS pixels
  void set_media(Media media) const;
  // What is to be seen, as page-screenshots/NAME.png beside the programs of the build. Returns the file.
  std::string screenshot(const std::string& name) const;  // NOLINT(modernize-use-nodiscard)

 private:
  WebDriver driver_;
  std::vector<std::string> console_;
};

// Asks the page again and again; one that is just being loaded anew counts as "not yet".
template <class Condition>
bool wait_until(Condition condition, std::chrono::milliseconds limit = std::chrono::seconds(20)) {
  return test_support::eventually(
      [&] {
        try {
          return condition();
        } catch (const WebDriverError&) {
          return false;
        }
      },
      limit);
}

}  // namespace graft::test
