#include "daemon/credential_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.hpp"

namespace graft::daemon {

namespace {

constexpr std::size_t size_limit = 4096;

const std::string& file_of(const Settings& settings) {
  return settings.token_file.empty() ? settings.password_file : settings.token_file;
}

Error unreadable(const std::string& file, const std::string& why) {
  return Error(ErrorCode::io, fmt::format("credential file {} cannot be read: {}", file, why))
      .with_hint(fmt::format("it must be readable for user {}", geteuid()));
}

}  // namespace

Result<Secret> read_secret_file(const std::string& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return fail(unreadable(file, std::strerror(errno)));
  std::string text(size_limit, '\0');
  const ssize_t size = ::read(descriptor, text.data(), text.size());
  const int error = errno;
  ::close(descriptor);
  if (size < 0) return fail(unreadable(file, std::strerror(error)));
  text.resize(static_cast<std::size_t>(size));
  if (text.size() < size_limit) return Secret(std::move(text));
  wipe(text);
  return fail(Error(ErrorCode::invalid, fmt::format("credential file {} is too long", file)));
}

Result<grafana::Credential> read_credential(const Settings& settings) {
  const std::string& file = file_of(settings);
  Result<Secret> content = read_secret_file(file);
  if (!content) return fail(std::move(content.error()));
  std::string text(content->reveal());
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  if (text.empty() || text.size() >= size_limit - 2 || has_control_characters(text)) {
    wipe(text);
    return fail(Error(ErrorCode::invalid, fmt::format("credential file {} must hold one line", file)));
  }
  grafana::Credential credential;
  credential.username = settings.token_file.empty() ? settings.username : std::string();
  credential.secret = Secret(std::move(text));
  return credential;
}

std::string credential_stamp(const Settings& settings) {
  struct stat status{};
  if (::stat(file_of(settings).c_str(), &status) != 0) return {};
  return fmt::format("{}.{}.{}.{}.{}", status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                     status.st_ctim.tv_nsec);
}

}  // namespace graft::daemon
