#include "events/webhook_url.hpp"

#include <utility>

#include "http/base_url.hpp"

namespace graft::events {

Result<WebhookUrl> parse_webhook_url(std::string_view text) {
  auto url = http::parse_base_url(text);
  if (!url) {
    Error error = std::move(url.error());
    error.hint = "webhook.url is like https://hooks.example/graftd; who sends is proved by webhook.secretFile";
    return fail(std::move(error));
  }
  WebhookUrl out;
  out.origin = (url->tls ? "https://" : "http://") + url->authority;
  // As it was given, since a receiver may tell "/hook" from "/hook/".
  const std::size_t path = text.find('/', text.find("://") + 3);
  out.target = path == std::string_view::npos ? "/" : text.substr(path);
  return out;
}

}  // namespace graft::events
