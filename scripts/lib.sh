# shellcheck shell=bash disable=SC2034
# Shared by the scripts beside it: where the project is, and how things are said. Sourced, not run.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '==> %s\n' "$*"; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Debian 12 packages that building and testing need.
build_packages=(g++ cmake ninja-build ccache pkg-config git ca-certificates
  libboost1.81-dev libboost-url1.81-dev libssl-dev libyaml-cpp-dev nlohmann-json3-dev
  libspdlog-dev libfmt-dev libcli11-dev libsqlite3-dev libsystemd-dev prometheus-cpp-dev
  libgit2-dev doctest-dev librapidcheck-dev)
# What makes the Debian package beside.
package_packages=(dpkg-dev file python3)
# What the tests use beside: a browser for the status page, promtool, systemd-analyze; the shells that complete and the
# judge of manual pages; git and an SSH server to fetch manifests from; a Debian of its own to install the package in, and
# the judge of packages.
test_packages=("${package_packages[@]}" chromium chromium-driver prometheus systemd
  mandoc bash-completion zsh fish python3-jsonschema python3-yaml python3-kubernetes openssh-server openssh-client
  debootstrap openssl util-linux lintian faketime)
check_packages=(clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev shellcheck)

# Installs what is missing of the packages named; says so first, and does nothing when all are there.
install_missing() {
  local missing=() package
  for package in "$@"; do
    [[ $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) == 'install ok installed' ]] || missing+=("$package")
  done
  ((${#missing[@]} == 0)) && return 0
  command -v apt-get >/dev/null || die "these Debian 12 packages are needed: ${missing[*]}"
  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "run as root, or install: ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing with apt: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
