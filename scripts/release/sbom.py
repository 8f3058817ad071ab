"""Write bills of materials (CycloneDX) of the packages: what was released, and with which versions it was tested.

A document depends on nothing but the facts that are given, so that everybody who has them gets the same bytes.
`python -m scripts.release.sbom FACTS OUT` writes one; the rehearsal runs it twice, in two environments.
"""

# The library's models are made by decorators that pyright does not see through; mypy does.
# pyright: reportCallIssue=false, reportAttributeAccessIssue=false
from __future__ import annotations

import datetime as dt
import hashlib
import json
import sys
import uuid
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import (
    ExternalReference,
    ExternalReferenceType,
    HashAlgorithm,
    HashType,
    Property,
    XsUri,
)
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.model.tool import ToolRepository
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from scripts import processes
from scripts.release import foreign
from scripts.release.artifacts import BUILD_ENVIRONMENTS, sha256

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cyclonedx.model.license import License

LIBRARY = "cyclonedx-python-lib"
SPECIFICATION = "1.6"
# What the package says of other versions than those that were tested, for each requirement.
REQUIRES, REQUIRES_RUNTIME = "arcrun:requires", "arcrun:requires-runtime"
# Whether this version was installed in the rehearsal, and where it is needed if not everywhere.
TESTED, MARKER = "arcrun:tested", "arcrun:marker"


class SbomInvalid(Exception):
    """A bill of materials is not what it has to be; the message says why."""


class FileFact(TypedDict):
    """A file of a package: its address or name, and its hash in hex."""

    url: str
    algorithm: str
    digest: str


class PackageFact(TypedDict):
    """A package at a version, its files, its licenses, and what else is known of it."""

    purl: str
    licenses: list[str]
    files: list[FileFact]
    properties: list[tuple[str, str]]


class DependencyFact(PackageFact):
    """A package that another one needs, with every installation or only with some extra."""

    required: bool


class Facts(TypedDict):
    """Everything that a bill of materials says.

    Attributes:
        time: When the commit was made, in Unix seconds.
        package: What was released.
        dependencies: The versions that the lock file names.
        graph: The package URLs that each package needs.
    """

    time: int
    package: PackageFact
    dependencies: list[DependencyFact]
    graph: dict[str, list[str]]


def file_name(package: str) -> str:
    """Return the name of the bill of materials of a package.

    Example:
        >>> file_name("@arcrun/sdk")
        'sbom-npm-arcrun-sdk.json'
        >>> file_name("arcrun-server")
        'sbom-arcrun-server.json'
    """
    name = package.removeprefix("@").replace("/", "-")
    return f"sbom-{'npm-' if package.startswith('@') else ''}{name}.json"


def document(facts: Facts) -> str:
    """Return a bill of materials as JSON.

    Its serial number is derived from the facts, and its time is that of the commit.
    """
    root = _component(facts["package"])
    components = [
        _component(each, ComponentScope.REQUIRED if each["required"] else ComponentScope.OPTIONAL)
        for each in facts["dependencies"]
    ]
    bom = Bom(components=components, serial_number=_serial_number(facts))
    bom.metadata.component = root
    bom.metadata.timestamp = dt.datetime.fromtimestamp(facts["time"], dt.timezone.utc)
    tool = Component(name=LIBRARY, version=version(LIBRARY), type=ComponentType.LIBRARY)
    bom.metadata.tools = ToolRepository(components=[tool])
    by_purl = {str(each.purl): each for each in (root, *components)}
    bom.dependencies = [
        Dependency(each.bom_ref, [Dependency(by_purl[name].bom_ref) for name in facts["graph"].get(purl, ())])
        for purl, each in by_purl.items()
    ]  # fmt: skip
    return f"{JsonV1Dot6(bom).output_as_string(indent=2)}\n"


def _serial_number(facts: Facts) -> uuid.UUID:
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{facts['package']['purl']}#{digest}")


def _component(fact: PackageFact, scope: ComponentScope | None = None) -> Component:
    purl = PackageURL.from_string(fact["purl"])
    return Component(
        type=ComponentType.LIBRARY,
        bom_ref=fact["purl"],
        group=purl.namespace,
        name=purl.name,
        version=purl.version,
        purl=purl,
        scope=scope,
        licenses=_licenses(fact["licenses"]),
        external_references=[_distribution(each) for each in fact["files"]],
        properties=[Property(name=name, value=value) for name, value in fact["properties"]],
    )


def _licenses(texts: Iterable[str]) -> list[License]:
    """Return licenses as CycloneDX has them: one expression, or any number of names."""
    made = [LicenseFactory().make_from_string(text) for text in texts]
    return made if len(made) == 1 else [LicenseFactory().make_with_name(text) for text in texts]


def _distribution(file: FileFact) -> ExternalReference:
    algorithm = HashAlgorithm(file["algorithm"])
    return ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(file["url"]),
        hashes=[HashType(alg=algorithm, content=file["digest"])],
    )


def require_valid(text: str, name: str) -> dict[str, Any]:
    """Check a bill of materials against the schema of CycloneDX 1.6; return it parsed.

    Raises:
        SbomInvalid: It does not match.
    """
    try:
        parsed: dict[str, Any] = foreign.parsed(text, name)
    except foreign.NotReadable as problem_of_text:
        raise SbomInvalid(str(problem_of_text)) from None
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if problem is not None:
        where = getattr(problem.data, "json_path", "$")
        what = getattr(problem.data, "message", str(problem))[:300]
        raise SbomInvalid(f"{name} is no bill of materials of CycloneDX 1.6: {where}: {what}")
    if parsed["specVersion"] != SPECIFICATION:
        raise SbomInvalid(f"{name} is of CycloneDX {parsed['specVersion']}, not {SPECIFICATION}")
    return parsed


def write_twice(facts: Facts, path: Path, work: Path, log: Path) -> dict[str, Any]:
    """Write a bill of materials in two environments; compare the bytes, and check them; return it parsed.

    Raises:
        SbomInvalid: The bytes differ, or do not match the schema.
        processes.CommandFailed: It could not be written.
    """
    work.mkdir(parents=True, exist_ok=True)
    given = work / f"{path.name}.facts"
    given.write_text(json.dumps(facts), "utf-8")
    written = []
    for number, each in enumerate(BUILD_ENVIRONMENTS):
        out = work / f"{path.name}.{number}"
        command = [sys.executable, "-m", "scripts.release.sbom", str(given), str(out)]
        processes.run(command, log=log, env=each.variables, umask=each.umask)
        written.append(out)
    one, other = written
    if sha256(one) != sha256(other):
        raise SbomInvalid(
            f"{path.name} differs when it is written twice: compare {one} and {other}"
        )
    parsed = require_valid(one.read_text("utf-8"), path.name)
    path.write_bytes(one.read_bytes())
    return parsed


def released(bom: dict[str, Any]) -> dict[str, Any]:
    """Return the component that a bill of materials is about; empty if it names none."""
    found: dict[str, Any] = bom.get("metadata", {}).get("component", {})
    return found


def subjects(bom: dict[str, Any]) -> dict[str, str]:
    """Return the SHA-256 of each file of the released package that a bill of materials names."""
    return {
        each["url"]: digest["content"]
        for each in released(bom).get("externalReferences", ())
        if each["type"] == "distribution"
        for digest in each.get("hashes", ())
        if digest["alg"] == "SHA-256"
    }


if __name__ == "__main__":
    given, out = map(Path, sys.argv[1:])
    out.write_text(document(json.loads(given.read_text("utf-8"))), "utf-8")
