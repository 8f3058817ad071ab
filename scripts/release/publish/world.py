"""Compare a publication on loopback with its record: what is public, and what may be."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from scripts.release.evidence_archive import NAME as EVIDENCE
from scripts.release.publish import record as records
from scripts.release.publish.state import STAGES

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.release.publish.loopback import Loopback
    from scripts.release.publish.publication import Publication

_ORDER = [*(stage.due for stage in STAGES), "released"]


class World(NamedTuple):
    """A publication, its record, and the registries that it goes to."""

    publication: Publication
    path: Path
    loopback: Loopback


def on_pypi(world: World) -> dict[str, str]:
    """Return the SHA-256 of each file that the index gives out."""
    shelf = world.loopback.storage.of("pypi")
    return {
        name: hashlib.sha256(shelf.file(name).read_bytes()).hexdigest()
        for name in shelf.documents("uploads")
    }


def on_npm(world: World) -> dict[str, str]:
    """Return the SHA-256 of each tarball that the registry gives out, by version."""
    shelf = world.loopback.storage.of("npm")
    found = {}
    for versions in shelf.documents("packages").values():
        for version, document in versions.items():
            content = shelf.file(document["dist"]["file"]).read_bytes()
            found[version] = hashlib.sha256(content).hexdigest()
    return found


def public_release(world: World) -> set[str]:
    """Return the names of the files of the public release on GitHub; none where it is a draft."""
    releases = world.loopback.storage.of("github").documents("releases").values()
    return {file["name"] for each in releases if not each["draft"] for file in each["assets"]}


def inconsistencies(world: World, planted: frozenset[str] = frozenset()) -> list[str]:
    """Return what contradicts the record, or what must never be.

    Args:
        world: What to look at.
        planted: The files that the check itself has put there.
    """
    record = records.read(world.path)
    publication, python, npm = world.publication, on_pypi(world), on_npm(world)
    ours = {each.path.name: each.sha256 for each in publication.python}
    sent = {name: digest for name, digest in python.items() if name not in planted}
    is_on_npm = "npm" not in planted and bool(npm)
    wrong = [
        f"{name} on PyPI is not ours" for name, digest in sent.items() if ours.get(name) != digest
    ]
    if is_on_npm and npm != {publication.version: publication.tarball.sha256}:
        wrong.append(f"npm has {npm}")
    if is_on_npm and python != ours:
        wrong.append("npm is public, and PyPI is not complete")
    # To PyPI, twine itself sends a file again that was not confirmed; the bytes are the same.
    repeated = world.loopback.storage.of("npm").documents("repeated")
    wrong += [f"npm was sent a second stage, {name}" for name in repeated]
    approved = record is not None and any(each["event"] == "approved" for each in record.history)
    if (sent or is_on_npm) and not approved:
        wrong.append("something is public, and nobody approved it")
    everything = {*publication.files, publication.evidence_file.name, EVIDENCE}
    if public_release(world) not in (set(), everything):
        wrong.append(f"the release on GitHub has {sorted(public_release(world))}")
    if record is None or record.state not in _ORDER:
        return wrong
    reached = _ORDER.index(record.state)
    if reached >= _ORDER.index("pypi_public") and python.keys() != ours.keys():
        wrong.append(f"the record says {record.state}, and PyPI has {sorted(python)}")
    if reached >= _ORDER.index("npm_public") and not npm:
        wrong.append(f"the record says {record.state}, and npm has nothing")
    if record.state == "released" and public_release(world) != everything:
        wrong.append("the record says released, and GitHub has no such release")
    return wrong
