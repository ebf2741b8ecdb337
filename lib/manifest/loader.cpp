#include "manifest/loader.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/text.hpp"
#include "manifest/envelope.hpp"
#include "manifest/expand.hpp"
#include "manifest/limits.hpp"
#include "manifest/reader.hpp"

namespace graft::manifest {

namespace {

// The files as the decoders see them: counts what one load reads against the limit, and knows which files were named by
// a manifest, since those are not manifests themselves.
class NotedFiles final : public Files {
 public:
  explicit NotedFiles(const Files& inner) : inner_(inner) {}
  [[nodiscard]] Result<std::vector<Entry>> list(std::string_view folder) const override { return inner_.list(folder); }
  [[nodiscard]] std::string revision() const override { return inner_.revision(); }
  [[nodiscard]] std::string display(std::string_view path) const override { return inner_.display(path); }

  [[nodiscard]] Result<std::string> read(std::string_view path, std::size_t limit) const override {
    named_.emplace(path);
    return read_manifest(path, limit);
  }
  [[nodiscard]] Result<std::string> read_manifest(std::string_view path, std::size_t limit) const {
    Result<std::string> text = inner_.read(path, limit);
    if (text) total_ += text->size();
    if (total_ > limits::tree_bytes) {
      return fail(ErrorCode::invalid,
                  fmt::format("the manifests are larger than {} MiB together", limits::tree_bytes >> 20U));
    }
    return text;
  }
  [[nodiscard]] bool named(const std::string& path) const { return named_.contains(path); }

 private:
  const Files& inner_;
  mutable std::set<std::string, std::less<>> named_;
  mutable std::size_t total_ = 0;
};

bool has_extension(std::string_view path, std::string_view extension) { return path.ends_with(extension); }

class Loading {
 public:
  Loading(const Files& files, Decoders decoders)
      : files_(files), decoders_(decoders), expander_(files_, decoders, result_.diagnostics, out_) {}

  LoadResult run() {
    const auto listed = files_.list("");
    if (!listed) {
      result_.diagnostics.error(place(""), listed.error().message, listed.error().hint);
      return finish();
    }
    for (const Files::Entry& entry : *listed) {
      if (has_extension(entry.path, ".yaml") || has_extension(entry.path, ".yml")) read_file(entry.path);
    }
    // JSON comes last: by then it is known which of it is a dashboard that a manifest names.
    for (const Files::Entry& entry : *listed) {
      if (has_extension(entry.path, ".json") && !files_.named(entry.path)) read_json_file(entry.path);
    }
    for (auto& [path, diagnostics] : undecided_) {
      if (files_.named(path)) continue;
      incomplete_ = incomplete_ || diagnostics.has_errors();
      result_.diagnostics.append(std::move(diagnostics));
    }
    return finish();
  }

  void report_unreadable(const Files& files) {
    for (const Files::Unreadable& entry : files.unreadable()) {
      result_.diagnostics.error(place(entry.path), entry.why, "mend it, take it out, or hide it with a leading dot");
    }
  }

 private:
  [[nodiscard]] Position place(std::string_view path) const {
    return {std::make_shared<const std::string>(files_.display(path)), 0, 0};
  }

  void read_file(const std::string& path) {
    const Position whole = place(path);
    const auto text = files_.read_manifest(path, limits::manifest_bytes);
    if (!text) {
      result_.diagnostics.error(whole, text.error().message, text.error().hint);
      incomplete_ = true;
      return;
    }
    ++result_.files;
    const auto take = [&](Node&& node) { document(std::move(node), path, result_.diagnostics); };
    if (!read_yaml(*text, whole.file, result_.diagnostics, take)) incomplete_ = true;
  }

  // What is wrong with a JSON file, or that it is ignored, is known only when all manifests have been read: one that
  // comes later may name it.
  void read_json_file(const std::string& path) {
    const Position whole = place(path);
    Diagnostics doubts;
    const auto text = files_.read_manifest(path, limits::manifest_bytes);
    if (!text) {
      doubts.error(whole, text.error().message, text.error().hint);
    } else {
      ++result_.files;
      read_json(*text, whole.file, doubts, [&](Node&& node) { document(std::move(node), path, doubts); });
    }
    undecided_.emplace_back(path, std::move(doubts));
  }

