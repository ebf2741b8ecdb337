#include "kinds/folder_spec.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "kinds/spec_support.hpp"
#include "manifest/cursor.hpp"
#include "manifest/forms.hpp"
#include "manifest/names.hpp"
#include "model/canonical_json.hpp"

namespace graft::kinds {

namespace {

using manifest::Problem;

std::optional<Problem> bad_title(std::string_view title) {
  if (trim(title).empty()) return Problem{"must not be empty or blanks only", {}};
  if (has_control_characters(title)) return Problem{"has a line break or another control character in it", {}};
  return std::nullopt;
}

std::optional<Problem> bad_folder_uid(std::string_view uid) {
  if (uid == "general" || uid == "sharedwithme") {
    return Problem{fmt::format("{} is reserved by Grafana", graft::quote(uid)), "choose another uid"};
  }
  return manifest::bad_uid(uid);
}

const manifest::Table<FolderSpec>& table() {
  static const manifest::Table<FolderSpec> table{
      {manifest::field("title", &FolderSpec::title, manifest::text_form("string", R"("minLength":1)", bad_title),
                       manifest::required, "What people read. Blanks at its ends are dropped, as Grafana does."),
       manifest::field(
           "parent", &FolderSpec::parent, manifest::uid_form(), manifest::optional,
           "The uid of the folder that it lies in, declared in the same organization. At most five levels.")},
      {{"description"}}};
  return table;
}

using Parents = std::map<std::pair<std::string, std::string>, const Desired*>;  // organization and uid

const Desired* parent_of(const Desired& folder, const Parents& folders) {
  if (folder.needs.empty()) return nullptr;
  const auto found = folders.find({folder.needs.front().organization, folder.needs.front().name});
  return found == folders.end() ? nullptr : found->second;
}

// The way up from a folder: how many levels, or the ring that it lies on, as "a → b → a". A ring further up is reported
// at the folders on it only.
struct WayUp {
  std::size_t levels = 1;
  std::string ring;
};

WayUp way_up(const Desired& folder, const Parents& folders) {
  constexpr std::size_t far_enough = 64;  // bounds the work on a chain of ten thousand folders
  std::vector<const Desired*> walked{&folder};
  std::string path = folder.key.name;
  for (const Desired* up = parent_of(folder, folders); up != nullptr; up = parent_of(*up, folders)) {
    path += " → " + up->key.name;
    if (up == &folder) return {0, printable(path, 400)};
    if (std::find(walked.begin(), walked.end(), up) != walked.end()) return {0, {}};
    walked.push_back(up);
    if (walked.size() > far_enough) break;
  }
  return {walked.size(), {}};
}

class FolderDecoder final : public manifest::Decoder {
 public:
  [[nodiscard]] KindName kind() const override { return kind_folder; }
  [[nodiscard]] std::string_view identity() const override { return "uid"; }
  [[nodiscard]] std::string_view nested_as() const override { return "folders"; }
  [[nodiscard]] KindName nested_in() const override { return kind_organization; }
  [[nodiscard]] std::vector<manifest::FieldDoc> fields() const override { return table().docs(); }
  [[nodiscard]] std::string json_schema() const override { return table().schema(); }

  void decode(const manifest::Metadata& metadata, const manifest::Node& spec,
              manifest::Context& context) const override {
    const ResourceKey key{kind_folder, metadata.organization, metadata.name};
    manifest::Reporter reporter = reporter_for(key, context.diagnostics);
    const bool named = check_uid(metadata, reporter);
    auto read = table().read(spec, reporter, context.also_known);
    if (!named || !read) return;
    read->title = trim(read->title);
    Desired desired = make_desired(key, canonical(*read), metadata.at);
    if (!read->parent.empty()) desired.needs.push_back({kind_folder, metadata.organization, read->parent});
    context.out.push_back(std::move(desired));
  }

  void check(std::span<const Desired> all, Diagnostics& diagnostics) const override {
    Parents folders;
    const auto declared = of_kind(all, kind_folder);
    for (const Desired* folder : declared)
      folders.emplace(std::pair(folder->key.organization, folder->key.name), folder);
    for (const Desired* folder : declared) {
      const WayUp way = way_up(*folder, folders);
      manifest::Reporter reporter = reporter_for(folder->key, diagnostics);
      if (!way.ring.empty()) {
        reporter.error(folder->at, fmt::format("lies in itself: {}", way.ring), "take one parent out of the ring");
      } else if (way.levels > folder_levels) {
        reporter.error(folder->at, fmt::format("is nested {} levels deep", way.levels),
                       fmt::format("Grafana allows {}", folder_levels));
      }
    }
  }

 private:
  static bool check_uid(const manifest::Metadata& metadata, manifest::Reporter& reporter) {
    if (!metadata.name_at.known()) {
      reporter.error(metadata.at, "the uid of the folder is missing", "a folder is known by its uid");
      return false;
    }
    const auto problem = bad_folder_uid(metadata.name);
    if (problem) reporter.error(metadata.name_at, fmt::format("uid: {}", problem->message), problem->hint);
    return !problem.has_value();
  }
};

}  // namespace

const manifest::Decoder& folder_decoder() {
  static const FolderDecoder decoder;
  return decoder;
}

std::string canonical(const FolderSpec& spec) {
  return canonical_text(nlohmann::json{{"title", spec.title}, {"parent", spec.parent}});
}

Result<FolderSpec> folder_from_canonical(std::string_view canonical) {
  const auto document = read_canonical(canonical, kind_folder.text());
  if (!document) return fail(document.error());
  return FolderSpec{text_at(*document, "title"), text_at(*document, "parent")};
}

}  // namespace graft::kinds
