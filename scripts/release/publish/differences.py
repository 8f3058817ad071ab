"""Show what has changed in a package since its last release, file by file."""

from __future__ import annotations

import difflib
import io
import tarfile
import zipfile
from typing import TYPE_CHECKING
from urllib.parse import quote

from scripts.release.publish.http import ask
from scripts.release.publish.names import document_at
from scripts.release.versions import NPM_NAME, PACKAGES

if TYPE_CHECKING:
    from scripts.release.publish.publication import Publication


def contents(name: str, archive: bytes) -> dict[str, bytes]:
    """Return the files in a wheel, an sdist or a tarball of npm.

    The version is left out of their names, so that those of two releases can be compared.
    """
    if name.endswith(".whl"):
        with zipfile.ZipFile(io.BytesIO(archive)) as wheel:
            found = {each.filename: wheel.read(each) for each in wheel.infolist()}
        return {_plain(file): content for file, content in found.items()}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tarball:
        files = ((each.name, tarball.extractfile(each)) for each in tarball if each.isfile())
        return {path.partition("/")[2]: file.read() for path, file in files if file}


def _plain(name: str) -> str:
    folder, _, file = name.partition("/")
    return f"*.dist-info/{file}" if folder.endswith(".dist-info") else name


def differences(before: dict[str, bytes], after: dict[str, bytes]) -> list[str]:
    """Return a line for each file that was added, removed or changed, and the lines that differ."""
    told = []
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old != new:
            mark = "+" if old is None else "-" if new is None else "~"
            told += [f"{mark} {name}", *_lines(old or b"", new or b"")]
    return told


def _lines(old: bytes, new: bytes) -> list[str]:
    before, after = (content.decode("utf-8", "replace").splitlines() for content in (old, new))
    return [f"    {line}" for line in difflib.unified_diff(before, after, n=0, lineterm="")][2:]


def last_release(publication: Publication) -> dict[str, tuple[str, bytes]]:
    """Download the wheel of each Python package, and the npm tarball, of the last release, by package."""
    found: dict[str, tuple[str, bytes]] = {}
    for package in PACKAGES:
        base = publication.registries.pypi.rstrip("/")
        document = document_at(f"{base}/pypi/{quote(package)}/json") or {}
        wheels = [
            each
            for each in document.get("urls", ())
            if each["filename"].endswith(".whl") and each["filename"] not in publication.files
        ]
        for each in wheels[-1:]:
            found[package] = (each["filename"], ask(each["url"], seconds=60).body)
    npm = publication.registries.npm.rstrip("/")
    document = document_at(f"{npm}/{quote(NPM_NAME, safe='@')}") or {}
    earlier = [name for name in document.get("versions", {}) if name != publication.version]
    if earlier:
        url = document["versions"][earlier[-1]]["dist"]["tarball"]
        found[NPM_NAME] = (f"{earlier[-1]}.tgz", ask(url, seconds=60).body)
    return found


def since_last_release(publication: Publication, staged: bytes | None) -> list[str]:
    """Return what differs from the last release, for the wheels and for the tarball that npm has staged."""
    before, told = last_release(publication), []
    for artifact in publication.artifacts:
        is_npm = artifact.package == NPM_NAME
        if not (artifact.is_wheel or is_npm):
            continue
        content = artifact.path.read_bytes() if not is_npm or staged is None else staged
        after = contents(artifact.path.name, content)
        if artifact.package not in before:
            told += [f"{artifact.package}: the first release, {len(after)} files"]
            told += [f"+ {name}" for name in sorted(after)]
            continue
        name, old = before[artifact.package]
        told += [f"{artifact.package}: since {name}", *differences(contents(name, old), after)]
    return told
