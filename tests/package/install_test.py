"""What becomes of a machine that the package is installed on, upgraded, removed and purged from.

A bare Debian in a folder, the package installed by apt, two lines edited and the password put where it belongs; then
what the service would start is started, as its unit says, against a simulator of Grafana. systemd cannot run there."""
import hashlib
import http.client
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time

from debian_root import DebianRoot
from support import arguments, check, equal, is_root, made_package, run, step, unpacked

NO_ROOT = 77
PASSWORD = "a password of the test"
CONFIGURATION, DEFAULTS = "/etc/graftd/graftd.yaml", "/etc/default/graftd"
STATE, CREDENTIALS = "/var/lib/graftd", "/etc/graftd/credentials"
KEY = STATE + "/tokens/apiorg/test-token"


def in_a_mount_namespace():
    """Starts this script anew so that its mounts are seen by nobody else, and end with it."""
    if os.environ.get("GRAFTD_TEST_MOUNTS") != "private":
        os.environ["GRAFTD_TEST_MOUNTS"] = "private"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, "-B", *sys.argv])


class Simulator:
    def __init__(self, program):
        self.process = subprocess.Popen([program, "--listen", "127.0.0.1:0", "--admin", "admin:" + PASSWORD],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        first = self.process.stdout.readline()
        check(first.startswith("listening on "), f"the simulator says: {first}")
        self.url = first.split()[2]

    def knows(self, key):
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=20)
        connection.request("GET", "/api/folders", headers={"Authorization": "Bearer " + key})
        return connection.getresponse().status == 200

    def end(self):
        self.process.kill()
        self.process.wait()


class Unit:
    """The directives of the installed unit: each with all its values."""

    def __init__(self, path):
        self.values = {}
        for line in path.read_text().splitlines():
            name, equals, value = line.partition("=")
            if equals and not line.startswith("#"):
                self.values.setdefault(name, []).append(value)

    def one(self, name):
        equal(len(self.values.get(name, [])), 1, f"{name} in the unit")
        return self.values[name][0]


