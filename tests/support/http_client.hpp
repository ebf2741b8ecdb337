// A small blocking HTTP/1.1 client for tests that talk to a server as a person would. One connection a request.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace graft::test_support {

using Headers = std::map<std::string, std::string>;

struct Reply {
  int status = 0;
  Headers headers;  // names in lower case
  std::string body;

  std::string header(const std::string& name) const;  // "" when absent; the name in lower case
};

// Throws std::runtime_error when the server cannot be reached or breaks off its reply. Sends the headers given, Host
// and, with a body, Content-Length: nothing that was not asked for. `url` is http://HOST:PORT.
Reply request(const std::string& url, const std::string& method, const std::string& target, const Headers& headers = {},
              const std::string& body = "");

std::string basic_authorization(const std::string& user, const std::string& password);

// Somebody with a password who looks at or edits a Grafana by hand.
class Person {
 public:
  Person(std::string url, std::string user, std::string password);

  // `org` 0: no organization header.
  Reply get(const std::string& target, long org = 0) const;
  Reply post(const std::string& target, const std::string& json, long org = 0) const;
  Reply put(const std::string& target, const std::string& json, long org = 0) const;
  Reply patch(const std::string& target, const std::string& json, long org = 0,
              const std::string& content_type = "application/json") const;
  Reply del(const std::string& target, long org = 0) const;

 private:
  Headers headers(long org) const;
  Reply send(const std::string& method, const std::string& target, const std::string& json, long org,
             const std::string& content_type) const;

  std::string url_, user_, password_;
};

}  // namespace graft::test_support
