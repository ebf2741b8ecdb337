#include "admin/server.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <sys/socket.h>
#include <utility>

#include "admin/core.hpp"
#include "admin/listen.hpp"
#include "admin/session.hpp"

namespace graft::admin {

namespace {

constexpr auto quietly = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds accept_pause{100};
constexpr std::chrono::seconds complaint_period{60};

// The address to which the client has connected, as it stands in a Host header.
std::string local_address_of(int descriptor) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return "";
  if (storage.ss_family == AF_INET) {
    const auto& address = reinterpret_cast<const sockaddr_in&>(storage);
    return asio::ip::address_v4(ntohl(address.sin_addr.s_addr)).to_string();
  }
  if (storage.ss_family != AF_INET6) return "";
  asio::ip::address_v6::bytes_type bytes;
  const auto& address = reinterpret_cast<const sockaddr_in6&>(storage);
  std::copy_n(std::begin(address.sin6_addr.s6_addr), bytes.size(), bytes.begin());
  return fmt::format("[{}]", asio::ip::address_v6(bytes).to_string());
}

// One that Asio may own, as ours keeps owning its own.
int copy_of(const Descriptor& descriptor) { return ::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 0); }

bool exhausted(const error_code& error) {
  return error == asio::error::no_descriptors || error == asio::error::no_memory ||
         error == asio::error::no_buffer_space || error.value() == ENFILE;
}

}  // namespace

struct Server::Impl : std::enable_shared_from_this<Server::Impl> {
  template <class Protocol>
  using Acceptor = asio::basic_socket_acceptor<Protocol, asio::io_context::executor_type>;

  Impl(asio::io_context& context, ServerSettings settings, std::vector<Route> routes, Broadcast& events,
       Counted counted, Log& log)
      : io(context),
        core(std::make_shared<Core>(std::move(settings), std::move(routes), events, std::move(counted), log)),
        tcp(context),
        local(context),
        tcp_pause(context),
        local_pause(context) {}

  Status bind();
  void start();
  void stop();
  void welcome(Wire::Socket peer, Channel channel);
  bool make_room();
  asio::awaitable<void> accept_all(Channel channel);
  template <class Protocol>
  asio::awaitable<void> accept_from(Acceptor<Protocol>& acceptor, asio::steady_timer& pause, Channel channel);
  void complain(const error_code& error);
  void wake_streams();

  asio::io_context& io;
  std::shared_ptr<Core> core;
  Acceptor<asio::ip::tcp> tcp;
  Acceptor<asio::local::stream_protocol> local;
  asio::steady_timer tcp_pause, local_pause;
  std::optional<ServerTls> tls;
  SocketFile socket_file;
  std::uint16_t port = 0;
  std::optional<std::uint64_t> wake_number;
  std::atomic<bool> waking = false;  // a wake-up is on its way to the io_context's thread
};

Status Server::Impl::bind() {
  const ServerSettings& settings = core->settings;
  error_code error;
  if (!settings.cert_file.empty() || !settings.key_file.empty()) {
    auto loaded = ServerTls::load(settings.cert_file, settings.key_file);
    if (!loaded) return fail(std::move(loaded.error()));
    tls = std::move(*loaded);
  }
  if (!settings.listen.empty()) {
    auto listening = listen_tcp(settings);
    if (!listening) return fail(std::move(listening.error()));
    const auto family = listening->family == AF_INET ? asio::ip::tcp::v4() : asio::ip::tcp::v6();
    tcp.assign(family, copy_of(listening->descriptor), error);
    if (error) return fail(ErrorCode::io, "admin: " + error.message());
    port = listening->port;
  }
  if (!settings.socket.empty()) {
    Listening listening;
    auto file = SocketFile::make(settings.socket, listening);
    if (!file) return fail(std::move(file.error()));
    socket_file = std::move(*file);
    local.assign(asio::local::stream_protocol(), copy_of(listening.descriptor), error);
    if (error) return fail(ErrorCode::io, "admin: " + error.message());
  }
  return {};
}

