// Who may ask what: framing that two readers could understand differently, the Host and Origin headers (DNS rebinding,
// pages of other sites), media type. Functions of values; the status codes are in the refusals.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/head.hpp"

namespace graft::admin {

struct Field {
  std::string_view name, value;  // the value without blanks around it
};

struct RequestHead {
  std::string_view method, target;
  bool http_1_0 = false;
  std::vector<Field> fields;

  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;  // the first; ignoring case
  [[nodiscard]] std::size_t count(std::string_view name) const;
};

// How long the body is said to be: none of both for a request without one.
struct BodyLength {
  std::optional<std::size_t> bytes;
  bool chunked = false;
  [[nodiscard]] bool declared() const { return bytes || chunked; }
  [[nodiscard]] bool expected() const { return chunked || bytes.value_or(0) > 0; }
};

// Refuses headers that must not come twice, two lengths, transfer codings other than "chunked", unknown expectations.
[[nodiscard]] std::expected<BodyLength, Refusal> check_framing(const RequestHead& head);

// The names by which this server may be called.
class AllowedHosts {
 public:
  AllowedHosts() = default;
  explicit AllowedHosts(std::vector<std::string> more);
  // `authority` is the Host header, `local_address` the address to which the client has connected ("[::1]"): a number
  // cannot be rebound, so it is always right.
  [[nodiscard]] bool allow(std::string_view authority, std::string_view local_address) const;

 private:
  std::vector<std::string> names_{"localhost", "127.0.0.1", "[::1]"};
};

// Host (421) and Origin (403).
[[nodiscard]] std::optional<Refusal> check_origin(const RequestHead& head, const AllowedHosts& hosts,
                                                  std::string_view local_address);
// What browsers say of the page that asks, for requests that change something.
[[nodiscard]] std::optional<Refusal> check_site(const RequestHead& head);

[[nodiscard]] bool is_json(std::string_view content_type);  // parameters are allowed

// Whether If-None-Match names the tag: lists, weak tags and * are understood.
[[nodiscard]] bool matches_etag(std::string_view if_none_match, std::string_view etag);

}  // namespace graft::admin
