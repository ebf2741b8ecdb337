#include "json.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "text.hpp"

namespace graft::simulator {
namespace {

// Finds the end of the first JSON value: the parser reports how many values it saw by failing, so we scan instead.
std::size_t value_end(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  bool started = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      if (!in_string && depth == 0) return i + 1;
      continue;
    }
    if (c == '"') in_string = started = true;
    if (c == '{' || c == '[') {
      ++depth;
      started = true;
    }
    if ((c == '}' || c == ']') && --depth <= 0) return i + 1;
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (blank && started && depth == 0) return i;
    if (!blank) started = true;
  }
  return text.size();
}

// "-1.25e+03" as "-1250".
std::string without_exponent(const std::string& text) {
  const auto e = text.find('e');
  const int exponent = std::stoi(text.substr(e + 1));
  const std::string sign = text.starts_with('-') ? "-" : "";
  std::string digits = text.substr(sign.size(), e - sign.size());
  std::erase(digits, '.');
  if (exponent < 0) return sign + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) return sign + digits + std::string(whole - digits.size(), '0');
  return sign + digits.substr(0, whole) + "." + digits.substr(whole);
}

void print_to(const Json& value, std::string& out) {
  switch (value.type()) {
    case Json::value_t::object: {
      char separator = '{';
      for (const auto& [key, item] : value.items()) {
        out += separator;
        out += Json(key).dump(-1, ' ', false, Json::error_handler_t::replace) + ':';
        print_to(item, out);
        separator = ',';
      }
      out += value.empty() ? "{}" : "}";
      return;
    }
    case Json::value_t::array: {
      char separator = '[';
      for (const auto& item : value) {
        out += separator;
        print_to(item, out);
        separator = ',';
      }
      out += value.empty() ? "[]" : "]";
      return;
    }
    case Json::value_t::number_float:
      out += print_float64(value.get<double>());
      return;
    default:
      out += value.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
}

}  // namespace

std::string print_float64(double value) {
  const double size = std::fabs(value);
  const bool exponent = size != 0 && (size < 1e-6 || size >= 1e21);
  std::array<char, 64> buffer{};
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific).ptr;
  std::string text(buffer.data(), end);
  // The shortest digits that read back as the value; Go pads them with zeros where C++ would print the exact number.
  if (!exponent) return without_exponent(text);
  // Go writes a negative exponent of one digit without its zero: 1e-7, yet 1e+21.
  const auto zero = text.find("e-0");
  if (zero != std::string::npos) text.erase(zero + 2, 1);
  return text;
}

std::string print(const Json& value) {
  std::string out;
  print_to(value, out);
  return out;
}

Json with_float64_numbers(const Json& value) {
  if (value.is_number()) return value.get<double>();
  Json copy = value;
  if (copy.is_structured()) {
    for (auto& item : copy) item = with_float64_numbers(item);
  }
  return copy;
}

std::optional<Json> first_value(std::string_view text) {
  Json value = Json::parse(text.substr(0, value_end(text)), nullptr, false);
  if (value.is_discarded()) return std::nullopt;
  return value;
}

const Json* field(const Json& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  const auto exact = object.find(std::string(name));
  if (exact != object.end()) return exact->is_null() ? nullptr : &*exact;
  for (const auto& [key, value] : object.items()) {
    if (ascii_lower(key) == ascii_lower(name)) return value.is_null() ? nullptr : &value;
  }
  return nullptr;
}

std::string string_field(const Json& object, std::string_view name, bool& bad) {
  const Json* value = field(object, name);
  if (value == nullptr) return {};
  if (!value->is_string()) bad = true;
  return value->is_string() ? value->get<std::string>() : std::string();
}

bool bool_field(const Json& object, std::string_view name, bool& bad) {
  const Json* value = field(object, name);
  if (value == nullptr) return false;
  if (!value->is_boolean()) bad = true;
  return value->is_boolean() && value->get<bool>();
}

std::int64_t integer_field(const Json& object, std::string_view name, bool& bad) {
  const Json* value = field(object, name);
  if (value == nullptr) return 0;
  const bool fits =
      value->is_number_integer() && (!value->is_number_unsigned() || value->get<std::uint64_t>() <= INT64_MAX);
  if (!fits) bad = true;
  return fits ? value->get<std::int64_t>() : 0;
}

}  // namespace graft::simulator
