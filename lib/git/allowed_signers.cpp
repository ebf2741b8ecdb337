#include <algorithm>
#include <ctime>
#include <fmt/format.h>
#include <utility>

#include "base/hash.hpp"
#include "base/text.hpp"
#include "git/ssh_key.hpp"
#include "git/ssh_pattern.hpp"
#include "git/ssh_signature.hpp"
#include "git/ssh_wire.hpp"

namespace graft::git {

namespace {

constexpr std::string_view blanks = " \t";

Error wrong(std::string message) { return Error(ErrorCode::invalid, std::move(message)); }

// The next field and the blanks after it: up to a blank that is not between
// double quotes (where \" is a quote of the text). Nothing when a quote is not
// closed.
std::optional<std::string_view> take_field(std::string_view& rest) {
  bool quoted = false;
  std::size_t size = 0;
  for (; size < rest.size() && (quoted || blanks.find(rest[size]) == std::string_view::npos); ++size) {
    if (quoted && rest.substr(size).starts_with("\\\"")) {
      ++size;
    } else if (rest[size] == '"') {
      quoted = !quoted;
    }
  }
  if (quoted) return std::nullopt;
  const std::string_view field = rest.substr(0, size);
  rest.remove_prefix(std::min(rest.find_first_not_of(blanks, size), rest.size()));
  return field;
}

Result<std::string> read_principals(std::string_view field) {
  if (key_type(field) != nullptr)
    return fail(wrong("the line begins with its key").with_hint("the principals come first: who has that key"));
  if (field.size() >= 2 && field.starts_with('"') && field.ends_with('"')) field = field.substr(1, field.size() - 2);
  if (field.find('"') != std::string_view::npos) return fail(wrong("a quote stands within the principals"));
  if (has_control_characters(field) || invalid_utf8(field))
    return fail(wrong("the principals hold a control character or are not UTF-8"));
  const auto names_somebody = [](std::string_view pattern) { return !pattern.empty() && pattern[0] != '!'; };
  if (!std::ranges::any_of(split_list(field), names_somebody)) return fail(wrong("the line names no principal"));
  return std::string(field);
}

// YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, each with a Z for UTC or without.
std::optional<WallTime> read_time(std::string_view text) {
  const bool utc = text.ends_with('Z') || text.ends_with('z');
  if (utc) text.remove_suffix(1);
  const bool digits = text.find_first_not_of("0123456789") == std::string_view::npos;
  if (!digits || (text.size() != 8 && text.size() != 12 && text.size() != 14)) return std::nullopt;
  std::string all(text);
  all.resize(14, '0');
  const auto field = [&](std::size_t from, std::size_t size) { return std::stoi(all.substr(from, size)); };
  const std::chrono::year_month_day date{std::chrono::year(field(0, 4)),
                                         std::chrono::month(static_cast<unsigned>(field(4, 2))),
                                         std::chrono::day(static_cast<unsigned>(field(6, 2)))};
  const int hour = field(8, 2), minute = field(10, 2), second = field(12, 2);
  if (!date.ok() || date.year() < std::chrono::year(1970) || hour > 23 || minute > 59 || second > 59)
    return std::nullopt;
  if (utc) {
    return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
           std::chrono::seconds(second);
  }
  std::tm local{};  // tm_isdst stays 0, which is ssh-keygen's reading: no summer
                    // time, whatever the season
  local.tm_year = field(0, 4) - 1900;
  local.tm_mon = field(4, 2) - 1;
  local.tm_mday = field(6, 2);
  local.tm_hour = hour;
  local.tm_min = minute;
  local.tm_sec = second;
  const std::time_t seconds = std::mktime(&local);
  return seconds < 0 ? std::nullopt : std::optional(WallTime(std::chrono::seconds(seconds)));
}

struct Option {
  std::string_view name;
  std::optional<std::string> value;
};

// The next option and the comma after it.
Result<Option> take_option(std::string_view& rest) {
  Option option;
  const std::size_t end = std::min(rest.find_first_of("=,"), rest.size());
  option.name = rest.substr(0, end);
  rest.remove_prefix(end);
  if (rest.starts_with('=')) {
    rest.remove_prefix(1);
    if (!rest.starts_with('"')) return fail(wrong(fmt::format("the value of {} is not in quotes", quote(option.name))));
    rest.remove_prefix(1);
    std::string value;
    while (!rest.empty() && rest[0] != '"') {
      if (rest.starts_with("\\\"")) rest.remove_prefix(1);
      value.push_back(rest[0]);
      rest.remove_prefix(1);
    }
    if (rest.empty()) return fail(wrong(fmt::format("the quote of {} is not closed", quote(option.name))));
    rest.remove_prefix(1);
    option.value = std::move(value);
  }
  if (rest.empty()) return option;
  if (rest[0] != ',') return fail(wrong(fmt::format("no comma after the option {}", quote(option.name))));
  rest.remove_prefix(1);
  if (rest.empty()) return fail(wrong("the options end with a comma"));
  return option;
}

Status set_time(std::optional<WallTime>& time, const Option& option) {
  if (time) return fail(wrong(fmt::format("{} stands twice", option.name)));
  time = read_time(*option.value);
  if (time) return {};
  return fail(wrong(fmt::format("{} is not the time of {}", quote(*option.value), option.name))
                  .with_hint("write YYYYMMDDZ, YYYYMMDDHHMMZ or YYYYMMDDHHMMSSZ"));
}

Status apply(const Option& option, AllowedSigner& signer) {
  const auto is = [&](std::string_view name) { return equal_ignoring_ascii_case(option.name, name); };
  if (is("cert-authority")) {
    return fail(Error(ErrorCode::unsupported, "cert-authority: certificates are not supported")
                    .with_hint("list the key of each signer"));
  }
  if (option.value && is("valid-after")) return set_time(signer.valid_after, option);
  if (option.value && is("valid-before")) return set_time(signer.valid_before, option);
  if (option.value && is("namespaces")) {
    if (signer.namespaces) return fail(wrong("namespaces stands twice"));
    signer.namespaces = option.value;
    return {};
  }
  return fail(wrong(fmt::format("unknown option {}", quote(option.name)))
                  .with_hint("known are namespaces=\"...\", "
                             "valid-after=\"...\" and valid-before=\"...\""));
}

Status read_options(std::string_view field, AllowedSigner& signer) {
  while (!field.empty()) {
    const auto option = take_option(field);
    if (!option) return fail(option.error());
    if (Status applied = apply(*option, signer); !applied) return applied;
  }
  if (signer.valid_after && signer.valid_before && *signer.valid_before <= *signer.valid_after)
    return fail(wrong("valid-before is not after valid-after"));
  return {};
}

// No option begins like one of these.
bool is_key_type(std::string_view word) {
  return word.starts_with("ssh-") || word.starts_with("ecdsa-") || word.starts_with("sk-");
}

Status read_key(std::string_view type, std::string_view text, AllowedSigner& signer) {
  if (!is_key_type(type))
    return fail(wrong("the line has no key").with_hint("principals [options] keytype base64-key"));
  if (key_type(type) == nullptr) return fail(unsupported_key(type));
  auto key = base64_decode(text);
  if (!key || text.empty()) return fail(wrong("the key is not sound base64"));
  if (Reader(*key).string() != type) return fail(wrong(fmt::format("the key is not of the type {}", type)));
  if (const auto sound = read_public_key(*key); !sound) return fail(sound.error());
  signer.key = std::move(*key);
  return {};
}

Result<AllowedSigner> read_line(std::string_view rest) {
  AllowedSigner signer;
  const auto unclosed = wrong("a quote is not closed");
  const auto principals = take_field(rest);
  if (!principals) return fail(unclosed);
  auto names = read_principals(*principals);
  if (!names) return fail(std::move(names.error()));
  signer.principals = std::move(*names);
  auto type = take_field(rest);
  if (!type) return fail(unclosed);
  if (!is_key_type(*type)) {
    if (const Status options = read_options(*type, signer); !options) return fail(options.error());
    type = rest.substr(0, rest.find_first_of(blanks));
    rest.remove_prefix(std::min(rest.find_first_not_of(blanks, type->size()), rest.size()));
  }
  const std::string_view key = rest.substr(0, rest.find_first_of(blanks));  // what follows is a comment
  if (const Status read = read_key(*type, key, signer); !read) return fail(read.error());
  return signer;
}

// The first error, and where the others are.
Error gathered(Error first, const std::vector<std::size_t>& others) {
  if (others.empty()) return first;
  const std::size_t shown = std::min<std::size_t>(others.size(), 10);
  first.message += fmt::format("; wrong as well: line {}{}",
                               fmt::join(others.begin(), others.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
                               shown < others.size() ? ", ..." : "");
  return first;
}

}  // namespace

Result<AllowedSigners> AllowedSigners::parse(std::string_view text, std::string_view file_name) {
  const auto file = std::make_shared<const std::string>(file_name);
  if (text.size() > allowed_signers_limit)
    return fail(wrong(fmt::format("the file is larger than {} KiB", allowed_signers_limit / 1024)).at({file, 0, 0}));
  std::vector<AllowedSigner> lines;
  std::optional<Error> first;
  std::vector<std::size_t> others;
  for (std::uint32_t number = 1; !text.empty(); ++number) {
    const std::string_view line = trim(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    if (line.empty() || line[0] == '#') continue;
    auto signer = read_line(line);
    if (signer) {
      signer->where = {file, number, 0};
      lines.push_back(std::move(*signer));
    } else if (!first) {
      first = std::move(signer.error()).at({file, number, 0});
    } else {
      others.push_back(number);
    }
  }
  if (first) return fail(gathered(std::move(*first), others));
  if (lines.empty()) return fail(wrong("no signer is listed").at({file, 0, 0}));
  return AllowedSigners(std::move(lines));
}

}  // namespace graft::git
