#include "http_client.hpp"

#include <algorithm>
#include <array>
#include <netdb.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <utility>

namespace graft::test_support {
namespace {

constexpr int reply_timeout_seconds = 60;

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// Whether all is there that the head announces. Not every server closes the connection when it is asked to:
// chromedriver does not.
bool complete(const std::string& bytes) {
  static const std::string name = "\r\ncontent-length:";
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  const std::string head = lower(bytes.substr(0, end));
  const auto found = head.find(name);
  return found != std::string::npos && bytes.size() - (end + 4) >= std::stoul(head.substr(found + name.size()));
}

class Socket {
 public:
  Socket(const std::string& host, const std::string& port) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) throw std::runtime_error("unknown host " + host);
    for (addrinfo* address = found; address != nullptr && file_ < 0; address = address->ai_next) connect_to(*address);
    freeaddrinfo(found);
    if (file_ < 0) throw std::runtime_error("no connection to " + host + ":" + port);
    const timeval limit{reply_timeout_seconds, 0};
    setsockopt(file_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~Socket() { ::close(file_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  void send_all(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto sent = ::send(file_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) throw std::runtime_error("the server closed the connection");
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  std::string receive_all() const {
    std::string bytes;
    std::array<char, 16384> buffer{};
    while (!complete(bytes)) {
      const auto count = ::recv(file_, buffer.data(), buffer.size(), 0);
      if (count == 0) return bytes;
      if (count < 0) throw std::runtime_error("no reply, or a broken one");
      bytes.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return bytes;
  }

 private:
  void connect_to(const addrinfo& address) {
    const int file = ::socket(address.ai_family, address.ai_socktype, address.ai_protocol);
    if (file < 0) return;
    if (::connect(file, address.ai_addr, address.ai_addrlen) == 0) {
      file_ = file;
    } else {
      ::close(file);
    }
  }

  int file_ = -1;
};

std::pair<std::string, std::string> host_and_port(const std::string& url) {
  const std::string scheme = "http://";
  if (!url.starts_with(scheme)) throw std::runtime_error("only http:// is spoken here: " + url);
  const std::string authority = url.substr(scheme.size(), url.find('/', scheme.size()) - scheme.size());
  const auto colon = authority.rfind(':');
  if (colon == std::string::npos) return {authority, "80"};
  return {authority.substr(0, colon), authority.substr(colon + 1)};
}

// One line of the head or of the chunk sizes; `rest` then begins behind it.
std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find("\r\n");
  if (end == std::string_view::npos) throw std::runtime_error("the reply breaks off");
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end + 2);
  return line;
}

std::string join_chunks(std::string_view rest) {
  std::string body;
  while (true) {
    const auto size = std::stoul(std::string(take_line(rest)), nullptr, 16);
    if (size == 0) return body;
    if (rest.size() < size + 2) throw std::runtime_error("the reply breaks off in a chunk");
    body += rest.substr(0, size);
    rest.remove_prefix(size + 2);
  }
}

Reply parse(std::string_view rest, bool head_only) {
  Reply reply;
  const auto status = take_line(rest);
  if (status.size() < 12) throw std::runtime_error("no HTTP reply");
  reply.status = std::stoi(std::string(status.substr(9, 3)));
  for (auto line = take_line(rest); !line.empty(); line = take_line(rest)) {
    const auto colon = line.find(':');
    const auto value = line.find_first_not_of(' ', colon + 1);
    reply.headers[lower(std::string(line.substr(0, colon)))] =
        value == std::string_view::npos ? "" : std::string(line.substr(value));
  }
  if (reply.status == 100) return parse(rest, head_only);
  if (head_only) return reply;
  reply.body = reply.header("transfer-encoding") == "chunked" ? join_chunks(rest) : std::string(rest);
  const std::string length = reply.header("content-length");
  if (!length.empty() && reply.body.size() < std::stoul(length)) throw std::runtime_error("the reply breaks off");
  return reply;
}

}  // namespace

std::string Reply::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

Reply request(const std::string& url, const std::string& method, const std::string& target, const Headers& headers,
              const std::string& body) {
  const auto [host, port] = host_and_port(url);
  std::string bytes = method + " " + target + " HTTP/1.1\r\nHost: " + host + ":" + port + "\r\nConnection: close\r\n";
  for (const auto& [name, value] : headers) bytes += name + ": " + value + "\r\n";
  const bool has_body = !body.empty() || method == "POST" || method == "PUT" || method == "PATCH";
  if (has_body) bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  const Socket socket(host, port);
  socket.send_all(bytes + "\r\n" + body);
  return parse(socket.receive_all(), method == "HEAD");
}

std::string basic_authorization(const std::string& user, const std::string& password) {
  static constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::string pair = user + ":" + password;
  std::string text = "Basic ";
  for (std::size_t i = 0; i < pair.size(); i += 3) {
    unsigned bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits * 256 + (i + k < pair.size() ? static_cast<unsigned char>(pair[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) text += i + k > pair.size() ? '=' : letters[(bits >> (18 - 6 * k)) & 63U];
  }
  return text;
}

Person::Person(std::string url, std::string user, std::string password)
    : url_(std::move(url)), user_(std::move(user)), password_(std::move(password)) {}

Headers Person::headers(long org) const {
  Headers headers = {{"Authorization", basic_authorization(user_, password_)}};
  if (org != 0) headers["X-Grafana-Org-Id"] = std::to_string(org);
  return headers;
}

Reply Person::send(const std::string& method, const std::string& target, const std::string& json, long org,
                   const std::string& content_type) const {
  Headers all = headers(org);
  all["Content-Type"] = content_type;
  return request(url_, method, target, all, json);
}

Reply Person::get(const std::string& target, long org) const { return request(url_, "GET", target, headers(org)); }

Reply Person::post(const std::string& target, const std::string& json, long org) const {
  return send("POST", target, json, org, "application/json");
}

Reply Person::put(const std::string& target, const std::string& json, long org) const {
  return send("PUT", target, json, org, "application/json");
}

Reply Person::patch(const std::string& target, const std::string& json, long org,
                    const std::string& content_type) const {
  return send("PATCH", target, json, org, content_type);
}

Reply Person::del(const std::string& target, long org) const { return request(url_, "DELETE", target, headers(org)); }

}  // namespace graft::test_support
