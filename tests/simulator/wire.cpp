#include "wire.hpp"

#include <array>
#include <cstdio>

#include "text.hpp"

namespace graft::simulator {
namespace {

// Go's server knows the length of a reply only while it fits its buffer; longer ones are sent in chunks.
constexpr std::size_t known_length = 2048;
constexpr std::size_t chunk_size = 4096;

std::string reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 302:
      return "Found";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Request Entity Too Large";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Entity";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "Status " + std::to_string(status);
  }
}

std::string chunked(const std::string& body) {
  std::string out;
  for (std::size_t at = 0; at < body.size(); at += chunk_size) {
    const std::string part = body.substr(at, chunk_size);
    std::array<char, 24> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", part.size());
    out += size.data() + part + "\r\n";
  }
  return out + "0\r\n\r\n";
}

}  // namespace

std::string wire_bytes(const Reply& reply, Time now, const Framing& framing) {
  const bool bodiless = reply.status == 304 || reply.status == 204;
  const bool in_chunks = reply.body.size() > known_length && !framing.head_only;
  std::map<std::string, std::string> headers = {{"Cache-Control", "no-store"},
                                                {"X-Content-Type-Options", "nosniff"},
                                                {"X-Frame-Options", "deny"},
                                                {"X-Xss-Protection", "1; mode=block"},
                                                {"Date", http_date(now)}};
  if (!reply.content_type.empty() && !bodiless) headers["Content-Type"] = reply.content_type;
  if (!framing.keep_alive) headers["Connection"] = "close";
  if (in_chunks) headers["Transfer-Encoding"] = "chunked";
  if (!in_chunks && !bodiless) headers["Content-Length"] = std::to_string(reply.body.size());
  for (const auto& [name, value] : reply.headers) headers[name] = value;
  std::string bytes = "HTTP/1.1 " + std::to_string(reply.status) + " " + reason_of(reply.status) + "\r\n";
  for (const auto& [name, value] : headers) bytes += name + ": " + value + "\r\n";
  bytes += "\r\n";
  if (framing.head_only || bodiless) return bytes;
  return bytes + (in_chunks ? chunked(reply.body) : reply.body);
}

bool wants_keep_alive(const Request& request) { return ascii_lower(request.header("connection")) != "close"; }

}  // namespace graft::simulator