void Server::Impl::start() {
  // The publisher's thread knows us weakly, and forget() waits for it: it can come late, and finds nobody.
  wake_number = core->events.on_publish([this, weak = weak_from_this()] {
    if (waking.exchange(true)) return;
    asio::post(io, [weak] {
      if (const auto self = weak.lock()) self->wake_streams();
    });
  });
  for (const Channel channel : {Channel::tcp, Channel::local}) {
    const bool open = channel == Channel::tcp ? tcp.is_open() : local.is_open();
    if (!open) continue;
    auto ended = [self = shared_from_this()](const std::exception_ptr& failure) {
      if (failure && !self->core->stopped) self->core->log.error("the admin endpoint accepts no more connections");
    };
    asio::co_spawn(io, accept_all(channel), std::move(ended));
  }
}

void Server::Impl::stop() {
  if (std::exchange(core->stopped, true)) return;
  if (wake_number) core->events.forget(*wake_number);
  error_code ignored;
  tcp.close(ignored);
  local.close(ignored);
  tcp_pause.cancel();
  local_pause.cancel();
  socket_file.remove();
  for (const auto* list : {&core->connections, &core->streams}) {
    while (!list->empty()) list->front()->stop();
  }
}

asio::awaitable<void> Server::Impl::accept_all(Channel channel) {
  if (channel == Channel::tcp) return accept_from<asio::ip::tcp>(tcp, tcp_pause, channel);
  return accept_from<asio::local::stream_protocol>(local, local_pause, channel);
}

template <class Protocol>
asio::awaitable<void> Server::Impl::accept_from(Acceptor<Protocol>& acceptor, asio::steady_timer& pause,
                                                Channel channel) {
  while (!core->stopped) {
    Wire::Socket peer(io);
    const auto [error] = co_await acceptor.async_accept(peer, quietly);
    if (core->stopped) co_return;
    if (!error) {
      welcome(std::move(peer), channel);
      continue;
    }
    if (error == asio::error::connection_aborted) continue;
    // Out of descriptors, most likely: the client stays in the queue, and trying at once again would only burn time.
    complain(error);
    if (exhausted(error)) static_cast<void>(make_room());
    pause.expires_after(accept_pause);
    co_await pause.async_wait(quietly);
  }
}

void Server::Impl::complain(const error_code& error) {
  const SteadyTime now = system_clock().steady();
  if (core->accept_complaint != SteadyTime{} && now - core->accept_complaint < complaint_period) return;
  core->accept_complaint = now;
  core->log.warning("the admin endpoint cannot accept connections", {{"err", error.message()}});
}

void Server::Impl::welcome(Wire::Socket peer, Channel channel) {
  if (core->connections.size() >= core->settings.limits.connections && !make_room()) return;
  std::string address;
  if (channel == Channel::tcp) {
    const int on = 1;
    ::setsockopt(peer.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    address = local_address_of(peer.native_handle());
  }
  if (channel == Channel::local || !tls) {
    std::make_shared<Session>(core, io.get_executor(), Wire(std::move(peer)), channel, std::move(address))->start();
    return;
  }
  ssl_st* const session = tls->new_session();
  if (session == nullptr) return;
  std::make_shared<Session>(core, io.get_executor(), Wire(std::move(peer), session), channel, std::move(address))
      ->start();
}

// Closes the connection that has waited longest without a complete request; else one whose client does not read its
// answer. False when all the others are at work.
bool Server::Impl::make_room() {
  Session* oldest = nullptr;
  const SteadyTime now = system_clock().steady();
  const auto longer = [&](Session* one) { return oldest == nullptr || one->since() < oldest->since(); };
  for (Session* const one : core->connections)
    if (one->state() == Session::State::waiting && longer(one)) oldest = one;
  if (oldest == nullptr) {
    for (Session* const one : core->connections) {
      const bool stalled =
          one->state() == Session::State::writing && now - one->since() > core->settings.limits.stalled;
      if (stalled && longer(one)) oldest = one;
    }
  }
  if (oldest == nullptr) return false;
  oldest->close();
  return true;
}

void Server::Impl::wake_streams() {
  waking = false;
  for (Session* const one : core->streams) one->wake();
}

Server::Server(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() { stop(); }

Result<std::unique_ptr<Server>> Server::make(asio::io_context& io, const ServerSettings& settings,
                                             std::vector<Route> routes, Broadcast& events, Counted counted, Log& log) {
  auto impl = std::make_shared<Impl>(io, settings, std::move(routes), events, std::move(counted), log);
  if (auto status = impl->bind(); !status) return fail(std::move(status.error()));
  impl->start();
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

std::uint16_t Server::port() const { return impl_->port; }

void Server::stop() { impl_->stop(); }

}  // namespace graft::admin
