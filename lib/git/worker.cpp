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

// Once for all; HTTP, and with it TLS, is not libgit2's (http_subtransport.hpp).
void begin_library() {
  git_libgit2_init();
  git_libgit2_opts(GIT_OPT_SET_TEMPLATE_PATH, "");
  git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);  // what is in force is on the disk before it is named
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
  if (!has_object(repository, *accepted))
    return fail(
        refusal(fmt::format("the history of {} was rewritten, or is not whole: {}, which stays in force, is not in "
                            "what the server has",
                            tip.ref, shown(*accepted))));
  return fail(refusal(fmt::format("the history of {} was rewritten: {} does not descend from {}, which stays in force",
                                  tip.ref, shown(tip.commit), shown(*accepted))));
}

struct Work {
  const Job& job;
  const Judge& good;
  Copy& copy;
  Reply& reply;
};

bool same(const std::optional<git_oid>& one, const git_oid& other) { return one && git_oid_equal(&*one, &other) != 0; }

// Read before it is accepted: a commit without the folder of the manifests, say, must not displace one that has it.
Status take(const Work& work, git_repository* repository, const Tip& tip) {
  const Job& job = work.job;
  if (Status sound = check_signature(repository, tip.commit, job.repository.allowed_signers_file); !sound) return sound;
  if (Status follows = may_follow(repository, job, tip, work.copy.accepted()); !follows) return follows;
  const std::string commit = to_hex(tip.commit);
  const bool in_force = same(work.copy.accepted(), tip.commit);
  std::optional<source::Content> content;
  if (commit != job.have || (job.accept && !in_force)) {
    Result<source::Content> read = read_tree(repository, tip.commit, job.repository.path);
    if (!read) return fail(std::move(read.error()));
    content = std::move(*read);
  }
  if (job.accept && !in_force && (!work.good || work.good(*content)))
    if (Status accepted = work.copy.accept(tip.commit); !accepted) return accepted;
  work.reply.commit = commit;
  if (commit != job.have) work.reply.content = std::move(content);
  return {};
}

Status fetch_into(const Work& work) {
  const Result<Tip> tip = fetch(work.copy.repository(), work.job.repository);
  if (!tip) return fail(tip.error());
  return take(work, work.copy.repository(), *tip);
}

// As fetch_into, but all of it anew. What is there stays until its successor has proved good.
Status fetch_anew(const Work& work) {
  Result<RepositoryHandle> successor = work.copy.make_successor();
  if (!successor) return fail(std::move(successor.error()));
  const Result<Tip> tip = fetch(successor->get(), work.job.repository);
  Status taken = tip ? take(work, successor->get(), *tip) : Status(fail(tip.error()));
  if (taken) return work.copy.replace_by(std::move(*successor));
  successor->reset();
  work.copy.drop_successor();
  return taken;
}

// Of what was in force before.
void read_accepted(const Work& work) {
  Reply& reply = work.reply;
  Result<source::Content> content = read_tree(work.copy.repository(), *work.copy.accepted(), work.job.repository.path);
  if (content) {
    reply.content = std::move(*content);
  } else {
    reply.commit.clear();
    if (!reply.problem) reply.problem = std::move(content.error());
  }
}

// A copy that is worn or broken is begun anew; one that is only looked at must go on holding what is in force.
Status fetch_somehow(const Work& work) {
  const bool may_begin_anew = work.job.accept || !work.copy.accepted();
  if (may_begin_anew && work.copy.worn(work.job.repository.size_limit)) return fetch_anew(work);
  Status fetched = fetch_into(work);
  if (fetched || !may_begin_anew || fetched.error().code != ErrorCode::io) return fetched;
  return fetch_anew(work);
}

}  // namespace

Reply perform(const Job& job, const Judge& good) {
  prepare_library(job);
  Reply reply;
  Result<Copy> copy = Copy::open(job.directory, job.repository.timeout / 2);
  if (!copy) {
    reply.problem = std::move(copy.error());
    return reply;
  }
  if (copy->accepted()) reply.commit = to_hex(*copy->accepted());
  const Work work{job, good, *copy, reply};
  if (job.fetch)
    if (Status fetched = fetch_somehow(work); !fetched) reply.problem = std::move(fetched.error());
  const bool of_accepted = copy->accepted() && reply.commit == to_hex(*copy->accepted());
  if (of_accepted && reply.commit != job.have && !reply.content) read_accepted(work);
  return reply;
}

}  // namespace graft::git
