"""The bill of materials: the packages of the lock, and nothing about the machine that made it."""

from __future__ import annotations

import importlib.util
import json
from types import ModuleType

import pytest

from mel_pipeline.core.settings import PROJECT


@pytest.fixture(scope="module")
def sbom() -> ModuleType:
    spec = importlib.util.spec_from_file_location("deploy_sbom", PROJECT / "deploy" / "sbom.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def part(name: str, **more: object) -> dict[str, object]:
    return {"bom-ref": f"{name}==1", "name": name, "version": "1", **more}


def test_every_package_of_the_lock_is_found_whatever_its_extras_and_markers(sbom: ModuleType) -> None:
    locked = sbom.locked((PROJECT / "requirements" / "run.txt").read_text(encoding="utf-8"))
    assert {"psycopg", "dagster", "great-expectations"} <= locked.keys()
    assert sbom.locked('Psycopg_Binary[c]==3.2 ; python_version >= "3" \\\n    --hash=sha256:ab\n') == {
        "psycopg-binary": "3.2"
    }


def test_development_packages_and_paths_of_the_machine_are_left_out(sbom: ModuleType) -> None:
    here = [{"type": "distribution", "url": "file:///home/ana/wheels/ours.whl"}]
    bill = {
        "metadata": {"component": {"bom-ref": "root"}},
        "components": [part("Typing_Extensions", externalReferences=here), part("pytest")],
        "dependencies": [
            {"ref": "root", "dependsOn": ["Typing_Extensions==1", "pytest==1"]},
            {"ref": "pytest==1", "dependsOn": []},
        ],
    }
    kept = sbom.only(bill, {"typing-extensions": "1"})
    assert [component["name"] for component in kept["components"]] == ["Typing_Extensions"]
    assert kept["dependencies"] == [{"ref": "root", "dependsOn": ["Typing_Extensions==1"]}]
    assert "ana" not in json.dumps(kept)


@pytest.mark.parametrize(
    ("licenses", "said"),
    [
        ([{"expression": "MIT OR Apache-2.0"}], "MIT OR Apache-2.0"),
        (
            [{"license": {"id": "MIT"}}, {"license": {"name": "The MIT License\nText"}}],
            "MIT / The MIT License",
        ),
        ([], "not stated"),
    ],
)
def test_a_licence_is_printed_as_the_package_says_it(
    sbom: ModuleType, licenses: list[dict[str, object]], said: str
) -> None:
    assert sbom.licence({"licenses": licenses}) == said
