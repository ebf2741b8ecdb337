#include "git/home.hpp"

#include "base/atomic_file.hpp"
#include "base/directory.hpp"
#include "git/url.hpp"

namespace graft::git {

namespace {

constexpr std::size_t known_hosts_bytes = std::size_t{1} << 20U;

}  // namespace

std::string home_of(const std::string& directory) { return directory + ".home"; }

Status prepare_home(const Job& job) {
  if (!is_ssh(job.repository.url)) return {};
  Result<std::string> hosts = read_small_file(job.repository.known_hosts_file, known_hosts_bytes);
  if (!hosts)
    return fail(std::move(hosts.error())
                    .context("manifests.git.auth.knownHostsFile")
                    .with_hint("ssh-keyscan HOST prints what belongs there; compare it with what the host publishes"));
  const Result<Directory> folder = Directory::open_or_make(home_of(job.directory) + "/.ssh", 0700);
  if (!folder) return fail(folder.error());
  return write_file_atomically(*folder, "known_hosts", *hosts, {});
}

}  // namespace graft::git
