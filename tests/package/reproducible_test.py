"""The same sources in another folder, at another time, under another umask and locale: the same bytes.

A second compilation of everything takes as long as the first, so by default every eighth object is compiled again in
another folder and compared, and the package is packed again from the first build under another date, umask, locale and
time zone. GRAFTD_TEST_REPRODUCIBLE=all compiles everything again and compares the packages."""
import os
import pathlib
import shutil
import subprocess

from support import ROOT, arguments, check, fail, made_package, run, step, unpacked


def sources():
    """The files of the project: those that git knows or would take, or else everything but what is built."""
    if (ROOT / ".git").exists():
        listed = run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]).split("\0")
        return [name for name in listed if name and (ROOT / name).exists()]
    return [str(path.relative_to(ROOT)) for path in ROOT.rglob("*")
            if path.is_file() and path.relative_to(ROOT).parts[0] not in ("build", "run")]


def copy_sources(place):
    """Leaves what is built there: a second run of this test compiles only what has changed."""
    wanted = set(sources())
    for name in wanted:
        target = place / name
        if not target.exists() or target.read_bytes() != (ROOT / name).read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target)
            shutil.copymode(ROOT / name, target)
    for path in place.rglob("*"):
        name = path.relative_to(place)
        if path.is_file() and name.parts[0] != "build" and str(name) not in wanted:
            path.unlink()


def environment():
    values = dict(os.environ, TZ="Pacific/Kiritimati", LC_ALL="C", LANG="C", USER="somebody", HOME="/nonexistent")
    # The folder of ccache is below HOME unless it is named.
    home = pathlib.Path(os.environ.get("HOME", "/root"))
    values.setdefault("CCACHE_DIR", str(home / ".ccache" if (home / ".ccache").is_dir() else home / ".cache/ccache"))
    # The revision is part of the binary, and the copy has no history.
    if (ROOT / ".git").exists():
        values["GIT_DIR"] = run(["git", "-C", ROOT, "rev-parse", "--absolute-git-dir"]).strip()
        values.update(GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="safe.directory", GIT_CONFIG_VALUE_0="*")
    return values


def explain(work, first, second):
    one, other = unpacked(first, work / "first"), unpacked(second, work / "second")
    print(run(["diff", "-rq", one, other], codes=(0, 1)))
    fail(f"{first} and {second} differ")


def compare(work, first, second):
    check(second.is_file(), f"{second} was not made")
    if first.read_bytes() != second.read_bytes():
        explain(work, first, second)
    step(f"equal: {run(['sha256sum', first]).split()[0]}")


def under_other_skies(command):
    command = ["faketime", "-f", "+400d", *[str(part) for part in command]]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, check=False, env=environment(),
                          preexec_fn=lambda: os.umask(0o027))
    check(done.returncode == 0, f"{' '.join(command)}: exit code {done.returncode}")


def compile_sample(place):
    """Every eighth object of the first build, compiled in `place`, must be the same bytes."""
    first = ROOT / "build/package"
    objects = sorted(str(path.relative_to(first)) for path in first.rglob("*.cpp.o"))
    sample = objects[::8]
    check(len(sample) > 10, f"{first} holds {len(objects)} objects")
    step(f"compiling {len(sample)} of {len(objects)} objects again in {place}, 400 days later")
    copy_sources(place)
    second = place / "build/package"
    cache = (first / "CMakeCache.txt").read_text(encoding="utf-8")
    kept = [line.split("=", 1)[1] for line in cache.splitlines() if line.startswith("CMAKE_CXX_FLAGS_RELEASE:")]
    under_other_skies(["cmake", "-S", place, "-B", second, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                       f"-DCMAKE_CXX_FLAGS_RELEASE={kept[0]}", "-DCMAKE_INSTALL_PREFIX=/usr", "-DGRAFTD_TESTS=OFF",
                       "-DGRAFTD_PACKAGE=ON"])
    under_other_skies(["ninja", "-C", second, *sample])
    differing = [name for name in sample if (first / name).read_bytes() != (second / name).read_bytes()]
    check(not differing, f"objects that differ when they are compiled elsewhere: {', '.join(differing)}")


def main():
    options = arguments()
    first = made_package(options.work)
    place = options.work / "elsewhere/graftd-copy"
    output = options.work / "again"
    shutil.rmtree(output, ignore_errors=True)
    if os.environ.get("GRAFTD_TEST_REPRODUCIBLE") == "all":
        step(f"building again in {place}, 400 days later")
        copy_sources(place)
        under_other_skies([place / "scripts/package", "--output", output])
    else:
        compile_sample(place)
        step("packing again, 400 days later")
        under_other_skies([ROOT / "scripts/package", "--output", output])
    compare(options.work, first, output / first.name)


main()
