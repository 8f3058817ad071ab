"""Approve a publication, on a person's machine: compare what npm has staged, see what has changed, and consent.

nox -s approve

The first time it compares the bytes with the evidence, shows what has changed since the last release, and records the consent;
refused, the stage is removed and nothing is public. When PyPI has the packages, the same person runs it again,
and makes the npm stage public with their second factor. NPM_TOKEN has a token of theirs (npm login).
"""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Protocol

from scripts.release import git
from scripts.release.artifacts import sha256
from scripts.release.publish import npm
from scripts.release.publish import record as records
from scripts.release.publish.differences import since_last_release
from scripts.release.publish.publication import Impossible, NotDone, StageLost, integrity
from scripts.release.publish.state import Approval

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from scripts.release.publish.publication import Publication
    from scripts.release.publish.state import Record

DIFFERENCES = "approval.diff"


class Person(Protocol):
    """Who approves."""

    name: str

    def consents(self, version: str) -> bool:
        """Return whether they consent, after they have seen everything."""
        ...

    def one_time_password(self) -> str:
        """Return the password of their second factor; it is not kept."""
        ...


class AtTerminal:
    """A person at this terminal."""

    def __init__(self, root: Path) -> None:
        """Know them as git does."""
        self.name = git.committer(root)

    def consents(self, version: str) -> bool:
        """Ask for the version, so that nobody consents by Enter."""
        try:
            answer = input(f"approve {version}? Type the version to approve, or no to refuse: ")
        except EOFError:
            raise NotDone("nobody is at the terminal: nothing was approved or refused") from None
        if answer.strip() not in {version, "no"}:
            raise NotDone(
                "neither approved nor refused: nothing has changed; run nox -s approve again"
            )
        return answer.strip() == version

    def one_time_password(self) -> str:
        """Ask for it, without showing it."""
        try:
            return getpass.getpass("one-time password of npm: ").strip()
        except EOFError:
            raise NotDone("nobody is at the terminal: the npm stage is not public") from None


def approve(publication: Publication, path: Path, console: Console, person: Person) -> Record:
    """Do what the publication waits for; return the record after it.

    Raises:
        NotDone: It waits for no person, the bytes differ, or another person approved.
        NotAsked: npm gives no answer.
    """
    record = records.read(path)
    waits = record.stage.step if record and record.stage else None
    if record is None or waits not in {"approval", "npm_approve"}:
        state = record.state if record else "not begun"
        raise NotDone(f"no person is needed now: the publication is {state} ({path})")
    begun = publication.begin()
    if (record.version, record.files) != (begun.version, begun.files):
        raise NotDone(f"{path} is about other files than the evidence: fetch both of one run")
    if record.registry != publication.registries.name:
        raise NotDone(f"this publication is {record.registry}: add --registry {record.registry}")
    try:
        decide = _consent if waits == "approval" else _make_public
        changed = decide(publication, record, console, person)
    except StageLost as lost:
        changed = record.after("stage_lost", at=records.now(), told=str(lost))
        console.print(str(lost), markup=False)
    except Impossible as problem:
        changed = record.after("impossible", at=records.now(), told=str(problem))
        console.print(str(problem), markup=False)
    records.write(path, changed)
    return changed


def _consent(publication: Publication, record: Record, console: Console, person: Person) -> Record:
    staged = _compared(publication, record)
    told = since_last_release(publication, staged)
    file = publication.evidence_file.with_name(DIFFERENCES)
    file.write_text("\n".join(told) + "\n", "utf-8")
    shown = [line for line in told if not line.startswith("    ")]
    console.print("\n".join(shown), markup=False, highlight=False, soft_wrap=True)
    console.print(f"same bytes as in the evidence; all lines that differ are in {file}")
    at = records.now()
    if person.consents(publication.version):
        approval = Approval(person.name, at, publication.files, record.npm_stage)
        changed = record.approved(approval).noted("approved", at=at, told=f"by {person.name}")
        console.print("approved; continue with: nox -s release -- --resume")
        return changed
    if record.npm_stage:
        npm.remove_stage(publication, record.npm_stage, person.one_time_password())
    console.print("refused: the npm stage is removed, and nothing is public anywhere")
    return record.after("refused", at=at, told=f"by {person.name}")


def _compared(publication: Publication, record: Record) -> bytes | None:
    """Compare every file with the evidence, the tarball as npm has it; return that.

    Raises:
        NotDone: One differs.
    """
    for artifact in publication.artifacts:
        if sha256(artifact.path) != artifact.sha256:
            raise NotDone(f"{artifact.path} is not the file of the evidence: nothing was approved")
    if record.npm_stage is None:
        npm.published(publication)
        return None
    npm.staged(publication, record.npm_stage)
    staged = npm.staged_tarball(publication, record.npm_stage)
    if integrity(staged) != integrity(publication.tarball.path.read_bytes()):
        raise NotDone(
            f"npm has staged other bytes than those of the evidence: refuse them (npm stage reject "
            f"{record.npm_stage}), and look for who could change them"
        )
    return staged


def _make_public(
    publication: Publication, record: Record, console: Console, person: Person
) -> Record:
    if record.approval is None or record.approval.by != person.name:
        by = record.approval.by if record.approval else "nobody"
        raise NotDone(f"{by} has approved this publication, and must make it public too")
    told = npm.approve(publication, record, person.one_time_password()).told
    console.print(f"{told}; continue with: nox -s release -- --resume", markup=False)
    return record.noted("approved", at=records.now(), told=f"{told}, by {person.name}")
