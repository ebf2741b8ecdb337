#include "model/canonical_json.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "model/json_place.hpp"

namespace graft {

namespace {

using nlohmann::json;

// Builds the document from the parser's events, so that what a plain parse would swallow is seen: the second of two
// equal keys, and nesting without end.
class Builder final : public nlohmann::json_sax<json> {
 public:
  explicit Builder(std::size_t depth_limit) : depth_limit_(depth_limit) {}

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t& /*text*/) override { return put(value); }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t& /*value*/) override { return stop("binary values are not JSON"); }
  bool start_object(std::size_t /*size*/) override { return open(json::object()); }
  bool start_array(std::size_t /*size*/) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    const auto [slot, added] = open_.back()->get_ref<json::object_t&>().emplace(name, nullptr);
    if (!added) return stop(fmt::format("the key {} is given twice in one object", graft::quote(name)));
    member_ = &slot->second;
    return true;
  }

  bool parse_error(std::size_t position, const std::string& /*token*/, const json::exception& error) override {
    offset_ = position;
    const std::string_view text = error.what();
    const std::size_t colon = text.rfind("; ");  // "[json…] parse error at line 1, column 2: …; the cause"
    if (error.id == 406) return stop("a number is too large for a 64-bit floating-point number");
    return stop(fmt::format("not JSON: {}", printable(colon == text.npos ? "syntax error" : text.substr(colon + 2))));
  }

  [[nodiscard]] json&& take() { return std::move(root_); }
  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] std::optional<std::size_t> offset() const { return offset_; }

 private:
  std::size_t depth_limit_;
  bool stop(std::string why) {
    problem_ = std::move(why);
    return false;
  }

  json* place(json&& value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (member_ == nullptr) return &open_.back()->get_ref<json::array_t&>().emplace_back(std::move(value));
    *member_ = std::move(value);
    return std::exchange(member_, nullptr);
  }

  template <class T>
  bool put(T&& value) {
    place(json(std::forward<T>(value)));
    return true;
  }

  bool open(json&& container) {
    if (open_.size() == depth_limit_) return stop(fmt::format("nested deeper than {} levels", depth_limit_));
    open_.push_back(place(std::move(container)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  json root_;
  std::vector<json*> open_;  // the containers round the current place; stable, since only the innermost one grows
  json* member_ = nullptr;   // where the value of the key just read goes
  std::string problem_;
  std::optional<std::size_t> offset_;
};

void write_string(std::string& out, std::string_view text) {
  constexpr std::string_view plain_escapes = "\"\\\b\f\n\r\t";
  constexpr std::string_view letters = "\"\\bfnrt";
  out.push_back('"');
  for (const char c : text) {
    if (const std::size_t i = plain_escapes.find(c); i != plain_escapes.npos) {
      out += {'\\', letters[i]};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

// As Go and JavaScript write a float64: plain digits from 1e-6 up to 1e21, else with an exponent; always the shortest
// text that reads back as the same number.
void write_number(std::string& out, double number) {
  if (number == 0) number = 0;  // -0 and 0 are one
  const double size = std::abs(number);
  const bool plain = size == 0 || (size >= 1e-6 && size < 1e21);
  std::array<char, 64> buffer{};
  const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, format);
  if (error != std::errc{} || !std::isfinite(number)) {
    out += "null";  // cannot come from JSON text
  } else {
    out.append(buffer.data(), end);
  }
}

void write(std::string& out, const json& value);

template <class Range, class Each>
void write_list(std::string& out, char open, char close, const Range& range, Each&& each) {
  out.push_back(open);
  bool first = true;
  for (const auto& item : range) {
    if (!std::exchange(first, false)) out.push_back(',');
    each(item);
  }
  out.push_back(close);
}

void write(std::string& out, const json& value) {
  if (value.is_object()) {  // json's objects are ordered maps: already sorted by bytes
    write_list(out, '{', '}', value.get_ref<const json::object_t&>(), [&](const auto& member) {
      write_string(out, member.first);
      out.push_back(':');
      write(out, member.second);
    });
  } else if (value.is_array()) {
    write_list(out, '[', ']', value.get_ref<const json::array_t&>(), [&](const json& item) { write(out, item); });
  } else if (value.is_string()) {
    write_string(out, value.get_ref<const std::string&>());
  } else if (value.is_number()) {
    write_number(out, value.get<double>());
  } else if (value.is_boolean()) {
    out += value.get<bool>() ? "true" : "false";
  } else {
    out += "null";
  }
}

}  // namespace

Result<json> parse_json(std::string_view text, std::size_t depth_limit) {
  const auto refuse = [&](std::size_t offset, std::string why) {
    return fail(Error(ErrorCode::invalid, std::move(why)).at(place_in(text, offset)));
  };
  if (const auto bad = invalid_utf8(text)) return refuse(*bad, "not JSON: the text is not sound UTF-8");
  Builder builder(depth_limit);
  const char* furthest = text.data();
  const TrackedChar first(text.data(), &furthest);
  const TrackedChar last(text.data() + text.size(), &furthest);
  if (json::sax_parse(first, last, &builder)) return builder.take();
  const auto reached = builder.offset().value_or(static_cast<std::size_t>(furthest - text.data()));
  return refuse(reached == 0 ? 0 : reached - 1, builder.problem());  // what was read last is what is wrong
}

std::string canonical_text(const json& document) {
  std::string out;
  write(out, document);
  return out;
}

}  // namespace graft
