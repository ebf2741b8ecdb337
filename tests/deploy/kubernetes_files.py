"""What the tests of deploy/kubernetes and deploy/helm share: YAML without doubled keys, the types of Kubernetes' objects,
and as much of kustomize as the variants use."""

import copy
import pathlib
import re

import kubernetes.client.models as models
import yaml
from kubernetes.client import Configuration

# Of Debian's python3-kubernetes, which knows Kubernetes 1.22. Newer fields are named here, each with its only value.
NEWER = {("V1Container", "restartPolicy"): "Always"}
# Not part of Kubernetes itself.
FOREIGN = {"ServiceMonitor"}


class Wrong(Exception):
    pass


class Loader(yaml.SafeLoader):
    pass


def _mapping(loader, node):
    keys = [loader.construct_object(key) for key, _ in node.value]
    for key in keys:
        if keys.count(key) > 1:
            raise Wrong(f"{node.start_mark}: the key {key!r} is there twice")
    return loader.construct_mapping(node, deep=True)


Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def documents(text):
    return [document for document in yaml.load_all(text, Loader) if document is not None]


def read(path):
    return documents(pathlib.Path(path).read_text(encoding="utf-8"))


def _scalar(kind, value, where):
    expected = {"str": str, "int": int, "bool": bool, "float": (int, float), "datetime": str, "object": object}[kind]
    if not isinstance(value, expected) or (kind in ("int", "float") and isinstance(value, bool)):
        raise Wrong(f"{where}: {value!r} is no {kind}")
    return value


def _build(kind, value, where):
    """The value as the client library's model, or Wrong: an unknown field, another type, a field that is missing."""
    if match := re.fullmatch(r"list\[(.*)\]", kind):
        if not isinstance(value, list):
            raise Wrong(f"{where}: {value!r} is no list")
        return [_build(match[1], item, f"{where}[{index}]") for index, item in enumerate(value)]
    if match := re.fullmatch(r"dict\(str, (.*)\)", kind):
        if not isinstance(value, dict):
            raise Wrong(f"{where}: {value!r} is no map")
        return {_scalar("str", key, where): _build(match[1], item, f"{where}.{key}") for key, item in value.items()}
    if not hasattr(models, kind):
        return _scalar(kind, value, where)
    model = getattr(models, kind)
    if not isinstance(value, dict):
        raise Wrong(f"{where}: {value!r} is no {kind}")
    names = {json: python for python, json in model.attribute_map.items()}
    fields = {}
    for key, item in value.items():
        if key not in names and ".initContainers[" in where and NEWER.get((kind, key)) == item:
            continue
        if key not in names:
            raise Wrong(f"{where}: {kind} has no field {key!r}")
        fields[names[key]] = _build(model.openapi_types[names[key]], item, f"{where}.{key}")
    strict = Configuration()
    strict.client_side_validation = True
    try:
        return model(local_vars_configuration=strict, **fields)
    except ValueError as error:
        raise Wrong(f"{where}: {error}") from error


def check_object(document):
    kind = document.get("kind")
    if kind in FOREIGN:
        return
    version = document["apiVersion"].rpartition("/")[2]
    model = version[:1].upper() + version[1:] + str(kind)
    if not hasattr(models, model):
        raise Wrong(f"no kind {kind} in {document['apiVersion']}")
    _build(model, document, kind)


def _merge(base, patch):
    """A strategic merge, for the lists that the patches touch: entries are known by mountPath or name."""
    if isinstance(base, dict) and isinstance(patch, dict):
        result = dict(base)
        for key, value in patch.items():
            result[key] = _merge(result[key], value) if key in result else copy.deepcopy(value)
        return result
    known_by = lambda item: item.get("mountPath", item.get("name")) if isinstance(item, dict) else None
    if isinstance(base, list) and isinstance(patch, list) and all(known_by(item) for item in base + patch):
        result = {known_by(item): item for item in base}
        for item in patch:
            result[known_by(item)] = _merge(result.get(known_by(item), {}), item)
        return list(result.values())
    return copy.deepcopy(patch)


