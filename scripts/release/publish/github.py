"""Make the GitHub release: a draft with the evidence and the files, public when all of them are there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from scripts.release.artifacts import sha256
from scripts.release.evidence_archive import NAME as EVIDENCE
from scripts.release.evidence_archive import pack
from scripts.release.publish.http import ask
from scripts.release.publish.publication import Impossible, NotDone, Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.release.publish.publication import Publication
    from scripts.release.publish.state import Record


def release(publication: Publication, record: Record) -> Outcome:
    """Make the release, or finish the one that is there."""
    del record
    if publication.registries.github is None:
        raise NotDone("no repository is known: set GITHUB_REPOSITORY to OWNER/NAME, and resume")
    tag = f"v{publication.version}"
    found = _found(publication, tag) or _create(publication, tag)
    there = {each["name"]: each.get("digest") for each in found["assets"]}
    sent = 0
    packed = pack(publication.evidence_file, publication.work / EVIDENCE)
    files = (each.path for each in publication.artifacts)
    for path in [publication.evidence_file, packed, *files]:
        digest = f"sha256:{sha256(path)}"
        if path.name not in there:
            _attach(publication, found, path)
            sent += 1
        elif there[path.name] != digest:
            raise Impossible(
                f"the release {tag} on GitHub has another {path.name}: remove it there"
            )
    if found["draft"]:
        url = f"{publication.registries.github}/releases/{found['id']}"
        _send(publication, url, {"draft": False}, method="PATCH")
    return Outcome(f"{tag}, with {len(there) + sent} files")


def _found(publication: Publication, tag: str) -> dict[str, Any] | None:
    """Return the release of a tag, drafts included: GitHub finds these only in the list."""
    url = f"{publication.registries.github}/releases?per_page=100"
    answer = ask(url, headers=_headers(publication))
    if answer.status != 200:
        raise NotDone(f"GitHub answered with status {answer.status}: is GITHUB_TOKEN set?")
    releases: list[dict[str, Any]] = answer.json()
    return next((each for each in releases if each["tag_name"] == tag), None)


def _create(publication: Publication, tag: str) -> dict[str, Any]:
    document = {"tag_name": tag, "name": tag, "draft": True, "body": "See CHANGELOG.md."}
    return _send(publication, f"{publication.registries.github}/releases", document)


def _send(
    publication: Publication, url: str, document: dict[str, Any], method: str = "POST"
) -> dict[str, Any]:
    body = json.dumps(document).encode()
    answer = ask(url, method=method, body=body, headers=_headers(publication))
    if answer.status not in {200, 201}:
        raise NotDone(f"GitHub answered with status {answer.status}; resume when it can be reached")
    found: dict[str, Any] = answer.json()
    return found


def _attach(publication: Publication, release: dict[str, Any], path: Path) -> None:
    url = f"{release['upload_url'].partition('{')[0]}?name={quote(path.name)}"
    headers = {**_headers(publication), "Content-Type": "application/octet-stream"}
    answer = ask(url, method="POST", body=path.read_bytes(), headers=headers, seconds=60)
    if answer.status != 201:
        raise NotDone(f"GitHub did not take {path.name} (status {answer.status}); resume")


def _headers(publication: Publication) -> dict[str, str]:
    token = publication.credentials.github
    return {"Authorization": f"Bearer {token}"} if token else {}
