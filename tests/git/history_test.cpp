// What may follow what is in force (reliability T32), on repositories that git itself made.
#include <doctest/doctest.h>
#include <random>
#include <set>

#include "git/repository.hpp"
#include "git/worker.hpp"

using namespace graft;
using namespace graft::test;

namespace {

bool mentions(const git::Reply& reply, const std::string& text) {
  return reply.problem && reply.problem->describe().find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("history: a commit that descends from the one in force is taken, and its files come once") {
  const GitRepository repository;
  const TemporaryDirectory directory;
  git::Job job = job_for(repository.path(), directory);
  const std::string first = repository.commit_file("a.yaml", "1\n");

  git::Reply reply = git::perform(job);
  CHECK_FALSE(reply.problem.has_value());
  CHECK(reply.commit == first);
  REQUIRE(reply.content.has_value());
  CHECK(reply.content->texts.at("a.yaml") == "1\n");

  job.have = first;
  reply = git::perform(job);
  CHECK(reply.commit == first);
  CHECK_FALSE(reply.content.has_value());

  const std::string second = repository.commit_file("a.yaml", "2\n");
  reply = git::perform(job);
  CHECK(reply.commit == second);
  CHECK(reply.content.value().texts.at("a.yaml") == "2\n");
}

TEST_CASE("history: force push, amended commit, unrelated history: the one in force stays") {
  const GitRepository repository;
  const TemporaryDirectory directory;
  git::Job job = job_for(repository.path(), directory);
  repository.commit_file("a.yaml", "1\n");
  const std::string good = repository.commit_file("a.yaml", "2\n");
  REQUIRE(git::perform(job).commit == good);

  const auto refused = [&](const std::string& what) {
    CAPTURE(what);
    for (int time = 0; time < 2; ++time) {  // the second time nothing is left to fetch
      const git::Reply reply = git::perform(job);
      CHECK(reply.commit == good);
      CHECK(mentions(reply, "was rewritten"));
      CHECK(mentions(reply, good.substr(0, 12)));
      CHECK(reply.content.value().texts.at("a.yaml") == "2\n");
    }
  };
  repository.in({"reset", "--quiet", "--hard", "HEAD~1"});
  refused("reset to an older commit");
  repository.commit_file("a.yaml", "evil\n");
  refused("another commit after the older one");
  repository.in({"checkout", "--quiet", "--orphan", "other"});
  repository.commit_file("a.yaml", "unrelated\n");
  repository.in({"branch", "--force", "main", "other"});
  refused("a history without anything in common");

  SUBCASE("it goes on when history goes on from what is in force") {
    repository.in({"checkout", "--quiet", "-B", "main", good});
    const std::string next = repository.commit_file("a.yaml", "3\n");
    const git::Reply reply = git::perform(job);
    CHECK_FALSE(reply.problem.has_value());
    CHECK(reply.commit == next);
  }
  SUBCASE("and when that is wanted, another history is taken") {
    job.repository.allow_non_fast_forward = true;
    const git::Reply reply = git::perform(job);
    CHECK_FALSE(reply.problem.has_value());
    CHECK(reply.content.value().texts.at("a.yaml") == "unrelated\n");
  }
  SUBCASE("the lost copy does not make the rewritten history good") {
    std::filesystem::remove_all(job.directory);
    const git::Reply reply = git::perform(job);
    CHECK(mentions(reply, "was rewritten"));
    CHECK_FALSE(reply.content.has_value());
  }
}

TEST_CASE("history: a merge that contains the one in force is taken, also after a long way") {
  const GitRepository repository;
  const TemporaryDirectory directory;
  const git::Job job = job_for(repository.path(), directory);
  repository.commit_file("a.yaml", "1\n");
  repository.in({"checkout", "--quiet", "-b", "topic"});
  repository.commit_file("b.yaml", "1\n");
  repository.in({"checkout", "--quiet", "main"});
  const std::string in_force = repository.commit_file("c.yaml", "1\n");
  REQUIRE(git::perform(job).commit == in_force);
  for (int i = 0; i < 50; ++i) repository.commit(std::to_string(i));
  repository.in({"merge", "--quiet", "--no-ff", "-m", "merge", "topic"});
  CHECK(git::perform(job).commit == repository.in({"rev-parse", "HEAD"}));
}

TEST_CASE("history: a deleted or misspelt branch is told, and what is in force stays") {
  const GitRepository repository;
  const TemporaryDirectory directory;
  git::Job job = job_for(repository.path(), directory, "release");
  repository.commit_file("a.yaml", "1\n");
  repository.in({"branch", "release"});
  const std::string good = git::perform(job).commit;
  REQUIRE_FALSE(good.empty());
  repository.in({"branch", "-D", "release"});
  git::Reply reply = git::perform(job);
  CHECK(reply.commit == good);
  CHECK(mentions(reply, "no branch or tag \"release\""));
  CHECK(mentions(reply, "deleted or renamed"));
  repository.in({"branch", "relaese"});
  CHECK(mentions(git::perform(job), "did you mean relaese?"));
}

TEST_CASE("history: a tag that moves is refused, even forwards; annotated tags lead to their commit") {
  const GitRepository repository;
  const TemporaryDirectory directory;
  git::Job job = job_for(repository.path(), directory, "v1");
  const std::string first = repository.commit_file("a.yaml", "1\n");
  repository.in({"tag", "-a", "-m", "v1", "v1"});
  CHECK(git::perform(job).commit == first);
  const std::string second = repository.commit_file("a.yaml", "2\n");
  CHECK(git::perform(job).commit == first);
  repository.in({"tag", "--force", "v1"});
  const git::Reply reply = git::perform(job);
  CHECK(reply.commit == first);
  CHECK(mentions(reply, "tag refs/tags/v1 was moved"));
  job.repository.allow_non_fast_forward = true;
  CHECK(git::perform(job).commit == second);
}

TEST_CASE("history: refs by every name they have") {
  const GitRepository repository;
  const TemporaryDirectory directory;
  const std::string first = repository.commit_file("a.yaml", "1\n");
  repository.in({"tag", "v1"});
  repository.in({"branch", "feature/x"});
  const std::string second = repository.commit_file("a.yaml", "2\n");
  const auto commit_of = [&](const std::string& ref) {
    const TemporaryDirectory own;
    return git::perform(job_for(repository.path(), own, ref)).commit;
  };
  CHECK(commit_of("HEAD") == second);
  CHECK(commit_of("main") == second);
  CHECK(commit_of("refs/heads/main") == second);
  CHECK(commit_of("v1") == first);
  CHECK(commit_of("refs/tags/v1") == first);
  CHECK(commit_of("feature/x") == first);
  CHECK(commit_of(first) == first);
  CHECK(commit_of(std::string(40, '0')).empty());
  repository.in({"branch", "v1"});
  CHECK(commit_of("v1").empty());  // both a branch and a tag
  git::Job job = job_for(repository.path(), directory, "v1");
  CHECK(mentions(git::perform(job), "write refs/heads/v1 or refs/tags/v1"));
}

TEST_CASE("history: a commit id is taken whatever came before it") {
  const GitRepository repository;
  const TemporaryDirectory directory;
  const std::string first = repository.commit_file("a.yaml", "1\n");
  const std::string second = repository.commit_file("a.yaml", "2\n");
  git::Job job = job_for(repository.path(), directory, second);
  CHECK(git::perform(job).commit == second);
  job.repository.ref = first;  // of the same copy, as a rollback would be
  CHECK(git::perform(job).commit == first);
}

TEST_CASE("history: looking leaves what is in force alone") {
  const GitRepository repository;
  const TemporaryDirectory directory;
  git::Job job = job_for(repository.path(), directory);
  const std::string first = repository.commit_file("a.yaml", "1\n");
  REQUIRE(git::perform(job).commit == first);
  const std::string second = repository.commit_file("a.yaml", "2\n");
  job.accept = false;
  CHECK(git::perform(job).commit == second);
  job.fetch = false;
  CHECK(git::perform(job).commit == first);
}

TEST_CASE("history: a repository that is empty, gone or broken is told, and mends itself when it comes back") {
  const TemporaryDirectory directory;
  git::Job job = job_for(directory / "nowhere", directory);
  git::Reply reply = git::perform(job);
  CHECK(reply.commit.empty());
  REQUIRE(reply.problem.has_value());
  CHECK_MESSAGE(mentions(reply, "nowhere"), reply.problem->describe());
  const GitRepository repository;
  job.repository.url = repository.path();
  CHECK(mentions(git::perform(job), "is empty"));
  const std::string good = repository.commit_file("a.yaml", "1\n");
  CHECK(git::perform(job).commit == good);
  // The copy is damaged: its packs are emptied.
  for (const auto& entry : std::filesystem::recursive_directory_iterator(job.directory + "/objects"))
    if (entry.is_regular_file()) {
      std::filesystem::permissions(entry, std::filesystem::perms::owner_all);
      std::filesystem::resize_file(entry, 0);
    }
  reply = git::perform(job);
  CHECK(reply.commit == good);
  CHECK_FALSE(reply.problem.has_value());
  CHECK(reply.content.value().texts.at("a.yaml") == "1\n");
}

TEST_CASE("history: what is not good is shown, but not what is in force at the next start") {
  const GitRepository repository;
  const TemporaryDirectory directory;
  git::Job job = job_for(repository.path(), directory);
  const git::Judge good = [](const source::Content& content) { return content.texts.at("a.yaml") != "bad\n"; };
  const std::string first = repository.commit_file("a.yaml", "1\n");
  CHECK(git::perform(job, good).commit == first);
  const std::string bad = repository.commit_file("a.yaml", "bad\n");
  git::Reply reply = git::perform(job, good);
  CHECK(reply.commit == bad);
  CHECK(reply.content.value().texts.at("a.yaml") == "bad\n");
  job.have = bad;
  CHECK(git::perform(job, good).commit == bad);  // once more, with its files known
  git::Job later = job;
  later.have.clear();
  later.fetch = false;
  CHECK(git::perform(later, good).commit == first);
  // Mended by a push that does not descend from the bad one: it descends from what is in force.
  repository.in({"reset", "--quiet", "--hard", first});
  const std::string mended = repository.commit_file("a.yaml", "2\n");
  reply = git::perform(job, good);
  CHECK_FALSE(reply.problem.has_value());
  CHECK(reply.commit == mended);
  CHECK(git::perform(later, good).commit == mended);
}

TEST_CASE("history: what a killed process has left: locks, half packs, a successor that holds what is in force") {
  const GitRepository repository;
  const TemporaryDirectory directory;
  git::Job job = job_for(repository.path(), directory);
  const std::string first = repository.commit_file("a.yaml", "1\n");
  REQUIRE(git::perform(job).commit == first);
  for (const char* left : {"refs/graftd/tip.lock", "packed-refs.lock", "config.lock", "HEAD.lock"})
    directory.write(std::string("git/copy/") + left, "");
  directory.write("git/copy/objects/pack/pack_git2_abc", "half");
  const std::string second = repository.commit_file("a.yaml", "2\n");
  git::Reply reply = git::perform(job);
  CHECK_FALSE(reply.problem.has_value());
  CHECK(reply.commit == second);
  CHECK_FALSE(std::filesystem::exists(job.directory + "/objects/pack/pack_git2_abc"));

  // Killed after accepting the third, before the successor that holds it took the place of the copy.
  const TemporaryDirectory other;
  git::Job elsewhere = job_for(repository.path(), other);
  const std::string third = repository.commit_file("a.yaml", "3\n");
  REQUIRE(git::perform(elsewhere).commit == third);
  std::filesystem::copy(elsewhere.directory, job.directory + ".new", std::filesystem::copy_options::recursive);
  directory.write("git/copy.commit", third + "\n");
  job.fetch = false;
  reply = git::perform(job);
  CHECK(reply.commit == third);
  CHECK(reply.content.value().texts.at("a.yaml") == "3\n");
  CHECK_FALSE(std::filesystem::exists(job.directory + ".new"));
}

TEST_CASE("history: a copy that lacks a file heals itself while its server is there") {
  const GitRepository repository;
  const TemporaryDirectory directory;
  git::Job job = job_for(repository.path(), directory);
  const std::string good = repository.commit_file("a.yaml", std::string(20'000, 'a') + "\n");
  REQUIRE(git::perform(job).commit == good);
  for (const auto& entry : std::filesystem::directory_iterator(job.directory + "/objects/pack"))
    if (entry.path().extension() == ".pack") {
      std::filesystem::permissions(entry, std::filesystem::perms::owner_all);
      std::fstream pack(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
      pack.seekp(-60, std::ios::end);
      pack << std::string(30, '\0');
    }
  git::Reply reply = git::perform(job);
  CHECK_MESSAGE(reply.commit == good, (reply.problem ? reply.problem->describe() : std::string()));
  CHECK(reply.content.value().texts.at("a.yaml").size() == 20'001);
}

TEST_CASE("history: many fetches do not fill the disk: the copy is begun anew, and history is still compared") {
  const GitRepository repository;
  const TemporaryDirectory directory;
  const git::Job job = job_for(repository.path(), directory);
  std::string last;
  const auto packs = [&] {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(job.directory + "/objects/pack"))
      count += entry.path().extension() == ".pack" ? 1U : 0U;
    return count;
  };
  std::size_t most = 0;
  for (int i = 0; i < 60; ++i) {
    last = repository.commit_file("a.yaml", std::to_string(i) + "\n");
    const git::Reply reply = git::perform(job);
    REQUIRE_MESSAGE(reply.commit == last, (reply.problem ? reply.problem->describe() : std::string()));
    most = std::max(most, packs());
  }
  CHECK(most <= 42);
  CHECK(packs() < 30);
  CHECK_FALSE(std::filesystem::exists(job.directory + ".new"));
  repository.in({"commit", "--quiet", "--amend", "-m", "rewritten"});
  CHECK(mentions(git::perform(job), "was rewritten"));
}

TEST_CASE("history: thirty histories by chance: never one that does not descend, always one that does") {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    std::mt19937 chance(seed);
    const GitRepository repository;
    const TemporaryDirectory directory;
    git::Job job = job_for(repository.path(), directory);
    std::string in_force;
    repository.commit_file("a.yaml", "0\n");
    for (int step = 0; step < 8; ++step) {
      switch (chance() % 5) {
        case 0:
          repository.in({"commit", "--quiet", "--amend", "--allow-empty", "-m", std::to_string(step)});
          break;
        case 1:
          if (repository.in({"rev-list", "--count", "HEAD"}) != "1")
            repository.in({"reset", "--quiet", "--hard", "HEAD~1"});
          break;
        case 2:
          if (!in_force.empty()) repository.in({"reset", "--quiet", "--hard", in_force});
          break;
        default:
          repository.commit_file("a.yaml", std::to_string(step) + "\n");
      }
      const std::string tip = repository.in({"rev-parse", "HEAD"});
      // git's own word on it; histories may have nothing in common.
      const bool follows = in_force.empty() || repository.says({"merge-base", "--is-ancestor", in_force, tip});
      const git::Reply reply = git::perform(job);
      if (follows) in_force = tip;
      CHECK(reply.commit == in_force);
      CHECK(reply.problem.has_value() == (tip != in_force));
    }
    job.repository.allow_non_fast_forward = true;
    CHECK(git::perform(job).commit == repository.in({"rev-parse", "HEAD"}));
  }
}
