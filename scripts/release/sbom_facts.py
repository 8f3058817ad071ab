"""Gather what bills of materials say: from the lock files, the packages' own metadata, and what was installed."""

from __future__ import annotations

import base64
import email.parser
import json
import zipfile
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from scripts import processes
from scripts.release.python.install import EXTRAS, uv
from scripts.release.sbom import MARKER, REQUIRES, REQUIRES_RUNTIME, TESTED
from scripts.release.versions import NPM_NAME, SDK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from email.message import Message
    from pathlib import Path

    from scripts.release.artifacts import Artifact
    from scripts.release.python.install import CleanEnvironment
    from scripts.release.sbom import DependencyFact, Facts, FileFact

# The extras with which a rehearsal installs and uses the packages.
TESTED_EXTRAS = {**EXTRAS, SDK: ("cli", "mcp")}
# What each distribution in an environment says of itself: it runs there, and has only the standard library.
_METADATA = """
import importlib.metadata, json
found = {}
for each in importlib.metadata.distributions():
    data = each.metadata
    found[data["Name"].lower().replace("_", "-").replace(".", "-")] = {
        "version": each.version,
        "expression": data.get("License-Expression"),
        "license": data.get("License"),
        "classifiers": [c for c in data.get_all("Classifier", []) if c.startswith("License ::")],
    }
print(json.dumps(found))
"""
_LONGEST_NAME = 60  # of a license; a longer text is the license itself


def python_facts(
    root: Path,
    artifacts: Sequence[Artifact],
    package: str,
    *,
    environments: Iterable[CleanEnvironment],
    time: int,
    log: Path,
    downloads: Mapping[str, str],
) -> Facts:
    """Return the facts of a Python package.

    Args:
        root: The checkout, with the lock file.
        artifacts: What was built, of all packages.
        package: The package.
        environments: Those in which a rehearsal has installed it.
        time: When the commit was made, in Unix seconds.
        log: Receives what uv prints.
        downloads: The caller's network settings.
    """
    installed: dict[str, dict[str, Any]] = {}
    for each in environments:
        printed = processes.run([str(each.python), "-I", "-c", _METADATA], log=log, quietly=True)
        installed |= json.loads(printed)
    ours = [each for each in artifacts if each.package == package]
    stated = _metadata_of(next(each.path for each in ours if each.is_wheel))
    extras = TESTED_EXTRAS.get(package, ())
    locked = _exported(root, package, extras, log, downloads)
    always = {_purl(each) for each in _exported(root, package, (), log, downloads)["components"]}
    purl = purl_of(package, ours[0].version)
    refs = {each["bom-ref"]: _purl(each) for each in locked["components"]}
    refs[locked["metadata"]["component"]["bom-ref"]] = purl
    return {
        "time": time,
        "package": {
            "purl": purl,
            "licenses": [stated["License-Expression"]],
            "files": [_ours(each) for each in ours],
            "properties": [
                *((REQUIRES, text) for text in stated.get_all("Requires-Dist", [])),
                (REQUIRES_RUNTIME, f"python {stated['Requires-Python']}"),
            ],
        },
        "dependencies": [
            _dependency(each, installed.get(each["name"]), always) for each in locked["components"]
        ],
        "graph": {
            refs[each["ref"]]: sorted({refs[name] for name in each.get("dependsOn", ())})
            for each in locked["dependencies"]
        },
    }


def _exported(
    root: Path, package: str, extras: Sequence[str], log: Path, downloads: Mapping[str, str]
) -> dict[str, Any]:
    """Return what the lock file says of a package and all that it needs, as uv exports it."""
    command = ["export", "--locked", "--quiet", "--package", package, "--no-dev"]
    command += ["--preview-features", "sbom-export", "--format", "cyclonedx1.5"]
    command += [part for extra in extras for part in ("--extra", extra)]
    exported: dict[str, Any] = json.loads(uv(command, log=log, cwd=root, env=downloads))
    return exported


def _purl(component: Mapping[str, Any]) -> str:
    return str(component["purl"])


