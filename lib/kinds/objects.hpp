// What folders and dashboards share on a live server: both are Kubernetes-style objects (grafana/objects.hpp) with a
// folder in an annotation, replaced under the resourceVersion that was read, with the annotations and labels of others
// kept. For .cpp files only (it brings nlohmann/json.hpp).
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "grafana/objects.hpp"
#include "kinds/kind.hpp"
#include "model/json_fields.hpp"

namespace graft::kinds {

using CanonicalForm = std::string (*)(const nlohmann::json& object);  // the canonical document of a live object

// "name", resourceVersion and folder of a live object; "" where missing.
[[nodiscard]] std::string object_name(const nlohmann::json& object);
[[nodiscard]] std::string object_version(const nlohmann::json& object);
[[nodiscard]] std::string object_folder(const nlohmann::json& object);

// Everything listed, joined with what is wanted.
[[nodiscard]] asio::awaitable<Result<std::vector<Observed>>> observe_objects(const Live& live,
                                                                             const grafana::Collection& collection,
                                                                             std::span<const Desired* const> wanted,
                                                                             CanonicalForm form);

// Creates; an object that is there already (a lost reply, or someone else's) is compared: equal is done, and one that
// differs is left to the next cycle.
[[nodiscard]] asio::awaitable<Result<Observed>> create_wanted(const Live& live, const grafana::Collection& collection,
                                                              const Desired& desired, nlohmann::json object,
                                                              CanonicalForm form);

// Reads the object anew, changes its spec and folder, and replaces it under the resourceVersion just read. What
// somebody else changed since we planned is not overwritten unseen: a conflict is an error, and the next cycle plans
// anew (T45).
using SpecChange = std::function<void(nlohmann::json& spec)>;
[[nodiscard]] asio::awaitable<Result<Observed>> replace_wanted(const Live& live, const grafana::Collection& collection,
                                                               const Desired& desired, const Observed& planned,
                                                               const std::string& folder, const SpecChange& change,
                                                               CanonicalForm form);

// The object to create: name, folder annotation (none at the root), spec.
[[nodiscard]] nlohmann::json new_object(const std::string& name, const std::string& folder, nlohmann::json spec);

}  // namespace graft::kinds
