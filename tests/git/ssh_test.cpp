// Over ssh, with OpenSSH's own server on loopback: the key, the known host, and what is said when one of them is wrong.
#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "git/child.hpp"
#include "git/repository.hpp"

using namespace graft;
using namespace graft::test;
namespace fs = std::filesystem;

namespace {

int free_port() {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(descriptor, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  ::close(descriptor);
  return ntohs(address.sin_port);
}

class SshServer {
 public:
  SshServer() {
    fs::permissions(directory.path(), fs::perms::owner_all);
    if (::geteuid() == 0) fs::create_directories("/run/sshd");
    for (const char* name : {"host", "user", "stranger"}) keygen(name, "ed25519");
    keygen("ecdsa", "ecdsa");
    directory.write("authorized", directory.read("user.pub") + directory.read("ecdsa.pub"));
    directory.write("sshd_config", fmt::format("Port {}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\n"
                                               "PasswordAuthentication no\nUsePAM no\nStrictModes no\nPidFile none\n"
                                               "PermitRootLogin yes\n",
                                               port, directory / "host", directory / "authorized"));
    directory.write("known", fmt::format("[127.0.0.1]:{} {}", port, directory.read("host.pub")));
    server = std::make_unique<test_support::Process>(
        std::vector<std::string>{"/usr/sbin/sshd", "-D", "-e", "-f", directory / "sshd_config"},
        directory.path().string());
    REQUIRE_MESSAGE(server->wait_for("Server listening"), server->err());
  }

  void keygen(const std::string& name, const std::string& type) const {
    test_support::Process process({"/usr/bin/ssh-keygen", "-q", "-t", type, "-N", "", "-f", directory / name},
                                  directory.path().string());
    REQUIRE(process.wait() == 0);
  }
  [[nodiscard]] std::string url(const std::string& path) const {
    const char* user = std::getenv("USER");  // NOLINT(concurrency-mt-unsafe)
    return fmt::format("ssh://{}@127.0.0.1:{}{}", ::geteuid() == 0 || user == nullptr ? "root" : user, port, path);
  }

  TemporaryDirectory directory;
  int port = free_port();
  std::unique_ptr<test_support::Process> server;
};

}  // namespace

TEST_CASE("ssh: with the right key and a known host; a stranger's key and an unknown host are refused and told") {
  const SshServer server;
  const GitRepository repository;
  const TemporaryDirectory directory;
  const std::string good = repository.commit_file("a.yaml", "1\n");
  git::Job job = job_for(server.url(repository.path()), directory);
  job.repository.allow_local = false;
  job.repository.known_hosts_file = server.directory / "known";
  job.repository.ssh_key_file = server.directory / "user";
  git::Reply reply = fetched(job);
  CHECK_MESSAGE(reply.commit == good, problem_of(reply));
  job.repository.ssh_key_file = server.directory / "ecdsa";
  const std::string second = repository.commit_file("a.yaml", "2\n");
  reply = fetched(job);
  CHECK_MESSAGE(reply.commit == second, problem_of(reply));

  repository.commit_file("a.yaml", "3\n");
  job.repository.ssh_key_file = server.directory / "stranger";
  reply = fetched(job);
  CHECK(reply.commit == second);
  CHECK(reply.problem.value().code == ErrorCode::unauthenticated);
  CHECK_MESSAGE(problem_of(reply).find("manifests.git.auth.sshKeyFile") != std::string::npos, problem_of(reply));

  job.repository.ssh_key_file = server.directory / "user";
  server.directory.write("other-known",
                         fmt::format("[127.0.0.1]:{} {}", server.port, server.directory.read("user.pub")));
  for (const char* known : {"other-known", "authorized"}) {  // another key than known; no such host at all
    job.repository.known_hosts_file = server.directory / known;
    reply = fetched(job);
    CHECK(reply.commit == second);
    CHECK_MESSAGE(reply.problem.value().code == ErrorCode::forbidden, problem_of(reply));
    CHECK_MESSAGE(problem_of(reply).find("manifests.git.auth.knownHostsFile") != std::string::npos, problem_of(reply));
  }
  job.repository.known_hosts_file = server.directory / "gone";
  reply = fetched(job);
  CHECK_MESSAGE(problem_of(reply).find("manifests.git.auth.knownHostsFile") != std::string::npos, problem_of(reply));
}
