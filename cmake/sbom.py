#!/usr/bin/env python3
"""Writes the list of graftd's parts (SPDX 2.3, JSON): the Debian packages whose shared libraries its binary loads, and
those whose headers were compiled into it. Both are found, not listed: by the loader, and by what the compiler read.

The same binary and packages give the same bytes; the time in it is SOURCE_DATE_EPOCH."""
import argparse
import datetime
import json
import os
import re
import subprocess
import sys
import urllib.parse
import uuid

# By source package. What is not here is declared as unknown (NOASSERTION): its copyright file tells.
LICENCES = {
    "boost1.81": "BSL-1.0",
    "cli11": "BSD-3-Clause",
    "fmtlib": "MIT",
    "gcc-12": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "glibc": "LGPL-2.1-or-later",
    "libssh2": "BSD-3-Clause",
    "mbedtls": "Apache-2.0",
    "nlohmann-json3": "MIT",
    "openssl": "Apache-2.0",
    "pcre2": "BSD-3-Clause",
    "prometheus-cpp": "MIT",
    "spdlog": "MIT",
    "sqlite3": "blessing",
    "systemd": "LGPL-2.1-or-later",
    "yaml-cpp": "MIT",
    "zlib": "Zlib",
}


# A library that is preloaded into who packs is no part of the package.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in ("LD_PRELOAD", "LD_LIBRARY_PATH")}


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT).stdout


def loaded_files(binary):
    """The shared libraries that the loader maps for the binary: the whole closure of DT_NEEDED."""
    listed = output("ldd", binary)
    if "not found" in listed:
        sys.exit(f"error: a library of {binary} is missing:\n{listed}")
    return set(re.findall(r"(?:=> |^\s*)(/\S+) \(0x", listed, re.MULTILINE))


def read_headers(build, objects):
    """The headers outside of the project that the compiler read for the binary, from ninja's record."""
    files = set()
    used = False
    for line in output("ninja", "-C", build, "-t", "deps").splitlines():
        if line and not line.startswith(" "):
            used = line.split(":")[0] in objects
        elif used and line.startswith("    /usr/"):
            files.add(os.path.realpath(line.strip()))
    return files


def objects_of(build, binary):
    target = os.path.relpath(binary, build)
    inputs = output("ninja", "-C", build, "-t", "inputs", target).splitlines()
    found = {line.strip() for line in inputs if line.strip().endswith(".o")}
    if not found:
        sys.exit(f"error: ninja knows no objects of {target}")
    return found


def owners(files):
    """The packages that the files belong to. dpkg may know a file by its place before /lib and /usr/lib became one."""
    packages = set()
    for file in sorted(files):
        for spelling in (file, os.path.realpath(file), "/usr" + file, file.removeprefix("/usr")):
            found = subprocess.run(["dpkg", "-S", spelling], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            if found.returncode == 0:
                packages.add(found.stdout.split(": ")[0].split(",")[0])
                break
        else:
            sys.exit(f"error: {file} belongs to no package")
    return packages


def header_owners(headers):
    """As owners(), for thousands of files: one call of dpkg for each package found."""
    packages, left = set(), set(headers)
    while left:
        package = owners({min(left)}).pop()
        packages.add(package)
        left -= {os.path.realpath(line) for line in output("dpkg", "-L", package).splitlines()} | {min(left)}
    return packages


def distribution():
    with open("/etc/os-release", encoding="utf-8") as file:
        values = dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)
    return values["ID"].strip('"'), values.get("VERSION_ID", "").strip('"')


def spdx_id(name):
    return "SPDXRef-Package-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def package_entry(name, purpose):
    query = "${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\t${Homepage}"
    binary, version, architecture, source, source_version, homepage = output(
        "dpkg-query", "-W", "-f", query, name).split("\t")
    vendor, release = distribution()
    quote = lambda text: urllib.parse.quote(text, safe=".~-")
    purl = f"pkg:deb/{vendor}/{quote(binary)}@{quote(version)}?arch={architecture}&distro={vendor}-{release}"
    entry = {
        "name": binary,
        "SPDXID": spdx_id(binary),
        "versionInfo": version,
        "supplier": "Organization: " + vendor.capitalize(),
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": LICENCES.get(source, "NOASSERTION"),
        "copyrightText": "NOASSERTION",
        "sourceInfo": f"built from the {vendor} source package {source} {source_version}",
        "primaryPackagePurpose": purpose,
        "externalRefs": [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}
        ],
    }
    if homepage:
        entry["homepage"] = homepage
    return entry


def relation(left, kind, right):
    return {"spdxElementId": left, "relationshipType": kind, "relatedSpdxElement": right}


def document(arguments):
    """All but the document's own name in the world, which depends on the rest."""
    own = {
        "name": "graftd",
        "SPDXID": spdx_id("graftd"),
        "versionInfo": arguments.version,
        "supplier": "Organization: graftd maintainers",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "Apache-2.0",
        "licenseDeclared": "Apache-2.0",
        "copyrightText": "2026 the graftd authors",
        "primaryPackagePurpose": "APPLICATION",
    }
    dynamic = owners(loaded_files(arguments.binary))
    compiled = header_owners(read_headers(arguments.build, objects_of(arguments.build, arguments.binary)))
    compiler = owners({os.path.realpath(arguments.compiler)})
    entries = {}
    relations = [relation("SPDXRef-DOCUMENT", "DESCRIBES", own["SPDXID"])]
    for names, purpose, relate in (
        (dynamic, "LIBRARY", lambda part: relation(own["SPDXID"], "DYNAMIC_LINK", part)),
        (compiled, "LIBRARY", lambda part: relation(own["SPDXID"], "STATIC_LINK", part)),
        (compiler, "APPLICATION", lambda part: relation(part, "BUILD_TOOL_OF", own["SPDXID"])),
    ):
        for name in sorted(names):
            entry = package_entry(name, purpose)
            entries.setdefault(entry["SPDXID"], entry)
            relations.append(relate(entry["SPDXID"]))
    created = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"graftd-{arguments.version}",
        "creationInfo": {"created": created.strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": ["Tool: graftd-sbom"]},
        "documentDescribes": [own["SPDXID"]],
        "packages": [own] + [entries[key] for key in sorted(entries)],
        "relationships": relations,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("version", "binary", "build", "compiler", "output"):
        parser.add_argument("--" + name, required=True)
    arguments = parser.parse_args()
    parts = document(arguments)
    identity = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(parts, sort_keys=True))
    parts["documentNamespace"] = f"urn:uuid:{identity}"
    with open(arguments.output, "w", encoding="utf-8") as file:
        json.dump(parts, file, indent=2, ensure_ascii=False)
        file.write("\n")


main()
