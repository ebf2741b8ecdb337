"""deploy/kubernetes and deploy/helm as far as they can be judged without a cluster: every object has the fields and types
that Kubernetes knows, the rules for pods hold, rights fit what manifests deliver to, and the real graftd takes every
configuration and every command line. Called with the source directory and the binary."""

import copy
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import jsonschema

from kubernetes_files import Wrong, build, check_object, documents, pod_problems, pod_specs, read

SOURCE, GRAFTD = pathlib.Path(sys.argv.pop(1)), sys.argv.pop(1)
PLAIN, CHART = SOURCE / "deploy/kubernetes", SOURCE / "deploy/helm/graftd"
VARIANTS = ("configmap", "git", "git-sync", "sidecar")


def graftd(*arguments):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GRAFTD_")}
    return subprocess.run([GRAFTD, *arguments], capture_output=True, text=True, check=False, env=clean)


def delivered_secrets(value):
    """The names in all deliverTo: kubernetesSecret of manifests."""
    if isinstance(value, list):
        return set().union(*map(delivered_secrets, value))
    if not isinstance(value, dict):
        return set()
    own = set()
    if "kubernetesSecret" in value:
        own.add((value["kubernetesSecret"]["namespace"], value["kubernetesSecret"]["name"]))
    return own.union(*map(delivered_secrets, value.values()))


def names_of(objects, kind):
    return {one["metadata"]["name"] for one in objects if one["kind"] == kind}


class Rules(unittest.TestCase):
    """Shared by the plain files and the chart."""

    def check_objects(self, objects):
        for one in objects:
            check_object(one)
        for name, pod in pod_specs(objects):
            self.assertEqual([], pod_problems(pod), name)
        self.check_rights(objects)
        self.check_programs(objects)
        self.check_configuration(objects)

    def check_rights(self, objects):
        """graftd may use the Secrets that are made for keys, each by its name, and nothing else."""
        named = set()
        for role in (one for one in objects if one["kind"] == "Role"):
            for rule in role["rules"]:
                self.assertEqual((["secrets"], [""]), (rule["resources"], rule["apiGroups"]))
                self.assertEqual({"get", "patch"}, set(rule["verbs"]))
                self.assertTrue(rule["resourceNames"])
                named |= set(rule["resourceNames"])
        self.assertEqual(set(), names_of(objects, "ClusterRole"))
        made = names_of(objects, "Secret")
        if made:
            self.assertEqual(made, named)
        for secret in (one for one in objects if one["kind"] == "Secret"):
            self.assertFalse({"data", "stringData"} & set(secret), "a Secret is never shipped with content")
        used = set()
        for one in objects:
            if one["kind"] == "ConfigMap" and "graftd.yaml" not in one["data"]:
                used |= set().union(*(delivered_secrets(documents(text)) for text in one["data"].values()))
        if used:
            self.assertEqual(named, {name for _, name in used})
            self.assertEqual({"monitoring"}, {namespace for namespace, _ in used})

    def check_programs(self, objects):
        for _, pod in pod_specs(objects):
            for container in pod.get("initContainers", []) + pod["containers"]:
                if container["name"] != "graftd":
                    continue
                probe = container["startupProbe"]["exec"]["command"]
                for arguments in (container["args"], probe[1:]):
                    ran = graftd(*arguments, "--help")
                    self.assertEqual(0, ran.returncode, ran.stderr)

    def check_configuration(self, objects):
        """The configuration is one that graftd takes, its manifests have no errors, and its files lie in volumes."""
        with tempfile.TemporaryDirectory() as folder:
            maps = [one["data"] for one in objects if one["kind"] == "ConfigMap"]
            [configuration] = [data["graftd.yaml"] for data in maps if "graftd.yaml" in data]
            path = pathlib.Path(folder, "graftd.yaml")
            path.write_text(configuration, encoding="utf-8")
            manifests = pathlib.Path(folder, "manifests")
            manifests.mkdir()
            for data in maps:
                for name, text in data.items():
                    if name != "graftd.yaml":
                        (manifests / name).write_text(text, encoding="utf-8")
            ran = graftd("check", "--config", str(path), str(manifests))
            self.assertEqual(0, ran.returncode, ran.stderr)
            [settings] = documents(configuration)
        self.check_files(settings, objects)

    def check_files(self, settings, objects):
        [container] = [one for _, pod in pod_specs(objects) for one in pod.get("initContainers", []) + pod["containers"]
                       if one["name"] == "graftd"]
        mounts = {mount["mountPath"]: mount.get("readOnly", False) for mount in container["volumeMounts"]}
        wanted = [(settings["state"]["directory"], False)]
        if "tokens" in settings:
            wanted.append((settings["tokens"]["directory"], False))
        if "directory" in settings["manifests"]:
            wanted.append((settings["manifests"]["directory"], True))
        auth = {**settings["grafana"]["auth"], **settings["manifests"].get("git", {}).get("auth", {})}
        wanted += [(value, True) for name, value in auth.items() if name.endswith("File")]
        for path, read_only in wanted:
            place = [at for at in mounts if path == at or path.startswith(at + "/")]
            self.assertTrue(place, f"{path} lies in no volume")
            self.assertEqual(read_only, mounts[max(place, key=len)], path)


