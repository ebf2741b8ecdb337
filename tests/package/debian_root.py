"""A Debian of its own (debootstrap) to install packages in. It fetches from where this machine's apt does."""
import os
import pathlib
import re
import shutil
import subprocess

from support import check, fail, run, step

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", "TERM": "dumb",
               "DEBIAN_FRONTEND": "noninteractive"}
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


def release():
    return re.search(r"^VERSION_CODENAME=(\S+)", pathlib.Path("/etc/os-release").read_text(), re.MULTILINE)[1]


def mirror():
    """Where apt of this machine takes its release from."""
    listed = run(["apt-get", "indextargets", "--format", "$(SITE) $(REPO_URI) $(CODENAME) $(COMPONENT)",
                  "Created-By: Packages"])
    for line in listed.splitlines():
        *_, address, codename, component = line.split()
        if codename == release() and component == "main":
            return address
    return fail(f"apt of this machine knows no mirror of {release()}:\n{listed}")


def copy_apt_settings(root):
    """The sources, their keys, and how they are reached; no login."""
    apt = pathlib.Path("/etc/apt")
    for name in ("sources.list", "sources.list.d", "trusted.gpg", "trusted.gpg.d", "keyrings"):
        run(["rm", "-rf", root / "etc/apt" / name])
        if (apt / name).exists():
            run(["cp", "-a", apt / name, root / "etc/apt/"])
    run(["cp", "-a", "/usr/share/keyrings/.", root / "usr/share/keyrings/"])
    settings = [line for line in run(["apt-config", "dump"]).splitlines()
                if re.match(r"Acquire::(http|https|Check-|Retries)", line, re.IGNORECASE) and not line.endswith('"";')]
    (root / "etc/apt/apt.conf.d/50machine").write_text("\n".join(settings) + "\n")
    for name in ("resolv.conf", "hosts"):
        shutil.copyfile(f"/etc/{name}", root / "etc" / name)


def make_base(base):
    """A bare root, made once and copied for each run."""
    ready = base.with_suffix(".ready")
    if ready.exists():
        return
    step(f"debootstrap of {release()}")
    run(["rm", "-rf", base])
    base.parent.mkdir(parents=True, exist_ok=True)
    command = ["debootstrap", "--variant=minbase", release(), str(base), mirror()]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    check(done.returncode == 0,
          f"{' '.join(command)} failed; can this machine reach its mirror?\n{done.stdout[-4000:]}")
    copy_apt_settings(base)
    # Nothing that is installed may start a service: its processes would be this machine's.
    policy = base / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    ready.touch()


class DebianRoot:
    """Its mounts end with this process, which has a mount namespace of its own (see install_test.py)."""

    def __init__(self, work):
        make_base(work / "base")
        self.path = work / "root"
        run(["rm", "-rf", "--one-file-system", self.path])
        run(["cp", "-a", work / "base", self.path])
        run(["mount", "-t", "proc", "proc", self.path / "proc"])
        archives = work / "archives"
        (archives / "partial").mkdir(parents=True, exist_ok=True)
        run(["mount", "--bind", archives, self.path / "var/cache/apt/archives"])
        self.environment = dict(ENVIRONMENT, **{name: os.environ[name] for name in PROXIES if name in os.environ})

    def run(self, command, codes=(0,), user=None):
        changed = ["chroot", *([f"--userspec={user}:{user}"] if user else []), self.path, *command]
        return run(changed, codes=codes, env=self.environment)

    def __truediv__(self, path):
        return self.path / str(path).lstrip("/")
