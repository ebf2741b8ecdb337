"""Judges documents by the JSON Schemas, as an editor does.

Reads lines of JSON from standard input, {"schema": FILE, "files": {PATH: TEXT}}, and writes for each a line
{"valid": BOOL, "documents": N, "why": TEXT, "keywords": [...]}. Documents that are not graftd's are passed over where
"manifests" is true. The first line says which schemas there are, and which keywords each uses.
"""

import json
import re
import sys

import jsonschema
import yaml


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML as graftd types it: the numbers of JSON; yes, on and 0640 are strings, and so are dates."""


Loader.yaml_implicit_resolvers = {}
for tag, form, first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"-?(0|[1-9][0-9]*)", list("-0123456789")),
    ("float", r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", list("-0123456789")),
):
    Loader.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile("^(?:%s)$" % form), first)
Loader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: float(node.value))

MEANINGFUL = {"type", "required", "additionalProperties", "enum", "const", "pattern", "oneOf", "anyOf", "minimum",
              "maximum", "minLength", "maxLength", "minItems", "propertyNames"}


def keywords_of(schema):
    """The keywords that a schema uses; names of properties are not keywords."""
    found = set()
    if isinstance(schema, dict):
        found |= MEANINGFUL & set(schema)
        for key, value in schema.items():
            if key in ("properties", "$defs"):
                for inner in value.values():
                    found |= keywords_of(inner)
            elif key not in ("enum", "const", "default", "required"):
                found |= keywords_of(value)
    elif isinstance(schema, list):
        for inner in schema:
            found |= keywords_of(inner)
    return found


def leaves(error):
    yield error
    for inner in error.context:
        yield from leaves(inner)


def is_ours(document):
    version = document.get("apiVersion") if isinstance(document, dict) else None
    return isinstance(version, str) and version.split("/")[0].lower() == "graftd"


def documents_of(path, text):
    if path.endswith(".json"):
        return [json.loads(text.removeprefix("\ufeff"))]
    return [each for each in yaml.load_all(text, Loader) if each is not None]


def judge(case, validator):
    answer = {"valid": True, "documents": 0, "why": "", "keywords": []}
    for path, text in sorted(case["files"].items()):
        if not path.endswith((".yaml", ".yml", ".json")):
            continue
        try:
            documents = documents_of(path, text)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            return dict(answer, valid=False, why="cannot be read: %s" % str(error)[:200], keywords=["syntax"])
        for document in documents:
            if case["manifests"] and not is_ours(document):
                continue
            answer["documents"] += 1
            for error in validator.iter_errors(document):
                answer["valid"] = False
                answer["why"] = "%s at /%s" % (error.message[:200], "/".join(map(str, error.absolute_path)))
                answer["keywords"] += [leaf.validator for leaf in leaves(error)]
    answer["keywords"] = sorted(set(answer["keywords"]))
    return answer


def main():
    validators, keywords = {}, {}
    cases = [json.loads(line) for line in sys.stdin]
    for path in sorted({case["schema"] for case in cases}):
        with open(path, encoding="utf-8") as file:
            schema = json.load(file)
        jsonschema.Draft202012Validator.check_schema(schema)
        validators[path] = jsonschema.Draft202012Validator(schema)
        keywords[path] = sorted(keywords_of(schema))
    print(json.dumps(keywords))
    for case in cases:
        print(json.dumps(judge(case, validators[case["schema"]])))


main()
