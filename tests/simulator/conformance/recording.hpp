// A recording of a real Grafana: questions, and the answers they got. Read from recordings/*.json.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace graft::conformance {

using Json = nlohmann::json;

struct Expected {
  int status = 0;
  std::string content_type;  // "" for none
  std::map<std::string, std::string> headers;
  std::optional<Json> json;
  std::string text;
};

struct Step {
  std::string name;
  std::string as;  // admin, none, token:KEY, basic:USER:PASSWORD
  std::optional<std::string> org;
  std::map<std::string, std::string> headers;
  std::string method, path;
  std::optional<Json> json;
  std::optional<std::string> body;
  int wait = 0;
  std::map<std::string, std::string> capture;  // variable, pointer into the answer
  std::map<std::string, Json> captured;        // variable, value when recorded
  std::vector<std::string> variable_pointers;  // whose value may differ, but not its type
  std::vector<std::string> unordered;
  bool skipped = false;  // was not sent when recorded
  Expected expected;
};

struct Recording {
  std::string name;
  std::map<std::string, std::string> server;  // settings it needs
  std::vector<Step> steps;
};

Recording load_recording(const std::string& path);

}  // namespace graft::conformance
