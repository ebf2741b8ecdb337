// The words that a label may have, written "success|error". Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace graft::metrics {

[[nodiscard]] std::vector<std::string_view> words(std::string_view list);
[[nodiscard]] std::string_view word_at(std::string_view list, std::size_t index);  // "other" beyond the end
[[nodiscard]] bool is_listed(std::string_view list, std::string_view word);
// A status as it is listed: "404", else its class "4xx"; "error" for 0.
[[nodiscard]] std::string code_word(std::string_view list, int status);

}  // namespace graft::metrics
