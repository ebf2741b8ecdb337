"""What is in the package, without installing it."""
import json
import os
import re
import stat
import subprocess
import uuid

from support import ROOT, arguments, check, equal, loaded_libraries, made_package, owner_of, run, step, unpacked

FILES = """
usr/bin/graftd lib/systemd/system/graftd.service usr/lib/sysusers.d/graftd.conf usr/lib/tmpfiles.d/graftd.conf
etc/graftd/graftd.yaml etc/default/graftd
usr/share/man/man8/graftd.8.gz usr/share/man/man5/graftd.yaml.5.gz usr/share/man/man5/graftd-manifest.5.gz
usr/share/man/man7/graftd-metrics.7.gz
usr/share/bash-completion/completions/graftd usr/share/zsh/vendor-completions/_graftd
usr/share/fish/vendor_completions.d/graftd.fish
usr/share/graftd/schema/graftd.schema.json usr/share/graftd/schema/manifest.schema.json
usr/share/graftd/prometheus/graftd.rules.yaml usr/share/graftd/grafana/graftd-dashboard.json
usr/share/doc/graftd/copyright usr/share/doc/graftd/changelog.gz usr/share/doc/graftd/README.md
usr/share/doc/graftd/docs/operating.md usr/share/doc/graftd/examples/tutorial/apiorg.yaml
usr/share/doc/graftd/graftd.spdx.json
""".split()


def holds_its_files(tree, package):
    for name in FILES:
        check((tree / name).is_file(), f"{name} is not in the package")
    equal(list((tree / "etc/graftd/manifests").iterdir()), [], "content of etc/graftd/manifests")
    check(not (tree / "etc/graftd/credentials").exists(), "the directory of the login belongs to no package")
    conffiles = (tree / "DEBIAN/conffiles").read_text().split()
    equal(sorted(conffiles), ["/etc/default/graftd", "/etc/graftd/graftd.yaml"], "conffiles")
    in_etc = {"/" + str(path.relative_to(tree)) for path in (tree / "etc").rglob("*") if path.is_file()}
    equal(in_etc, set(conffiles), "files in /etc that are conffiles")
    for line in run(["dpkg-deb", "-c", package]).splitlines():
        check(line.split()[1] == "root/root", f"not root's: {line}")


def names_an_installed_schema(tree):
    first = (tree / "etc/graftd/graftd.yaml").read_text().splitlines()[0]
    path = re.fullmatch(r"# yaml-language-server: \$schema=/(\S+)", first)
    check(path and (tree / path[1]).is_file(), f"the schema of graftd.yaml is not in the package: {first}")


def is_of_no_place_and_no_time(tree):
    for path in tree.rglob("*"):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            check(os.fsencode(ROOT) not in content, f"{path} holds the path of the sources")
            if path.suffix == ".gz":
                equal(content[3:8], bytes(5), f"name and time in the header of {path}")
    epoch = int(run(["dpkg-parsechangelog", "-l", ROOT / "deploy/debian/changelog", "-S", "Timestamp"]))
    for path in tree.rglob("*"):
        if "DEBIAN" not in path.parts:
            check(path.lstat().st_mtime <= epoch, f"{path} is younger than the changelog")
    return epoch


def is_hardened(binary):
    header, dynamic = run(["readelf", "-hW", binary]), run(["readelf", "-dlW", binary])
    check(" DYN " in header.replace("(", " (") and "PIE" in dynamic, "the binary is not position independent")
    check("GNU_RELRO" in dynamic and "BIND_NOW" in dynamic, "not all relocations are read-only")
    stack = re.search(r"GNU_STACK.*", dynamic)
    check(stack and " E " not in stack[0] and "RWE" not in stack[0], "the stack is executable")
    symbols = run(["readelf", "--dyn-syms", "-W", binary])
    check("__stack_chk_fail" in symbols, "no stack protector")
    check(re.search(r"__\w+_chk@", symbols.replace("__stack_chk_fail", "")), "no fortified function")
    if os.uname().machine == "x86_64":
        # The note of it is missing: Debian's C library is without, so the linker leaves it away.
        endbr64 = b"\xf3\x0f\x1e\xfa"
        check(binary.read_bytes().count(endbr64) > 100, "no control-flow protection")
    check(".symtab" not in run(["readelf", "-SW", binary]), "not stripped")
    check(stat.S_IMODE(binary.stat().st_mode) == 0o755, "mode of the binary")


