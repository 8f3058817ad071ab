"""Run the steps of a publication, and record each event before the next step begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

from scripts.release.publish import github, npm, preflight, pypi
from scripts.release.publish import record as records
from scripts.release.publish.publication import (
    PASSING,
    Impossible,
    NotDone,
    Outcome,
    Publication,
    StageLost,
    Waiting,
)
from scripts.release.publish.state import BY_A_PERSON, FINAL, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from rich.console import Console

    Step = Callable[[Publication, Record], Outcome]

DONE, NO_GO, WAITING = 0, 1, 3


def approval(publication: Publication, record: Record) -> Outcome:
    """Check that a person has approved these files and this stage; they do it in `nox -s approve`."""
    if npm.published(publication) is None:
        if record.npm_stage is None:
            raise StageLost("npm has neither a stage nor the version: the tarball is staged again")
        npm.staged_or_unknown(publication, record.npm_stage)
    given = record.approval
    if given is None or given.files != publication.files or given.npm_stage != record.npm_stage:
        raise Waiting("a person compares the bytes and approves: nox -s approve")
    return Outcome(f"approved by {given.by}")


def npm_approve(publication: Publication, record: Record) -> Outcome:
    """Check that the person who has approved has made the npm stage public, by their second factor."""
    if npm.published(publication):
        return Outcome("the npm stage is public")
    if record.npm_stage is None:
        raise StageLost("npm has neither a stage nor the version: the tarball is staged again")
    npm.staged_or_unknown(publication, record.npm_stage)
    raise Waiting(
        "PyPI has the packages; the same person makes the npm stage public: nox -s approve"
    )


STEPS: Mapping[str, Step] = {
    "names": preflight.names,
    "evidence": preflight.evidence,
    "live": preflight.live,
    "npm_stage": npm.stage,
    "approval": approval,
    "pypi_upload": pypi.upload,
    "pypi_verify": pypi.verify,
    "npm_approve": npm_approve,
    "npm_verify": npm.verify,
    "github_release": github.release,
}


def advance(
    publication: Publication,
    path: Path,
    console: Console,
    steps: Mapping[str, Step] = STEPS,
) -> int:
    """Run the steps that are due, until everything is public, a person is needed, or a step can't be done.

    Args:
        publication: What is published.
        path: The file of the record.
        console: Shows each step.
        steps: What does each step.

    Returns:
        0 when it is released, 3 when it waits for a person or for the workflow, 1 otherwise.
    """
    record = _record_of(publication, path)
    while stage := record.stage:
        try:
            outcome = steps[stage.step](publication, record)
        except Waiting as waiting:
            console.print(f"  … [bold]{stage.step}[/]: {escape(str(waiting))}")
            return WAITING
        except PASSING as problem:
            records.write(path, record.noted("failed", at=records.now(), told=str(problem)))
            _show_failure(console, stage.step, str(problem), record)
            return NO_GO
        except StageLost as lost:
            record = record.after("stage_lost", at=records.now(), told=str(lost))
            console.print(f"  ! [bold]{stage.step}[/]: {escape(str(lost))}")
        except Impossible as problem:
            record = record.after("impossible", at=records.now(), told=str(problem))
            records.write(path, record)
            _show_failure(console, stage.step, str(problem), record)
            return NO_GO
        else:
            record = record.with_stage(outcome.npm_stage).after(
                outcome.event, at=records.now(), told=outcome.told
            )
            console.print(f"  ✓ [bold]{stage.step:<14}[/] {escape(outcome.told)}", highlight=False)
        records.write(path, record)
    final = FINAL[record.state]
    console.print(f"[bold]{record.state}[/]: {record.version}, {final}")
    return DONE if record.state == "released" else NO_GO


def _record_of(publication: Publication, path: Path) -> Record:
    """Return the record of this publication, or begin one.

    Raises:
        NotDone: The file has the record of another one that is not finished.
    """
    found = records.read(path)
    begun = publication.begin()
    if found is None or (found.state in FINAL and found.version != begun.version):
        return begun
    same = (found.version, found.commit, found.registry, found.files)
    if same != (begun.version, begun.commit, begun.registry, begun.files):
        raise NotDone(
            f"{path} is the record of {found.version} at {found.commit[:12]} ({found.registry}, "
            f"{found.state}), and these files are others: end that one first, by --resume with its "
            "files or by --abort"
        )
    return found


def _show_failure(console: Console, step: str, problem: str, record: Record) -> None:
    console.print(f"\n[bold red]NO-GO[/] at step [bold]{step}[/] ({record.state}):")
    console.print(escape(problem), highlight=False, soft_wrap=True)
    if record.stage and step not in BY_A_PERSON:
        console.print("continue with: nox -s release -- --resume")
