#include "homes/home.hpp"

#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <vector>

#include "source/directory_source.hpp"

namespace graft::test {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::string_view mark = "rev-";
constexpr int folders = 6;
// Well below the 200 ms for which a folder must lie at rest before it is read.
constexpr milliseconds taken_for_rest{150};

void write(const fs::path& path, std::string_view text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

void write_all(const fs::path& folder, const Texts& texts) {
  for (const auto& [path, text] : texts) write(folder / path, text);
}

// A link that leads from one tree to the next without a moment in which there is none.
void lead(const fs::path& link, const std::string& target) {
  const fs::path fresh = link.string() + "_tmp";
  fs::remove(fresh);
  fs::create_symlink(target, fresh);
  fs::rename(fresh, link);
}

void remove_tree(const fs::path& tree, const Removal& removal) {
  if (removal.pause.count() > 0) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(tree))
      if (entry.is_regular_file()) files.push_back(entry.path());
    for (const fs::path& file : files) {
      fs::remove(file);
      std::this_thread::sleep_for(removal.pause);
    }
  }
  fs::remove_all(tree);
}

int number_of(const Texts& texts) { return number_in(texts.begin()->second); }

class ConfigMap final : public Home {
 public:
  ConfigMap(fs::path folder, Removal removal) : folder_(std::move(folder)), removal_(removal) {
    fs::create_directories(folder_);
  }

  void publish(const Texts& texts) override {
    const std::string fresh = fmt::format("..2026_11_24_12_00_00.{}", 100'000'000 + ++count_);
    write_all(folder_ / fresh, texts);
    found_at(folder_ / fresh);
    lead(folder_ / "..data", fresh);
    show(texts);
    if (!current_.empty()) remove_tree(folder_ / current_, removal_);
    current_ = fresh;
  }
  std::string manifests() const override { return folder_; }

 private:
  // Links for what is new, none for what is gone; of a path its first step only.
  void show(const Texts& texts) {
    std::set<std::string> steps;
    for (const auto& [path, text] : texts) steps.insert(path.substr(0, path.find('/')));
    for (const std::string& step : steps)
      if (!shown_.contains(step)) fs::create_symlink("..data/" + step, folder_ / step);
    for (const std::string& step : shown_)
      if (!steps.contains(step)) fs::remove(folder_ / step);
    shown_ = std::move(steps);
  }

  fs::path folder_;
  Removal removal_;
  int count_ = 0;
  std::string current_;
  std::set<std::string> shown_;
};

class GitSync final : public Home {
 public:
  GitSync(fs::path folder, Removal removal) : folder_(std::move(folder)), removal_(removal) {
    fs::create_directories(folder_);
  }

  void publish(const Texts& texts) override {
    const std::string fresh = fmt::format(".worktrees/{:040x}", ++count_);
    write_all(folder_ / fresh, texts);
    write(folder_ / fresh / ".git", "gitdir: ../../.git/worktrees/x\n");
    found_at(folder_ / fresh);
    lead(folder_ / "current", fresh);
    if (!current_.empty()) remove_tree(folder_ / current_, removal_);
    current_ = fresh;
  }
  std::string manifests() const override { return folder_ / "current"; }

 private:
  fs::path folder_;
  Removal removal_;
  int count_ = 0;
  std::string current_;
};

class Plain final : public Home {
 public:
  Plain(fs::path folder, milliseconds pause) : folder_(std::move(folder)), pause_(pause) {
    fs::create_directories(folder_);
  }

  void publish(const Texts& texts) override {
    const int number = number_of(texts);
    last_ = steady_clock::now();
    for (const auto& [path, text] : current_)
      if (!texts.contains(path)) step(number, [&] { fs::remove(folder_ / path); });
    int way = number;
    for (const auto& [path, text] : texts) {
      if (++way % 2 == 0) {
        in_two_pieces(number, folder_ / path, text);
      } else {
        by_rename(number, folder_ / path, text);
      }
    }
    found_at(folder_);
    current_ = texts;
  }
  std::string manifests() const override { return folder_; }