class Plain(Rules):
    def test_every_variant_is_sound(self):
        for variant in VARIANTS:
            with self.subTest(variant):
                self.check_objects(build(PLAIN / variant))

    def test_every_file_is_used_and_every_folder_known(self):
        used = set()
        for folder in VARIANTS + ("monitoring",):
            build(PLAIN / folder, used)
        there = {path.resolve() for path in PLAIN.rglob("*.yaml")}
        self.assertEqual(set(), there - used)

    def test_the_component_for_prometheus_fits_the_deployment(self):
        service = next(one for one in build(PLAIN / "monitoring") if one["kind"] == "Service")
        check_object(service)
        deployment = next(one for one in build(PLAIN / "git") if one["kind"] == "Deployment")
        template = deployment["spec"]["template"]
        self.assertEqual(template["metadata"]["labels"], service["spec"]["selector"])
        ports = {port["name"] for port in template["spec"]["containers"][0]["ports"]}
        self.assertIn(service["spec"]["ports"][0]["targetPort"], ports)

    def test_errors_are_seen(self):
        sound = build(PLAIN / "sidecar")
        deployment = next(index for index, one in enumerate(sound) if one["kind"] == "Deployment")

        def broken(change):
            objects = copy.deepcopy(sound)
            change(objects[deployment]["spec"]["template"]["spec"])
            return objects

        def sidecar(pod):
            return pod["initContainers"][0]

        unfit = {
            "an unknown field": lambda pod: sidecar(pod).update(livenessprobe={}),
            "another type": lambda pod: pod.update(terminationGracePeriodSeconds="30"),
            "a number for a text": lambda pod: sidecar(pod)["resources"]["limits"].update(cpu=1),
            "a field missing": lambda pod: sidecar(pod)["volumeMounts"][0].pop("mountPath"),
            "no native sidecar": lambda pod: pod["containers"][0].update(restartPolicy="Always"),
        }
        for name, change in unfit.items():
            with self.subTest(name), self.assertRaises(Wrong):
                check_object(broken(change)[deployment])
        unsafe = {
            "root": lambda pod: sidecar(pod)["securityContext"].update(runAsUser=0),
            "a capability": lambda pod: sidecar(pod)["securityContext"].update(capabilities={"drop": ["ALL"], "add": ["X"]}),
            "a root that can be written": lambda pod: sidecar(pod)["securityContext"].pop("readOnlyRootFilesystem"),
            "a subPath": lambda pod: sidecar(pod)["volumeMounts"][0].update(subPath="a"),
            "a Secret for all": lambda pod: next(v for v in pod["volumes"] if "secret" in v)["secret"].pop("defaultMode"),
            "a state that is opened": lambda pod: pod["securityContext"].pop("fsGroupChangePolicy"),
            "a probe that waits for Grafana": lambda pod: sidecar(pod).update(
                startupProbe={"httpGet": {"path": "/-/startup", "port": 9417}}),
            "an API token": lambda pod: pod.pop("automountServiceAccountToken"),
            "no volume": lambda pod: pod["volumes"].pop(0),
        }
        for name, change in unsafe.items():
            with self.subTest(name):
                self.assertNotEqual([], pod_problems(pod_specs(broken(change))[0][1]))

    def test_rights_for_another_secret_are_seen(self):
        objects = build(PLAIN / "configmap")
        role = next(one for one in objects if one["kind"] == "Role")
        role["rules"][0]["resourceNames"].append("another")
        with self.assertRaises(AssertionError):
            self.check_rights(objects)

    def test_a_wrong_setting_is_seen(self):
        objects = build(PLAIN / "configmap")
        data = next(one["data"] for one in objects if one["kind"] == "ConfigMap" and "graftd.yaml" in one["data"])
        data["graftd.yaml"] = data["graftd.yaml"].replace("allowRemote", "allowRemotes")
        with self.assertRaises(AssertionError):
            self.check_configuration(objects)


