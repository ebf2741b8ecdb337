"""Carries out docs/install.md, block by block as it stands there, and holds its last section against what is run.

    debian    in a bare Debian (debootstrap) with the package, by an ordinary user with sudo; systemctl is a stand-in
    here      in a copy of the project on this machine; podman and docker are stand-ins (stand_in.py)
    checked   the same with stand-ins for kubectl and helm that run nothing, but check files, names and command lines

Each way has a network of its own (but for apt), in which a simulator is grafana.example.com:3000."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "package")]

from debian_root import DebianRoot
from document import blocks_of, summary_is_true
from support import ROOT, arguments, check, equal, fail, is_root, made_package, run, step, unpacked

NO_ROOT = 77
PASSWORD = "a password of the test"
HOSTS = "127.0.0.1 localhost grafana.example.com\n"
KEY, STATE, CREDENTIALS = "/var/lib/graftd/tokens/apiorg/test-token", "/var/lib/graftd", "/etc/graftd/credentials"
SECONDS = 240  # for one block; apt fetches packages in it


def in_namespaces_of_its_own():
    """Starts this script anew: its mounts are seen by nobody else, and whatever it starts ends with it."""
    if os.environ.get("GRAFTD_TEST_NAMESPACES") != "private":
        os.environ["GRAFTD_TEST_NAMESPACES"] = "private"
        os.execvp("unshare", ["unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child",
                              "--mount-proc", sys.executable, "-B", *sys.argv])


class Network:
    """Loopback alone. The process that holds it runs until the test ends."""

    LOOPBACK_UP = ("import fcntl, socket, struct; "
                   "fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh14x', b'lo', 1)); print('up', flush=True); "
                   "import sys; sys.stdin.read()")

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "--net", sys.executable, "-c", self.LOOPBACK_UP],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        equal(self.holder.stdout.readline(), "up\n", "the network of the test")

    def enter(self):
        return ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net", "--"]

    def simulator(self, program):
        command = [*self.enter(), program, "--listen", "127.0.0.1:3000", "--admin", "admin:" + PASSWORD]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        first = process.stdout.readline()
        check(first.startswith("listening on "), f"the simulator says: {first}")

    def knows(self, key):
        """Whether the Grafana there takes the key."""
        script = ("import sys, urllib.request as u; login = {'Authorization': 'Bearer ' + sys.argv[1]}; "
                  "u.urlopen(u.Request('http://127.0.0.1:3000/api/folders', headers=login))")
        done = subprocess.run([*self.enter(), sys.executable, "-c", script, key], capture_output=True, check=False)
        return done.returncode == 0


def carry_out(block, command, **options):
    """What the block printed. A command that fails in it is a failure, also one before the last."""
    print(f"--- {block}:\n{block.text}", flush=True)
    started = time.monotonic()
    done = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            errors="replace", **options)
    try:
        said, _ = done.communicate(PASSWORD + "\n" if "password" in block.options else "", timeout=SECONDS)
    except subprocess.TimeoutExpired:
        done.kill()
        fail(f"{block} has not ended in {SECONDS} s:\n{done.communicate()[0][-8000:]}")
    check(done.returncode == 0, f"{block}: exit code {done.returncode}\n{said[-8000:]}")
    print(f"    ({time.monotonic() - started:.1f} s)", flush=True)
    return said


class Debian:
    """The machine of somebody who may use sudo, with the project in the home directory."""

    USER = "somebody"
    PLACE = "/home/somebody/graftd"

    def __init__(self, options):
        self.package = made_package(options.work)
        self.work = options.work
        self.root = DebianRoot(options.work)
        self.network = Network()
        self.network.simulator(options.simulator)
        self.said = {}  # what the blocks below a heading have printed
        self.prepare()

    def prepare(self):
        """What the reader's machine has: sudo, the project, the package that scripts/package has made."""
        settings = ("APT::Get::Assume-Yes", "APT::Keep-Downloaded-Packages")
        (self.root / "etc/apt/apt.conf.d/60test").write_text(
            'APT::Install-Recommends "false";\n' + "".join(f'{name} "true";\n' for name in settings))
        self.root.run(["apt-get", "-q", "update"])
        self.root.run(["apt-get", "-q", "install", "sudo"])
        self.root.run(["useradd", "--create-home", "--shell=/bin/bash", self.USER])
        (self.root / "etc/sudoers.d/somebody").write_text(f"{self.USER} ALL=(ALL) NOPASSWD: ALL\n")
        with open(self.root / "etc/hosts", "a", encoding="utf-8") as hosts:
            hosts.write("127.0.0.1 grafana.example.com\n")
        made = self.root / self.PLACE / "build/package"
        made.mkdir(parents=True)
        shutil.copyfile(self.package, made / self.package.name)
        self.make_later(made)
        shutil.copy(HERE / "systemctl", self.root / "usr/local/bin/systemctl")

    def make_later(self, place):
        """The same package as the next version."""
        tree = unpacked(self.package, self.work / "next")
        control = tree / "DEBIAN/control"
        control.write_text(re.sub(r"^Version: .*$", "Version: 0.1.1", control.read_text(), flags=re.MULTILINE))
        name, _, architecture = self.package.stem.split("_")
        run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-b", tree, place / f"{name}_0.1.1_{architecture}.deb"])

    def carry_out(self, block):
        architecture = self.package.stem.split("_")[2]
        text = block.text.replace("_amd64.deb", f"_{architecture}.deb")
        enter = [] if "network" in block.options else self.network.enter()
        shell = f"set -euo pipefail\ncd {self.PLACE}\n{text}"
        machine = ["chroot", f"--userspec={self.USER}:{self.USER}", self.root.path]
        said = carry_out(block, [*enter, *machine, "bash", "-c", shell],
                         env=dict(self.root.environment, HOME=f"/home/{self.USER}"))
        self.said.setdefault(block.part, []).append(said)

    def after(self, part):
        """Called when the last block below a heading has been carried out."""
        {"Install": self.is_configured, "Start": self.is_converged, "Editors": self.names_a_schema,
         "Upgrade": self.is_upgraded, "Remove": self.is_purged}[part]()

    def is_configured(self):
        text = (self.root / "etc/graftd/graftd.yaml").read_text()
        for line in ("owner: my-grafana", "  url: http://grafana.example.com:3000"):
            check(f"\n{line}\n" in text, f"the configuration has no line {line!r}:\n{text}")
        password = self.root.run(["stat", "-c", "%U %a", CREDENTIALS + "/grafana-password"])
        equal(password.split(), ["root", "600"], "owner and mode of the password")

    def is_converged(self):
        *before, key = (said.strip() for said in self.said["Start"])
        check("converged" in "".join(before), f"the status is not converged:\n{before}")
        check(self.network.knows(key), f"Grafana does not know the key that was printed: {key!r}")
        enabled = self.root / "etc/systemd/system/multi-user.target.wants/graftd.service"
        check(enabled.is_symlink(), "the service is not enabled")
        self.key = (self.root / KEY).stat()

    def names_a_schema(self):
        first = (self.root / "etc/graftd/manifests/apiorg.yaml").read_text().splitlines()[0]
        found = re.fullmatch(r"# yaml-language-server: \$schema=(/\S+)", first)
        check(found and (self.root / found[1]).is_file(), f"no schema by the manifest's first line: {first}")
        check((self.root / "usr/share/graftd/schema/graftd.schema.json").is_file(), "no schema of graftd.yaml")

    def is_upgraded(self):
        equal(self.root.run(["dpkg-query", "-W", "-f", "${Version}", "graftd"]), "0.1.1", "version after the upgrade")
        self.is_configured()
        restart = ["chroot", self.root.path, "systemctl", "restart", "graftd"]
        run([*self.network.enter(), *restart], env=self.root.environment)
        equal((self.root / KEY).stat().st_ino, self.key.st_ino, "file of the key after the upgrade")
        # What the removal asks of the manager, where there is one.
        self.root.run(["systemctl", "stop", "graftd"])

    def is_purged(self):
        for path in (STATE, CREDENTIALS, "/etc/graftd/graftd.yaml", "/usr/bin/graftd"):
            check(not (self.root / path).exists(), f"{path} is there after the purge")
        check((self.root / "etc/graftd/manifests/apiorg.yaml").exists(), "manifests were deleted")


