import copy
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts import ROOT
from scripts.release import sbom, sbom_facts
from scripts.release.artifacts import Artifact, sha256
from scripts.release.python.install import CleanEnvironment
from scripts.release.sbom import Facts, SbomInvalid

METADATA = """\
Metadata-Version: 2.4
Name: arcrun
Version: 1.2.3
License-Expression: Apache-2.0
Requires-Python: >=3.10
Requires-Dist: httpx<1,>=0.27
Requires-Dist: click>=8.2; extra == 'cli'
"""
FACTS: Facts = {
    "time": 1_700_000_000,
    "package": {
        "purl": "pkg:npm/%40arcrun/sdk@1.2.3",
        "licenses": ["Apache-2.0"],
        "files": [{"url": "arcrun-sdk-1.2.3.tgz", "algorithm": "SHA-256", "digest": "a" * 64}],
        "properties": [("arcrun:requires", "套件 ^1")],
    },
    "dependencies": [
        {
            "purl": f"pkg:npm/{name}@1.0.0",
            "required": name == "b",
            "licenses": licenses,
            "files": [],
            "properties": [("arcrun:tested", "true")],
        }
        for name, licenses in {"b": ["MIT OR Apache-2.0"], "a": ["X", "Y"]}.items()
    ],
    "graph": {"pkg:npm/%40arcrun/sdk@1.2.3": ["pkg:npm/a@1.0.0", "pkg:npm/b@1.0.0"]},
}


@pytest.fixture
def wheel(tmp_path: Path) -> Artifact:
    path = tmp_path / "arcrun-1.2.3-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("arcrun-1.2.3.dist-info/METADATA", METADATA)
    return Artifact("arcrun", path, sha256(path))


def components(bom: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in bom["components"]}


def test_a_bill_of_materials_keeps_to_the_schema_and_has_what_is_known() -> None:
    bom = sbom.require_valid(sbom.document(FACTS), "sbom")
    assert (bom["specVersion"], bom["metadata"]["timestamp"]) == (
        "1.6",
        "2023-11-14T22:13:20+00:00",
    )
    released = bom["metadata"]["component"]
    assert (released["group"], released["name"], released["version"]) == ("@arcrun", "sdk", "1.2.3")
    assert released["purl"] == "pkg:npm/%40arcrun/sdk@1.2.3"
    assert sbom.subjects(bom) == {"arcrun-sdk-1.2.3.tgz": "a" * 64}
    found = components(bom)
    assert (found["a"]["scope"], found["b"]["scope"]) == ("optional", "required")
    assert found["b"]["licenses"] == [{"expression": "MIT OR Apache-2.0"}]
    assert {each["license"]["name"] for each in found["a"]["licenses"]} == {"X", "Y"}
    needs = {each["ref"]: each.get("dependsOn", []) for each in bom["dependencies"]}
    assert needs[released["bom-ref"]] == [found["a"]["bom-ref"], found["b"]["bom-ref"]]