  void document(Node&& node, const std::string& path, Diagnostics& ignored) {
    if (++seen_ > limits::documents) {
      if (seen_ == limits::documents + 1) {
        result_.diagnostics.error(node.at, fmt::format("more than {} documents", limits::documents));
      }
      return;
    }
    switch (classify(node, result_.diagnostics)) {
      case Belongs::to_us:
        ++result_.documents;
        expander_.document(std::move(node), path);
        break;
      case Belongs::to_others:
        ignored.note(node.at, "ignored: not a manifest of graftd",
                     fmt::format("a manifest begins with apiVersion: {}", api_version));
        break;
      case Belongs::to_us_but_wrong:
        break;
    }
  }

  void sort_and_find_duplicates() {
    std::stable_sort(out_.begin(), out_.end(), [](const Desired& a, const Desired& b) { return a.key < b.key; });
    for (std::size_t i = 1; i < out_.size(); ++i) {
      if (out_[i].key != out_[i - 1].key) continue;
      result_.diagnostics.error(out_[i].at, fmt::format("{} is declared twice", printable(out_[i].key.to_string())),
                                fmt::format("also at {}; keep one of them", out_[i - 1].at.to_string()));
    }
  }

  [[nodiscard]] std::optional<std::string_view> nearest(const ResourceKey& missing) const {
    std::vector<std::string_view> names;
    for (const Desired& desired : out_) {
      const bool alike = desired.key.kind == missing.kind && desired.key.organization == missing.organization;
      if (alike) names.push_back(desired.key.name);
    }
    return did_you_mean(missing.name, names);
  }

  void find_missing() {
    std::set<ResourceKey> declared = expander_.attempted();
    for (const Desired& desired : out_) declared.insert(desired.key);
    for (const Desired& desired : out_) {
      for (const ResourceKey& need : desired.needs) {
        if (declared.contains(need)) continue;
        const auto near = nearest(need);
        result_.diagnostics.error(
            desired.at,
            fmt::format("{} needs {}, which no manifest declares", printable(desired.key.to_string()),
                        printable(need.to_string())),
            near ? fmt::format("did you mean {}?", graft::quote(*near)) : fmt::format("declare it, or leave it out"));
      }
    }
  }

  void note_undeclared_organizations() {
    std::set<std::string_view> known;
    for (const Desired& desired : out_) {
      if (desired.key.kind == kind_organization) known.insert(desired.key.name);
    }
    for (const ResourceKey& key : expander_.attempted()) {
      if (key.kind == kind_organization) known.insert(key.name);
    }
    for (const Desired& desired : out_) {
      if (desired.key.organization.empty() || !known.insert(desired.key.organization).second) continue;
      result_.diagnostics.note(
          desired.at, fmt::format("no manifest declares the organization {}", graft::quote(desired.key.organization)),
          "it must exist in Grafana; it is joined, not changed");
    }
  }

  LoadResult finish() {
    sort_and_find_duplicates();
    Diagnostics& diagnostics = result_.diagnostics;
    if (!incomplete_) find_missing();  // else what is missing may stand where nobody could read
    for (const Decoder* decoder : decoders_) decoder->check(out_, diagnostics);
    note_undeclared_organizations();
    if (result_.documents == 0 && !diagnostics.has_errors()) {
      diagnostics.warning(place(""), "no manifests found",
                          fmt::format("a manifest is a .yaml, .yml or .json file with apiVersion: {}", api_version));
    }
    diagnostics.sort();
    if (!diagnostics.has_errors()) {
      result_.state = std::make_shared<const DesiredState>(DesiredState{std::move(out_), files_.revision()});
    }
    return std::move(result_);
  }

  NotedFiles files_;
  Decoders decoders_;
  LoadResult result_;
  std::vector<Desired> out_;
  Expander expander_;
  std::vector<std::pair<std::string, Diagnostics>> undecided_;  // of JSON files, by path
  std::size_t seen_ = 0;
  bool incomplete_ = false;  // a file could not be read to its end
};

}  // namespace

LoadResult load(const Files& files, Decoders decoders) {
  Loading loading(files, decoders);
  loading.report_unreadable(files);
  return loading.run();
}

}  // namespace graft::manifest
