"""Stands in for podman, docker, kubectl and helm when the commands of docs/install.md are carried out: called with one
of these names and its arguments. It knows exactly the options that stand there; whatever else is an error.

podman and docker: graftd is run in the file system of the image (containers.py); of compose.yaml the service graftd,
with the simulator in place of the service grafana.
kubectl and helm: nothing is run. Files, names and command lines are checked, and the real programs are asked where they
are installed."""
import argparse
import base64
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

import yaml

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / "deploy")]

from containers import Containers, fail

FOLDER, BINARY = pathlib.Path(os.environ["STAND_IN_FOLDER"]), os.environ["STAND_IN_BINARY"]
CONTAINERS = Containers(FOLDER, BINARY)


class Parser(argparse.ArgumentParser):
    def __init__(self, name):
        super().__init__(prog=name, allow_abbrev=False, add_help=False)

    def error(self, message):
        fail(f"{self.prog}: {message}")


def build(arguments):
    parser = Parser("build")
    parser.add_argument("-f", required=True)
    parser.add_argument("-t", required=True)
    parser.add_argument("--build-arg", default="REVISION=unknown")
    parser.add_argument("context")
    options = parser.parse_args(arguments)
    name, _, value = options.build_arg.partition("=")
    if f"ARG {name}=" not in pathlib.Path(options.f).read_text() or not value:
        fail(f"--build-arg {options.build_arg}")
    shutil.rmtree(CONTAINERS.image(options.t), ignore_errors=True)
    CONTAINERS.build(options.t, options.f, options.context)
    return 0


def run_container(arguments):
    parser = Parser("run")
    parser.add_argument("-d", action="store_true")
    parser.add_argument("--rm", action="store_true")
    parser.add_argument("--read-only", action="store_true")
    parser.add_argument("--name", default="unnamed")
    parser.add_argument("--cap-drop", choices=["all"], required=True)
    parser.add_argument("--network", choices=["none"])
    parser.add_argument("-v", action="append", default=[])
    parser.add_argument("--tmpfs", action="append", default=[])
    parser.add_argument("image")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    return CONTAINERS.run(options.name, options.image, options.arguments, read_only=options.read_only,
                          volumes=[volume.split(":") for volume in options.v], detached=options.d,
                          temporary=[one.partition(":")[::2] for one in options.tmpfs], network=not options.network)


def start_grafana(file, password_file):
    """In place of the service grafana."""
    password = (file.parent / password_file).read_text().strip()
    with open(FOLDER / "grafana.log", "wb") as log:
        command = [os.environ["STAND_IN_SIMULATOR"], "--listen", "127.0.0.1:3000", "--admin", "admin:" + password]
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)


def compose_up(file):
    described = yaml.safe_load(file.read_text())
    service = described["services"]["graftd"]
    if service["cap_drop"] != ["ALL"]:
        fail("graftd keeps capabilities")
    secrets = {name: secret["file"] for name, secret in described["secrets"].items()}
    start_grafana(file, secrets["grafana-password"])
    volumes = [volume.split(":") for volume in service["volumes"]]
    volumes += [[secrets[name], "/run/secrets/" + name, "ro"] for name in service["secrets"]]
    for volume in volumes:
        if volume[0].startswith("."):
            volume[0] = str((file.parent / volume[0]).resolve())
        elif volume[0] not in described["volumes"]:
            fail(f"no volume {volume[0]} in {file}")
    CONTAINERS.run("graftd", service["image"], service["command"], volumes=volumes, read_only=service["read_only"],
                   temporary=[one.partition(":")[::2] for one in service["tmpfs"]], detached=True)
    return service["healthcheck"]["test"][1:]


def compose(arguments):
    match arguments:
        case ["-f", file, "up", "-d", "--wait"]:
            CONTAINERS.wait_until_healthy("graftd", compose_up(pathlib.Path(file)))
            return 0
        case ["-f", file, "exec", "graftd", *command] if pathlib.Path(file).exists():
            return CONTAINERS.execute("graftd", command)
        case ["-f", file, "cp", source, target] if pathlib.Path(file).exists():
            return CONTAINERS.copy(source, target)
    return fail(f"compose {shlex.join(arguments)}")


def podman(arguments):
    match arguments:
        case ["build", *rest]:
            return build(rest)
        case ["run", *rest]:
            return run_container(rest)
        case ["exec", name, *command]:
            return CONTAINERS.execute(name, command)
        case ["cp", source, target]:
            return CONTAINERS.copy(source, target)
        case ["compose", *rest]:
            return compose(rest)
    return fail(shlex.join(arguments))


class Cluster:
    """What was made in it, by the names of kubectl (deploy/graftd); kept between calls in a file."""

    def __init__(self):
        self.file = FOLDER / "cluster.json"
        new = {"namespaces": [], "secrets": [], "pods": {}, "delivered": []}
        self.made = json.loads(self.file.read_text()) if self.file.exists() else new

    def save(self):
        FOLDER.mkdir(parents=True, exist_ok=True)
        self.file.write_text(json.dumps(self.made))

    def add(self, objects):
        from kubernetes_files import check_object, pod_specs  # loading it takes a second
        secrets = {one["metadata"]["name"] for one in objects if one["kind"] == "Secret"} | set(self.made["secrets"])
        for one in objects:
            check_object(one)
            if one["metadata"].get("namespace") not in self.made["namespaces"]:
                fail(f"{one['kind']} {one['metadata']['name']} is for a namespace that was not made")
        for name, pod in pod_specs(objects):
            for volume in pod["volumes"]:
                if "secret" in volume and volume["secret"]["secretName"] not in secrets:
                    fail(f"{name} wants the secret {volume['secret']['secretName']}, which was not made")
            # The first is the one that kubectl takes when none is named.
            containers = [one["name"] for one in pod["containers"] + pod.get("initContainers", [])]
            self.made["pods"]["deploy/" + name.split()[1]] = containers
        maps = [one["data"] for one in objects if one["kind"] == "ConfigMap"]
        self.deliver([yaml.safe_load(text) for data in maps for text in data.values()])
        self.save()

    def deliver(self, value):
        """Notes the Secrets that manifests deliver keys to."""
        for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
            self.deliver(one)
        if isinstance(value, dict) and (secret := value.get("kubernetesSecret")):
            self.made["delivered"].append([secret["namespace"], secret["name"], secret["key"]])

    def pod(self, name):
        if name not in self.made["pods"]:
            fail(f"there is no {name}, but {sorted(self.made['pods'])}")
        return self.made["pods"][name]


