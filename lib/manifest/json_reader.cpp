#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "manifest/duplicate_keys.hpp"
#include "manifest/limits.hpp"
#include "manifest/reader.hpp"
#include "model/json_place.hpp"

namespace graft::manifest {

namespace {

using nlohmann::json;

class JsonTreeBuilder final : public nlohmann::json_sax<json> {
 public:
  JsonTreeBuilder(std::string_view text, const char* const& reached, FileName file)
      : text_(text), reached_(reached), file_(std::move(file)) {}

  bool null() override { return add(Node::Type::null, 4, {}); }
  bool boolean(bool value) override { return add(Node::Type::boolean, value ? 4 : 5, value ? "true" : "false"); }
  bool number_integer(number_integer_t /*value*/) override { return number(); }
  bool number_unsigned(number_unsigned_t /*value*/) override { return number(); }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return number(); }
  bool string(string_t& value) override {
    return no_nul(value) && attach(make(Node::Type::string, string_start(), value));
  }
  bool binary(binary_t& /*value*/) override { return refuse(read_so_far(), "binary values are not JSON", {}); }
  bool start_object(std::size_t /*size*/) override { return open(Node::Type::map); }
  bool start_array(std::size_t /*size*/) override { return open(Node::Type::sequence); }
  bool end_array() override { return close(); }
  bool end_object() override {
    if (auto twice = find_duplicate_key(open_.back().node)) {
      problem_ = std::move(*twice);
      return false;
    }
    return close();
  }
  bool key(string_t& name) override {
    open_.back().key = make(Node::Type::string, string_start(), name);
    return no_nul(name) && count();
  }
  bool parse_error(std::size_t position, const std::string& /*token*/, const json::exception& error) override {
    const std::string_view text = error.what();
    const std::size_t cause = text.rfind("; ");
    const std::string_view words = cause == text.npos ? "syntax error" : text.substr(cause + 2);
    if (error.id == 406) return refuse(position, "a number is too large for a 64-bit floating-point number", {});
    return refuse(position == 0 ? 0 : position - 1, fmt::format("not JSON: {}", printable(words)), {});
  }

  [[nodiscard]] Node take() { return std::move(root_); }
  [[nodiscard]] Diagnostic problem() { return std::move(problem_); }

 private:
  struct Open {
    Node node, key;
  };

  [[nodiscard]] std::size_t read_so_far() const { return static_cast<std::size_t>(reached_ - text_.data()); }

  // The opening quote of the string that ends where the parser stands: the nearest one before it without a backslash.
  [[nodiscard]] std::size_t string_start() const {
    std::size_t at = read_so_far() - 1;
    while (at > 0) {
      --at;
      if (text_[at] != '"') continue;
      std::size_t backslashes = 0;
      while (backslashes < at && text_[at - backslashes - 1] == '\\') ++backslashes;
      if (backslashes % 2 == 0) return at;
    }
    return at;
  }

  bool number() {  // the parser may have read one character beyond it
    constexpr std::string_view letters = "0123456789+-.eE";
    std::size_t end = read_so_far();
    if (letters.find(text_[end - 1]) == letters.npos) --end;
    std::size_t start = end;
    while (start > 0 && letters.find(text_[start - 1]) != letters.npos) --start;
    return attach(make(Node::Type::number, start, std::string(text_.substr(start, end - start)))) && count();
  }

  bool add(Node::Type type, std::size_t length, std::string value) {
    return attach(make(type, read_so_far() - length, std::move(value))) && count();
  }

  [[nodiscard]] Position place(std::size_t offset) {
    while (counted_ < offset) {
      if (text_[counted_] == '\n') {
        ++line_;
        line_start_ = counted_ + 1;
      }
      ++counted_;
    }
    const std::size_t column = offset < line_start_ ? 1 : offset - line_start_ + 1;
    return {file_, line_, static_cast<std::uint32_t>(column)};
  }

  [[nodiscard]] Node make(Node::Type type, std::size_t offset, std::string value) {
    Node node;
    node.type = type;
    node.at = place(offset);
    node.scalar = std::move(value);
    return node;
  }

  bool refuse(std::size_t offset, std::string message, std::string hint) {
    problem_ = {Severity::error, place(offset), std::move(message), std::move(hint)};
    return false;
  }

  bool no_nul(const std::string& value) {
    return value.find('\0') == value.npos || refuse(string_start(), "NUL character in a string", "take it out");
  }

  bool count() {
    if (++nodes_ <= limits::nodes) return true;
    return refuse(read_so_far(), fmt::format("more than {} values in one document", limits::nodes), "split the file");
  }

  bool open(Node::Type type) {
    if (open_.size() == limits::depth) {
      return refuse(read_so_far() - 1, fmt::format("nested deeper than {} levels", limits::depth), {});
    }
    open_.push_back({make(type, read_so_far() - 1, {}), {}});
    return count();
  }

  bool close() {
    Node done = std::move(open_.back().node);
    open_.pop_back();
    return attach(std::move(done));
  }

  bool attach(Node&& node) {
    if (open_.empty()) {
      root_ = std::move(node);
    } else if (Open& parent = open_.back(); parent.node.type == Node::Type::sequence) {
      parent.node.items.push_back(std::move(node));
    } else {
      parent.node.entries.emplace_back(std::move(parent.key), std::move(node));
    }
    return true;
  }

  std::string_view text_;
  const char* const& reached_;  // how far the parser has read
  FileName file_;
  Node root_;
  std::vector<Open> open_;
  Diagnostic problem_;
  std::size_t nodes_ = 0, counted_ = 0, line_start_ = 0;
  std::uint32_t line_ = 1;
};

}  // namespace

bool read_json(std::string_view text, const FileName& file, Diagnostics& diagnostics, const TakeDocument& take) {
  if (const auto bad = unreadable(text)) {
    Position at = place_in(text, bad->offset);
    at.file = file;
    diagnostics.error(at, bad->message, bad->hint);
    return false;
  }
  const char* reached = text.data();
  JsonTreeBuilder builder(text, reached, file);
  const TrackedChar first(text.data(), &reached);
  const TrackedChar last(text.data() + text.size(), &reached);
  if (!json::sax_parse(first, last, &builder)) {
    diagnostics.add(builder.problem());
    return false;
  }
  take(builder.take());
  return true;
}

}  // namespace graft::manifest
