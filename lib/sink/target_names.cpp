#include "sink/target_names.hpp"

#include <fmt/format.h>

namespace graft::sink {

std::string name_of_file(std::string_view path) { return fmt::format("file {}", path); }

std::string name_of_secret(std::string_view namespace_name, std::string_view name, std::string_view key) {
  return fmt::format("secret {}/{}/{}", namespace_name, name, key);
}

std::string name_of_vault_field(std::string_view mount, std::string_view path, std::string_view field) {
  return fmt::format("vault {}/{}#{}", mount, path, field);
}

}  // namespace graft::sink
