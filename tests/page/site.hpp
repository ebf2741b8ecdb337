// A graftd that runs, and the address of its status page. Its password is one that cannot be mistaken for anything else
// on the page, and its cycles come every second.
#pragma once

#include <doctest/doctest.h>
#include <signal.h>

#include "e2e/graftd.hpp"

namespace graft::test {

class Site : public Graftd {
 public:
  explicit Site(std::string more = "") : Graftd(guarded()), more_(std::move(more)) {
    directory.write("password", password() + "\n");
    admin = test_support::Person(simulator.url(), "admin", password());
  }

  static std::string password() { return "uaTh7-eiM4v-Chie9-Xoo2q"; }

  // Until the page can be asked for. A second time: at the same address.
  void begin() {
    configure("interval: 1s\nhttp: {listen: '127.0.0.1:" + port_ + "', socket: " + directory / "graftd.sock" + "}\n" +
              more_);
    daemon_ = start({"run"});
    const std::string said = "status_page=";
    REQUIRE_MESSAGE(daemon_->wait_for(said), daemon_->err());
    const std::string log = daemon_->err();
    const std::size_t address = log.find("http://", log.find(said));
    url_ = log.substr(address, log.find_first_of(" \"\n", address) - address);
    const std::size_t port = url_.rfind(':') + 1;
    port_ = url_.substr(port, url_.size() - port - 1);
  }

  void end() {
    daemon_->signal(SIGTERM);
    CHECK(daemon_->wait(std::chrono::seconds(20)) == 0);
  }

  [[nodiscard]] const std::string& url() const { return url_; }  // "http://127.0.0.1:40123/"
  [[nodiscard]] test_support::Reply get(const std::string& target) const {
    return test_support::request(url_, "GET", target);
  }
  [[nodiscard]] nlohmann::json document(const std::string& name) const {
    return nlohmann::json::parse(get("/api/v1/" + name).body);
  }
  [[nodiscard]] std::string log() const { return daemon_->err(); }

 private:
  static simulator::Options guarded() {
    simulator::Options options;
    options.admin_password = password();
    return options;
  }

  std::string more_, port_ = "0", url_;
  std::unique_ptr<test_support::Process> daemon_;
};

}  // namespace graft::test
