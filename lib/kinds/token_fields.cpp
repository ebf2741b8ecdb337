#include "kinds/token_fields.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "base/text.hpp"
#include "manifest/names.hpp"

namespace graft::kinds {

namespace {

using manifest::defaults_to;
using manifest::field;
using manifest::Problem;
using manifest::Table;
using manifest::text_form;

constexpr std::size_t segment_limit = 200;  // of 255 bytes: the sink puts ".graftd" and temporary names beside the file
constexpr std::size_t path_limit = 1024;

std::optional<Problem> bad_segment(std::string_view segment) {
  if (segment.empty()) return Problem{"has an empty part", "one / between names, none at the ends"};
  if (segment == "..") return Problem{"would leave the token directory", "write a path without .."};
  if (segment.front() == '.') return Problem{"has a part that begins with a dot", "those are graftd's own files"};
  if (segment.size() > segment_limit) {
    return Problem{fmt::format("has a part of {} bytes", segment.size()), fmt::format("at most {}", segment_limit)};
  }
  return std::nullopt;
}

std::optional<Problem> bad_account_name(std::string_view name) { return manifest::bad_name(name); }

// The name of a user or group of the system, not a number: numbers differ from host to host.
std::optional<Problem> bad_system_name(std::string_view name) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-$";
  const bool sound =
      !name.empty() && name.size() <= 32 && name.front() != '-' && name.find_first_not_of(allowed) == name.npos;
  if (sound) return std::nullopt;
  return Problem{fmt::format("{} is no name of a user or group", graft::quote(name)), {}};
}

manifest::Form<Lifetime> lifetime_form() {
  manifest::Form<std::chrono::seconds> duration = manifest::duration_form();
  return {"duration or never", R"("type":"string","pattern":"^(never|([0-9]+[wdhms])+)$")",
          [duration](const manifest::Node& node, std::string_view label, Lifetime& out, manifest::Reporter& reporter) {
            out.length.reset();
            if (node.type == manifest::Node::Type::string && node.scalar == "never") return true;
            return duration.read(node, label, out.length.emplace(), reporter);
          }};
}

constexpr std::size_t label_limit = 63, subdomain_limit = 253, data_key_limit = 253;
constexpr std::size_t vault_path_limit = 512, vault_field_limit = 200;
constexpr std::string_view marker_ending = "_graftd";  // of the field beside the key's, sink/vault_sink.hpp

// As one part between dots.
bool is_dns_label(std::string_view label) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789-";
  return !label.empty() && label.find_first_not_of(letters) == label.npos && label.front() != '-' &&
         label.back() != '-';
}

std::optional<Problem> bad_vault_segment(std::string_view segment) {
  if (segment.empty()) return Problem{"has an empty part", "one / between names, none at the ends"};
  if (segment == "." || segment == "..") return Problem{"has a part that is . or ..", "write the path in full"};
  return std::nullopt;
}

std::optional<Problem> bad_vault_text(std::string_view text) {
  if (text.empty()) return Problem{"must not be empty", {}};
  if (has_control_characters(text))
    return Problem{"has a line break or another control character in it", "take it out"};
  if (text.find('#') != text.npos)
    return Problem{"has a # in it", "graftd writes a place in Vault as mount/path#field"};
  return std::nullopt;
}

}  // namespace

std::optional<Problem> bad_namespace(std::string_view name) {
  if (is_dns_label(name) && name.size() <= label_limit) return std::nullopt;
  return Problem{fmt::format("{} is no name of a namespace", graft::quote(name)),
                 "small letters, digits and - within, at most 63"};
}

std::optional<Problem> bad_secret_name(std::string_view name) {
  bool sound = name.size() <= subdomain_limit;
  for (std::size_t begin = 0; begin <= name.size() && sound;) {
    const std::size_t end = std::min(name.find('.', begin), name.size());
    sound = is_dns_label(name.substr(begin, end - begin));  // of any length, within the limit of the whole
    begin = end + 1;
  }
  if (sound) return std::nullopt;
  return Problem{fmt::format("{} is no name of a Secret", graft::quote(name)),
                 "small letters, digits, and - or . within, at most 253"};
}

std::optional<Problem> bad_data_key(std::string_view key) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
  const bool sound = !key.empty() && key.size() <= data_key_limit && key.find_first_not_of(allowed) == key.npos &&
                     key != "." && !key.starts_with("..");
  if (sound) return std::nullopt;
  return Problem{fmt::format("{} is no key of a Secret", graft::quote(key)),
                 "letters, digits, -, _ and ., at most 253, and no .. at its begin"};
}

std::optional<Problem> bad_vault_path(std::string_view path) {
  auto problem = bad_vault_text(path);
  if (!problem && path.size() > vault_path_limit)
    return Problem{fmt::format("longer than {} bytes", vault_path_limit), {}};
  for (std::size_t begin = 0; begin <= path.size() && !problem;) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    problem = bad_vault_segment(path.substr(begin, end - begin));
    begin = end + 1;
  }
  if (problem) problem->message = fmt::format("{} {}", graft::quote(path), problem->message);
  return problem;
}

std::optional<Problem> bad_vault_field(std::string_view field) {
  auto problem = bad_vault_text(field);
  if (!problem && field.size() > vault_field_limit) problem = Problem{"is too long", "at most 200 bytes"};
  if (!problem && field.ends_with(marker_ending))
    problem = Problem{"ends in _graftd", "graftd keeps its marker in a field of such a name"};
  if (problem) problem->message = fmt::format("{} {}", graft::quote(field), problem->message);
  return problem;
}

