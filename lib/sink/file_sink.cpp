#include "sink/file_sink.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "base/atomic_file.hpp"
#include "base/directory.hpp"
#include "base/text.hpp"
#include "sink/account_names.hpp"
#include "sink/marker.hpp"
#include "sink/target_names.hpp"

namespace graft::sink {

namespace {

constexpr unsigned folder_mode = 0711;  // may be passed through, not listed: each file carries its own rights
constexpr std::size_t key_limit = 4096;
constexpr std::size_t marker_limit = 64 * 1024;

struct Place {
  std::vector<std::string> folders;
  std::string name;
};

bool our_own_name(std::string_view name) {
  return name.starts_with('.') && (name.ends_with(".graftd") || name.find(".graftd-tmp-") != std::string_view::npos);
}

// The declared path in its steps. Manifests are checked earlier; here it is made sure that no step leaves the
// directory.
Result<Place> take_apart(const std::string& path) {
  Place place;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    place.folders.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  for (const std::string& step : place.folders) {
    if (step.empty() || step == "." || step == ".." || has_control_characters(step) || our_own_name(step)) {
      return fail(Error(ErrorCode::invalid, fmt::format("{} is no path for a token's file", quote(path)))
                      .with_hint("write it relative to tokens.directory, such as apiorg/test-token"));
    }
  }
  place.name = std::move(place.folders.back());
  place.folders.pop_back();
  return place;
}

std::string marker_name(const std::string& name) { return "." + name + ".graftd"; }

class FileSink final : public BlockingSink {
 public:
  explicit FileSink(FileTarget target) : target_(std::move(target)) {}

  std::string describe() const override { return name_of_file(target_.path); }

  Status probe() override {
    auto opened = open(true);
    if (!opened) return fail(std::move(opened.error()));
    const auto& [folder, name] = *opened;
    const std::string marker = marker_name(name);
    for (const std::string& file : {name, marker}) {
      if (auto status = remove_leftovers(folder, file); !status) return status;
    }
    const auto options = key_options();
    if (!options) return fail(options.error());
    // As much as put() may need at most, so that a disk that is nearly full is found out here.
    if (auto status = rehearse_write(folder, name, key_limit, *options); !status) return status;
    return rehearse_write(folder, marker, key_limit, FileOptions{});
  }

  Result<Reading> read() override {
    auto opened = open(false);
    if (!opened && opened.error().code == ErrorCode::not_found) return Reading{};
    if (!opened) return fail(std::move(opened.error()));
    const auto& [folder, name] = *opened;
    Reading reading;
    // First: what is written between this and the reading shows as a change at the next one, and not never.
    reading.identity = identity_of(folder, name);
    if (auto status = read_marker_file(folder, name, reading); !status) return fail(std::move(status.error()));
    if (auto status = read_key_file(folder, name, reading); !status) return fail(std::move(status.error()));
    if (reading.state == KeyState::present) look_at_access(folder, name, reading);
    return reading;
  }

  Status put(const Secret& key, const Marker& marker) override {
    auto opened = open(true);
    if (!opened) return fail(std::move(opened.error()));
    const auto& [folder, name] = *opened;
    const auto options = key_options();
    if (!options) return fail(options.error());
    const auto marked = write_file_atomically(folder, marker_name(name), write_marker(marker), FileOptions{});
    if (!marked) return marked;
    return write_file_atomically(folder, name, key.reveal(), *options);
  }

 private:
  struct Opened {
    Directory folder;
    std::string name;
  };

  // Step by step from the token directory, never through a link; not_found when a step is missing and not to be made.
  Result<Opened> open(bool make) const {
    auto place = take_apart(target_.path);
    if (!place) return fail(std::move(place.error()));
    auto folder = make ? Directory::open_or_make(target_.directory, folder_mode) : Directory::open(target_.directory);
    for (const std::string& step : place->folders) {
      if (folder) folder = make ? folder->folder_or_make(step, folder_mode) : folder->folder(step);
    }
    if (!folder) return fail(std::move(folder.error()));
    return Opened{std::move(*folder), std::move(place->name)};
  }

  Result<FileOptions> key_options() const {
    FileOptions options;
    options.mode = target_.mode;
    if (!target_.owner.empty()) {
      const auto id = user_id(target_.owner);
      if (!id) return fail(id.error());
      options.uid = *id;
    }
    if (!target_.group.empty()) {
      const auto id = group_id(target_.group);
      if (!id) return fail(id.error());
      options.gid = *id;
    }
    return options;
  }

  // A copy that keeps the times of a file still gets a new inode or a new change time.
  static std::string identity_of(const Directory& folder, const std::string& name) {
    struct stat info{};
    if (::fstatat(folder.descriptor(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return {};
    return fmt::format("{}:{}.{:09}:{}.{:09}", info.st_ino, info.st_ctim.tv_sec, info.st_ctim.tv_nsec,
                       info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
  }

  // Whoever widens the mode of a key file by hand, or changes it in the manifest, has it set right at the next cycle.
  void look_at_access(const Directory& folder, const std::string& name, Reading& out) const {
    struct stat info{};
    const auto wanted = key_options();
    if (!wanted || ::fstatat(folder.descriptor(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return;
    const unsigned mode = info.st_mode & 07777U;
    const uid_t owner = wanted->uid.value_or(::geteuid());
    const gid_t group = wanted->gid.value_or(info.st_gid);
    const auto text = [](unsigned bits, uid_t uid, gid_t gid) {
      return fmt::format("mode {:04o}, owner {}, group {}", bits, uid, gid);
    };
    if (mode == wanted->mode && info.st_uid == owner && info.st_gid == group) return;
    out.access_found = text(mode, info.st_uid, info.st_gid);
    out.access_wanted = text(wanted->mode, owner, group);
  }

  // A marker that is missing, broken or no file is no marker; one that cannot be read is an error.
  static Status read_marker_file(const Directory& folder, const std::string& name, Reading& out) {
    const auto text = read_small_file(folder, marker_name(name), marker_limit);
    if (text) out.marker = read_marker(*text);
    if (text || text.error().code != ErrorCode::io) return {};
    return fail(text.error());
  }

  static Status read_key_file(const Directory& folder, const std::string& name, Reading& out) {
    auto text = read_small_file(folder, name, key_limit);
    if (!text && text.error().code == ErrorCode::io) return fail(std::move(text.error()));
    if (!text && text.error().code == ErrorCode::not_found) return {};
    auto problem = text ? malformed_key(*text) : std::optional(text.error().message);
    out.state = problem ? KeyState::malformed : KeyState::present;
    if (problem) {
      out.problem = std::move(*problem);
      if (text) wipe(*text);
      return {};
    }
    out.key = Secret(std::move(*text));
    if (out.marker) out.fingerprint = fingerprint(out.marker->salt, out.key);
    return {};
  }

  FileTarget target_;
};

}  // namespace

std::unique_ptr<BlockingSink> make_file_sink(FileTarget target) {
  return std::make_unique<FileSink>(std::move(target));
}

}  // namespace graft::sink
