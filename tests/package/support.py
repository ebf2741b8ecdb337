"""What the tests of the package share: the package under test, and running programs."""
import argparse
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def arguments(*more):
    parser = argparse.ArgumentParser()
    for name in ("work", *more):
        parser.add_argument("--" + name, required=True, type=pathlib.Path)
    return parser.parse_args()


def fail(text):
    print(f"FAILED: {text}", flush=True)
    sys.exit(1)


def check(condition, text):
    if not condition:
        fail(text)


def equal(found, wanted, what):
    check(found == wanted, f"{what}: found {found!r}, wanted {wanted!r}")


def step(text):
    print(f"==> {text}", flush=True)


def run(command, codes=(0,), **options):
    """The program's standard output and error as one text; fails when the exit code is another than those named."""
    command = [str(part) for part in command]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False, **options)
    check(done.returncode in codes, f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout[-8000:]}")
    return done.stdout


def made_package(work):
    found = sorted((work / "made").glob("graftd_*.deb"))
    equal(len(found), 1, f"packages in {work / 'made'}")
    return found[0]


def unpacked(package, place):
    """The package's files below `place`, its control files in `place`/DEBIAN."""
    run(["rm", "-rf", place])
    run(["dpkg-deb", "-R", package, place])
    return place


def owner_of(file):
    """The Debian package of a file of this machine, without its architecture."""
    for spelling in (file, "/usr" + file, re.sub("^/usr", "", file)):
        done = subprocess.run(["dpkg", "-S", spelling], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              check=False)
        if done.returncode == 0:
            return done.stdout.split(":")[0]
    return fail(f"{file} belongs to no package")


def loaded_libraries(binary):
    """What the loader maps for it, by its own word."""
    return set(re.findall(r"(?:=> |^\s*)(/\S+) \(0x", run(["ldd", binary]), re.MULTILINE))


def is_root():
    return os.geteuid() == 0
