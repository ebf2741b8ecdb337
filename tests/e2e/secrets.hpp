// Everything that a graftd has shown or left, and the search for secrets in it, in the forms in which they might leak.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace graft::test {

inline std::string base64_of(std::string_view data) {
  static constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < data.size(); at += 3) {
    std::uint32_t bits = 0;
    const std::size_t count = std::min<std::size_t>(3, data.size() - at);
    for (std::size_t i = 0; i < 3; ++i)
      bits = (bits << 8U) | (i < count ? static_cast<unsigned char>(data[at + i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i) out += i <= count ? letters[(bits >> (18U - 6U * i)) & 63U] : '=';
  }
  return out;
}

class Haystack {
 public:
  void add(const std::string& place, std::string text) { places_.emplace_back(place, std::move(text)); }

  void add_files(const std::filesystem::path& directory, const std::set<std::string>& but) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
      const std::string name = std::filesystem::relative(entry.path(), directory).string();
      add("name of a file", name);
      if (!entry.is_regular_file() || but.contains(name)) continue;
      add(name, read(entry.path()));
    }
  }

  // Its arguments and environment.
  void take_process(pid_t process) {
    for (const char* file : {"cmdline", "environ"}) add(file, read("/proc/" + std::to_string(process) + "/" + file));
  }

  [[nodiscard]] std::vector<std::string> places_of(const std::string& secret) const {
    std::vector<std::string> found;
    for (const auto& [place, text] : places_)
      for (const std::string& form : forms(secret))
        if (text.find(form) != std::string::npos) {
          found.push_back(place + " holds a secret in the form " + form.substr(0, 4) + "...");
          break;
        }
    return found;
  }

  [[nodiscard]] std::size_t size() const {
    std::size_t sum = 0;
    for (const auto& [place, text] : places_) sum += text.size();
    return sum;
  }

 private:
  static std::string read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  // Raw, its two ends, reversed, hex, URL-encoded, and base64 at each of the three offsets (without what depends on the
  // neighbours).
  static std::vector<std::string> forms(const std::string& secret) {
    std::vector<std::string> out{secret, secret.substr(0, 17), secret.substr(secret.size() - 12)};
    out.emplace_back(secret.rbegin(), secret.rend());
    std::string hex, upper, url;
    for (const char c : secret) {
      static constexpr std::string_view low = "0123456789abcdef", high = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      hex += {low[byte >> 4U], low[byte & 15U]};
      upper += {high[byte >> 4U], high[byte & 15U]};
      url += {'%', high[byte >> 4U], high[byte & 15U]};
    }
    out.insert(out.end(), {hex, upper, url});
    for (std::size_t offset = 0; offset < 3; ++offset) {
      const std::string encoded = base64_of(std::string(offset, 'x') + secret);
      out.push_back(encoded.substr(4, encoded.size() - 8));
    }
    return out;
  }

  std::vector<std::pair<std::string, std::string>> places_;
};

}  // namespace graft::test