def lists_its_parts(tree, epoch):
    text = (tree / "usr/share/doc/graftd/graftd.spdx.json").read_text()
    sbom = json.loads(text)
    head = (sbom["spdxVersion"], sbom["dataLicense"], sbom["SPDXID"])
    equal(head, ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT"), "head of the SBOM")
    uuid.UUID(sbom["documentNamespace"].removeprefix("urn:uuid:"))
    created = run(["date", "-u", "-d", f"@{epoch}", "+%Y-%m-%dT%H:%M:%SZ"]).strip()
    equal(sbom["creationInfo"]["created"], created, "time of the SBOM")
    packages = {package["SPDXID"]: package for package in sbom["packages"]}
    equal(len(packages), len(sbom["packages"]), "packages with an id of their own")
    for package in packages.values():
        for key in ("name", "versionInfo", "downloadLocation", "licenseConcluded", "licenseDeclared", "copyrightText"):
            check(package[key], f"{package['name']} has no {key}")
    related = {}
    for relation in sbom["relationships"]:
        for end in (relation["spdxElementId"], relation["relatedSpdxElement"]):
            check(end in packages or end == "SPDXRef-DOCUMENT", f"{end} is not in the SBOM")
        related.setdefault(relation["relationshipType"], set()).add(relation["relatedSpdxElement"])
    equal(related["DESCRIBES"], {"SPDXRef-Package-graftd"}, "what the SBOM describes")

    # Held against the loader: every library, and nothing else.
    listed = {packages[part]["name"] for part in related["DYNAMIC_LINK"]}
    equal(listed, {owner_of(file) for file in loaded_libraries(tree / "usr/bin/graftd")}, "linked packages")
    compiled = {packages[part]["name"] for part in related["STATIC_LINK"]}
    for part in ("libboost1.81-dev", "nlohmann-json3-dev", "libcli11-dev"):
        check(part in compiled, f"{part}, which is compiled in, is not in the SBOM")
    for part in packages.values():
        if part["name"] != "graftd":
            version = run(["dpkg-query", "-W", "-f", "${Version}\n", part["name"]]).splitlines()[0]
            equal(part["versionInfo"], version, f"version of {part['name']}")
            check(part["externalRefs"][0]["referenceLocator"].startswith("pkg:deb/debian/"), f"purl of {part['name']}")


def depends_on_what_it_links(tree):
    control = (tree / "DEBIAN/control").read_text()
    depends = re.search(r"^Depends: (.*)$", control, re.MULTILINE)[1]
    needed = re.findall(r"\(NEEDED\).*\[(.+)\]", run(["readelf", "-dW", tree / "usr/bin/graftd"]))
    paths = {os.path.basename(path): path for path in loaded_libraries(tree / "usr/bin/graftd")}
    for library in needed:
        package = owner_of(paths[library])
        check(re.search(rf"(^|, ){re.escape(package)}[ ,-]", depends + ","), f"{library} of {package} is not in Depends")


def pleases_lintian(package):
    done = subprocess.run(["lintian", "--allow-root", "--no-cfg", "--profile", "debian", "--display-info",
                           "--fail-on", "error,warning", str(package)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(done.stdout)
    equal(done.returncode, 0, "lintian")


def main():
    options = arguments()
    package = made_package(options.work)
    tree = unpacked(package, options.work / "contents")
    step("files")
    holds_its_files(tree, package)
    names_an_installed_schema(tree)
    step("neither place nor time of the build")
    epoch = is_of_no_place_and_no_time(tree)
    step("hardening")
    is_hardened(tree / "usr/bin/graftd")
    step("dependencies, and the SBOM against the loader")
    depends_on_what_it_links(tree)
    lists_its_parts(tree, epoch)
    step("lintian")
    pleases_lintian(package)


main()