class Copy:
    """A copy of the project on this machine, and the stand-ins as the first programs of PATH."""

    def __init__(self, options, way):
        self.folder = options.work / "document" / way.lower()
        run(["rm", "-rf", "--one-file-system", self.folder])
        self.project = self.folder / "graftd"
        self.project.mkdir(parents=True)
        for name in ("deploy", "config", "LICENSE"):
            run(["cp", "-a", ROOT / name, self.project / name])
        programs = self.folder / "programs"
        programs.mkdir()
        for name in ("podman", "docker", "kubectl", "helm"):
            script = programs / name
            script.write_text(f'#!/bin/sh\nexec {sys.executable} -B {HERE}/stand_in.py {name} "$@"\n')
            script.chmod(0o755)
        self.network = Network()
        self.environment = {
            "PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(self.folder), "PYTHONWARNINGS": "ignore",
            "STAND_IN_PROGRAMS": str(programs), "STAND_IN_FOLDER": str(self.folder / "stand-in"),
            "STAND_IN_BINARY": str(options.binary), "STAND_IN_SIMULATOR": str(options.simulator)}
        self.know_the_revision()

    def know_the_revision(self):
        if (ROOT / ".git").exists():
            directory = run(["git", "-C", ROOT, "rev-parse", "--absolute-git-dir"]).strip()
            self.environment.update(GIT_DIR=directory, GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="safe.directory",
                                    GIT_CONFIG_VALUE_0="*")

    def carry_out(self, block):
        shell = [*self.network.enter(), "bash", "-c", f"set -euo pipefail\n{block.text}"]
        print(carry_out(block, shell, cwd=self.project, env=self.environment), end="")

    def after(self, part):
        # The next block is for another cluster.
        pathlib.Path(self.environment["STAND_IN_FOLDER"], "cluster.json").unlink(missing_ok=True)
        if part in ("Container", "Compose"):
            key = (self.project / "key").read_text().strip()
            check(self.network.knows(key), f"Grafana does not know the key that was copied: {key!r}")


def say_what_is_not_run(blocks):
    for block in blocks:
        if block.kind != "run":
            print(f"NOT RUN{', only checked' if block.kind == 'checked' else ''}: {block}: {block.how}")


def carry_out_way(options, way, blocks):
    step(way)
    started = time.monotonic()
    machine = Debian(options) if blocks[0].how == "debian" else Copy(options, way)
    if way == "Container":
        machine.network.simulator(options.simulator)
    for index, block in enumerate(blocks):
        machine.carry_out(block)
        if index + 1 == len(blocks) or blocks[index + 1].part != block.part:
            machine.after(block.part)
    step(f"{way}: {len(blocks)} blocks in {time.monotonic() - started:.0f} s")


def main():
    if not is_root():
        print("skipped: a root of its own (chroot) is for root alone")
        sys.exit(NO_ROOT)
    in_namespaces_of_its_own()
    options = arguments("binary", "simulator", "document")
    text = options.document.read_text()
    blocks = blocks_of(text)
    summary_is_true(text, blocks)
    say_what_is_not_run(blocks)
    # The blocks of one way share a machine.
    for way in dict.fromkeys(block.way for block in blocks):
        carry_out_way(options, way, [block for block in blocks if block.way == way and block.kind != "not run"])


main()
