// From the destinations that manifests name to the sinks that serve them: files, Secrets of a Kubernetes cluster,
// fields of a Vault. Owns the transports to those servers; one connection pool and one login for all tokens.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "daemon/settings.hpp"
#include "sink/sink.hpp"

namespace graft::daemon {

// Used from the one thread of the io_context. Outlives its sinks, and is destroyed before the io_context they ran on;
// `disk` and `clock` outlive it.
class SinkFactory {
 public:
  // Connects to nothing yet. Errors (ErrorCode::invalid, io) name the setting that cannot be used.
  [[nodiscard]] static Result<std::unique_ptr<SinkFactory>> make(const Settings& settings,
                                                                 boost::asio::thread_pool& disk, Clock& clock);
  ~SinkFactory();
  SinkFactory(const SinkFactory&) = delete;
  SinkFactory& operator=(const SinkFactory&) = delete;

  // A sink for each entry of deliverTo in a token's canonical document, in its order. A destination on a server that no
  // setting names gives a sink whose every call answers an error that says which setting is missing.
  [[nodiscard]] std::vector<std::unique_ptr<sink::Sink>> make(std::string_view canonical);

 private:
  struct Impl;
  explicit SinkFactory(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace graft::daemon
