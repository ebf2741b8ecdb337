#include "replayer.hpp"

#include <optional>

#include "comparison.hpp"
#include "support/http_client.hpp"

namespace graft::conformance {
namespace {

using test_support::Headers;
using test_support::Reply;

class Replayer {
 public:
  Replayer(const Recording& recording, const Server& server) : recording_(recording), server_(server) {
    variables_["adminUser"] = {"admin", server.user};
    variables_["adminPassword"] = {"admin", server.password};
  }

  Outcome run() {
    for (const Step& step : recording_.steps) take(step);
    return outcome_;
  }

 private:
  void take(const Step& step) {
    if (step.wait > 0) server_.wait(std::chrono::seconds(step.wait));
    if (step.skipped || !server_.knows(step.method, step.path)) {
      ++outcome_.skipped;
      outcome_.skipped_routes.push_back(step.name + ": " + step.method + " " + step.path);
      return;
    }
    missing_ = "";
    const auto before = outcome_.disagreements.size();
    const Reply reply = ask(step);
    if (!missing_.empty()) return disagree(step, "needs the variable " + missing_);
    check(step, reply);
    if (outcome_.disagreements.size() == before) ++outcome_.agreed;
  }

  void disagree(const Step& step, const std::string& what) {
    outcome_.disagreements.push_back(step.name + ": " + what);
  }

  // {{name}} becomes the variable's value.
  std::string filled(std::string text) {
    for (std::size_t at = 0; (at = text.find("{{", at)) != std::string::npos;) {
      const auto end = text.find("}}", at);
      const auto found = variables_.find(text.substr(at + 2, end - at - 2));
      if (found == variables_.end()) {
        missing_ = text.substr(at + 2, end - at - 2);
        return text;
      }
      const Json& value = found->second.actual;
      const std::string shown = value.is_string() ? value.get<std::string>() : value.dump();
      text.replace(at, end + 2 - at, shown);
      at += shown.size();
    }
    return text;
  }

  // The same inside JSON; a string that is nothing but a variable takes its type, too.
  Json filled_json(const Json& value) {
    if (value.is_string()) {
      const auto& text = value.get_ref<const std::string&>();
      const bool whole = text.starts_with("{{") && text.find("}}") == text.size() - 2;
      const auto found = whole ? variables_.find(text.substr(2, text.size() - 4)) : variables_.end();
      return found != variables_.end() ? found->second.actual : Json(filled(text));
    }
    Json copy = value;
    if (copy.is_structured()) {
      for (auto& item : copy) item = filled_json(item);
    }
    return copy;
  }

  std::string authorization(const Step& step) {
    if (step.as == "admin") return test_support::basic_authorization(server_.user, server_.password);
    if (step.as.starts_with("token:")) return "Bearer " + filled(step.as.substr(6));
    if (!step.as.starts_with("basic:")) return "";
    const std::string pair = step.as.substr(6);
    const auto colon = pair.find(':');
    return test_support::basic_authorization(filled(pair.substr(0, colon)), filled(pair.substr(colon + 1)));
  }

  Reply ask(const Step& step) {
    Headers headers;
    if (const auto value = authorization(step); !value.empty()) headers["Authorization"] = value;
    if (step.org) headers["X-Grafana-Org-Id"] = filled(*step.org);
    if (step.json || step.body) headers["Content-Type"] = "application/json";
    for (const auto& [name, value] : step.headers) {
      headers[name] = filled(value);
      if (name == "Content-Type" && value.empty()) headers.erase(name);
    }
    std::string body = step.json ? filled_json(*step.json).dump() : step.body.value_or("");
    if (step.body) body = filled(body);
    const std::string target = filled(step.path);
    if (!missing_.empty()) return {};
    return test_support::request(server_.url, step.method, target, headers, body);
  }

  void check(const Step& step, const Reply& reply) {
    const Expected& expected = step.expected;
    if (reply.status != expected.status) {
      disagree(step, "status " + std::to_string(reply.status) + ", recorded " + std::to_string(expected.status) + ": " +
                         reply.body.substr(0, 300));
      return;
    }
    const std::string type = reply.header("content-type");
    if (type != expected.content_type) disagree(step, "content type " + type + ", recorded " + expected.content_type);
    check_headers(step, reply);
    if (!expected.json) {
      if (!same_text(expected.text, reply.body, variables_)) disagree(step, "text " + reply.body.substr(0, 300));
      return;
    }
    const Json actual = Json::parse(reply.body, nullptr, false);
    if (actual.is_discarded()) return disagree(step, "no JSON: " + reply.body.substr(0, 300));
    capture(step, actual);
    for (const std::string& line :
         differences(*expected.json, actual, {step.variable_pointers, step.unordered}, variables_)) {
      disagree(step, line);
    }
  }

  void check_headers(const Step& step, const Reply& reply) {
    for (const auto& [name, value] : step.expected.headers) {
      std::string lower = name;
      for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      const std::string actual = reply.header(lower);
      if (!same_text(value, actual, variables_))
        disagree(step, "header " + name + ": " + actual + ", recorded " + value);
    }
  }

  void capture(const Step& step, const Json& actual) {
    for (const auto& [name, pointer] : step.capture) {
      const Json::json_pointer at(pointer);
      if (!actual.contains(at) || !step.captured.contains(name)) {
        disagree(step, "nothing to capture at " + pointer);
        continue;
      }
      variables_[name] = {step.captured.at(name), actual[at]};
    }
  }

  const Recording& recording_;
  const Server& server_;
  Variables variables_;
  Outcome outcome_;
  std::string missing_;
};

}  // namespace

Outcome replay(const Recording& recording, const Server& server) { return Replayer(recording, server).run(); }

}  // namespace graft::conformance