def build(folder, used=None):
    """The objects of a kustomization, with its patches; ConfigMaps as they are generated. Notes the files in `used`."""
    folder = pathlib.Path(folder).resolve()
    used = set() if used is None else used
    used.add(folder / "kustomization.yaml")
    [rules] = read(folder / "kustomization.yaml")
    known = {"apiVersion", "kind", "namespace", "resources", "components", "generatorOptions", "configMapGenerator",
             "patches", "images"}
    if set(rules) - known:
        raise Wrong(f"{folder}: not understood: {sorted(set(rules) - known)}")
    objects = []
    for name in rules.get("resources", []) + rules.get("components", []):
        path = (folder / name).resolve()
        used.add(path)
        objects += build(path, used) if path.is_dir() else read(path)
    for generator in rules.get("configMapGenerator", []):
        files = [folder / name for name in generator["files"]]
        used.update(files)
        data = {file.name: file.read_text(encoding="utf-8") for file in files}
        objects.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": generator["name"]}, "data": data})
    for patch in rules.get("patches", []):
        used.add(folder / patch["path"])
        for change in read(folder / patch["path"]):
            same = [index for index, one in enumerate(objects)
                    if (one["kind"], one["metadata"]["name"]) == (change["kind"], change["metadata"]["name"])]
            if len(same) != 1:
                raise Wrong(f"{folder}: {patch['path']} changes nothing")
            objects[same[0]] = _merge(objects[same[0]], change)
    for one in objects if "namespace" in rules else []:
        one["metadata"] = {**one["metadata"], "namespace": rules["namespace"]}
    return objects


def pod_specs(objects):
    return [(f"{one['kind']} {one['metadata']['name']}", one["spec"]["template"]["spec"])
            for one in objects if one["kind"] in ("Deployment", "StatefulSet", "DaemonSet", "Job")]


def pod_problems(pod):
    """What breaks the rules that hold for every pod."""
    problems = []

    def rule(holds, text):
        if not holds:
            problems.append(text)

    context = pod.get("securityContext", {})
    rule(pod.get("automountServiceAccountToken") is False, "automountServiceAccountToken is not false")
    rule(context.get("runAsNonRoot") is True, "runAsNonRoot is not true")
    rule(context.get("seccompProfile") == {"type": "RuntimeDefault"}, "seccompProfile is not RuntimeDefault")
    rule(context.get("fsGroup", 0) > 0, "without fsGroup the volumes of Secrets cannot be read")
    rule(context.get("fsGroupChangePolicy") == "OnRootMismatch", "fsGroupChangePolicy would open the state directory")
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        rule(key not in pod, f"{key} is set")
    volumes = {volume["name"]: volume for volume in pod.get("volumes", [])}
    mounted = set()
    containers = [("init", one) for one in pod.get("initContainers", [])] + [("", one) for one in pod["containers"]]
    for place, container in containers:
        name, own = container["name"], container.get("securityContext", {})
        rule(own.get("allowPrivilegeEscalation") is False, f"{name}: allowPrivilegeEscalation is not false")
        rule(own.get("readOnlyRootFilesystem") is True, f"{name}: readOnlyRootFilesystem is not true")
        rule(own.get("capabilities") == {"drop": ["ALL"]}, f"{name}: capabilities are not all dropped")
        rule(own.get("runAsUser", context.get("runAsUser", 0)) > 0, f"{name}: no user, or root")
        rule("memory" in container.get("resources", {}).get("limits", {}), f"{name}: no limit of memory")
        rule(re.search(r":[^/:]+$", container["image"]) and not container["image"].endswith(":latest"),
             f"{name}: the image has no version")
        if place == "init":
            rule(container.get("restartPolicy") == "Always", f"{name}: no native sidecar")
            rule("readinessProbe" not in container, f"{name}: a sidecar's readiness would be the pod's")
        if "graftd" == name:
            # Asked by the Unix socket; and as a sidecar it must not wait for the Grafana that waits for it.
            for probe in ("startupProbe", "livenessProbe"):
                rule(container.get(probe, {}).get("exec") == {"command": ["/usr/bin/graftd", "status", "--probe"]},
                     f"{name}: {probe} is not graftd status --probe")
        for mount in container.get("volumeMounts", []):
            mounted.add(mount["name"])
            rule(mount["name"] in volumes, f"{name}: no volume {mount['name']}")
            rule("subPath" not in mount, f"{name}: a subPath is never updated")
            sort = volumes.get(mount["name"], {})
            if {"secret", "configMap", "projected"} & set(sort):
                rule(mount.get("readOnly") is True, f"{name}: {mount['name']} is not mounted read-only")
    rule(mounted == set(volumes), f"mounted nowhere: {sorted(set(volumes) - mounted)}")
    for name, volume in volumes.items():
        for sort in ("secret", "projected"):
            if sort in volume:
                rule(volume[sort].get("defaultMode", 0o644) & 0o337 == 0, f"{name}: its mode is not 0440")
    return problems