def real(program):
    """The program itself, behind this stand-in; None where it is not installed."""
    path = os.environ["PATH"].replace(os.environ["STAND_IN_PROGRAMS"] + os.pathsep, "")
    found = shutil.which(program, path=path)
    if not found:
        print(f"({program} is not installed here: its command line was not tried)")
    return found


def ask(program, *arguments):
    """The standard output of the real program, or None."""
    found = real(program)
    if not found:
        return None
    done = subprocess.run([found, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        fail(f"{program} {shlex.join(arguments)}: {done.stderr}")
    return done.stdout


def create(arguments, namespace):
    cluster = Cluster()
    ask("kubectl", *(["-n", namespace] if namespace else []), "create", *arguments, "--dry-run=client", "-o", "yaml")
    match arguments:
        case ["namespace", name] if name not in cluster.made["namespaces"]:
            cluster.made["namespaces"].append(name)
        case ["secret", "generic", name, file] if file.startswith("--from-file="):
            if namespace not in cluster.made["namespaces"] or not pathlib.Path(file.partition("=")[2]).exists():
                fail(f"create {shlex.join(arguments)}")
            cluster.made["secrets"].append(name)
        case _:
            fail(f"create {shlex.join(arguments)}")
    cluster.save()
    return 0


def apply_folder(folder):
    from kubernetes_files import build as objects_of
    ask("kubectl", "kustomize", folder)
    Cluster().add(objects_of(folder))
    return 0


def print_delivered(namespace, name, path):
    found = [key for at, secret, key in Cluster().made["delivered"] if (at, secret) == (namespace, name)]
    if path not in ["jsonpath={.data." + key + "}" for key in found]:
        fail(f"no manifest delivers to {path} of the secret {name} in {namespace}, but {Cluster().made['delivered']}")
    print(base64.b64encode(b"a key").decode(), end="")
    return 0


def execute_in_pod(arguments, command):
    containers = Cluster().pod(arguments[0])
    container = arguments[2] if len(arguments) == 3 and arguments[1] == "-c" else containers[0]
    if container not in containers or not command or command[0] != "/usr/bin/graftd":
        fail(f"exec {shlex.join(arguments)} -- {shlex.join(command)}")
    return subprocess.run([BINARY, *command[1:], "--help"], stdout=subprocess.DEVNULL, check=False).returncode


def kubectl(arguments):
    namespace = None
    if arguments[:1] == ["-n"]:
        namespace, arguments = arguments[1], arguments[2:]
    match arguments:
        case ["create", *rest]:
            return create(rest, namespace)
        case ["apply", "-k", folder]:
            return apply_folder(folder)
        case ["rollout", "status", name] if namespace in Cluster().made["namespaces"]:
            return 0 if Cluster().pod(name) else 1
        case ["get", "secret", name, "-o", path]:
            return print_delivered(namespace, name, path)
        case ["exec", *rest] if namespace in Cluster().made["namespaces"] and "--" in rest:
            end = rest.index("--")
            return execute_in_pod(rest[:end], rest[end + 1 :])
    return fail(shlex.join(arguments))


def has_value(values, path):
    for part in path.split("."):
        if not isinstance(values, dict) or part not in values:
            return False
        values = values[part]
    return True


def helm(arguments):
    parser = Parser("helm")
    parser.add_argument("-n", required=True)
    parser.add_argument("verb", choices=["install"])
    parser.add_argument("release")
    parser.add_argument("chart", type=pathlib.Path)
    parser.add_argument("--values", type=pathlib.Path, required=True)
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args(arguments)
    values = yaml.safe_load((options.chart / "values.yaml").read_text())
    for path in [*yaml.safe_load(options.values.read_text()), *(one.partition("=")[0] for one in options.set)]:
        if not has_value(values, path):
            fail(f"the chart has no value {path}")
    cluster = Cluster()
    secret = values["grafana"]["existingSecret"]
    if options.n not in cluster.made["namespaces"] or secret not in cluster.made["secrets"]:
        fail("namespace or secret was not made")
    ask("helm", "template", *(argument for argument in arguments if argument != "install"))
    # The chart names its Deployment after the release (templates/_helpers.tpl).
    cluster.made["pods"]["deploy/" + options.release] = ["graftd"]
    inline = yaml.safe_load(options.values.read_text())["manifests"]["inline"]
    cluster.deliver([yaml.safe_load(text) for text in inline.values()])
    cluster.save()
    return 0


def main():
    known = {"podman": podman, "docker": podman, "kubectl": kubectl, "helm": helm}
    sys.exit(known[sys.argv[1]](sys.argv[2:]))


main()
