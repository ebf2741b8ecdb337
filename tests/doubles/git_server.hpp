// A git server over HTTP: git's own upload-pack behind our sockets, so that faults can be asked for.
#pragma once

#include <optional>
#include <string>

#include "doubles/double_server.hpp"

namespace graft::doubles {

class GitServer final : public DoubleServer {
 public:
  // Serves the repository in `path` at "/NAME.git"; `token`: what the password must be, none when empty.
  GitServer(std::string path, std::string name, std::string token = {});
  ~GitServer() override;

  [[nodiscard]] std::string repository_url();

 private:
  Reply answer(const Request& request) override;
  [[nodiscard]] bool may(const Request& request) const;

  std::string path_, name_, token_;
};

}  // namespace graft::doubles
