// How the place of a key is called: one text for manifests, plans, logs, sinks and the state store. Pure.
#pragma once

#include <string>
#include <string_view>

namespace graft::sink {

[[nodiscard]] std::string name_of_file(std::string_view path);  // "file apiorg/test-token"
// "secret monitoring/apiorg-token/token"
[[nodiscard]] std::string name_of_secret(std::string_view namespace_name, std::string_view name, std::string_view key);
// "vault secret/grafana/apiorg#token"
[[nodiscard]] std::string name_of_vault_field(std::string_view mount, std::string_view path, std::string_view field);

}  // namespace graft::sink
