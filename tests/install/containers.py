"""What podman and docker do with an image, as far as docs/install.md needs it: the root that deploy/container/rootfs
lays out, read-only when asked for, volumes mounted in it, the image's user without capabilities, and the network of
the test. Runs in the mount and process namespaces of the test and keeps everything in one folder."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
USER = re.search(r"^USER (\d+):(\d+)$", (SOURCE / "deploy/container/Containerfile").read_text(), re.MULTILINE)
IDS = [f"--setuid={USER[1]}", f"--setgid={USER[2]}"]
HOSTS = "127.0.0.1 localhost grafana grafana.example.com\n"


def fail(text):
    sys.exit(f"stand-in: {text}")


class Containers:
    def __init__(self, folder, binary):
        self.folder, self.binary = folder, binary
        (folder / "volumes").mkdir(parents=True, exist_ok=True)

    def image(self, name):
        return self.folder / "image" / name.replace(":", "_")

    def build(self, name, containerfile, context):
        """As the steps of the Containerfile, but for the compilation."""
        steps = pathlib.Path(containerfile).read_text()
        if "RUN /graftd/deploy/container/rootfs /graftd/build/release/bin/graftd /rootfs" not in steps:
            fail(f"{containerfile} makes its root otherwise")
        self.image(name).parent.mkdir(exist_ok=True)
        environment = dict(os.environ, GRAFTD_ROOTFS_UID=USER[1])
        script = pathlib.Path(context, "deploy/container/rootfs")
        subprocess.run([script, self.binary, self.image(name)], check=True, env=environment)

    def volume(self, name, image, place):
        """A new one begins as the image's folder, with its owner."""
        volume = self.folder / "volumes" / name
        if not volume.exists():
            original = image / place.lstrip("/")
            if original.exists():
                subprocess.run(["cp", "-a", original, volume], check=True)
            else:
                volume.mkdir()
        return volume

    def root_of(self, image):
        """The image's root with the mount points that a runtime makes."""
        if not image.exists():
            fail(f"there is no image {image.name}")
        root = self.folder / f"root{os.getpid()}"
        subprocess.run(["cp", "-a", image, root], check=True)
        for name in ("proc", "dev"):
            (root / name).mkdir()
        (root / "etc/hosts").write_text(HOSTS)
        return root

    def mounts(self, image, root, volumes, temporary, read_only):
        """A shell's commands: what is mounted where, outer places first."""
        lines = ["set -eu", f"mount --bind {root} {root}"]
        after = []
        for source, place, *mode in sorted(volumes, key=lambda volume: volume[1]):
            named = not source.startswith(("/", "."))
            path = self.volume(source, image, place) if named else pathlib.Path(source).resolve()
            if not path.exists():
                fail(f"there is no {source} to mount")
            target = root / place.lstrip("/")
            lines.append(f"[ -e {target} ] || " + (f"mkdir -p {target}" if path.is_dir() else
                                                   f"install -D /dev/null {target}"))
            lines.append(f"mount --bind {path} {target}")
            after += [f"mount -o remount,bind,ro {target}"] if mode == ["ro"] else []
        for place, options in temporary:
            lines.append(f"mount -t tmpfs -o {options or 'mode=1777'} tmpfs {root}/{place.lstrip('/')}")
        lines += [f"mount -t proc proc {root}/proc", f"mount --bind /dev {root}/dev"] + after
        if read_only:
            lines.append(f"mount -o remount,bind,ro {root}")
        return lines

    def run(self, name, image_name, arguments, *, volumes=(), temporary=(), read_only=False, detached=False,
            network=True):
        """graftd with the arguments; its exit code, or 0 at once when it is to go on by itself."""
        image = self.image(image_name)
        root = self.root_of(image)
        script = "\n".join(self.mounts(image, root, volumes, temporary, read_only) + [
            "ulimit -c 0",
            f'exec unshare --root={root} --wd=/ {" ".join(IDS)} -- /usr/bin/graftd "$@"'])
        command = ["unshare", "--mount", "--propagation=private", *([] if network else ["--net"]), "sh", "-c", script,
                   "container", *arguments]
        environment = {"PATH": os.environ["PATH"]}
        if not detached:
            return subprocess.run(command, env=environment, check=False).returncode
        with open(self.folder / f"{name}.log", "wb") as log:
            process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=subprocess.STDOUT, start_new_session=True)
        (self.folder / f"{name}.pid").write_text(str(process.pid))
        return 0

    def log(self, name):
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def pid(self, name):
        file = self.folder / f"{name}.pid"
        if not file.exists():
            fail(f"there is no container {name}")
        pid = int(file.read_text())
        state = pathlib.Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            fail(f"the container {name} has ended:\n{self.log(name)}")
        return pid

    def execute(self, name, command):
        """Silent and 1 while the container is still being made."""
        pid = self.pid(name)
        if os.readlink(f"/proc/{pid}/root") == "/":
            return 1
        enter = ["nsenter", f"--target={pid}", "--mount", "--root", "--wd", "--net", *IDS]
        return subprocess.run([*enter, "--", *command], check=False, env={"PATH": os.environ["PATH"]}).returncode

    def copy(self, source, target):
        name, _, path = source.partition(":")
        shutil.copyfile(f"/proc/{self.pid(name)}/root{path}", target)
        return 0

    def wait_until_healthy(self, name, probe, seconds=90):
        until = time.monotonic() + seconds
        while self.execute(name, probe) != 0:
            if time.monotonic() > until:
                fail(f"the container {name} is not healthy:\n{self.log(name)}")
            time.sleep(0.5)