std::optional<Problem> bad_key_path(std::string_view path) {
  const auto full = [&](Problem problem) {
    return Problem{fmt::format("{} {}", graft::quote(path), problem.message), problem.hint};
  };
  if (path.empty()) return Problem{"must not be empty", {}};
  if (path.front() == '/') return full({"is absolute", "write it relative to the token directory"});
  if (path.size() > path_limit) return Problem{fmt::format("longer than {} bytes", path_limit), {}};
  if (has_control_characters(path)) return full({"has a line break or another control character in it", "take it out"});
  if (path.find('\\') != path.npos) return full({"has a backslash in it", "separate names with /"});
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    if (auto problem = bad_segment(path.substr(start, end - start))) return full(std::move(*problem));
    start = end + 1;
  }
  return std::nullopt;
}

std::optional<Problem> bad_file_mode(std::string_view mode) {
  const std::string hint = "four octal digits in quotes, such as \"0600\" or \"0640\"";
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(mode.data(), mode.data() + mode.size(), bits, 8);
  const bool octal = error == std::errc{} && end == mode.data() + mode.size() && mode.size() >= 3 && mode.size() <= 4;
  if (!octal) return Problem{fmt::format("{} is no file mode", graft::quote(mode)), hint};
  if (bits > 0777U)
    return Problem{fmt::format("{} has special bits (setuid, setgid, sticky)", graft::quote(mode)), hint};
  if ((bits & 02U) != 0) return Problem{fmt::format("{} lets everybody write the key", graft::quote(mode)), hint};
  if ((bits & 0400U) == 0)
    return Problem{fmt::format("{}: not even its owner could read the key", graft::quote(mode)), hint};
  return std::nullopt;
}

const Table<WrittenFile>& file_delivery_table() {
  using F = WrittenFile;
  static const Table<F> table{
      {field("path", &F::path, text_form("path", R"("minLength":1)", bad_key_path), manifest::required,
             "Where the key lies, below the token directory of the daemon."),
       field("owner", &F::owner, text_form("user name", {}, bad_system_name), manifest::optional,
             "The file's owner. The daemon's own user when left out."),
       field("group", &F::group, text_form("group name", {}, bad_system_name), manifest::optional,
             "The file's group. The daemon's own when left out."),
       field("mode", &F::mode, text_form("octal file mode", R"("pattern":"^0?[0-7]{3}$")", bad_file_mode),
             defaults_to("0600"), "The file's mode. It cannot be writable by everybody.")}};
  return table;
}

const Table<WrittenSecret>& secret_delivery_table() {
  using S = WrittenSecret;
  static const Table<S> table{
      {field("namespace", &S::namespace_name,
             text_form("namespace name", R"("minLength":1,"maxLength":63)", bad_namespace), manifest::required,
             "The namespace of the Secret. It must be there already."),
       field("name", &S::name, text_form("Secret name", R"("minLength":1,"maxLength":253)", bad_secret_name),
             manifest::required, "The Secret. It is made when it is missing; all else in it stays as it is."),
       field("key", &S::key, text_form("data key", R"("pattern":"^[-._a-zA-Z0-9]{1,253}$")", bad_data_key),
             defaults_to("token"), "The key of `data` that holds the token.")}};
  return table;
}

const Table<WrittenVault>& vault_delivery_table() {
  using V = WrittenVault;
  static const Table<V> table{
      {field("mount", &V::mount, text_form("path", R"("minLength":1)", bad_vault_path), defaults_to("secret"),
             "Where a KV engine of version 2 is mounted."),
       field("path", &V::path, text_form("path", R"("minLength":1)", bad_vault_path), manifest::required,
             "The secret, below the mount. It is made when it is missing; its other fields stay as they are."),
       field("field", &V::field, text_form("field name", R"("minLength":1,"maxLength":200)", bad_vault_field),
             defaults_to("token"), "The field that holds the token.")}};
  return table;
}

const Table<WrittenDelivery>& delivery_table() {
  using D = WrittenDelivery;
  static const Table<D> table{
      {field("file", &D::file, manifest::object_form(file_delivery_table()), manifest::optional,
             "The key alone in a file. Each entry is one of file, kubernetesSecret and vault."),
       field("kubernetesSecret", &D::secret, manifest::object_form(secret_delivery_table()), manifest::optional,
             "The key in a Secret of the cluster that kubernetes.url names."),
       field("vault", &D::vault, manifest::object_form(vault_delivery_table()), manifest::optional,
             "The key in a secret of the HashiCorp Vault that vault.url names.")},
      {},
      R"("oneOf":[{"required":["file"]},{"required":["kubernetesSecret"]},{"required":["vault"]}])"};
  return table;
}

const Table<WrittenToken>& token_table() {
  using T = WrittenToken;
  static const Table<T> table{
      {field("serviceAccount", &T::account, text_form("string", R"("minLength":1,"maxLength":190)", bad_account_name),
             manifest::optional,
             "The account, declared in the same organization. Required, but for a token nested in its account."),
       field("ttl", &T::ttl, lifetime_form(), defaults_to("30d"),
             "How long a key lives, from 1s to ten years, or never."),
       field("rotateBefore", &T::rotate_before, manifest::duration_form(), manifest::optional,
             "How long before its end a key is replaced: from 1s to 1s less than ttl. A third of ttl when left out."),
       field("grace", &T::grace, manifest::duration_form(), manifest::optional,
             "How long the old key lives on after a new one was delivered. Less than rotateBefore."),
       field("deliverTo", &T::deliver_to, manifest::list_form(manifest::object_form(delivery_table())),
             manifest::required,
             "Where the key is delivered: one place or more, none of them named twice by any token.")}};
  return table;
}

}  // namespace graft::kinds
