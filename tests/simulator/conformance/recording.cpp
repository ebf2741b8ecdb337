#include "recording.hpp"

#include <fstream>
#include <stdexcept>

namespace graft::conformance {
namespace {

std::map<std::string, std::string> texts(const Json& object) {
  std::map<std::string, std::string> map;
  for (const auto& [key, value] : object.items())
    map[key] = value.is_string() ? value.get<std::string>() : value.dump();
  return map;
}

std::vector<std::string> list(const Json& step, const char* key) {
  return step.contains(key) ? step[key].get<std::vector<std::string>>() : std::vector<std::string>();
}

Expected read_response(const Json& response) {
  Expected expected;
  expected.status = response["status"].get<int>();
  if (response.contains("contentType") && response["contentType"].is_string()) {
    expected.content_type = response["contentType"].get<std::string>();
  }
  if (response.contains("headers")) expected.headers = texts(response["headers"]);
  if (response.contains("json")) expected.json = response["json"];
  if (response.contains("text") && response["text"].is_string()) expected.text = response["text"].get<std::string>();
  return expected;
}

Step read_step(const Json& from) {
  Step step;
  step.name = from["name"].get<std::string>();
  step.as = from.value("as", "admin");
  if (from.contains("org")) step.org = from["org"].is_string() ? from["org"].get<std::string>() : from["org"].dump();
  if (from.contains("headers")) step.headers = texts(from["headers"]);
  const Json& request = from["request"];
  step.method = request["method"].get<std::string>();
  step.path = request["path"].get<std::string>();
  if (request.contains("json")) step.json = request["json"];
  if (request.contains("body")) step.body = request["body"].get<std::string>();
  step.wait = from.value("wait", 0);
  if (from.contains("capture")) step.capture = texts(from["capture"]);
  if (from.contains("captured")) step.captured = from["captured"].get<std::map<std::string, Json>>();
  step.variable_pointers = list(from, "volatile");
  step.unordered = list(from, "unordered");
  step.skipped = !from.contains("response");
  if (!step.skipped) step.expected = read_response(from["response"]);
  return step;
}

}  // namespace

Recording load_recording(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  const Json json = Json::parse(file);
  Recording recording;
  recording.name = json["name"].get<std::string>();
  if (json.contains("server") && json["server"].is_object()) recording.server = texts(json["server"]);
  for (const Json& step : json["steps"]) recording.steps.push_back(read_step(step));
  return recording;
}

}  // namespace graft::conformance
