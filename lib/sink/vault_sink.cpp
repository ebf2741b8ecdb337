#include "sink/vault_sink.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "model/json_fields.hpp"
#include "sink/marker.hpp"
#include "sink/remote.hpp"
#include "sink/secret_json.hpp"
#include "sink/target_names.hpp"

namespace graft::sink {

namespace {

using nlohmann::json;

// Vault has no codes for its errors; this one is known by its words (path_data.go, validateCheckAndSetOption).
constexpr std::string_view cas_refused = "check-and-set parameter did not match";

// The member at the end of a way through objects; nullptr when there is none.
const json* at(const json& document, std::initializer_list<std::string_view> way) {
  const json* value = &document;
  for (const std::string_view name : way) {
    if (value == nullptr) return nullptr;
    value = member(*value, name);
  }
  return value;
}

std::string encode_path(std::string_view path) {
  std::string out;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    out += "/" + url_encode(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

// What the last read() saw of the secret.
struct Seen {
  std::int64_t version = 0;            // the current one, deleted or not; 0: never written
  Secret others;                       // the other fields: `"a":1,"b":"x"`
  std::optional<std::string> foreign;  // what is wrong with the content that is not ours
};

class VaultSink final : public Sink {
 public:
  VaultSink(VaultTarget target, VaultAccess& access)
      : target_(std::move(target)), access_(access), marker_field_(target_.field + "_graftd") {}

  std::string describe() const override { return name_of_vault_field(target_.mount, target_.path, target_.field); }

  asio::awaitable<Status> probe() override {
    if (!seen_) {
      const auto reading = co_await read();
      if (!reading) co_return fail(reading.error());
    }
    if (seen_->foreign) co_return fail(foreign_content(describe(), *seen_->foreign));
    if (auto status = co_await check_rights(); !status) co_return status;
    co_return co_await check_engine();
  }

  asio::awaitable<Result<Reading>> read() override {
    seen_.reset();
    Secret nothing;
    auto answer = co_await access_.send("GET", data_target(), std::move(nothing), true);
    const Doing doing = about("reading it");
    if (!answer) co_return fail(no_answer(doing, std::move(answer.error())));
    auto reading = take_in(doing, *answer);
    wipe(answer->body);
    co_return reading;
  }

  asio::awaitable<Status> put(const Secret& key, const Marker& marker) override {
    if (!seen_) co_return fail(ErrorCode::internal, describe() + ": a put() without a read() before it");
    if (seen_->foreign) co_return fail(foreign_content(describe(), *seen_->foreign));
    Secret body = new_version(key, marker);
    auto answer = co_await access_.send("POST", data_target(), std::move(body), false);
    const Doing doing = about("writing the key", key.reveal());
    if (!answer) co_return fail(no_answer(doing, std::move(answer.error())));
    Status status = judge_write(doing, *answer);
    wipe(answer->body);
    co_return status;
  }

 private:
  Doing about(std::string_view what, std::string_view key = {}) const { return {describe(), what, "vault.url", key}; }

  std::string data_path() const { return fmt::format("{}/data/{}", target_.mount, target_.path); }
  std::string data_target() const { return "/v1" + encode_path(data_path()); }

  Result<Reading> take_in(const Doing& doing, const http::Response& answer) {
    if (answer.status != 200 && answer.status != 404)
      return fail(hinted(refusal(doing, answer, {vault_errors(answer), {}})));
    const auto document = SecretJson::parse(answer.body);
    if (!document || !(*document)->is_object()) {
      if (answer.status == 404) return fail(refusal(doing, answer, {answer.body, {}}));
      return fail(not_understood(doing, "the answer is not sound JSON"));
    }
    return answer.status == 404 ? take_in_missing(doing, answer, **document)
                                : take_in_version(doing, answer.body, **document);
  }

  // Of many 404s two mean that there is no key: a secret that was never written, and a version that was deleted.
  Result<Reading> take_in_missing(const Doing& doing, const http::Response& answer, const json& document) {
    const json* version = at(document, {"data", "metadata", "version"});
    const json* errors = at(document, {"errors"});
    const bool deleted = version != nullptr && version->is_number_integer();
    const bool absent = !deleted && errors != nullptr && errors->is_array() && errors->empty();
    if (!deleted && !absent) {
      Error error = refusal(doing, answer, {vault_errors(answer), {}});
      error.hint = fmt::format("is there a KV engine of version 2 at {}? (vault secrets list)",
                               graft::quote(target_.mount + "/"));
      return fail(std::move(error));
    }
    Seen seen;
    seen.version = deleted ? version->get<std::int64_t>() : 0;
    seen_ = std::move(seen);
    return Reading{};
  }

  Result<Reading> take_in_version(const Doing& doing, const std::string& body, const json& document) {
    const json* version = at(document, {"data", "metadata", "version"});
    const json* created = at(document, {"data", "metadata", "created_time"});
    const json* fields = at(document, {"data", "data"});
    if (version == nullptr || !version->is_number_integer() || version->get<std::int64_t>() < 1)
      return fail(no_version(doing));
    if (fields == nullptr || !fields->is_object()) return fail(not_understood(doing, "data.data is no map"));
    Seen seen;
    seen.version = version->get<std::int64_t>();
    seen.others = other_fields(body);
    Reading reading;
    const json* marker = at(*fields, {marker_field_});
    if (marker != nullptr && marker->is_string()) reading.marker = read_marker(marker->get_ref<const std::string&>());
    if (const json* value = at(*fields, {target_.field}); value != nullptr) {
      take_in_field(*value, reading);
      const bool timed = created != nullptr && created->is_string();
      reading.identity = fmt::format("{}:{}", seen.version, timed ? created->get_ref<const std::string&>() : "");
    }
    if (is_foreign(reading)) seen.foreign = reading.problem;
    seen_ = std::move(seen);
    return reading;
  }

  static void take_in_field(const json& value, Reading& out) {
    if (value.is_string()) return take_in_key(out, value.get<std::string>());
    out.state = KeyState::malformed;
    out.problem = "it is no text";
  }

  // As they stand in the text, so that they are written back unchanged. The text is known to be sound.
  Secret other_fields(const std::string& body) const {
    const std::string_view outer = raw_member(body, "data").value_or("");
    const std::string_view fields = raw_member(outer, "data").value_or("");
    std::string others;
    others.reserve(fields.size());
    for (const RawMember& each : raw_members(fields)) {
      if (each.is(target_.field) || each.is(marker_field_)) continue;
      if (!others.empty()) others.push_back(',');
      others.append(each.name).append(":").append(each.value);
    }
    return Secret(std::move(others));
  }

  Secret new_version(const Secret& key, const Marker& marker) const {
    std::string quoted_key = json_quoted(key.reveal());
    const std::string field = json_quoted(target_.field), marker_field = json_quoted(marker_field_);
    const std::string value = json_quoted(marker_line(marker));
    const std::string_view others = seen_->others.reveal();
    std::string body;
    body.reserve(others.size() + field.size() + quoted_key.size() + marker_field.size() + value.size() + 80);
    body.append(R"({"options":{"cas":)").append(std::to_string(seen_->version)).append(R"(},"data":{)");
    body.append(others).append(others.empty() ? "" : ",");
    body.append(field).append(":").append(quoted_key).append(",");
    body.append(marker_field).append(":").append(value).append("}}");
    wipe(quoted_key);
    return Secret(std::move(body));
  }

  Status judge_write(const Doing& doing, const http::Response& answer) {
    if (answer.status != 200) {
      if (answer.status == 204) return fail(no_version(doing));
      const std::string words = vault_errors(answer);
      Error error = hinted(refusal(doing, answer, {words, {}}));
      if (answer.status == 400 && words.find(cas_refused) != words.npos) {
        error.code = ErrorCode::conflict;
        error.retryable = true;
        error.hint = "somebody else has written the secret meanwhile; nothing was overwritten, it is read anew";
      }
      return fail(std::move(error));
    }
    const auto document = SecretJson::parse(answer.body);
    const json* version = document ? at(**document, {"data", "version"}) : nullptr;
    if (version == nullptr || !version->is_number_integer()) return fail(no_version(doing));
    seen_->version = version->get<std::int64_t>();
    return {};
  }

  // What an engine of version 1 answers, which has no versions.
  Error no_version(const Doing& doing) const {
    Error error = not_understood(doing, "the answer names no version of the secret");
    error.code = ErrorCode::unsupported;
    error.hint = fmt::format("{} must be a KV engine of version 2 (vault kv enable-versioning)",
                             graft::quote(target_.mount + "/"));
    return error;
  }

  asio::awaitable<Status> check_rights() {
    const std::string path = data_path();
    Secret body(fmt::format(R"({{"paths":[{}]}})", json_quoted(path)));
    auto answer = co_await access_.send("POST", "/v1/sys/capabilities-self", std::move(body), true);
    const Doing doing = about("asking for our rights");
    if (!answer) co_return fail(no_answer(doing, std::move(answer.error())));
    if (answer->status != 200) co_return fail(hinted(refusal(doing, *answer, {vault_errors(*answer), {}})));
    const auto document = SecretJson::parse(answer->body);
    // Vault says it twice: at the top, as it always did, and in `data`.
    const json* rights = document ? at(**document, {"data", path}) : nullptr;
    if (rights == nullptr && document) rights = at(**document, {path});
    if (rights == nullptr || !rights->is_array()) co_return fail(not_understood(doing, "the answer names no rights"));
    const auto has = [&](std::string_view right) {
      return std::any_of(rights->begin(), rights->end(), [&](const json& each) { return each == right; });
    };
    const std::string_view writing = seen_->version > 0 ? "update" : "create";
    if (has("root") || (has("read") && has(writing))) co_return Status{};
    Error error(ErrorCode::forbidden,
                fmt::format("{}: our token may not {}", describe(), has("read") ? writing : std::string_view("read")));
    co_return fail(hinted(std::move(error)));
  }

  asio::awaitable<Status> check_engine() {
    Secret nothing;
    const std::string target = "/v1/sys/internal/ui/mounts" + encode_path(target_.mount);
    auto answer = co_await access_.send("GET", target, std::move(nothing), true);
    const Doing doing = about("asking what engine it is in");
    if (!answer) co_return fail(no_answer(doing, std::move(answer.error())));
    if (answer->status != 200) {
      Error error = refusal(doing, *answer, {vault_errors(*answer), {}});
      if (answer->status == 403 || answer->status == 404) {
        error.code = ErrorCode::not_found;
        error.hint = fmt::format("there is no engine at {}, or none that our token may see (vault secrets list)",
                                 graft::quote(target_.mount + "/"));
      }
      co_return fail(std::move(error));
    }
    const auto document = SecretJson::parse(answer->body);
    const json* type = document ? at(**document, {"data", "type"}) : nullptr;
    const json* version = document ? at(**document, {"data", "options", "version"}) : nullptr;
    if (type == nullptr || !type->is_string()) co_return fail(not_understood(doing, "the answer names no engine"));
    if (*type == "kv" && version != nullptr && *version == "2") co_return Status{};
    co_return fail(no_version(doing));
  }

  Error hinted(Error error) const {
    if (error.code == ErrorCode::forbidden || error.code == ErrorCode::unauthenticated) {
      error.hint =
          fmt::format("our token needs a policy: path {} {{ capabilities = [\"create\", \"read\", \"update\"] }}",
                      graft::quote(data_path()));
    }
    return error;
  }

  VaultTarget target_;
  VaultAccess& access_;
  std::string marker_field_;
  std::optional<Seen> seen_;
};

}  // namespace

std::unique_ptr<Sink> make_vault_sink(VaultTarget target, VaultAccess& access) {
  return std::make_unique<VaultSink>(std::move(target), access);
}

}  // namespace graft::sink
