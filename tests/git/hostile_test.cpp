// git itself as the enemy (reliability T36): nothing in a repository is run, nothing takes more than it may, and what
// is in force stays. Through the child process, as the daemon does it.
#include <array>
#include <atomic>
#include <csignal>
#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/format.h>
#include <netinet/in.h>
#include <random>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "doubles/git_server.hpp"
#include "git/child.hpp"
#include "git/repository.hpp"

using namespace graft;
using namespace graft::test;
namespace fs = std::filesystem;

namespace {

bool mentions(const git::Reply& reply, const std::string& text) {
  return problem_of(reply).find(text) != std::string::npos;
}

std::string why_of(const git::Reply& reply, const std::string& path) {
  if (!reply.content) return "no content: " + problem_of(reply);
  for (const auto& entry : reply.content->unreadable)
    if (entry.path == path) return entry.why;
  return {};
}

std::uintmax_t bytes_in(const std::string& directory) {
  std::uintmax_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory))
    if (entry.is_regular_file()) bytes += entry.file_size();
  return bytes;
}

// A server that says what a git server says and then goes on as `after` wishes, with the socket.
class RawServer {
 public:
  explicit RawServer(
      std::function<void(int connection, const std::string& request, const std::atomic<bool>& ending)> on)
      : on_(std::move(on)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener_, 16) == 0);
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;
  ~RawServer() {
    ending_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    ::close(listener_);
    thread_.join();
  }
  [[nodiscard]] std::string url() const { return fmt::format("http://127.0.0.1:{}/a.git", port_); }

 private:
  void run() {
    while (!ending_) {
      const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) continue;
      std::array<char, 65'536> buffer{};
      while (!ending_) {
        const ssize_t count = ::read(connection, buffer.data(), buffer.size());
        if (count <= 0) break;
        on_(connection, std::string(buffer.data(), static_cast<std::size_t>(count)), ending_);
      }
      ::close(connection);
    }
  }

  std::function<void(int, const std::string&, const std::atomic<bool>&)> on_;
  std::atomic<bool> ending_{false};
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

