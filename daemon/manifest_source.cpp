#include "daemon/manifest_source.hpp"

#include "kinds/decoders.hpp"
#include "source/directory_source.hpp"

namespace graft::daemon {

Result<manifest::LoadResult> ManifestSource::load() {
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

bool ManifestSource::changed() const {
  const Result<std::string> fingerprint = source::fingerprint(directory_);
  return fingerprint ? *fingerprint != fingerprint_ : !fingerprint_.empty();
}

}  // namespace graft::daemon
