#include "doubles/git_server.hpp"

#include <utility>

#include "base/hash.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace graft::doubles {

namespace {

// upload-pack ends after one exchange; what it is told lies in a file, so that no pipe can fill up. None of our sockets
// is open in it.
std::string upload_pack(const std::string& path, const std::string& input, const std::string& more) {
  const test::TemporaryDirectory directory;
  directory.write("in", input);
  const std::string command = "exec git -c uploadpack.allowAnySHA1InWant=true upload-pack --strict --stateless-rpc " +
                              more + " '" + path + "' <'" + directory / "in" + "' >'" + directory / "out" + "'";
  (void)test_support::Process({"/bin/sh", "-c", command}, directory.path().string()).wait();
  return directory.read("out");
}

Reply plain(int status) {
  Reply reply;
  reply.status = status;
  reply.content_type = "text/plain";
  reply.body = "no";
  return reply;
}

}  // namespace

GitServer::GitServer(std::string path, std::string name, std::string token)
    : path_(std::move(path)), name_(std::move(name)), token_(std::move(token)) {}
GitServer::~GitServer() { stop(); }

std::string GitServer::repository_url() { return url() + "/" + name_ + ".git"; }

bool GitServer::may(const Request& request) const {
  return token_.empty() || request.header("authorization") == "Basic " + base64("git:" + token_);
}

Reply GitServer::answer(const Request& request) {
  const std::string base = "/" + name_ + ".git";
  if (!request.path.starts_with(base + "/")) return plain(404);
  if (!may(request)) {
    Reply reply = plain(401);
    reply.headers["WWW-Authenticate"] = "Basic realm=\"git\"";
    return reply;
  }
  Reply reply;
  if (request.method == "GET" && request.path == base + "/info/refs") {
    reply.content_type = "application/x-git-upload-pack-advertisement";
    reply.body = "001e# service=git-upload-pack\n0000" + upload_pack(path_, {}, "--http-backend-info-refs");
    return reply;
  }
  if (request.method != "POST" || request.path != base + "/git-upload-pack") return plain(404);
  reply.content_type = "application/x-git-upload-pack-result";
  reply.body = upload_pack(path_, request.body, "");
  return reply;
}

}  // namespace graft::doubles