def _metadata_of(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        return email.parser.BytesParser().parsebytes(archive.read(name))


def _ours(artifact: Artifact) -> FileFact:
    return {"url": artifact.path.name, "algorithm": "SHA-256", "digest": artifact.sha256}


def _dependency(
    component: Mapping[str, Any], installed: Mapping[str, Any] | None, always: set[str]
) -> DependencyFact:
    """Return what the lock file, and the environment that has this version of it, say of a dependency."""
    tested = installed is not None and installed["version"] == component["version"]
    needed = [
        (MARKER, str(each["value"]))
        for each in component.get("properties", ())
        if each["name"] == "uv:package:marker"
    ]
    return {
        "purl": _purl(component),
        "required": _purl(component) in always,
        "licenses": _licenses(installed) if installed and tested else [],
        "files": [
            {"url": each["url"], "algorithm": digest["alg"], "digest": digest["content"]}
            for each in component.get("externalReferences", ())
            for digest in each["hashes"]
        ],
        "properties": [(TESTED, "true" if tested else "false"), *needed],
    }


def _licenses(stated: Mapping[str, Any]) -> list[str]:
    """Return the license of a distribution: its expression, or else what older metadata say."""
    if stated["expression"]:
        return [stated["expression"]]
    name = (stated["license"] or "").strip()
    if name and "\n" not in name and len(name) <= _LONGEST_NAME:
        return [name]
    return sorted({each.rpartition(" :: ")[2] for each in stated["classifiers"]})


def npm_facts(artifact: Artifact, source: Path, *, time: int) -> Facts:
    """Return the facts of the npm package.

    Args:
        artifact: The tarball.
        source: The folder from which it was built, with its manifest and lock file.
        time: When the commit was made, in Unix seconds.
    """
    manifest = json.loads((source / "package.json").read_text("utf-8"))
    lock = json.loads((source / "package-lock.json").read_text("utf-8"))
    locked = {
        path.rpartition("node_modules/")[2]: entry
        for path, entry in lock["packages"].items()
        if path and not entry.get("dev")
    }
    purls = {name: _npm_purl(name, entry["version"]) for name, entry in locked.items()}
    purl = purl_of(NPM_NAME, manifest["version"])
    graph = {purl: sorted(purls[name] for name in manifest.get("dependencies", ()))}
    for name, entry in locked.items():
        graph[purls[name]] = sorted(purls[each] for each in entry.get("dependencies", ()))
    return {
        "time": time,
        "package": {
            "purl": purl,
            "licenses": [manifest["license"]],
            "files": [_ours(artifact)],
            "properties": [
                *((REQUIRES, f"{name} {text}") for name, text in manifest.get("dependencies", {}).items()),
                *((REQUIRES_RUNTIME, f"{name} {text}") for name, text in manifest["engines"].items()),
            ],
        },
        "dependencies": [_npm_dependency(purls[name], entry) for name, entry in locked.items()],
        "graph": graph,
    }  # fmt: skip


def purl_of(package: str, version: str) -> str:
    """Return the package URL of a released package.

    Example:
        >>> purl_of("arcrun", "1.2.3")
        'pkg:pypi/arcrun@1.2.3'
    """
    return _npm_purl(package, version) if package == NPM_NAME else f"pkg:pypi/{package}@{version}"


def _npm_purl(name: str, version: str) -> str:
    """Return the package URL of a package of npm.

    Example:
        >>> _npm_purl("@arcrun/sdk", "1.2.3")
        'pkg:npm/%40arcrun/sdk@1.2.3'
    """
    return f"pkg:npm/{quote(name, safe='/')}@{version}"


def _npm_dependency(purl: str, entry: Mapping[str, Any]) -> DependencyFact:
    digest = base64.b64decode(entry["integrity"].removeprefix("sha512-")).hex()
    url = entry.get("resolved", purl)
    return {
        "purl": purl,
        "required": not entry.get("optional", False),
        "licenses": [entry["license"]] if "license" in entry else [],
        "files": [{"url": url, "algorithm": "SHA-512", "digest": digest}],
        "properties": [(TESTED, "true")],
    }
