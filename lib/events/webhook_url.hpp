// The URL of the webhook, from the daemon's configuration and from nowhere else, taken apart for a transport. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace graft::events {

struct WebhookUrl {
  std::string origin;  // "https://hooks.example:8443": of the transport's Endpoint
  std::string target;  // "/graftd/": of each request
};

// Refused (ErrorCode::invalid): anything but http and https, a user name or password, a query (it would hold a secret,
// and URLs are logged), a fragment.
[[nodiscard]] Result<WebhookUrl> parse_webhook_url(std::string_view text);

}  // namespace graft::events