bool say(int connection, const std::string& text) {
  return ::send(connection, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

std::string packet(const std::string& text) { return fmt::format("{:04x}{}", text.size() + 4, text); }

std::string advertisement(const std::string& commit) {
  const std::string body = packet("# service=git-upload-pack\n") + "0000" +
                           packet(commit + " HEAD" + std::string(1, '\0') + "side-band-64k ofs-delta\n") +
                           packet(commit + " refs/heads/main\n") + "0000";
  return fmt::format(
             "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\nContent-Length: "
             "{}\r\n\r\n",
             body.size()) +
         body;
}

}  // namespace

TEST_CASE("hostile: hooks, filters, attributes, submodules and look-alikes run nothing and write nothing") {
  const GitRepository repository;
  const TemporaryDirectory directory;
  const std::string canary = directory / "canary";
  const std::string script = "#!/bin/sh\ntouch " + canary + "\n";
  for (const char* hook : {"post-checkout", "post-merge", "reference-transaction", "pre-auto-gc", "post-update"}) {
    repository.write(std::string("hooks/") + hook, script);
    repository.write(std::string("sub/hooks/") + hook, script);
    repository.write(std::string(".git/hooks/") + hook, script);  // of the other side
    fs::permissions(repository.file(std::string("hooks/") + hook), fs::perms::owner_all);
    fs::permissions(repository.file(std::string(".git/hooks/") + hook), fs::perms::owner_all);
  }
  repository.write(".gitattributes", "*.yaml filter=evil diff=evil merge=evil\n");
  repository.write(".gitconfig", "[filter \"evil\"]\n smudge = touch " + canary + "\n");
  repository.write("config", "[core]\n fsmonitor = touch " + canary + "\n sshCommand = touch " + canary + "\n");
  repository.write(".lfsconfig", "[lfs]\n url = http://127.0.0.1:1/\n");
  repository.write("a.yaml", "good\n");
  repository.write("A.yaml", "other case\n");
  repository.write("git~1/x.yaml", "short name\n");
  repository.write("HEAD", "ref: refs/heads/evil\n");
  repository.write("objects/info/alternates", "/etc\n");
  repository.in({"add", "--all"});
  // Entries that git itself would not make.
  const std::string blob = repository.in({"hash-object", "-w", "a.yaml"});
  repository.in({"update-index", "--add", "--cacheinfo", "160000," + std::string(40, '1') + ",sub.yaml"});
  repository.write(".gitmodules", "[submodule \"s\"]\n path = sub.yaml\n url = ext::sh -c 'touch " + canary + "'\n");
  repository.in({"add", ".gitmodules"});
  repository.in({"commit", "--quiet", "-m", "evil"});

  const git::Reply reply = fetched(job_for(repository.path(), directory));
  CHECK(problem_of(reply).empty());
  REQUIRE(reply.content.has_value());
  CHECK(reply.content->texts.at("a.yaml") == "good\n");
  CHECK(reply.content->texts.at("A.yaml") == "other case\n");
  CHECK(reply.content->texts.at("git~1/x.yaml") == "short name\n");
  CHECK(why_of(reply, "sub.yaml").find("is a submodule") == 0);
  CHECK_FALSE(fs::exists(canary));
  for (const auto& entry : fs::recursive_directory_iterator(directory / "git")) {
    const std::string name = entry.path().filename().string();
    CAPTURE(name);
    CHECK(name != "a.yaml");
    CHECK(name != "post-checkout");
    CHECK(name != "alternates");
  }
}

TEST_CASE("hostile: addresses that are no servers are refused in the child as well") {
  const TemporaryDirectory directory;
  const std::string canary = directory / "canary";
  for (const std::string& url : {"ext::sh -c touch% " + canary, "ext::touch " + canary,
                                 std::string("git://127.0.0.1:1/a"), std::string("/etc")}) {
    git::Job job = job_for(url, directory);
    job.repository.allow_local = false;
    const git::Reply reply = fetched(job);
    CAPTURE(problem_of(reply));
    CHECK(reply.problem.value().code == ErrorCode::invalid);
  }
  CHECK_FALSE(fs::exists(canary));
}

TEST_CASE("hostile: links that leave the tree, go round, or lead to nothing") {
  const GitRepository repository;
  const TemporaryDirectory directory;
  const auto link = [&](const std::string& name, const std::string& target) {
    fs::create_directories(fs::path(repository.file(name)).parent_path());
    fs::create_symlink(target, repository.file(name));
  };
  repository.write("m/good/a.yaml", "a\n");
  repository.write("outside.yaml", "secret\n");
  link("m/by-link.yaml", "good/a.yaml");
  link("m/folder", "good");
  link("m/absolute.yaml", "/etc/passwd");
  link("m/above.yaml", "../outside.yaml");
  link("m/hop.yaml", "above.yaml");
  link("m/nothing.yaml", "missing.yaml");
  link("m/ring1.yaml", "ring2.yaml");
  link("m/ring2.yaml", "ring1.yaml");
  link("m/round", ".");
  link("m/good/up", "..");
  link("m/long.yaml", std::string(4000, 'x'));
  repository.commit();
  git::Job job = job_for(repository.path(), directory);
  job.repository.path = "/m/";
  const git::Reply reply = fetched(job);
  REQUIRE_MESSAGE(reply.content.has_value(), problem_of(reply));
  CHECK(reply.content->texts.size() == 3);
  CHECK(reply.content->texts.at("by-link.yaml") == "a\n");
  CHECK(reply.content->texts.at("folder/a.yaml") == "a\n");
  CHECK(why_of(reply, "absolute.yaml").find("leaves the manifest tree") != std::string::npos);
  CHECK(why_of(reply, "above.yaml").find("leaves the manifest tree") != std::string::npos);
  CHECK(why_of(reply, "hop.yaml").find("leaves the manifest tree") != std::string::npos);
  CHECK(why_of(reply, "nothing.yaml") == "is a link to nothing");
  CHECK(why_of(reply, "ring1.yaml") == "is a link that cannot be followed");
  CHECK(why_of(reply, "round") == "is a link to a folder round itself");
  CHECK(why_of(reply, "good/up") == "is a link to a folder round itself");
  CHECK(why_of(reply, "folder/up") == "is a link to a folder round itself");
  CHECK_FALSE(why_of(reply, "long.yaml").empty());
}

TEST_CASE("hostile: folders that link to each other end at the limit of entries") {
  const GitRepository repository;
  const TemporaryDirectory directory;
  repository.write("d24/a.yaml", "a\n");
  for (int depth = 0; depth < 24; ++depth) {
    fs::create_directories(repository.file(fmt::format("d{}", depth)));
    for (const char* name : {"l", "r"})
      fs::create_symlink(fmt::format("../d{}", depth + 1), repository.file(fmt::format("d{}/{}", depth, name)));
  }
  repository.commit();
  const git::Reply reply = fetched(job_for(repository.path(), directory));
  CHECK(mentions(reply, "more than 200000 files and folders"));
  CHECK(reply.commit.empty());
}

TEST_CASE("hostile: large files, a large tree, pointers to elsewhere, hidden names") {
  const GitRepository repository;
  const TemporaryDirectory directory;
  repository.write("large.yaml", std::string((1U << 20U) + 1, 'x'));
  repository.write("zeros.json", std::string(std::size_t{200} << 20U, '0'));  // small in the pack
  repository.write("pointer.yaml", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
  repository.write(".hidden/a.yaml", "a\n");
  repository.write(".b.yaml", "b\n");
  repository.write("readme.md", "no manifest\n");
  repository.commit();
  git::Reply reply = fetched(job_for(repository.path(), directory));
  REQUIRE_MESSAGE(reply.content.has_value(), problem_of(reply));
  CHECK(reply.content->texts.empty());
  CHECK(reply.content->files.size() == 2);  // both too large: told when they are asked for
  CHECK(why_of(reply, "pointer.yaml").find("is a Git LFS pointer") == 0);
  for (int i = 0; i < 70; ++i) repository.write(fmt::format("d{}.json", i), std::string(1U << 20U, '0'));
  repository.commit();
  reply = fetched(job_for(repository.path(), directory));
  CHECK(mentions(reply, "the manifest tree is larger than 64 MiB"));
  CHECK(reply.commit.empty());  // the one before was no good either
}

TEST_CASE("hostile: more than may be fetched is refused, and its rest is swept away") {
  const GitRepository repository;
  const TemporaryDirectory directory;
  git::Job job = job_for(repository.path(), directory);
  const std::string good = repository.commit_file("a.yaml", "good\n");
  doubles::GitServer server(repository.path() + "/.git", "grafana");
  job.repository.url = server.repository_url();
  job.repository.size_limit = 2U << 20U;
  REQUIRE_MESSAGE(fetched(job).commit == good, "over HTTP");
  std::mt19937 chance(1);
  std::string noise(8U << 20U, '\0');
  for (char& byte : noise) byte = static_cast<char>(chance());
  repository.commit_file("noise.bin", noise);
  const git::Reply reply = fetched(job);
  CHECK(reply.commit == good);
  CHECK(mentions(reply, "has more than 2 MiB to fetch"));
  (void)fetched(job);
  CHECK(bytes_in(directory / "git") < (3U << 20U));
}

TEST_CASE("hostile: a pack without end, as of 2 GiB and more, takes neither the disk nor the memory") {
  const TemporaryDirectory directory;
  const std::string commit(40, 'a');
  std::atomic<std::uint64_t> sent{0};
  const RawServer server([&](int connection, const std::string& request, const std::atomic<bool>& ending) {
    if (request.starts_with("GET ")) {
      (void)say(connection, advertisement(commit));
    } else if (request.find("POST ") != std::string::npos) {
      // One object that claims 2 GiB, in stored blocks of noise that never end.
      std::string stream = "PACK" + std::string("\0\0\0\2\0\0\0\1", 8) + "\xb0\x80\x80\x80\x80\x01" + "\x78\x01";
      bool sound = say(connection,
                       "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-result\r\n"
                       "Connection: close\r\n\r\n" +
                           packet("NAK\n"));
      std::mt19937 chance(2);
      std::string noise(32'768, '\0');
      for (char& byte : noise) byte = static_cast<char>(chance());
      const std::string block = std::string("\x00\x00\x80\xff\x7f", 5) + noise;
      while (sound && !ending && sent < (std::uint64_t{2} << 30U)) {
        stream += block;
        sound = say(connection, packet("\x01" + stream));
        sent += stream.size();
        stream.clear();
      }
      ::shutdown(connection, SHUT_RDWR);
    }
  });
  git::Job job = job_for(server.url(), directory);
  job.repository.size_limit = 4U << 20U;
  const git::Reply reply = fetched(job);
  CHECK_MESSAGE(mentions(reply, "has more than 4 MiB to fetch"), problem_of(reply));
  CHECK(sent > (3U << 20U));
  CHECK(sent < (64U << 20U));
  job.repository.timeout = std::chrono::seconds(5);
  (void)fetched(job);  // sweeps
  CHECK(bytes_in(directory / "git") < (6U << 20U));
}

TEST_CASE("hostile: a list of refs without end is ended") {
  const TemporaryDirectory directory;
  std::atomic<std::uint64_t> sent{0};
  const RawServer server([&](int connection, const std::string&, const std::atomic<bool>& ending) {
    bool sound = say(connection,
                     "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n"
                     "Connection: close\r\n\r\n" +
                         packet("# service=git-upload-pack\n") + "0000");
    for (int i = 0; sound && !ending && sent < (std::uint64_t{1} << 30U); ++i) {
      std::string some;
      for (int j = 0; j < 1'000; ++j) some += packet(std::string(40, 'a') + fmt::format(" refs/heads/{}-{}\n", i, j));
      sound = say(connection, some);
      sent += some.size();
    }
    ::shutdown(connection, SHUT_RDWR);
  });
  const git::Reply reply = fetched(job_for(server.url(), directory));
  CHECK_MESSAGE(mentions(reply, "the list of refs is too long"), problem_of(reply));
  CHECK(sent < (128U << 20U));
}

TEST_CASE("hostile: a server that stalls, before or in the middle, is left after the time allowed") {
  const GitRepository repository;
  const TemporaryDirectory directory;
  std::atomic<int> mode{0};
  const std::string commit(40, 'a');
  const RawServer server([&](int connection, const std::string& request, const std::atomic<bool>&) {
    if (mode == 0) return;  // says nothing at all
    if (request.starts_with("GET ")) {
      const std::string answer = advertisement(commit);
      (void)say(connection, mode == 1 ? answer.substr(0, answer.size() / 2) : answer);
    }
    // mode 2: the pack never comes
  });
  git::Job job = job_for(server.url(), directory);
  job.repository.timeout = std::chrono::seconds(2);
  for (mode = 0; mode < 3; ++mode) {
    const auto begun = std::chrono::steady_clock::now();
    const git::Reply reply = fetched(job);
    CHECK_MESSAGE(mentions(reply, "within 2 s"), problem_of(reply));
    CHECK(reply.problem.value().code == ErrorCode::timeout);
    CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(30));
  }
}

TEST_CASE("hostile: answers that are no git, a redirect to elsewhere, a shallow repository") {
  const TemporaryDirectory directory;
  const GitRepository repository;
  const std::string good = repository.commit_file("a.yaml", "1\n");
  repository.commit_file("a.yaml", "2\n");
  doubles::GitServer server(repository.path() + "/.git", "grafana");
  git::Job job = job_for(server.repository_url(), directory);
  const auto refused = [&](const std::string& text) {
    const git::Reply reply = fetched(job);
    CHECK_MESSAGE(mentions(reply, text), problem_of(reply));
    CHECK(reply.commit.empty());
  };
  const auto refused_redirect = [&] {
    doubles::GitServer elsewhere(repository.path() + "/.git", "grafana");
    simulator::Reply redirect;
    redirect.status = 302;
    redirect.headers["Location"] = elsewhere.repository_url() + "/info/refs?service=git-upload-pack";
    server.answer_with("GET", 1, redirect);
    directory.write("token", "s3cr3t\n");
    job.repository.token_file = directory / "token";
    refused("redirects are not followed");
    job.repository.token_file.clear();
    CHECK(elsewhere.log().empty());  // nor is the token taken there
  };
  server.answer_with("GET", 1, 200, "<html>Sign in</html>");
  refused(server.repository_url());
  server.answer_with("GET", 1, 503, "busy");
  refused("503");
  refused_redirect();
  server.drop_reply("POST", 1);
  refused(server.repository_url());

  const std::string shallow = directory / "shallow";
  repository.git({"clone", "--quiet", "--bare", "--depth", "1", "file://" + repository.path(), shallow});
  doubles::GitServer other(shallow, "shallow");
  job.repository.url = other.repository_url();
  job.directory = directory / "git/other";
  refused("a shallow repository cannot be fetched from");
}

TEST_CASE("hostile: a token is offered to its server alone, once, and a wrong one is told without being shown") {
  const TemporaryDirectory directory;
  const GitRepository repository;
  const std::string good = repository.commit_file("a.yaml", "1\n");
  doubles::GitServer server(repository.path() + "/.git", "grafana", "s3cr3t-token");
  git::Job job = job_for(server.repository_url(), directory);
  git::Reply reply = fetched(job);
  CHECK_MESSAGE(mentions(reply, "manifests.git.auth.tokenFile"), problem_of(reply));
  directory.write("token", "wrong-token\n");
  job.repository.token_file = directory / "token";
  server.forget_log();
  reply = fetched(job);
  CHECK(reply.problem.value().code == ErrorCode::unauthenticated);
  CHECK_FALSE(mentions(reply, "wrong-token"));
  CHECK(server.log().size() == 1);
  directory.write("token", "s3cr3t-token\n");
  reply = fetched(job);
  CHECK(reply.commit == good);
  job.repository.token_file = directory / "gone";
  server.forget_log();
  reply = fetched(job);
  CHECK_MESSAGE(mentions(reply, "manifests.git.auth.tokenFile"), problem_of(reply));
  CHECK(mentions(reply, "gone"));
}

TEST_CASE("hostile: a child that is killed, or is no graftd, is an error and nothing else") {
  const TemporaryDirectory directory;
  const GitRepository repository;
  repository.commit_file("a.yaml", "1\n");
  const git::Job job = job_for(repository.path(), directory);
  (void)std::signal(SIGPIPE, SIG_IGN);  // as graftd does
  for (const char* other : {"/bin/true", "/bin/false", "/bin/cat", "/nowhere"}) {
    const auto reply = git::run_child(job, other, -1);
    CAPTURE(other);
    CHECK_FALSE(reply.has_value());
  }
}

TEST_CASE("hostile: only a commit that somebody signed who may, when that is asked for") {
  const TemporaryDirectory directory;
  const GitRepository repository;
  repository.git(
      {"-c", "alias.keygen=!ssh-keygen", "keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / "key"});
  repository.git(
      {"-c", "alias.keygen=!ssh-keygen", "keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / "other"});
  directory.write("signers", "n@example.org namespaces=\"git\" " + directory.read("key.pub"));
  git::Job job = job_for(repository.path(), directory);
  job.repository.allowed_signers_file = directory / "signers";
  const auto commit_with = [&](const std::string& key) {
    repository.write("a.yaml", key + std::to_string(std::hash<std::string>{}(key)) + "\n");
    repository.in({"add", "--all"});
    repository.in({"-c", "gpg.format=ssh", "-c", "user.signingKey=" + directory / key, "commit", "--quiet",
                   "--allow-empty", "-S", "-m", "m"});
    return repository.in({"rev-parse", "HEAD"});
  };
  const std::string good = commit_with("key");
  git::Reply reply = fetched(job);
  CHECK_MESSAGE(reply.commit == good, problem_of(reply));
  repository.commit_file("a.yaml", "unsigned\n");
  reply = fetched(job);
  CHECK(reply.commit == good);
  CHECK(mentions(reply, "it is not signed"));
  commit_with("other");
  reply = fetched(job);
  CHECK(reply.commit == good);
  CHECK_MESSAGE(mentions(reply, "SHA256:"), problem_of(reply));
  const std::string next = commit_with("key");
  CHECK(fetched(job).commit == next);
  std::filesystem::remove(directory / "signers");
  repository.commit();
  reply = fetched(job);
  CHECK(reply.commit == next);
  CHECK(mentions(reply, "manifests.git.allowedSignersFile"));
}
