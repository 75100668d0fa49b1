"""The software bill of materials of what is installed: CycloneDX, of the packages in the lock, with their licences.

    .venv-audit/bin/python deploy/sbom.py .venv/bin/python requirements/run.txt dist/sbom.cdx.json

What the development environment holds besides is left out. Prints a line a licence.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

OWN = "mel-pipeline"
# Notes of the environment about this machine; a bill of materials is published.
_OF_THE_MACHINE = re.compile(r"file:///?|/(home|root|work|srv|opt)/")


def main(python: str, lock: str, target: str) -> int:
    tool = Path(sys.executable).with_name("cyclonedx-py")
    made = subprocess.run(
        [
            str(tool),
            "environment",
            "--output-reproducible",
            "--short-PURLs",
            "--pyproject",
            "pyproject.toml",
            python,
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    bill = only(json.loads(made.stdout), locked(Path(lock).read_text(encoding="utf-8")))
    file = Path(target)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(bill, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    counted = Counter(licence(component) for component in bill["components"])
    for name, count in sorted(counted.items(), key=lambda item: (-item[1], item[0])):
        sys.stdout.write(f"{count:4}  {name}\n")
    sys.stdout.write(f"{len(bill['components'])} packages in {file}.\n")
    return 0


def locked(text: str) -> dict[str, str]:
    """Name → version of a requirements file."""
    found = re.findall(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", text, re.MULTILINE)
    return {normal(name): version for name, version in found}


def only(bill: dict[str, Any], wanted: Mapping[str, str]) -> dict[str, Any]:
    """The bill with the components of the lock alone, and nothing about the machine it was made on."""
    components = [part for part in bill["components"] if normal(part["name"]) in wanted]
    kept = {part["bom-ref"] for part in components} | {bill["metadata"]["component"]["bom-ref"]}
    for part in components:
        if _OF_THE_MACHINE.search(json.dumps(part.get("externalReferences", []))):
            part.pop("externalReferences")
        part.pop("properties", None)
    dependencies = [
        {**one, "dependsOn": [ref for ref in one.get("dependsOn", []) if ref in kept]}
        for one in bill.get("dependencies", [])
        if one["ref"] in kept
    ]
    return {**bill, "components": components, "dependencies": dependencies}


def licence(component: Mapping[str, Any]) -> str:
    """As the package says it: an SPDX expression, an id, or a name."""
    names = []
    for entry in component.get("licenses", []):
        inner = entry.get("license", {})
        names.append(
            str(entry.get("expression") or inner.get("id") or inner.get("name") or "?").splitlines()[0]
        )
    return " / ".join(dict.fromkeys(names)) or "not stated"


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
