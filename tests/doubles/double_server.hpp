// What the doubles have in common: they answer from memory, either as the handler of a FakeTransport or over a real
// socket; faults can be asked for, and every request is kept. All may be called from any thread.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "http/fake_transport.hpp"
#include "simulator/http_server.hpp"
#include "simulator/message.hpp"

namespace graft::doubles {

using simulator::Reply;
using simulator::Request;

struct Logged {
  std::string method, target, body;
  std::map<std::string, std::string> headers;  // names in lower case
  int status = 0;                              // of the reply that was made, sent or not
};

class DoubleServer {
 public:
  DoubleServer();
  virtual ~DoubleServer();
  DoubleServer(const DoubleServer&) = delete;
  DoubleServer& operator=(const DoubleServer&) = delete;

  // "http://127.0.0.1:40123". The server begins to listen at the first call.
  [[nodiscard]] std::string url();
  void go_down();  // closes all connections and refuses new ones
  void come_back();

  [[nodiscard]] http::FakeTransport::Handler handler();

  // Of the next requests of this method ("" for any), the nth from now on:
  // is answered so and not carried out
  void answer_with(const std::string& method, int nth, Reply reply);
  void answer_with(const std::string& method, int nth, int status, const std::string& body = "{}");
  // is carried out and its reply lost
  void drop_reply(const std::string& method, int nth = 1);
  // is answered late; over a socket only
  void delay(const std::string& method, int nth, std::chrono::milliseconds by);
  // is carried out after this has happened, as by another writer
  void before(const std::string& method, int nth, std::function<void()> event);

  [[nodiscard]] std::vector<Logged> log() const;
  [[nodiscard]] std::vector<std::string> lines() const;  // "GET /v1/secret/data/a"
  void forget_log();

 protected:
  virtual Reply answer(const Request& request) = 0;  // called under the lock
  [[nodiscard]] std::unique_lock<std::recursive_mutex> lock() const { return std::unique_lock(mutex_); }
  // To be called by the destructor of the class that answers.
  void stop();

 private:
  struct Fault {
    std::string method;
    int left = 1;
    Reply reply;
    bool instead = false, drop = false;
    std::chrono::milliseconds delay{0};
    std::function<void()> event = {};
  };
  struct Outcome {
    Reply reply;
    bool drop = false;
    std::chrono::milliseconds delay{0};
  };
  Outcome handle(const Request& request);
  Fault take_fault(const std::string& method);
  void add(Fault fault);

  mutable std::recursive_mutex mutex_;
  std::vector<Fault> faults_;
  std::vector<Logged> log_;
  std::unique_ptr<simulator::HttpServer> server_;
};

}  // namespace graft::doubles
