// A request and a reply as plain values, between the HTTP server and the handlers. No sockets here.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft::simulator {

struct Request {
  std::string method;
  std::string target;                 // as sent
  std::string path;                   // escaped, without the query
  std::vector<std::string> segments;  // of the path, decoded once; a trailing slash makes none
  std::vector<std::pair<std::string, std::string>> query;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  std::string header(std::string_view name) const;
  std::string parameter(std::string_view name) const;  // the first of that name in the query, or ""
  bool has_parameter(std::string_view name) const;
  std::vector<std::string> parameters(std::string_view name) const;
};

// Fills path, segments and query from the target.
void split_target(Request& request);

struct Reply {
  int status = 200;
  std::string content_type = "application/json";  // empty: none is sent
  std::string body;
  std::map<std::string, std::string> headers;  // beyond those that every reply carries
};

}  // namespace graft::simulator