def values_used():
    """Every value that the templates name, also by a variable that stands for a part of the values."""
    used = set()
    for template in sorted((CHART / "templates").iterdir()):
        text = template.read_text(encoding="utf-8")
        used |= set(re.findall(r"\.Values\.([A-Za-z0-9.]*[A-Za-z0-9])", text))
        for variable, part in re.findall(r"\$(\w+) := \.Values\.([\w.]+)", text):
            parts = {f"{part}.{name}" for name in re.findall(rf"\${variable}\.(\w+)", text)}
            used = (used - {part} if parts else used) | parts
    return used


def related(path, others):
    return any(path == other or path.startswith(other + ".") or other.startswith(path + ".") for other in others)


def leaves(value, path=""):
    if isinstance(value, dict) and value:
        return set().union(*(leaves(item, f"{path}.{key}".lstrip(".")) for key, item in value.items()))
    return {path}


def schema_paths(schema, root, path=""):
    if "$ref" in schema:
        schema = root["definitions"][schema["$ref"].rpartition("/")[2]]
    properties = schema.get("properties", {})
    if not properties:
        return {path}
    return set().union(*(schema_paths(item, root, f"{path}.{key}".lstrip(".")) for key, item in properties.items()))


def layered(base, over):
    if isinstance(base, dict) and isinstance(over, dict):
        return {**base, **{key: layered(base.get(key), value) for key, value in over.items()}}
    return copy.deepcopy(over)


