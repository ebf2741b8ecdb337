#include "daemon/webhook.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>

#include "async/cancelled.hpp"
#include "daemon/credential_file.hpp"
#include "daemon/version.hpp"
#include "events/deliverer.hpp"
#include "events/signature.hpp"
#include "events/webhook_url.hpp"
#include "http/beast_transport.hpp"

namespace graft::daemon {

namespace {

namespace asio = boost::asio;

constexpr std::size_t answer_limit = 64 * 1024;

http::Endpoint endpoint_of(const events::WebhookUrl& url) {
  http::Endpoint endpoint;
  endpoint.url = url.origin;
  endpoint.user_agent = "graftd/" + version();
  endpoint.refuse_link_local = true;
  endpoint.status_suffices = true;
  endpoint.body_limit = answer_limit;
  return endpoint;
}

events::DelivererSettings deliverer_settings(const events::WebhookUrl& url) {
  events::DelivererSettings settings;
  settings.target = url.target;
  return settings;
}

}  // namespace

struct Webhook::Impl {
  std::shared_ptr<state::Store> store;
  std::unique_ptr<http::Transport> transport;
  asio::thread_pool disk{1};
  events::Deliverer deliverer;
  asio::cancellation_signal cancel;
  events::DeliveryStatus counted;
  Log& log;

  Impl(std::shared_ptr<state::Store> s, std::unique_ptr<http::Transport> t, events::SigningKeys keys,
       events::DelivererSettings settings, Clock& clock, Random& random, Log& l)
      : store(std::move(s)),
        transport(std::move(t)),
        deliverer(*store, *transport, std::move(keys), std::move(settings), &disk, clock, random, l),
        log(l) {}
  ~Impl() { disk.join(); }
};

Webhook::Webhook(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Webhook::~Webhook() { impl_->cancel.emit(asio::cancellation_type::terminal); }

Result<std::unique_ptr<Webhook>> Webhook::make(const Settings& settings, std::shared_ptr<state::Store> store,
                                               Clock& clock, Random& random, Log& log) {
  if (settings.webhook_url.empty()) return nullptr;
  Result<events::WebhookUrl> url = events::parse_webhook_url(settings.webhook_url);
  if (!url) {
    Error error = std::move(url.error());
    return fail(std::move(error).context("webhook.url"));
  }
  Result<Secret> secret = read_secret_file(settings.webhook_secret_file);
  if (!secret) return fail(std::move(secret.error()));
  Result<events::SigningKeys> keys = events::read_signing_keys(std::move(*secret));
  if (!keys) {
    Error error = std::move(keys.error());
    return fail(std::move(error).context("webhook.secretFile " + settings.webhook_secret_file));
  }
  Result<std::unique_ptr<http::Transport>> transport = http::make_beast_transport(endpoint_of(*url));
  if (!transport) {
    Error error = std::move(transport.error());
    return fail(std::move(error).context("webhook.url"));
  }
  return std::unique_ptr<Webhook>(new Webhook(std::make_shared<Impl>(
      std::move(store), std::move(*transport), std::move(*keys), deliverer_settings(*url), clock, random, log)));
}

void Webhook::start(asio::io_context& io) {
  asio::co_spawn(io, impl_->deliverer.run(),
                 asio::bind_cancellation_slot(impl_->cancel.slot(), [impl = impl_](const std::exception_ptr& failure) {
                   if (failure && !async::is_cancellation(failure))
                     impl->log.error("a bug in graftd: the webhook gets nothing until the next reload");
                 }));
}

void Webhook::wake() { impl_->deliverer.wake(); }

void Webhook::count_into(metrics::Metrics& metrics) {
  const events::DeliveryStatus& now = impl_->deliverer.status();
  for (auto i = impl_->counted.delivered; i < now.delivered; ++i) metrics.event_delivered(metrics::Outcome::success);
  for (auto i = impl_->counted.failed; i < now.failed; ++i) metrics.event_delivered(metrics::Outcome::error);
  impl_->counted = now;
}

}  // namespace graft::daemon