class Service:
    """What the manager does for the unit, as far as the package needs it: user, directories, credential, environment."""

    def __init__(self, root):
        self.root = root
        self.unit = Unit(root / "lib/systemd/system/graftd.service")
        self.process = None

    def make_directories(self):
        user = self.unit.one("User")
        for name, above in (("State", "/var/lib"), ("Cache", "/var/cache"), ("Runtime", "/run")):
            place = self.root / above / self.unit.one(name + "Directory")
            place.mkdir(exist_ok=True)
            self.root.run(["chown", user + ":" + self.unit.one("Group"), f"{above}/{place.name}"])
            place.chmod(int(self.unit.one(name + "DirectoryMode"), 8))

    def load_credential(self):
        name, source = self.unit.one("LoadCredential").split(":")
        place = self.root / "run/credentials/graftd.service"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True, mode=0o700)
        shutil.copyfile(self.root / source, place / name)
        (place / name).chmod(0o400)
        self.root.run(["chown", "-R", self.unit.one("User"), "/run/credentials/graftd.service"])
        return "/run/credentials/graftd.service"

    def start(self):
        check((self.root / self.unit.one("ConditionPathExists")).exists(), "the service would be skipped")
        self.make_directories()
        environment = {"PATH": self.root.environment["PATH"], "CREDENTIALS_DIRECTORY": self.load_credential()}
        defaults = (self.root / self.unit.one("EnvironmentFile").removeprefix("-")).read_text()
        environment.update(line.split("=", 1) for line in defaults.splitlines() if line and not line.startswith("#"))
        user = f"--userspec={self.unit.one('User')}:{self.unit.one('Group')}"
        command = ["chroot", user, str(self.root.path), *shlex.split(self.unit.one("ExecStart"))]
        umask = int(self.unit.one("UMask"), 8)
        with open(self.root / "graftd.log", "wb") as log:
            self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT, preexec_fn=lambda: os.umask(umask))

    def text(self):
        return (self.root / "graftd.log").read_text()

    def wait_until_converged(self):
        """As `graftd status` tells root on the machine."""
        until = time.monotonic() + 120
        while time.monotonic() < until:
            check(self.process.poll() is None, f"graftd ended with code {self.process.poll()}:\n{self.text()}")
            done = subprocess.run(["chroot", str(self.root.path), "graftd", "status", "-o", "json"],
                                  env=self.root.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, check=False)
            if done.returncode == 0 and json.loads(done.stdout)["state"] == "converged":
                return
            time.sleep(0.2)
        check(False, f"not converged:\n{done.stdout}\n{self.text()}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        equal(self.process.wait(timeout=60), 0, f"exit code after SIGTERM; {self.text()}")

    def history(self):
        return json.loads(self.root.run(["graftd", "history", "-o", "json"]))


def apt(root, *command):
    return root.run(["apt-get", "-y", "-q", "-o", "APT::Keep-Downloaded-Packages=true", *command])


def offer(root, package):
    """Puts the package where apt's own user may read it."""
    place = root / "tmp" / package.name
    shutil.copyfile(package, place)
    return f"/tmp/{package.name}"


def edit(path, pattern, line):
    """Exactly one line."""
    text, times = re.subn(pattern, line, path.read_text(), flags=re.MULTILINE)
    equal(times, 1, f"lines of {path.name} that match {pattern}")
    path.write_text(text)


def later_version(package, work):
    """The same package under a higher version, with a configuration that is shipped otherwise than before."""
    tree = unpacked(package, work / "later")
    edit(tree / "DEBIAN/control", r"^Version: .*$", "Version: 99.0")
    with open(tree / CONFIGURATION.lstrip("/"), "a", encoding="utf-8") as file:
        file.write("# a line of a later version\n")
    made = work / "graftd_99.0.deb"
    run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-b", tree, made])
    return made


def identity(path):
    """Changes when the file is written anew, even with the same content."""
    seen = path.stat()
    return seen.st_ino, seen.st_mtime_ns, seen.st_mode, hashlib.sha256(path.read_bytes()).hexdigest()


def installs(root, package, simulator):
    apt(root, "update")
    apt(root, "install", "--no-install-recommends", offer(root, package))
    equal(root.run(["stat", "-c", "%U %a", CREDENTIALS]).split(), ["root", "700"], CREDENTIALS)
    equal(root.run(["getent", "passwd", "graftd"]).split(":")[5], STATE, "home of the user graftd")
    # By name: a link into the root leads nowhere from here.
    enabled = [path for path in (root / "etc/systemd/system").rglob("*") if path.name == "graftd.service"]
    equal(enabled, [], "the service is enabled before it is configured")
    # It is the same again: as after an interrupted installation.
    root.run(["dpkg-reconfigure", "graftd"])

    edit(root / CONFIGURATION, r"^owner: .*$", "owner: test-of-the-package")
    edit(root / CONFIGURATION, r"^  url: http.*$", f"  url: {simulator.url}")
    password = root / CREDENTIALS / "grafana-password"
    password.write_text(PASSWORD + "\n")
    password.chmod(0o600)
    # No port, so that nothing on this machine is in its way.
    with open(root / DEFAULTS, "a", encoding="utf-8") as file:
        file.write("GRAFTD_HTTP_LISTEN=none\n")
    run(["cp", "-a", root / "usr/share/doc/graftd/examples/tutorial/apiorg.yaml", root / "etc/graftd/manifests/"])
    root.run(["graftd", "check", "/etc/graftd/manifests"])


def converges(root, service, simulator):
    service.start()
    service.wait_until_converged()
    key = root / KEY
    equal(root.run(["stat", "-c", "%U %a", KEY]).split(), ["graftd", "600"], KEY)
    check(simulator.knows(key.read_text().strip()), "Grafana does not know the delivered key")
    check(service.history(), "the history is empty")


def upgrades(root, service, package, work):
    before, edited, history = identity(root / KEY), (root / CONFIGURATION).read_text(), service.history()
    service.stop()
    said = apt(root, "install", "-o", "Dpkg::Options::=--force-confold", offer(root, later_version(package, work)))
    version = root.run(["dpkg-query", "-W", "-f", "${Version}", "graftd"])
    equal(version, "99.0", f"version after the upgrade; apt: {said}")
    equal((root / CONFIGURATION).read_text(), edited, "edited configuration after the upgrade")
    shipped = (root / (CONFIGURATION + ".dpkg-dist")).read_text()
    check("later version" in shipped, "the new configuration is not beside the edited one")
    check("GRAFTD_HTTP_LISTEN=none" in (root / DEFAULTS).read_text(), f"{DEFAULTS} lost its edit")
    service.start()
    service.wait_until_converged()
    equal(identity(root / KEY), before, "file of the key after the upgrade")
    equal(service.history(), history, "history after the upgrade: nothing was changed")
    service.stop()


def keeps(root, what, before):
    equal(identity(root / KEY), before, f"file of the key after the {what}")
    check((root / STATE / "state").is_dir(), f"the state is gone after the {what}")
    equal((root / CREDENTIALS / "grafana-password").read_text(), PASSWORD + "\n", f"password after the {what}")


def is_removed_and_purged(root, package):
    before = identity(root / KEY)
    step("remove: everything of the user's is kept")
    apt(root, "remove", "graftd")
    check(not (root / "usr/bin/graftd").exists(), "the program is there after the removal")
    check("test-of-the-package" in (root / CONFIGURATION).read_text(), "the configuration is gone after the removal")
    keeps(root, "removal", before)

    step("purge that can ask nobody: state, keys and login are kept, and it says where")
    said = apt(root, "purge", "graftd")
    check(STATE in said and CREDENTIALS in said, f"it does not say what it keeps:\n{said}")
    check(not (root / CONFIGURATION).exists() and not (root / DEFAULTS).exists(), "a conffile is there after the purge")
    keeps(root, "purge", before)

    step("installed again and purged, with the answer given in advance: state, keys and login are deleted")
    apt(root, "install", "--no-install-recommends", offer(root, package))
    keeps(root, "second installation", before)
    root.run(["sh", "-c", "echo 'graftd graftd/purge-data boolean true' | debconf-set-selections"])
    apt(root, "purge", "graftd")
    check(not (root / STATE).exists(), "the state is there after it was to be deleted")
    check(not (root / CREDENTIALS).exists(), "the login is there after it was to be deleted")
    check((root / "etc/graftd/manifests/apiorg.yaml").exists(), "manifests were deleted")
    equal(root.run(["sh", "-c", "debconf-show graftd"]).strip(), "", "answers that debconf keeps after the purge")


def main():
    if not is_root():
        print("skipped: a root of its own (chroot) is for root alone")
        sys.exit(NO_ROOT)
    in_a_mount_namespace()
    options = arguments("simulator")
    package = made_package(options.work)
    root = DebianRoot(options.work)
    simulator = Simulator(options.simulator)
    service = None
    try:
        step("install, edit two lines, put the password")
        installs(root, package, simulator)
        step("start: converged")
        service = Service(root)
        converges(root, service, simulator)
        step("upgrade: the edit, the key and the state are kept, and nothing is changed")
        upgrades(root, service, package, options.work)
        is_removed_and_purged(root, package)
        step("done")
    finally:
        if service and service.process and service.process.poll() is None:
            service.process.kill()
            service.process.wait()
        simulator.end()


main()