def test_the_same_facts_give_the_same_bytes_in_every_order_of_hashes(tmp_path: Path) -> None:
    given, texts = tmp_path / "facts", set()
    given.write_text(json.dumps(FACTS), "utf-8")
    for seed in ("0", "1", "7"):
        out = tmp_path / seed
        command = [sys.executable, "-m", "scripts.release.sbom", str(given), str(out)]
        env = {**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Taipei"}
        subprocess.run(command, cwd=ROOT, env=env, check=True)
        texts.add(out.read_bytes())
    assert texts == {sbom.document(FACTS).encode()}


@pytest.mark.parametrize(
    "change",
    [
        lambda facts: facts.update(time=1),
        lambda facts: facts["package"]["files"][0].update(digest="b" * 64),
        lambda facts: facts["dependencies"][0].update(licenses=["X"]),
    ],
    ids=["another commit", "other bytes", "another license"],
)
def test_the_serial_number_is_that_of_the_content(change: Callable[[Any], Any]) -> None:
    other = copy.deepcopy(FACTS)
    change(other)
    one, two = (json.loads(sbom.document(each))["serialNumber"] for each in (FACTS, other))
    assert one != two


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"specVersion": "1.5"}, r"is of CycloneDX 1\.5, not 1\.6"),
        ({"serialNumber": "7"}, "no bill of materials"),
        ({"components": [{"type": "套件", "name": "a"}]}, r"\$\.components\[0\]\.type: '套件'"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_what_does_not_keep_to_the_schema_is_refused(change: dict[str, Any], says: str) -> None:
    document = {**json.loads(sbom.document(FACTS)), **change}
    with pytest.raises(SbomInvalid, match=says):
        sbom.require_valid(json.dumps(document), "sbom")


def test_what_is_not_json_is_refused() -> None:
    with pytest.raises(SbomInvalid, match="sbom is not valid JSON"):
        sbom.require_valid("{", "sbom")


def test_a_bill_of_materials_that_differs_when_it_is_written_twice_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environments = sbom.BUILD_ENVIRONMENTS
    path = tmp_path / "sbom.json"
    bom = sbom.write_twice(FACTS, path, tmp_path / "work", tmp_path / "log")
    assert path.read_text("utf-8") == sbom.document(FACTS)
    assert bom == json.loads(sbom.document(FACTS))
    # A library that writes what it finds in its environment.
    module = tmp_path / "sitecustomize.py"
    module.write_text(
        "import os, time\nfrom cyclonedx.output import json as output\n"
        "made = output.JsonV1Dot6.output_as_string\n"
        "output.JsonV1Dot6.output_as_string = lambda self, **_: made(self) + os.environ['TZ']\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(SbomInvalid, match=r"other\.json differs when it is written twice"):
        sbom.write_twice(FACTS, tmp_path / "other.json", tmp_path / "work", tmp_path / "log")
    assert not (tmp_path / "other.json").exists()
    assert environments[0].variables["TZ"] != environments[1].variables["TZ"]


@pytest.mark.downloads  # uv asks for what builds the packages of the workspace
def test_the_facts_of_a_python_package_come_from_its_metadata_the_lock_file_and_what_is_installed(
    wheel: Artifact, tmp_path: Path
) -> None:
    facts = sbom_facts.python_facts(
        ROOT,
        [wheel],
        "arcrun",
        environments=[CleanEnvironment("arcrun", Path(sys.prefix))],
        time=1,
        log=tmp_path / "log",
        downloads={},
    )
    assert facts["package"] == {
        "purl": "pkg:pypi/arcrun@1.2.3",
        "licenses": ["Apache-2.0"],
        "files": [{"url": wheel.path.name, "algorithm": "SHA-256", "digest": wheel.sha256}],
        "properties": [
            ("arcrun:requires", "httpx<1,>=0.27"),
            ("arcrun:requires", "click>=8.2; extra == 'cli'"),
            ("arcrun:requires-runtime", "python >=3.10"),
        ],
    }
    found = {each["purl"].partition("@")[0]: each for each in facts["dependencies"]}
    httpx, click = found["pkg:pypi/httpx"], found["pkg:pypi/click"]
    assert (httpx["required"], click["required"]) == (True, False)
    assert httpx["licenses"] == ["BSD-3-Clause"]
    assert ("arcrun:tested", "true") in httpx["properties"]
    assert httpx["files"]
    assert all(each["url"].startswith("https://") for each in httpx["files"])
    assert httpx["purl"] in facts["graph"]["pkg:pypi/arcrun@1.2.3"]
    elsewhere = found["pkg:pypi/pywin32"]
    assert elsewhere["licenses"] == []
    assert ("arcrun:tested", "false") in elsewhere["properties"]
    sbom.require_valid(sbom.document(facts), "sbom")


def test_the_facts_of_the_npm_package_leave_out_what_only_its_tests_need(tmp_path: Path) -> None:
    tarball = Artifact("@arcrun/sdk", tmp_path / "arcrun-sdk-1.2.3.tgz", "a" * 64)
    manifest = {
        "version": "1.2.3",
        "license": "Apache-2.0",
        "engines": {"node": ">=18"},
        "dependencies": {"ky": "^1"},
    }
    needed = {"version": "1.5.0", "integrity": "sha512-AAAA", "license": "MIT"}
    packages = {
        "": {},
        "node_modules/ky": needed,
        "node_modules/tsup": {**needed, "dev": True},
    }
    (tmp_path / "package.json").write_text(json.dumps(manifest))
    (tmp_path / "package-lock.json").write_text(json.dumps({"packages": packages}))
    facts = sbom_facts.npm_facts(tarball, tmp_path, time=1)
    assert facts["package"]["properties"] == [
        ("arcrun:requires", "ky ^1"),
        ("arcrun:requires-runtime", "node >=18"),
    ]
    (ky,) = facts["dependencies"]
    assert (ky["purl"], ky["licenses"]) == ("pkg:npm/ky@1.5.0", ["MIT"])
    assert ky["files"][0]["digest"] == "000000"
    assert facts["graph"]["pkg:npm/%40arcrun/sdk@1.2.3"] == ["pkg:npm/ky@1.5.0"]


@pytest.mark.parametrize(
    ("stated", "licenses"),
    [
        ({"expression": "MIT", "license": "other"}, ["MIT"]),
        ({"license": "BSD"}, ["BSD"]),
        ({"license": "The text\nof a license"}, ["Mozilla", "Zope"]),
        ({"license": "l" * 61}, ["Mozilla", "Zope"]),
        ({}, ["Mozilla", "Zope"]),
    ],
)
def test_a_license_is_the_expression_or_what_older_metadata_say(
    stated: dict[str, str], licenses: list[str]
) -> None:
    classifiers = ["License :: OSI Approved :: Zope", "License :: OSI Approved :: Mozilla"]
    empty = {"expression": None, "license": None, "classifiers": classifiers}
    assert sbom_facts._licenses({**empty, **stated}) == licenses
