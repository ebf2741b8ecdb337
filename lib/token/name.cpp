#include "token/name.hpp"

#include <charconv>
#include <fmt/format.h>

#include "base/hash.hpp"

namespace graft::token {

namespace {
constexpr std::size_t check_characters = 6;

// Fields are separated by a byte that no name can hold, so that no two slots share one text.
std::string check_of(const SlotIdentity& slot, std::uint32_t generation) {
  const std::string text = fmt::format("{}\x1f{}\x1f{}\x1f{}\x1f{}", slot.owner, slot.organization.value(),
                                       slot.account_login, slot.token, generation);
  return sha256_base32(text, check_characters);
}
}  // namespace

std::string generation_name(const SlotIdentity& slot, std::uint32_t generation) {
  return fmt::format("{}-g{:04}-{}", slot.token, generation, check_of(slot, generation));
}

std::optional<std::uint32_t> recognise(const SlotIdentity& slot, std::string_view name) {
  if (!name.starts_with(slot.token)) return std::nullopt;
  std::string_view rest = name.substr(slot.token.size());
  if (!rest.starts_with("-g")) return std::nullopt;
  rest.remove_prefix(2);
  std::uint32_t generation = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), generation);
  if (error != std::errc{} || generation == 0) return std::nullopt;
  // Made again and compared whole: one spelling per generation ("g01" is not ours).
  if (name != generation_name(slot, generation)) return std::nullopt;
  return generation;
}

}  // namespace graft::token
