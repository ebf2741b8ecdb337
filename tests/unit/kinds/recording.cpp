#include "support/recording.hpp"

#include "unit/kinds/loading.hpp"

namespace graft::test {

void record_tree(const manifest::Files& files, const manifest::LoadResult& result) {
  if (std::getenv("GRAFTD_TEST_RECORD") == nullptr) return;
  std::map<std::string, std::string> texts;
  const auto listed = files.list("");
  if (!listed) return;
  for (const manifest::Files::Entry& entry : *listed)
    if (const auto text = files.read(entry.path, entry.size)) texts[entry.path] = *text;
  record_case(texts, result.diagnostics);
}

}  // namespace graft::test
