#include "slug.hpp"

#include <array>

#include "text.hpp"

namespace graft::simulator {
namespace {

// What replaces a letter outside ASCII, and the letters it replaces.
struct Replacement {
  std::string_view by;
  std::string_view letters;
};

constexpr std::array replacements = {
    Replacement{"-", "ъь"},
    Replacement{"C", "ץ"},
    Replacement{"a", "àáâãäåāăąǎǻаאạảấầẩẫậắằẳẵặ"},
    Replacement{"ae", "æǽ"},
    Replacement{"and", "&"},
    Replacement{"at", "@"},
    Replacement{"b", "бב"},
    Replacement{"c", "©çćĉċčцצ"},
    Replacement{"ch", "ч"},
    Replacement{"d", "ďđдד"},
    Replacement{"e", "èéêëēĕėęěəеєעẹẻẽếềểễệ"},
    Replacement{"f", "ƒф"},
    Replacement{"g", "ĝğġģгґג"},
    Replacement{"h", "ĥħхהח"},
    Replacement{"i", "ìíîïĩīĭįıǐиіїיỉị"},
    Replacement{"ij", "ĳ"},
    Replacement{"j", "ĵй"},
    Replacement{"ja", "я"},
    Replacement{"je", "э"},
    Replacement{"jo", "ё"},
    Replacement{"ju", "ю"},
    Replacement{"k", "ķĸкךכ"},
    Replacement{"l", "ĺļľŀłлל"},
    Replacement{"m", "мםמ"},
    Replacement{"n", "ńņňŉŋнןנ"},
    Replacement{"o", "òóôõöøōŏőơǒǿоọỏốồổỗộớờởỡợ"},
    Replacement{"oe", "œ"},
    Replacement{"p", "þпףפ"},
    Replacement{"q", "ק"},
    Replacement{"r", "®ŕŗřрר"},
    Replacement{"s", "śŝşšсס"},
    Replacement{"sch", "щ"},
    Replacement{"sh", "ш"},
    Replacement{"ss", "ß"},
    Replacement{"t", "ţťŧтטת"},
    Replacement{"tm", "™"},
    Replacement{"u", "ùúûũūŭůűųưǔǖǘǚǜуụủứừửữự"},
    Replacement{"ue", "ü"},
    Replacement{"v", "вו"},
    Replacement{"w", "ŵש"},
    Replacement{"y", "ýÿŷыỳỵỷỹ"},
    Replacement{"z", "źżžſзז"},
    Replacement{"zh", "ж"},
};

constexpr std::string_view dropped = " ,\"'\n\r?.()-_[]/\\!{}%";

std::string_view replacement(char32_t code) {
  const std::string letter = encode_utf8(code);
  for (const Replacement& row : replacements) {
    if (row.letters.find(letter) != std::string_view::npos) return row.by;
  }
  return {};
}

bool is_plain(char32_t code) { return (code >= U'a' && code <= U'z') || (code >= U'0' && code <= U'9'); }

std::string hex_of(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    text += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4U];
    text += "0123456789abcdef"[static_cast<unsigned char>(c) & 15U];
  }
  return text;
}

std::string joined(std::string_view title) {
  std::string slug;
  bool gap = false;
  for (const char32_t code : decode_utf8(lower_case(title))) {
    const std::string letter = encode_utf8(code);
    const auto by = replacement(code);
    const bool written = !by.empty() || is_plain(code);
    if (!written && dropped.find(letter) != std::string_view::npos) {
      gap = true;
      continue;
    }
    if (gap) slug += '-';
    // A letter without a replacement stands as its bytes, and separates what follows.
    slug += !by.empty() ? std::string(by) : written ? letter : hex_of(letter);
    gap = !written;
  }
  return slug;
}

}  // namespace

std::string slug_of(std::string_view title) {
  std::string slug = joined(trim(title));
  while (slug.starts_with('-')) slug.erase(0, 1);
  while (slug.ends_with('-')) slug.pop_back();
  if (slug.empty() || slug.size() > 50) return sha1_hex(slug).substr(0, 7);
  return slug;
}

}  // namespace graft::simulator
