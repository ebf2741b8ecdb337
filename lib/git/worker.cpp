#include "git/worker.hpp"

#include <fmt/format.h>

#include "base/atomic_file.hpp"
#include "base/text.hpp"
#include "git/copy.hpp"
#include "git/home.hpp"
#include "git/remote.hpp"
#include "git/signature.hpp"
#include "git/tree_reader.hpp"

namespace graft::git {

namespace {

// Once for all: libgit2 1.5 frees its user agent twice when it is shut down and begun again.
void begin_library() {
  git_libgit2_init();
  git_libgit2_opts(GIT_OPT_SET_USER_AGENT, "graftd");
  git_libgit2_opts(GIT_OPT_SET_TEMPLATE_PATH, "");
  // Nobody's configuration but what this process is told: no insteadOf, no proxies, no helpers.
  for (const int level : {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG})
    git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
  // Little memory: a pod has 64 MiB for all of us.
  git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, std::size_t{4} << 20U);
  git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, std::size_t{16} << 20U);
  git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, std::int64_t{8} << 20U);
  git_libgit2_opts(GIT_OPT_SET_PACK_MAX_OBJECTS, std::size_t{2'000'000});
}

void prepare_library(const Job& job) {
  [[maybe_unused]] static const bool begun = (begin_library(), true);
  // Where libgit2 1.5 looks for the known hosts is where it looks for the user's settings: this home is ours, and holds
  // nothing else.
  git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_GLOBAL, home_of(job.directory).c_str());
  const std::string& authorities = job.repository.ca_file;
  git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS,
                   authorities.empty() ? "/etc/ssl/certs/ca-certificates.crt" : authorities.c_str(), nullptr);
}

std::string shown(const git_oid& commit) { return to_hex(commit).substr(0, 12); }

Error refusal(std::string message) {
  return Error(ErrorCode::blocked, std::move(message))
      .with_hint("if that is meant, set manifests.git.allowNonFastForward, reload, and take it out again")
      .retry();
}

// Whether `tip` may follow what is in force.
Status may_follow(git_repository* repository, const Job& job, const Tip& tip, const std::optional<git_oid>& accepted) {
  if (!accepted || tip.is_fixed || job.repository.allow_non_fast_forward) return {};
  if (git_oid_equal(&*accepted, &tip.commit) != 0) return {};
  if (tip.is_tag)
    return fail(refusal(fmt::format("tag {} was moved from {} to {}; {} stays in force", tip.ref, shown(*accepted),
                                    shown(tip.commit), shown(*accepted))));
  const int descends = git_graph_descendant_of(repository, &tip.commit, &*accepted);
  if (descends == 1) return {};
  return fail(refusal(fmt::format("the history of {} was rewritten: {} does not descend from {}, which stays in force",
                                  tip.ref, shown(tip.commit), shown(*accepted))));
}

// Read before it is accepted: a commit without the folder of the manifests, say, must not displace one that has it.
Status take(Copy& copy, git_repository* repository, const Job& job, const Tip& tip, Reply& reply) {
  if (Status sound = check_signature(repository, tip.commit, job.repository.allowed_signers_file); !sound) return sound;
  if (Status follows = may_follow(repository, job, tip, copy.accepted()); !follows) return follows;
  const std::string commit = to_hex(tip.commit);
  std::optional<source::Content> content;
  if (commit != job.have) {
    Result<source::Content> read = read_tree(repository, tip.commit, job.repository.path);
    if (!read) return fail(std::move(read.error()));
    content = std::move(*read);
  }
  if (job.accept)
    if (Status accepted = copy.accept(tip.commit); !accepted) return accepted;
  reply.commit = commit;
  reply.content = std::move(content);
  return {};
}

Status fetch_into(Copy& copy, const Job& job, Reply& reply) {
  const Result<Tip> tip = fetch(copy.repository(), job.repository);
  if (!tip) return fail(tip.error());
  return take(copy, copy.repository(), job, *tip, reply);
}

// As fetch_into, but all of it anew. What is there stays until its successor has proved good.
Status fetch_anew(Copy& copy, const Job& job, Reply& reply) {
  Result<RepositoryHandle> successor = copy.make_successor();
  if (!successor) return fail(std::move(successor.error()));
  const Result<Tip> tip = fetch(successor->get(), job.repository);
  Status taken = tip ? take(copy, successor->get(), job, *tip, reply) : Status(fail(tip.error()));
  if (taken) return copy.replace_by(std::move(*successor));
  successor->reset();
  copy.drop_successor();
  return taken;
}

// Of what was in force before.
void read_accepted(Copy& copy, const Job& job, Reply& reply) {
  Result<source::Content> content = read_tree(copy.repository(), *copy.accepted(), job.repository.path);
  if (content) {
    reply.content = std::move(*content);
  } else {
    reply.commit.clear();
    if (!reply.problem) reply.problem = std::move(content.error());
  }
}

}  // namespace

Reply perform(const Job& job) {
  prepare_library(job);
  Reply reply;
  Result<Copy> copy = Copy::open(job.directory);
  if (!copy) {
    reply.problem = std::move(copy.error());
    return reply;
  }
  if (copy->accepted()) reply.commit = to_hex(*copy->accepted());
  if (job.fetch) {
    // What is looked at only leaves no trace, but for the objects that came.
    const bool anew = job.accept && copy->worn(job.repository.size_limit);
    Status fetched = anew ? fetch_anew(*copy, job, reply) : fetch_into(*copy, job, reply);
    if (!fetched) reply.problem = std::move(fetched.error());
  }
  if (!reply.commit.empty() && reply.commit != job.have && !reply.content) read_accepted(*copy, job, reply);
  return reply;
}

}  // namespace graft::git