class Chart(Rules):
    def setUp(self):
        [self.values] = read(CHART / "values.yaml")
        self.schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
        self.examples = {path.name: read(path)[0] for path in sorted((CHART / "ci").glob("*.yaml"))}

    def errors(self, values):
        validator = jsonschema.Draft7Validator(self.schema)
        return [error.message for error in validator.iter_errors(layered(self.values, values))]

    def test_the_schema_takes_the_examples(self):
        jsonschema.Draft7Validator.check_schema(self.schema)
        for name, values in self.examples.items():
            self.assertEqual([], self.errors(values), name)
        self.assertEqual({"inline", "configMap", "git", "gitSync"},
                         {layered(self.values, values)["manifests"]["source"] for values in self.examples.values()})

    def test_the_schema_refuses_what_is_wrong(self):
        sound = self.examples["inline-values.yaml"]
        wrong = [
            {"manifests": {"inline": {}}}, {"manifests": {"source": "svn"}}, {"manifests": {"source": "git"}},
            {"manifests": {"source": "gitSync"}}, {"manifests": {"source": "configMap"}}, {"colour": "red"},
            {"image": {"pullPolicy": "Sometimes"}}, {"owner": ""}, {"grafana": {"url": "grafana:3000"}},
            {"grafana": {"existingSecret": ""}}, {"grafana": {"password": "x"}}, {"service": {"port": "9417"}},
            {"tokenSecrets": {"names": "apiorg-token"}}, {"tokenSecrets": {"names": ["Upper"]}},
            {"persistence": {"size": "much"}}, {"manifests": {"git": {"pollInterval": "often"}}},
            {"resources": {"limit": {}}}, {"networkPolicy": {"grafana": {"to": []}}},
        ]
        for values in wrong:
            start = {} if values.get("manifests", {}) == {"inline": {}} else sound
            with self.subTest(values):
                self.assertNotEqual([], self.errors(layered(start, values)))

    def test_values_schema_templates_and_table_name_the_same(self):
        used, known = values_used(), schema_paths(self.schema, self.schema) - {"global"}
        given = leaves(self.values)
        for path in used:
            self.assertTrue(related(path, given), f"{path} is used, and not in values.yaml")
            self.assertTrue(related(path, known), f"{path} is used, and not in the schema")
        for path in given:
            self.assertTrue(related(path, known), f"{path} is in values.yaml, and not in the schema")
            self.assertTrue(any(path == one or path.startswith(one + ".") for one in used), f"{path} is not used")
        for path in known:
            self.assertTrue(related(path, given) or path.endswith(".claims"), f"{path} is in the schema alone")
        table = set(re.findall(r"^\| `([\w.]+)`", (CHART / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
        for path in given:
            self.assertTrue(related(path, table), f"{path} is not in README.md")
        for path in table:
            self.assertTrue(related(path, given), f"{path} is in README.md alone")

    def test_the_inline_manifests_are_the_plain_ones(self):
        inline = documents(self.examples["inline-values.yaml"]["manifests"]["inline"]["apiorg.yaml"])
        self.assertEqual(read(PLAIN / "configmap/manifests/apiorg.yaml"), inline)

    def test_the_values_for_grafanas_own_chart_hold_the_rules(self):
        [values] = read(CHART / "examples/grafana-sidecar-values.yaml")
        pod = {"automountServiceAccountToken": False, "volumes": values["extraContainerVolumes"], "containers": [],
               "initContainers": values["extraInitContainers"],
               "securityContext": {**values["securityContext"], "seccompProfile": {"type": "RuntimeDefault"}}}
        self.assertEqual([], pod_problems(pod))
        pod["containers"] = [{"name": "grafana", "image": "grafana"}]
        check_object({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "grafana"}, "spec": pod})
        for one in values["extraObjects"]:
            check_object(one)

    @unittest.skipUnless(shutil.which("helm"), "helm is not here: the chart was not rendered")
    def test_helm_renders_sound_objects(self):
        for name in self.examples:
            values = ["--values", str(CHART / "ci" / name)]
            lint = subprocess.run(["helm", "lint", "--strict", CHART, *values], capture_output=True, text=True, check=False)
            self.assertEqual(0, lint.returncode, lint.stdout + lint.stderr)
            render = ["helm", "template", "graftd", CHART, "--namespace=monitoring", "--kube-version=1.31.0", *values]
            made = subprocess.run(render, capture_output=True, text=True, check=False)
            self.assertEqual(0, made.returncode, made.stderr)
            with self.subTest(name):
                self.check_rendered(name, documents(made.stdout))

    def check_rendered(self, name, objects):
        self.assertIn("Deployment", {one["kind"] for one in objects})
        self.check_objects(objects)
        values = layered(self.values, self.examples[name])
        if values["tokenSecrets"]["create"]:
            self.assertEqual(set(values["tokenSecrets"]["names"]), names_of(objects, "Secret"))


if __name__ == "__main__":
    unittest.main()
