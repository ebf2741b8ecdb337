#include "git/job.hpp"

#include <array>
#include <nlohmann/json.hpp>

namespace graft::git {

namespace {

using nlohmann::json;
using source::Content;

struct TextField {
  const char* name;
  std::string Repository::* member;
};
constexpr std::array<TextField, 9> texts{{{"url", &Repository::url},
                                          {"ref", &Repository::ref},
                                          {"path", &Repository::path},
                                          {"username", &Repository::username},
                                          {"token_file", &Repository::token_file},
                                          {"ssh_key_file", &Repository::ssh_key_file},
                                          {"known_hosts_file", &Repository::known_hosts_file},
                                          {"ca_file", &Repository::ca_file},
                                          {"allowed_signers_file", &Repository::allowed_signers_file}}};

json as_json(const Error& error) {
  return {{"code", static_cast<int>(error.code)},
          {"message", error.message},
          {"server_text", error.server_text},
          {"hint", error.hint},
          {"retryable", error.retryable}};
}

Error error_of(const json& value) {
  Error error(static_cast<ErrorCode>(value.at("code").get<int>()), value.at("message").get<std::string>());
  if (error.code > ErrorCode::internal) error.code = ErrorCode::internal;
  error.server_text = value.at("server_text").get<std::string>();
  error.hint = value.at("hint").get<std::string>();
  error.retryable = value.at("retryable").get<bool>();
  return error;
}

// Texts stand behind the header in the order of the files, so that their bytes are neither escaped nor copied.
json header_of(const Content& content) {
  json files = json::array(), unreadable = json::array();
  for (const manifest::Files::Entry& file : content.files) {
    const auto text = content.texts.find(file.path);
    const std::int64_t length = text == content.texts.end() ? -1 : static_cast<std::int64_t>(text->second.size());
    files.push_back({file.path, file.size, length});
  }
  for (const manifest::Files::Unreadable& entry : content.unreadable) unreadable.push_back({entry.path, entry.why});
  return {{"files", std::move(files)}, {"directories", content.directories}, {"unreadable", std::move(unreadable)}};
}

Result<Content> content_of(const json& header, std::string_view bytes) {
  Content content;
  for (const json& file : header.at("files")) {
    auto path = file.at(0).get<std::string>();
    const auto length = file.at(2).get<std::int64_t>();
    content.files.push_back({path, file.at(1).get<std::uint64_t>()});
    if (length < 0) continue;
    if (static_cast<std::uint64_t>(length) > bytes.size()) return fail(ErrorCode::protocol, "it is cut short");
    content.texts.emplace(std::move(path), bytes.substr(0, static_cast<std::size_t>(length)));
    bytes.remove_prefix(static_cast<std::size_t>(length));
  }
  content.directories = header.at("directories").get<std::vector<std::string>>();
  for (const json& entry : header.at("unreadable"))
    content.unreadable.push_back({entry.at(0).get<std::string>(), entry.at(1).get<std::string>()});
  return content;
}

Reply reply_of(const json& header) {
  Reply reply;
  reply.commit = header.at("commit").get<std::string>();
  if (header.contains("problem")) reply.problem = error_of(header.at("problem"));
  return reply;
}

}  // namespace

std::string encode(const Job& job) {
  json value{{"directory", job.directory}, {"fetch", job.fetch}, {"accept", job.accept}, {"have", job.have}};
  const Repository& repository = job.repository;
  for (const TextField& field : texts) value[field.name] = repository.*field.member;
  value["allow_non_fast_forward"] = repository.allow_non_fast_forward;
  value["allow_local"] = repository.allow_local;
  value["size_limit"] = repository.size_limit;
  value["timeout"] = repository.timeout.count();
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<Job> decode_job(std::string_view text) {
  try {
    const json value = json::parse(text);
    Job job;
    job.directory = value.at("directory").get<std::string>();
    job.fetch = value.at("fetch").get<bool>();
    job.accept = value.at("accept").get<bool>();
    job.have = value.at("have").get<std::string>();
    for (const TextField& field : texts) job.repository.*field.member = value.at(field.name).get<std::string>();
    job.repository.allow_non_fast_forward = value.at("allow_non_fast_forward").get<bool>();
    job.repository.allow_local = value.at("allow_local").get<bool>();
    job.repository.size_limit = value.at("size_limit").get<std::uint64_t>();
    job.repository.timeout = std::chrono::seconds(value.at("timeout").get<std::int64_t>());
    return job;
  } catch (const json::exception& error) {
    return fail(ErrorCode::protocol, error.what());
  }
}

std::string encode(const Reply& reply) {
  json header{{"commit", reply.commit}};
  if (reply.problem) header["problem"] = as_json(*reply.problem);
  if (reply.content) header["content"] = header_of(*reply.content);
  std::string out = header.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  if (!reply.content) return out;
  std::size_t total = out.size();
  for (const auto& [path, text] : reply.content->texts) total += text.size();
  out.reserve(total);
  for (const manifest::Files::Entry& file : reply.content->files)
    if (const auto text = reply.content->texts.find(file.path); text != reply.content->texts.end()) out += text->second;
  return out;
}

Result<Reply> decode_reply(std::string_view bytes) {
  const std::size_t end = bytes.find('\n');
  if (end == bytes.npos) return fail(ErrorCode::protocol, "it has no end");
  try {
    const json header = json::parse(bytes.substr(0, end));
    Reply reply = reply_of(header);
    if (!header.contains("content")) return reply;
    Result<Content> content = content_of(header.at("content"), bytes.substr(end + 1));
    if (!content) return fail(std::move(content.error()));
    reply.content = std::move(*content);
    return reply;
  } catch (const json::exception& error) {
    return fail(ErrorCode::protocol, error.what());
  }
}

}  // namespace graft::git
