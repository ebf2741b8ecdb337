// Writing mdoc(7): prose, words and blocks of text made safe for it. What comes out passes mandoc -Tlint without a
// word.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace graft::daemon::mdoc {

// The date in every page. Not that of the build, so that the same sources give the same pages; moved with a release.
inline constexpr std::string_view date = "November 24, 2026";

// Sentences as lines. `code` is quoted, --flag is set as a flag. Ends with a line end; "" stays "".
[[nodiscard]] std::string prose(std::string_view text);
// One argument of a macro, blanks included.
[[nodiscard]] std::string word(std::string_view text);
// The words of a text as arguments of a macro.
[[nodiscard]] std::string words(std::string_view text);
// An indented block as it stands.
[[nodiscard]] std::string literal(std::string_view text);
[[nodiscard]] std::string section(std::string_view name);
[[nodiscard]] std::string subsection(std::string_view name);
// ".Xr graftd 8 ,": in one list, sorted by section and name as given.
struct Page {
  std::string_view name, section;
};
[[nodiscard]] std::string see_also(const std::vector<Page>& pages);
// Title, NAME section.
[[nodiscard]] std::string head(const Page& page, std::string_view purpose);

}  // namespace graft::daemon::mdoc
