// What sink.hpp promises of every sink, seen on each of them.
#include <boost/asio/thread_pool.hpp>
#include <doctest/doctest.h>
#include <fstream>

#include "doubles/kubernetes_api.hpp"
#include "doubles/vault_server.hpp"
#include "sink/file_sink.hpp"
#include "sink/kubernetes_sink.hpp"
#include "sink/vault_sink.hpp"
#include "support/temporary_directory.hpp"
#include "unit/sink/keys.hpp"

namespace graft::sink {

using namespace testing;

namespace {

// A place for a key, and a hand that writes there beside graftd.
class Place {
 public:
  virtual ~Place() = default;
  virtual std::unique_ptr<Sink> sink() = 0;
  virtual void write_by_hand(const std::string& text) = 0;
};

class FilePlace final : public Place {
 public:
  ~FilePlace() override { disk_.join(); }
  std::unique_ptr<Sink> sink() override {
    return on_thread(disk_, make_file_sink({directory_ / "tokens", "a/token", "", "", 0600}));
  }
  void write_by_hand(const std::string& text) override { directory_.write("tokens/a/token", text); }

 private:
  test::TemporaryDirectory directory_;
  boost::asio::thread_pool disk_{1};
};

class SecretPlace final : public Place {
 public:
  std::unique_ptr<Sink> sink() override {
    return make_kubernetes_sink({"ns", "a", "token"}, KubernetesAccess(transport_, ""));
  }
  void write_by_hand(const std::string& text) override { api_.set_data("ns", "a", "token", text); }

 private:
  doubles::KubernetesApi api_;
  http::FakeTransport transport_{api_.handler()};
};

class VaultPlace final : public Place {
 public:
  VaultPlace() {
    vault_.add_token("t");
    directory_.write("token", "t");
  }
  std::unique_ptr<Sink> sink() override { return make_vault_sink({"secret", "a", "token"}, access_); }
  void write_by_hand(const std::string& text) override { vault_.set_field("secret", "a", "token", text); }

 private:
  test::TemporaryDirectory directory_;
  doubles::VaultServer vault_;
  http::FakeTransport transport_{vault_.handler()};
  VaultAccess access_{transport_, system_clock(), "", directory_ / "token"};
};

}  // namespace

TEST_CASE_TEMPLATE("a key goes in, is named by its marker, is replaced, and is seen to be touched", P, FilePlace,
                   SecretPlace, VaultPlace) {
  P place;
  const auto sink = place.sink();
  CAPTURE(sink->describe());
  CHECK(must_read(*sink).state == KeyState::missing);
  REQUIRE(run(sink->probe()));
  CHECK(must_read(*sink).state == KeyState::missing);

  must_put(*sink, 1);
  const Reading first = must_read(*place.sink());  // another object sees the same: nothing is kept in memory alone
  CHECK(first.state == KeyState::present);
  CHECK(first.key.reveal() == key_text(1));
  CHECK(first.marker->entries == marker(1).entries);
  CHECK(first.marker->slot == marker(1).slot);
  CHECK(first.fingerprint == marker(1).entries.front().fingerprint);
  CHECK_FALSE(first.identity.empty());
  CHECK(must_read(*sink).identity == first.identity);  // looking changes nothing

  REQUIRE(run(sink->probe()));
  CHECK(must_read(*sink).identity == first.identity);
  must_put(*sink, 2);
  const Reading second = must_read(*sink);
  CHECK(second.key.reveal() == key_text(2));
  CHECK(second.fingerprint == marker(2).entries.front().fingerprint);
  CHECK(second.identity != first.identity);

  place.write_by_hand(key_text(2) + "\n");
  const Reading touched = must_read(*sink);
  CHECK(touched.state == KeyState::malformed);
  CHECK(touched.problem.find("line end") != std::string::npos);
  CHECK(touched.key.empty());
  CHECK(touched.fingerprint.empty());
  CHECK(touched.marker->entries == marker(2).entries);
  CHECK(touched.identity != second.identity);
  must_put(*sink, 3);
  CHECK(must_read(*sink).key.reveal() == key_text(3));
}

}  // namespace graft::sink
