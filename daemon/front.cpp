#include "daemon/front.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <thread>

#include "base/text.hpp"

namespace graft::daemon {

namespace {

constexpr std::string_view none = "none";

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> words;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (const std::string_view word = trim(list.substr(0, comma)); !word.empty()) words.emplace_back(word);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return words;
}

admin::ServerSettings server_settings(const Settings& settings) {
  admin::ServerSettings made;
  if (settings.http_listen != none) made.listen = settings.http_listen;
  made.socket = socket_path(settings);
  made.hosts = split(settings.http_hosts);
  made.token_file = settings.http_token_file;
  made.cert_file = settings.http_cert_file;
  made.key_file = settings.http_key_file;
  made.allow_remote = settings.http_allow_remote;
  return made;
}

}  // namespace

struct Front::Impl {
  boost::asio::thread_pool disk{1};
  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work = boost::asio::make_work_guard(io);
  std::unique_ptr<admin::Server> server;
  std::string address, socket;
  std::jthread thread;
};

Front::Front(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Front::~Front() {
  boost::asio::post(impl_->io, [this] {
    impl_->server->stop();
    impl_->work.reset();
  });
  impl_->thread.join();
}

Result<std::unique_ptr<Front>> Front::start(const Settings& settings, const RouteParts& parts, admin::Broadcast& events,
                                            Log& log) {
  auto impl = std::make_unique<Impl>();
  const admin::ServerSettings wanted = server_settings(settings);
  RouteParts with_disk = parts;
  with_disk.disk = &impl->disk;
  const auto counted = [&metrics = parts.metrics](std::string_view route, int status) {
    metrics.http_served(route, status);
  };
  Result<std::unique_ptr<admin::Server>> server =
      admin::Server::make(impl->io, wanted, make_routes(with_disk), events, counted, log);
  if (!server) {
    Error error = std::move(server.error());
    return fail(std::move(error).context("the endpoint cannot be opened"));
  }
  impl->server = std::move(*server);
  impl->socket = wanted.socket;
  if (!wanted.listen.empty())
    impl->address = fmt::format("{}://{}:{}/", wanted.cert_file.empty() ? "http" : "https",
                                wanted.listen.substr(0, wanted.listen.rfind(':')), impl->server->port());
  impl->thread = std::jthread([io = &impl->io] { io->run(); });
  return std::unique_ptr<Front>(new Front(std::move(impl)));
}

std::string Front::address() const { return impl_->address; }
const std::string& Front::socket() const { return impl_->socket; }

std::string socket_path(const Settings& settings) {
  if (settings.http_socket == none) return {};
  static const std::string usual = [] {
    for (const Setting& setting : setting_table())
      if (setting.key == "http.socket") return std::string(setting.default_value);
    return std::string();
  }();
  std::error_code ignored;
  const bool there = std::filesystem::is_directory(std::filesystem::path(settings.http_socket).parent_path(), ignored);
  return settings.http_socket == usual && !there ? std::string() : settings.http_socket;
}

}  // namespace graft::daemon