 private:
  // One change of the folder. What lay as it was for long before may have been read so.
  template <class Change>
  void step(int number, Change change) {
    if (!current_.empty()) std::this_thread::sleep_for(pause_ * (++steps_ % 4) / 3);
    if (steady_clock::now() - last_ > taken_for_rest) {
      found_at(folder_);
      interrupted_at(number);
    }
    change();
    last_ = steady_clock::now();
  }

  void in_two_pieces(int number, const fs::path& path, std::string_view text) {
    fs::create_directories(path.parent_path());
    std::ofstream file;
    step(number, [&] {
      file.open(path, std::ios::binary | std::ios::trunc);
      file << text.substr(0, text.size() / 2) << std::flush;
    });
    step(number, [&] {
      file << text.substr(text.size() / 2);
      file.close();
    });
  }

  void by_rename(int number, const fs::path& path, std::string_view text) {
    const fs::path fresh = path.parent_path() / ("." + path.filename().string() + ".new");
    write(fresh, text);
    step(number, [&] { fs::rename(fresh, path); });
  }

  fs::path folder_;
  milliseconds pause_;
  Texts current_;
  int steps_ = 0;
  steady_clock::time_point last_;
};

}  // namespace

Texts revision(int number) {
  const std::string called = fmt::format("{}{:06}", mark, number);
  const auto head = [](std::string_view kind, std::string_view uid, std::string_view organization) {
    return fmt::format("apiVersion: graftd/v1\nkind: {}\nmetadata: {{uid: {}, organization: {}}}\n", kind, uid,
                       organization);
  };
  Texts texts;
  for (const std::string_view name : {"one", "two"})
    texts[fmt::format("organizations/{}.yaml", name)] = fmt::format(
        "# {}\napiVersion: graftd/v1\nkind: Organization\nmetadata: {{name: {}}}\nspec: {{}}\n", called, name);
  for (int i = 0; i < folders; ++i)
    texts[fmt::format("folders/{}-{}.yaml", i, (number + i) % 3)] =
        head("Folder", fmt::format("folder-{}", i), i % 2 == 0 ? "one" : "two") +
        fmt::format("spec: {{title: {}}}\n", called);
  texts["boards.yaml"] = "# " + called + "\n" + head("Dashboard", "board", "one") +
                         "spec: {file: boards/board.json}\n---\n" + head("Dashboard", "inline", "two") +
                         fmt::format("spec: {{model: {{title: {}, schemaVersion: 36, panels: []}}}}\n", called);
  texts["boards/board.json"] = fmt::format(R"({{"title": "{}", "schemaVersion": 36, "panels": []}})", called);
  texts["zuletzt.yaml"] = head("Folder", "last", "two") + fmt::format("spec: {{title: {}}}\n", called);
  return texts;
}

int number_in(const std::string& text) {
  const std::size_t at = text.find(mark);
  return at == std::string::npos ? 0 : std::atoi(text.c_str() + at + mark.size());
}

std::set<std::string> Home::revisions() const {
  const std::lock_guard lock(mutex_);
  return revisions_;
}

std::set<int> Home::interrupted() const {
  const std::lock_guard lock(mutex_);
  return interrupted_;
}

void Home::found_at(const std::string& folder) {
  source::Settle at_once;
  at_once.quiet = milliseconds(0);
  const auto files = source::snapshot(folder, at_once);
  if (!files) throw std::runtime_error(files.error().describe());
  const std::lock_guard lock(mutex_);
  revisions_.insert((*files)->revision());
}

void Home::interrupted_at(int number) {
  const std::lock_guard lock(mutex_);
  interrupted_.insert(number);
}

std::unique_ptr<Home> config_map(const std::string& folder, Removal removal) {
  return std::make_unique<ConfigMap>(folder, removal);
}

std::unique_ptr<Home> git_sync(const std::string& folder, Removal removal) {
  return std::make_unique<GitSync>(folder, removal);
}

std::unique_ptr<Home> plain(const std::string& folder, milliseconds pause) {
  return std::make_unique<Plain>(folder, pause);
}

}  // namespace graft::test
