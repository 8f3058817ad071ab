"""Upload to PyPI what it does not have yet, and prove that it has nothing else."""

from __future__ import annotations

import datetime as dt
import shutil
import sys
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from scripts import processes
from scripts.rehearsal import describe
from scripts.release.artifacts import sha256
from scripts.release.environment import neutral
from scripts.release.publish.http import NotAsked, ask
from scripts.release.publish.names import document_at
from scripts.release.publish.preflight import ask_names
from scripts.release.publish.publication import Impossible, NotDone, Outcome, Waiting
from scripts.release.versions import PACKAGES

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.release.artifacts import Artifact
    from scripts.release.publish.publication import Publication
    from scripts.release.publish.state import Record

# PyPI takes no more files for a release that is older.
OPEN_DAYS = 14


class Stored(NamedTuple):
    """A file that PyPI has: its SHA-256, when it was uploaded, and where it can be downloaded."""

    sha256: str
    uploaded: str
    url: str


def stored(publication: Publication) -> dict[str, Stored]:
    """Return the files that PyPI has of this version of our packages, by name."""
    found = {}
    for package in PACKAGES:
        base = publication.registries.pypi.rstrip("/")
        document = document_at(f"{base}/pypi/{quote(package)}/{quote(publication.version)}/json")
        for each in (document or {}).get("urls", ()):
            digest, uploaded = each["digests"]["sha256"], each["upload_time_iso_8601"]
            found[each["filename"]] = Stored(digest, uploaded, each["url"])
    return found


def missing(publication: Publication, there: dict[str, Stored]) -> list[Artifact]:
    """Return the files that PyPI lacks.

    Raises:
        Impossible: It has other bytes, or files that are not of this release.
    """
    ours = {each.path.name: each.sha256 for each in publication.python}
    others = sorted(name for name, file in there.items() if ours.get(name) != file.sha256)
    if others:
        raise Impossible(
            f"PyPI has other bytes under the version {publication.version}: {', '.join(others)}. "
            "No version is ever uploaded twice: yank it there, and release a new version"
        )
    return [each for each in publication.python if each.path.name not in there]


def closed_on(there: dict[str, Stored]) -> str | None:
    """Return the day on which PyPI takes no more files for this version; None if it has none."""
    times = [
        dt.datetime.fromisoformat(each.uploaded.replace("Z", "+00:00")) for each in there.values()
    ]
    return f"{min(times) + dt.timedelta(days=OPEN_DAYS):%Y-%m-%d}" if times else None


def upload(publication: Publication, record: Record) -> Outcome:
    """Upload the files that are not there, each with its attestation, and ask PyPI again."""
    del record
    there = stored(publication)
    lacking = missing(publication, there)
    if not lacking:
        return Outcome(f"PyPI has all {len(there)} files")
    _require_open(publication, there, lacking)
    ask_names(publication.registries.pypi, publication.registries.npm)
    if not publication.may_send:
        names = ", ".join(each.path.name for each in lacking)
        raise Waiting(
            f"the workflow Release uploads {names}: approve its job pypi, and resume when it has ended"
        )
    failed = _send(publication, lacking)
    now_there = stored(publication)
    still = missing(publication, now_there)
    if still:
        names = ", ".join(each.path.name for each in still)
        raise NotDone(f"PyPI did not take {names}; resume when it does.\n{failed or ''}".rstrip())
    return Outcome(f"uploaded {len(lacking)}; PyPI has all {len(now_there)} files")


def _require_open(
    publication: Publication, there: dict[str, Stored], lacking: list[Artifact]
) -> None:
    """Check that PyPI still takes files for the releases that lack one; each package has a release of its own."""
    today = f"{dt.datetime.now(dt.timezone.utc):%Y-%m-%d}"
    for package in sorted({each.package for each in lacking}):
        own = {each.path.name for each in publication.python if each.package == package}
        day = closed_on({name: file for name, file in there.items() if name in own})
        if day is not None and day <= today:
            raise Impossible(
                f"PyPI has taken no more files for {package} {publication.version} since {day}, "
                f"{OPEN_DAYS} days after the first, and lacks "
                f"{', '.join(each.path.name for each in lacking)}: yank the version, release a new one"
            )


def _send(publication: Publication, files: list[Artifact]) -> str | None:
    """Upload files; return what twine said where it failed, since PyPI may have taken them all the same."""
    folder = publication.work / "pypi"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    copies = [_copy(each, folder) for each in files]
    attestations = publication.attest(publication, copies)
    if not attestations:
        raise NotDone("nothing was uploaded: there are no attestations, and each file needs one")
    home = publication.work / "home"
    home.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "twine", "upload", "--non-interactive", "--attestations"]
    command += ["--disable-progress-bar", "--repository-url", publication.registries.pypi_upload]
    env = {**neutral(home), **publication.network, **publication.credentials.oidc}
    if publication.credentials.pypi:
        env |= {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": publication.credentials.pypi}
    try:
        processes.run(
            [*command, *map(str, copies), *map(str, attestations)],
            log=publication.log,
            env=env,
            inherit=False,
        )
    except processes.CommandFailed as failed:
        return describe(failed)
    return None


def _copy(artifact: Artifact, folder: Path) -> Path:
    """Copy a file and check the copy: what is sent is what was approved, whatever happens in `dist/` meanwhile."""
    copy = folder / artifact.path.name
    shutil.copyfile(artifact.path, copy)
    if sha256(copy) != artifact.sha256:
        raise NotDone(f"{artifact.path} has changed since it was rehearsed; nothing was uploaded")
    return copy


def verify(publication: Publication, record: Record) -> Outcome:
    """Download every file from PyPI, compare it, check its provenance, and run the gate on what was downloaded."""
    del record
    there = stored(publication)
    lacking = missing(publication, there)
    if lacking:
        raise NotDone(
            f"PyPI lacks {', '.join(each.path.name for each in lacking)}: resume in a few minutes"
        )
    folder = publication.work / "from-pypi"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for artifact in publication.python:
        _download(artifact, there[artifact.path.name], folder)
        _require_provenance(publication, artifact)
    shutil.copyfile(publication.tarball.path, folder / publication.tarball.path.name)
    return Outcome(
        f"{len(there)} files by hash, with provenance; {publication.prove(publication, folder)}"
    )


def _download(artifact: Artifact, file: Stored, folder: Path) -> None:
    answer = ask(file.url, seconds=60)
    if answer.status != 200:
        raise NotDone(f"PyPI answered with {answer.status} for {file.url}: resume in a few minutes")
    copy = folder / artifact.path.name
    copy.write_bytes(answer.body)
    if sha256(copy) != artifact.sha256:
        raise Impossible(
            f"what PyPI gives out as {artifact.path.name} is not what was uploaded: yank the "
            "version, and report it to PyPI"
        )


def _require_provenance(publication: Publication, artifact: Artifact) -> None:
    base, name = publication.registries.pypi.rstrip("/"), artifact.path.name
    url = f"{base}/integrity/{quote(artifact.package)}/{quote(publication.version)}/{quote(name)}/provenance"
    document = document_at(url)
    bundles = (document or {}).get("attestation_bundles", ())
    if not any(bundle.get("attestations") for bundle in bundles):
        raise NotDone(f"PyPI has no attestation for {name}: resume in a few minutes")
    publication.check_attestation(publication, artifact, document or {})


def is_public(publication: Publication) -> dict[str, Stored] | None:
    """Return what PyPI has of this version; None where it can't be asked."""
    try:
        return stored(publication)
    except NotAsked:
        return None
