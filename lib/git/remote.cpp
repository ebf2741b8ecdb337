#include "git/remote.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <span>
#include <vector>

#include "base/atomic_file.hpp"
#include "base/text.hpp"
#include "git/http_subtransport.hpp"
#include "git/url.hpp"

namespace graft::git {

namespace {

constexpr std::size_t most_refs = 200'000;
constexpr std::size_t secret_bytes = 64U << 10U;

struct Session {
  const Repository& repository;
  HttpSession http{repository, {}};
  int logins = 0;
  std::string refused = {};  // why we ended it ourselves
  bool too_large = false;
};

int give_key(git_credential** out, Session& session, const char* user_in_url) {
  const Repository& repository = session.repository;
  Result<std::string> key = read_small_file(repository.ssh_key_file, secret_bytes);
  if (!key) {
    session.refused = "manifests.git.auth.sshKeyFile: " + key.error().describe();
    return GIT_EUSER;
  }
  return git_credential_ssh_key_memory_new(out, user_in_url != nullptr ? user_in_url : "git", nullptr, key->c_str(),
                                           "");
}

// Asked again after a refusal: what was refused once is not offered twice.
int on_credential(git_credential** out, const char*, const char* user_in_url, unsigned allowed, void* payload) {
  Session& session = *static_cast<Session*>(payload);
  const Repository& repository = session.repository;
  if ((allowed & GIT_CREDENTIAL_USERNAME) != 0) return git_credential_username_new(out, "git");
  if (++session.logins > 1) return GIT_EAUTH;
  if ((allowed & GIT_CREDENTIAL_SSH_MEMORY) != 0 && !repository.ssh_key_file.empty())
    return give_key(out, session, user_in_url);
  return GIT_EAUTH;
}

int on_transport(git_transport** out, git_remote* owner, void* payload) {
  return make_http_transport(out, owner, &static_cast<Session*>(payload)->http);
}

// Sent from the first request on: a server that wants it need not ask.
Status read_login(Session& session) {
  const Repository& repository = session.repository;
  if (is_ssh(repository.url) || repository.token_file.empty()) return {};
  if (is_in_the_clear(repository.url))
    return fail(ErrorCode::invalid, "a token is not sent in the clear: write https in manifests.git.url");
  Result<std::string> token = read_small_file(repository.token_file, secret_bytes);
  if (!token) return fail(std::move(token.error()).context("manifests.git.auth.tokenFile"));
  const std::string_view user = repository.username.empty() ? "git" : std::string_view(repository.username);
  session.http.login = fmt::format("{}:{}", user, trim(*token));
  return {};
}

int on_progress(const git_indexer_progress* progress, void* payload) {
  Session& session = *static_cast<Session*>(payload);
  session.too_large = progress->received_bytes > session.repository.size_limit;
  return session.too_large ? GIT_EUSER : 0;
}

Error failure(int code, const Session& session, std::string_view doing) {
  const Repository& repository = session.repository;
  if (session.too_large)
    return Error(ErrorCode::blocked,
                 fmt::format("{} has more than {} MiB to fetch", quote(repository.url), repository.size_limit >> 20U))
        .with_hint("raise manifests.git.sizeLimit, or keep the manifests in a repository of their own")
        .retry();
  if (!session.refused.empty()) return Error(ErrorCode::io, session.refused).retry();
  Error error = git_failure(code, fmt::format("cannot {} {}", doing, quote(repository.url)));
  const auto says_status = [&](std::string_view status) {
    return error.server_text.find(fmt::format("HTTP status {}", status)) != std::string::npos;
  };
  // A missing repository and a missing right look alike: forges answer 404 to strangers.
  if (error.code == ErrorCode::unauthenticated || says_status("401") || says_status("403") || says_status("404")) {
    error.hint =
        is_ssh(repository.url)
            ? "does the key of manifests.git.auth.sshKeyFile (ed25519 or ecdsa, without a passphrase) have "
              "the right to read it, and is the url right?"
            : "does manifests.git.auth.tokenFile hold a token with the right to read it, and is the url right?";
    error.code = ErrorCode::unauthenticated;
  } else if (error.code == ErrorCode::forbidden) {
    error.hint = is_ssh(repository.url)
                     ? "put the server's host key into manifests.git.auth.knownHostsFile (ssh-keyscan, and compare)"
                     : "name the authority that signed the server's certificate by manifests.git.tls.caFile";
  } else if (error.server_text.find("REF pkt-line") != std::string::npos) {
    error.hint = "a shallow repository cannot be fetched from: point manifests.git.url at a whole one";
  } else if (error.server_text.find("redirect") != std::string::npos) {
    error.hint = "redirects are not followed, since a token could go with them: write the address that it leads to";
  }
  return error;
}

Tip tip_of(const git_remote_head& head, std::string_view ref) {
  return {head.oid, std::string(ref), ref.starts_with("refs/tags/"), false};
}

Error no_such_ref(const Repository& repository, std::span<const git_remote_head* const> heads) {
  if (heads.empty())
    return Error(ErrorCode::not_found, fmt::format("{} is empty: it has no commit yet", quote(repository.url))).retry();
  std::vector<std::string_view> names;
  for (const git_remote_head* head : heads) {
    const std::string_view name = head->name;
    const std::size_t at = name.starts_with("refs/") ? name.find('/', 5) : name.npos;
    if (at != name.npos && !name.ends_with("^{}")) names.push_back(name.substr(at + 1));
  }
  const auto near = did_you_mean(repository.ref, names);
  return Error(ErrorCode::not_found,
               fmt::format("{} has no branch or tag {}", quote(repository.url), quote(repository.ref)))
      .with_hint(near ? fmt::format("did you mean {}?", *near) : "was it deleted or renamed?")
      .retry();
}

Result<Tip> resolve(const Repository& repository, std::span<const git_remote_head* const> heads) {
  const std::string& ref = repository.ref;
  const auto find = [&](const std::string& name) -> const git_remote_head* {
    const auto found = std::ranges::find_if(heads, [&](const git_remote_head* head) { return head->name == name; });
    return found == heads.end() ? nullptr : *found;
  };
  if (is_commit_id(ref)) {
    Tip tip{.commit = {}, .ref = ref, .is_tag = false, .is_fixed = true};
    git_oid_fromstr(&tip.commit, ref.c_str());
    return tip;
  }
  if (ref == "HEAD" || ref.starts_with("refs/")) {
    const git_remote_head* head = find(ref);
    if (head == nullptr) return fail(no_such_ref(repository, heads));
    return tip_of(*head, ref);
  }
  const std::string branch = "refs/heads/" + ref, tag = "refs/tags/" + ref;
  const git_remote_head* as_branch = find(branch);
  const git_remote_head* as_tag = find(tag);
  if (as_branch != nullptr && as_tag != nullptr)
    return fail(
        Error(ErrorCode::invalid, fmt::format("{} is a branch and a tag in {}", quote(ref), quote(repository.url)))
            .with_hint(fmt::format("write {} or {}", branch, tag)));
  if (as_branch != nullptr) return tip_of(*as_branch, branch);
  if (as_tag != nullptr) return tip_of(*as_tag, tag);
  return fail(no_such_ref(repository, heads));
}

git_remote_callbacks callbacks_of(Session& session) {
  git_remote_callbacks callbacks = GIT_REMOTE_CALLBACKS_INIT;
  callbacks.credentials = on_credential;
  callbacks.transfer_progress = on_progress;
  if (!is_ssh(session.repository.url) && session.repository.url.starts_with("http")) callbacks.transport = on_transport;
  callbacks.payload = &session;
  return callbacks;
}

Status bring(git_remote* remote, const Tip& tip, Session& session) {
  git_fetch_options options = GIT_FETCH_OPTIONS_INIT;
  options.callbacks = callbacks_of(session);
  options.prune = GIT_FETCH_NO_PRUNE;
  options.update_fetchhead = 0;
  options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
  options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
  options.proxy_opts.type = GIT_PROXY_NONE;
  std::string refspec = fmt::format("+{}:{}", tip.ref, tip_ref);
  char* one = refspec.data();
  const git_strarray refspecs{&one, 1};
  if (const int code = git_remote_fetch(remote, &refspecs, &options, nullptr); code != 0)
    return fail(failure(code, session, "fetch from"));
  return {};
}

// A tag names a commit by way of an object of its own.
Status peel(git_repository* copy, const Repository& repository, Tip& tip) {
  int code = 0;
  const auto object = made<ObjectHandle>(code, git_object_lookup, copy, &tip.commit, GIT_OBJECT_ANY);
  if (object == nullptr)
    return fail(git_failure(code, fmt::format("{} has no commit {}", quote(repository.url), to_hex(tip.commit))));
  const auto commit = made<ObjectHandle>(code, git_object_peel, object.get(), GIT_OBJECT_COMMIT);
  if (commit == nullptr)
    return fail(git_failure(code, fmt::format("{} of {} is no commit", quote(repository.ref), quote(repository.url))));
  tip.commit = *git_object_id(commit.get());
  return {};
}

}  // namespace

bool is_commit_id(std::string_view ref) {
  return ref.size() == GIT_OID_HEXSZ && ref.find_first_not_of("0123456789abcdef") == ref.npos;
}

Result<Tip> fetch(git_repository* copy, const Repository& repository) {
  if (Status allowed = check_url(repository.url, repository.allow_local); !allowed)
    return fail(std::move(allowed.error()));
  Session session{repository};
  if (Status read = read_login(session); !read) return fail(std::move(read.error()));
  int code = 0;
  const auto remote = made<RemoteHandle>(code, git_remote_create_anonymous, copy, repository.url.c_str());
  if (remote == nullptr) return fail(git_failure(code, fmt::format("cannot use {}", quote(repository.url))));
  git_remote_connect_options options = GIT_REMOTE_CONNECT_OPTIONS_INIT;
  options.callbacks = callbacks_of(session);
  options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
  options.proxy_opts.type = GIT_PROXY_NONE;
  code = git_remote_connect_ext(remote.get(), GIT_DIRECTION_FETCH, &options);
  if (code != 0) return fail(failure(code, session, "reach"));
  const git_remote_head** heads = nullptr;
  std::size_t count = 0;
  code = git_remote_ls(&heads, &count, remote.get());
  if (code != 0) return fail(failure(code, session, "read the refs of"));
  if (count > most_refs)
    return fail(ErrorCode::blocked, fmt::format("{} has more than {} refs", quote(repository.url), most_refs));
  Result<Tip> tip = resolve(repository, {heads, count});
  if (!tip) return tip;
  if (!has_object(copy, tip->commit))
    if (Status brought = bring(remote.get(), *tip, session); !brought) return fail(std::move(brought.error()));
  if (Status peeled = peel(copy, repository, *tip); !peeled) return fail(std::move(peeled.error()));
  return tip;
}

}  // namespace graft::git
