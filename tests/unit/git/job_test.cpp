#include "git/job.hpp"

#include <doctest/doctest.h>
#include <string>

using namespace graft;

namespace {

git::Job a_job() {
  git::Job job;
  job.repository = {.url = "https://example.org/a.git",
                    .ref = "main",
                    .path = "grafana/\xff",
                    .username = "u",
                    .token_file = "/t",
                    .ssh_key_file = "/k",
                    .known_hosts_file = "/h",
                    .ca_file = "/c",
                    .allowed_signers_file = "/s",
                    .allow_non_fast_forward = true,
                    .allow_local = true,
                    .size_limit = 1U << 20U,
                    .timeout = std::chrono::seconds(7)};
  job.directory = "/var/lib/graftd/state/git/0";
  job.fetch = false;
  job.accept = false;
  job.have = std::string(40, 'a');
  return job;
}

git::Reply a_reply() {
  git::Reply reply;
  reply.commit = std::string(40, 'b');
  reply.problem = Error(ErrorCode::blocked, "it was rewritten").with_hint("do this").with_server_text("said").retry();
  source::Content content;
  content.files = {{"a.yaml", 3}, {"b/c.json", 99'999'999}, {"b/d.yml", 4}};
  content.directories = {"b"};
  content.unreadable = {{"e.yaml", "is a link to nothing"}};
  content.texts = {{"a.yaml", "\n\0\xff"}, {"b/d.yml", "{}\n\n"}};
  content.texts["a.yaml"] = std::string("\n\0\xff", 3);
  reply.content = std::move(content);
  return reply;
}

}  // namespace

TEST_CASE("job: comes out of the pipe as it went in") {
  git::Job job = a_job();
  job.repository.path = "grafana";
  const auto read = git::decode_job(git::encode(job));
  REQUIRE(read.has_value());
  CHECK(read->repository == job.repository);
  CHECK(read->directory == job.directory);
  CHECK(read->have == job.have);
  CHECK_FALSE(read->fetch);
  CHECK_FALSE(read->accept);
  CHECK(git::decode_job(git::encode(a_job())).has_value());  // a path of broken UTF-8 breaks nothing
}

TEST_CASE("reply: comes out of the pipe as it went in, whatever bytes the files hold") {
  const git::Reply reply = a_reply();
  const auto read = git::decode_reply(git::encode(reply));
  REQUIRE(read.has_value());
  CHECK(read->commit == reply.commit);
  REQUIRE(read->problem.has_value());
  CHECK(read->problem->describe() == reply.problem->describe());
  CHECK(read->problem->code == ErrorCode::blocked);
  CHECK(read->problem->retryable);
  REQUIRE(read->content.has_value());
  CHECK(read->content->texts == reply.content->texts);
  CHECK(read->content->directories == reply.content->directories);
  REQUIRE(read->content->files.size() == 3);
  CHECK(read->content->files[1].size == 99'999'999);
  CHECK(read->content->unreadable.at(0).why == "is a link to nothing");
}

TEST_CASE("reply: one that was cut short anywhere is refused, and never half taken") {
  const std::string whole = git::encode(a_reply());
  for (std::size_t length = 0; length < whole.size(); ++length)
    CHECK_FALSE(git::decode_reply(std::string_view(whole).substr(0, length)).has_value());
  CHECK_FALSE(git::decode_job("{}").has_value());
  CHECK_FALSE(git::decode_job("").has_value());
}
