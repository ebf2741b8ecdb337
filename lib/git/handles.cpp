#include "git/handles.hpp"

namespace graft::git {

namespace {

ErrorCode code_of(int code, int klass) {
  if (code == GIT_EAUTH) return ErrorCode::unauthenticated;
  if (code == GIT_ENOTFOUND) return ErrorCode::not_found;
  if (code == GIT_ECERTIFICATE) return ErrorCode::forbidden;
  switch (klass) {
    case GIT_ERROR_NET:
    case GIT_ERROR_HTTP:
    case GIT_ERROR_SSL:
    case GIT_ERROR_SSH:
      return ErrorCode::unavailable;
    case GIT_ERROR_NOMEMORY:
      return ErrorCode::blocked;
    case GIT_ERROR_OS:
    case GIT_ERROR_FILESYSTEM:
      return ErrorCode::io;
    default:
      return ErrorCode::protocol;
  }
}

}  // namespace

Error git_failure(int code, std::string message) {
  const git_error* said = git_error_last();
  const int klass = said == nullptr ? int{GIT_ERROR_NONE} : said->klass;
  Error error(code_of(code, klass), std::move(message));
  if (said != nullptr && said->message != nullptr) (void)std::move(error).with_server_text(said->message);
  error.retryable = true;  // whatever a remote repository did wrong, it may have been put right when it is asked again
  return error;
}

std::string to_hex(const git_oid& id) {
  std::string text(GIT_OID_HEXSZ, '\0');
  git_oid_fmt(text.data(), &id);
  return text;
}

bool has_object(git_repository* repository, const git_oid& id) {
  int code = 0;
  return made<ObjectHandle>(code, git_object_lookup, repository, &id, GIT_OBJECT_ANY) != nullptr;
}

}  // namespace graft::git
