// JSON that holds secrets: a document that is wiped when it goes, and a look at its text that makes no copy.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace graft::sink {

// A parsed document; its texts are overwritten with it.
class SecretJson {
 public:
  // Nothing when the text is not one sound JSON value (parse_json of model/canonical_json.hpp). Why it is not is left
  // out: it would quote the text.
  [[nodiscard]] static std::optional<SecretJson> parse(std::string_view text);

  SecretJson(SecretJson&&) noexcept;
  SecretJson& operator=(SecretJson&&) noexcept;
  SecretJson(const SecretJson&) = delete;
  SecretJson& operator=(const SecretJson&) = delete;
  ~SecretJson();

  [[nodiscard]] const nlohmann::json& operator*() const { return *document_; }
  [[nodiscard]] const nlohmann::json* operator->() const { return document_.get(); }

 private:
  explicit SecretJson(std::unique_ptr<nlohmann::json> document);
  void wipe_document() noexcept;
  std::unique_ptr<nlohmann::json> document_;
};

// A member of an object as it stands in the text: `name` and `value` with their quotes, digits and escapes. What is
// written back from here is what was there, to the byte; a number of 30 digits stays one.
struct RawMember {
  std::string_view name, value;
  [[nodiscard]] bool is(std::string_view plain_name) const;
};

// Of an object that is known to be sound JSON; nothing for any other text.
[[nodiscard]] std::vector<RawMember> raw_members(std::string_view object);
[[nodiscard]] std::optional<std::string_view> raw_member(std::string_view object, std::string_view name);

// `"text"` as JSON has it, in one piece of memory; `text` is UTF-8.
[[nodiscard]] std::string json_quoted(std::string_view text);

}  // namespace graft::sink
