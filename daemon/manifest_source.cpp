#include "daemon/manifest_source.hpp"

#include <fmt/format.h>
#include <optional>
#include <utility>

#include "git/git_source.hpp"
#include "kinds/decoders.hpp"
#include "source/directory_source.hpp"

namespace graft::daemon {

namespace {

class DirectoryManifests final : public ManifestSource {
 public:
  explicit DirectoryManifests(std::string directory) : directory_(std::move(directory)) {}

  [[nodiscard]] Result<manifest::LoadResult> load() override {
    // Taken before the reading: a change meanwhile shows as changed() afterwards.
    Result<std::string> fingerprint = source::fingerprint(directory_);
    if (!fingerprint) {
      fingerprint_.clear();
      return fail(std::move(fingerprint.error()));
    }
    if (last_ && *fingerprint == fingerprint_) return *last_;
    Result<std::unique_ptr<manifest::Files>> files = source::snapshot(directory_);
    if (!files) {
      fingerprint_ = std::move(*fingerprint);
      last_.reset();
      return fail(std::move(files.error()));
    }
    last_ = manifest::load(**files, kinds::all_decoders());
    fingerprint_ = std::move(*fingerprint);
    return *last_;
  }

  [[nodiscard]] bool changed() const override {
    const Result<std::string> fingerprint = source::fingerprint(directory_);
    return fingerprint ? *fingerprint != fingerprint_ : !fingerprint_.empty();
  }

 private:
  std::string directory_;
  std::string fingerprint_;
  std::optional<manifest::LoadResult> last_;
};

class GitManifests final : public ManifestSource {
 public:
  // `patient`: what is in force goes on beside a problem; else the problem is all there is.
  GitManifests(std::shared_ptr<git::GitSource> git, bool patient) : git_(std::move(git)), patient_(patient) {}

  [[nodiscard]] Result<manifest::LoadResult> load() override {
    if (!has_something()) git_->wait_until_settled();
    const git::GitSource::Seen seen = git_->seen();
    version_ = seen.version;
    if (seen.problem && (!patient_ || !seen.files)) return fail(*seen.problem);
    if (seen.files != files_) {
      files_ = seen.files;
      last_ = manifest::load(*files_, kinds::all_decoders());
      if (last_.state) good_ = last_.state;
    }
    // Of the last process, when the first that this one saw is not good.
    if (patient_ && !good_ && seen.before) good_ = manifest::load(*seen.before, kinds::all_decoders()).state;
    manifest::LoadResult result = last_;
    if (patient_ && !result.state) result.state = good_;
    if (seen.problem) {
      Error problem = *seen.problem;
      std::string hint = std::exchange(problem.hint, {});
      result.diagnostics.error(problem.where, problem.describe(), std::move(hint));
    }
    return result;
  }

  [[nodiscard]] bool changed() const override { return git_->seen().version != version_; }
  void refresh() override { git_->ask(); }
  [[nodiscard]] bool settled() const override { return git_->settled(); }
  [[nodiscard]] bool has_something() const override {
    return git_->settled() || (patient_ && git_->seen().files != nullptr);
  }

  void take_into_use() override { git_->take_into_use(); }

  [[nodiscard]] std::shared_ptr<git::GitSource> of_same(const git::GitSourceOptions& options) const {
    const git::GitSourceOptions& ours = git_->options();
    const bool same = ours.repository == options.repository && ours.state_directory == options.state_directory &&
                      ours.poll_interval == options.poll_interval;
    return same ? git_ : nullptr;
  }

 private:
  std::shared_ptr<git::GitSource> git_;
  bool patient_;
  std::uint64_t version_ = 0;
  std::shared_ptr<const manifest::Files> files_;
  manifest::LoadResult last_;
  std::shared_ptr<const manifest::DesiredState> good_;  // the last one
};

bool made_for_service(const ManifestOptions& options) {
  return options.whom == ManifestOptions::For::service || options.whom == ManifestOptions::For::candidate;
}

git::GitSourceOptions git_options(const Settings& settings, const ManifestOptions& options) {
  using For = ManifestOptions::For;
  git::GitSourceOptions made;
  git::Repository& repository = made.repository;
  repository.url = settings.git_url;
  repository.ref = settings.git_ref;
  repository.path = settings.git_path;
  repository.username = settings.git_username;
  repository.token_file = settings.git_token_file;
  repository.ssh_key_file = settings.git_ssh_key_file;
  repository.known_hosts_file = settings.git_known_hosts_file;
  repository.ca_file = settings.git_ca_file;
  repository.allowed_signers_file = settings.git_allowed_signers_file;
  repository.allow_non_fast_forward = settings.git_allow_non_fast_forward;
  repository.allow_local = settings.git_allow_local;
  repository.size_limit = std::uint64_t{settings.git_size_limit} << 20U;
  repository.timeout = settings.git_timeout;
  made.state_directory = settings.state_directory;
  made.poll_interval = settings.git_poll_interval;
  made.accept = options.whom == For::service || options.whom == For::apply;
  made.fetch = options.whom != For::names;
  made.poll = made.remember = made_for_service(options);
  made.on_news = options.on_news;
  return made;
}

}  // namespace

std::unique_ptr<ManifestSource> make_manifest_source(const Settings& settings, const ManifestOptions& options,
                                                     const ManifestSource* former) {
  if (settings.git_url.empty()) return std::make_unique<DirectoryManifests>(settings.manifests_directory);
  git::GitSourceOptions made = git_options(settings, options);
  std::shared_ptr<git::GitSource> git;
  if (const auto* repository = dynamic_cast<const GitManifests*>(former); repository != nullptr)
    git = repository->of_same(made);
  if (git == nullptr) git = std::make_shared<git::GitSource>(std::move(made));
  return std::make_unique<GitManifests>(std::move(git), made_for_service(options));
}

std::string manifests_shown(const Settings& settings) {
  if (settings.git_url.empty()) return settings.manifests_directory;
  return fmt::format("{} {}", settings.git_url, settings.git_ref);
}

}  // namespace graft::daemon
