#include "daemon/manual_text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>
#include <utility>

#include "base/text.hpp"

namespace graft::daemon::mdoc {

namespace {

constexpr std::size_t line_width = 72;
constexpr std::string_view opening = "([", closing = ".,;:)!?]";

constexpr std::array<std::pair<std::string_view, std::string_view>, 10> signs{{{"…", "..."},
                                                                               {"–", "\\(en"},
                                                                               {"→", "\\(->"},
                                                                               {"±", "\\(+-"},
                                                                               {"×", "\\(mu"},
                                                                               {"‘", "\\(oq"},
                                                                               {"’", "\\(cq"},
                                                                               {"“", "\\(lq"},
                                                                               {"”", "\\(rq"},
                                                                               {"\\", "\\e"}}};

std::string escaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto sign =
        std::ranges::find_if(signs, [&](const auto& one) { return text.substr(at).starts_with(one.first); });
    if (sign == signs.end()) {
      out += text[at++];
    } else {
      out += sign->second;
      at += sign->first.size();
    }
  }
  return out;
}

// A text line that begins with a dot or a quote would be a request.
std::string text_line(const std::string& line) {
  return line.starts_with('.') || line.starts_with('\'') ? "\\&" + line : line;
}

// Words gathered into lines; a sentence begins a new one.
class Lines {
 public:
  void word(const std::string& text) {
    if (!line_.empty() && line_.size() + 1 + text.size() > line_width) flush();
    line_ += (line_.empty() ? "" : " ") + text;
    const std::size_t last = text.find_last_not_of(")\"");
    if (last != text.npos && std::string_view(".!?").find(text[last]) != std::string_view::npos) flush();
  }
  void macro(const std::string& text) {
    flush();
    out_ += text + "\n";
  }
  std::string take() {
    flush();
    return std::move(out_);
  }

 private:
  void flush() {
    if (!line_.empty()) out_ += text_line(line_) + "\n";
    line_.clear();
  }
  std::string out_, line_;
};

// What stands at the beginning or end of a marked word and does not belong to it.
struct Marked {
  std::string before, inner, after;
};

std::string spaced(std::string_view punctuation) {
  std::string out;
  for (const char c : punctuation) out += fmt::format(" {}", c);
  return out;
}

std::string macro_of(std::string_view macro, const Marked& marked) {
  const bool joined = marked.after.find_first_not_of(closing) != std::string::npos;
  return fmt::format(".{}{} {}{}", macro, spaced(marked.before), marked.inner,
                     joined ? " Ns " + mdoc::word(marked.after) : spaced(marked.after));
}

// "(--wait)," when it is a flag between punctuation.
bool split_flag(std::string_view text, Marked& out) {
  const std::size_t begin = text.find("--");
  if (begin == text.npos || text.substr(0, begin).find_first_not_of(opening) != text.npos) return false;
  std::size_t end = begin + 2;
  while (end < text.size() && (std::islower(static_cast<unsigned char>(text[end])) != 0 || text[end] == '-')) ++end;
  if (end == begin + 2 || text.substr(end).find_first_not_of(closing) != text.npos) return false;
  out = {std::string(text.substr(0, begin)), std::string(text.substr(begin + 1, end - begin - 1)),
         std::string(text.substr(end))};
  return true;
}

// Cuts at blanks, but for those between backquotes.
std::vector<std::string> pieces(std::string_view text) {
  std::vector<std::string> out;
  std::string piece;
  bool code = false;
  for (const char c : text) {
    if (c == '`') code = !code;
    if (!code && (c == ' ' || c == '\n')) {
      if (!piece.empty()) out.push_back(std::exchange(piece, {}));
    } else {
      piece += c;
    }
  }
  if (!piece.empty()) out.push_back(std::move(piece));
  return out;
}

void write_piece(const std::string& piece, Lines& lines) {
  const std::size_t begin = piece.find('`'), end = piece.rfind('`');
  Marked marked;
  if (begin != end && begin != piece.npos) {
    const std::string code = piece.substr(begin + 1, end - begin - 1);
    lines.macro(macro_of("Ql", {piece.substr(0, begin), mdoc::word(code), piece.substr(end + 1)}));
  } else if (split_flag(piece, marked)) {
    lines.macro(macro_of("Fl", marked));
  } else {
    lines.word(escaped(piece));
  }
}

}  // namespace

std::string prose(std::string_view text) {
  Lines lines;
  for (const std::string& piece : pieces(text)) write_piece(piece, lines);
  return lines.take();
}

std::string word(std::string_view text) {
  std::string out;
  for (const char c : escaped(text)) out += c == '"' ? std::string("\\(dq") : std::string(1, c);
  const bool maybe_macro = out.size() <= 3 && std::ranges::all_of(out, [](unsigned char c) { return std::isalnum(c); });
  const bool punctuation = out.size() == 1 && std::ispunct(static_cast<unsigned char>(out.front())) != 0;
  if (maybe_macro || punctuation || out.starts_with('.')) out.insert(0, "\\&");
  return out.find(' ') == out.npos && !out.empty() ? out : fmt::format("\"{}\"", out);
}

std::string words(std::string_view text) {
  std::string out;
  for (const std::string& piece : pieces(text)) {
    const std::size_t end = piece.find_last_not_of(",;:") + 1;
    out += (out.empty() ? "" : " ") + word(piece.substr(0, end)) + spaced(piece.substr(end));
  }
  return out;
}

std::string literal(std::string_view text) {
  std::string out = ".Bd -literal -offset indent\n";
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text_line(escaped(text.substr(at, end - at)));
    out += line.empty() ? "\\&\n" : line + "\n";
    at = end + 1;
  }
  return out + ".Ed\n";
}

std::string section(std::string_view name) { return fmt::format(".Sh {}\n", name); }

std::string subsection(std::string_view name) { return fmt::format(".Ss {}\n", name); }

std::string see_also(const std::vector<Page>& pages) {
  std::string out = section("SEE ALSO");
  for (std::size_t i = 0; i < pages.size(); ++i)
    out += fmt::format(".Xr {} {}{}\n", pages[i].name, pages[i].section, i + 1 < pages.size() ? " ," : "");
  return out;
}

std::string head(const Page& page, std::string_view purpose) {
  std::string title(page.name);
  std::ranges::transform(title, title.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return fmt::format(
      ".\\\" From graftd's tables (scripts/generate-docs).\n.Dd {}\n.Dt {} {}\n.Os\n.Sh NAME\n.Nm {}\n.Nd {}\n", date,
      title, page.section, page.name, purpose);
}

}  // namespace graft::daemon::mdoc
