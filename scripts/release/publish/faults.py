"""Publish on loopback with every fault at every step: each must end in one consistent state.

`nox -s release_faults -- --only publish` publishes tiny packages with the real clients (twine, npm) to registries on
loopback. The process is killed before, in and after each step, registries go down, answers get lost, bytes differ, names are
taken, stages expire. What is there is then compared with the record; the publication is resumed, and must end as the table says.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import os
import signal
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from scripts import processes
from scripts.console import make_console
from scripts.release.publish import record as records
from scripts.release.publish import tiny
from scripts.release.publish.approve import approve
from scripts.release.publish.command import OnLoopback, on_loopback
from scripts.release.publish.http import NotAsked
from scripts.release.publish.loopback import Fault, serve
from scripts.release.publish.machine import STEPS, WAITING, advance
from scripts.release.publish.planted import SPECIAL, Special
from scripts.release.publish.publication import NotDone
from scripts.release.publish.state import STAGES
from scripts.release.publish.world import World, inconsistencies

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from multiprocessing.context import SpawnProcess
    from pathlib import Path

    from scripts.release.publish.publication import Outcome, Publication
    from scripts.release.publish.state import Record

    Check = Callable[[Path], list[str]]

MOMENTS = {
    "before": "killed",
    "done but not recorded": "killed",
    "recorded": "killed between steps",
}


class Change(NamedTuple):
    """A request that changes something: at which step, in which service, and how many such requests come before it."""

    step: str
    service: str
    skip: int = 0
    what: str = ""


# A person does `npm_approve`; the stage was the first request to npm.
CHANGES = (
    Change("npm_stage", "npm"),
    Change("pypi_upload", "pypi", what="the first file"),
    Change("pypi_upload", "pypi", 3, "the fourth file"),
    Change("pypi_upload", "pypi", 5, "the last file"),
    Change("npm_approve", "npm", 1),
    Change("github_release", "github", what="the draft"),
    Change("github_release", "github", 1, "the first file"),
    Change("github_release", "github", 9, "what makes it public"),
)
_CHANGING = {change.step for change in CHANGES}
# The faults of which each step must meet every one, but for those that it can't meet.
KINDS = (
    *("killed", "killed between steps", "registries down", "5xx", "hash mismatch"),
    *("name taken", "stage expired", "14 days over", "no provenance"),
)
_NO_STAGE = ("names", "evidence", "live", "npm_stage")
_PUBLIC_ON_NPM = ("npm_verify", "github_release")
_NOTHING_ON_PYPI = (*_NO_STAGE, "approval")
# Why a step can't meet a fault.
NOT_MET: dict[tuple[str, str], str] = {
    ("github_release", "killed between steps"): "no step follows",
    **{(step, "registries down"): "it asks no registry" for step in ("evidence", "live")},
    **{
        (step, "5xx"): "it changes nothing in a registry"
        for step in STEPS
        if step not in {*_CHANGING, "approval"}
    },
    **{
        (step, "no provenance"): "it looks at no provenance"
        for step in STEPS
        if step not in {"pypi_verify", "npm_verify"}
    },
    ("names", "hash mismatch"): "it looks at no file",
    **{(step, "stage expired"): "there is no stage yet" for step in _NO_STAGE},
    **{(step, "stage expired"): "npm has the version by then" for step in _PUBLIC_ON_NPM},
    **{(step, "name taken"): "the names are ours by then" for step in _PUBLIC_ON_NPM},
    **{(step, "14 days over"): "PyPI has no file yet" for step in _NOTHING_ON_PYPI},
}


class Case(NamedTuple):
    """A fault at a step, and what makes it and returns what is wrong with how it ended."""

    step: str
    kind: str
    name: str
    check: Check


class Kill(NamedTuple):
    """When the process that publishes kills itself."""

    step: str
    moment: str


def publish(
    publication: Publication, path: Path, kill: Kill | None, at_step: Callable[[str], None] | None
) -> None:
    """Publish, and approve where a person is needed, until nothing more can be done.

    Args:
        publication: What is published.
        path: The file of the record.
        kill: When this process kills itself.
        at_step: Called with the name of each step before it is done.
    """
    console = make_console(io.StringIO())
    steps = {name: partial(_step, name, kill, at_step) for name in STEPS}
    while advance(publication, path, console, steps) == WAITING:
        try:
            approve(publication, path, console, OnLoopback())
        except (NotDone, NotAsked) as problem:
            console.print(str(problem), markup=False)
            return


def _step(
    name: str,
    kill: Kill | None,
    at_step: Callable[[str], None] | None,
    publication: Publication,
    record: Record,
) -> Outcome:
    """Do a step, and kill this process at the moment that is asked for."""
    if kill == Kill(name, "before"):
        _kill_this()
    before = _step_before(name)
    if before and kill == Kill(before, "recorded"):
        _kill_this()
    if at_step:
        at_step(name)
    outcome = STEPS[name](publication, record)
    if kill == Kill(name, "done but not recorded"):
        _kill_this()
    return outcome


def _step_before(name: str) -> str | None:
    names = [stage.step for stage in STAGES]
    return names[names.index(name) - 1] if names.index(name) else None


def _kill_this() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def cases() -> list[Case]:
    """Return every fault at every step."""
    found: list[Case] = []
    for step in STEPS:
        for moment, kind in MOMENTS.items():
            if (step, kind) not in NOT_MET:
                check = partial(_killed, Kill(step, moment))
                found.append(Case(step, kind, f"{step}: killed, {moment}", check))
        if (step, "registries down") not in NOT_MET:
            check = partial(_down, step)
            found.append(Case(step, "registries down", f"{step}: registries down", check))
    for change in CHANGES:
        of = f" ({change.what})" if change.what else ""
        for before in (True, False):
            when = f"{'before it is carried out' if before else 'after it was stored'}{of}"
            name = f"{change.step}: 5xx {when}"
            found.append(Case(change.step, "5xx", name, partial(_lost, change, before)))
            name = f"{change.step}: killed while sending, {when}"
            check = partial(_killed_while_sending, change, before)
            found.append(Case(change.step, "killed", name, check))
    for before in (True, False):
        name = f"approval: 5xx {'before' if before else 'after'} the refused stage was removed"
        found.append(Case("approval", "5xx", name, partial(_refused, before)))
    special = [Case(each.step, each.kind, each.name, partial(_special, each)) for each in SPECIAL]
    return [*found, *special]


def checks() -> dict[str, Check]:
    """Return every check by name."""
    return {case.name: case.check for case in cases()}


def _killed(kill: Kill, folder: Path) -> list[str]:
    with _world(folder) as world:
        code = _in_a_process(world, kill)
        wrong = [] if code == -signal.SIGKILL else [f"the process was not killed: {code}"]
        return [*wrong, *inconsistencies(world), *_resumed(world)]


def _killed_while_sending(change: Change, before: bool, folder: Path) -> list[str]:
    with _world(folder) as world:
        process = _process(world, None)

        def kill() -> None:
            os.kill(process.pid or 0, signal.SIGKILL)

        world.loopback.faults = [Fault(change.service, before, kill, change.skip)]
        process.start()
        process.join()
        wrong = [] if process.exitcode == -signal.SIGKILL else ["the process was not killed"]
        return [*wrong, *inconsistencies(world), *_resumed(world)]


def _lost(change: Change, before: bool, folder: Path) -> list[str]:
    with _world(folder) as world:
        world.loopback.faults = [Fault(change.service, before, skip=change.skip)]
        publish(world.publication, world.path, None, None)
        wrong = ["the fault was not met"] if world.loopback.faults else []
        return [*wrong, *inconsistencies(world), *_resumed(world)]


class _Refusing(OnLoopback):
    def consents(self, version: str) -> bool:
        del version
        return False


def _refused(before: bool, folder: Path) -> list[str]:
    """Refuse, where the answer to the removal of the stage is lost, until it is refused."""
    with _world(folder) as world:
        console = make_console(io.StringIO())
        advance(world.publication, world.path, console)
        world.loopback.faults = [Fault("npm", before)]
        for _ in range(2):
            with contextlib.suppress(NotAsked):
                approve(world.publication, world.path, console, _Refusing())
            advance(world.publication, world.path, console)
        wrong = ["the fault was not met"] if world.loopback.faults else []
        wrong += ["a stage is left"] if world.loopback.storage.of("npm").documents("stages") else []
        return [*wrong, *inconsistencies(world), *_ended(world, "refused", "")]


def _down(step: str, folder: Path) -> list[str]:
    with _world(folder) as world:

        def at_step(name: str) -> None:
            world.loopback.down = {"pypi", "npm", "github"} if name == step else set()

        publish(world.publication, world.path, None, at_step)
        world.loopback.down = set()
        return [*inconsistencies(world), *_resumed(world)]


def _special(special: Special, folder: Path) -> list[str]:
    with _world(folder) as world:
        met: list[str] = []

        def at_step(step: str) -> None:
            if step == special.step and not met:
                met.append(step)
                special.plant(world)

        publish(world.publication, world.path, None, at_step)
        wrong = [] if met else ["the fault was not met"]
        wrong += inconsistencies(world, planted=special.planted)
        special.mend(world)
        publish(world.publication, world.path, None, None)
        wrong += inconsistencies(world, planted=special.planted)
        return [*wrong, *_ended(world, special.ends, special.says)]


def _resumed(world: World) -> list[str]:
    """Resume without a fault; return what is wrong with how it ended."""
    publish(world.publication, world.path, None, None)
    return [*inconsistencies(world), *_ended(world, "released", "")]


def _ended(world: World, state: str, says: str) -> list[str]:
    record = records.read(world.path)
    if record is None or record.state != state:
        last = record.history[-1] if record and record.history else None
        return [f"it is {record.state if record else 'not begun'}, not {state}: {last}"]
    told = " ".join(entry["told"] for entry in record.history)
    return [] if says in told else [f"it does not say {says!r}: {told}"]


@contextlib.contextmanager
def _world(folder: Path) -> Iterator[World]:
    """Serve the registries for one check, with nothing on them."""
    with serve(folder / "registries") as loopback:
        publication = tiny.make(folder / "release", on_loopback(loopback.url))
        yield World(publication, folder / "publish.json", loopback)


def _process(world: World, kill: Kill | None) -> SpawnProcess:
    """Return a process of its own that publishes; this one serves the registries."""
    context = multiprocessing.get_context("spawn")
    return context.Process(target=publish, args=(world.publication, world.path, kill, None))


def _in_a_process(world: World, kill: Kill) -> int | None:
    process = _process(world, kill)
    process.start()
    process.join()
    return process.exitcode


def main(arguments: list[str] | None = None) -> int:
    """Make the checks; return 0 if every fault was survived."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.release.publish.faults", description=__doc__
    )
    parser.add_argument("--only", default="", help="only what has this text in its name")
    parser.add_argument("--list", action="store_true", help="list the names, and publish nothing")
    options = parser.parse_args(arguments)
    chosen = {name: check for name, check in checks().items() if options.only in name}
    if options.list:
        print("\n".join(chosen))
        return 0
    if not chosen:
        parser.error(f"nothing has {options.only!r} in its name; --list names all")
    processes.interrupt_on_signals()
    try:
        return _report(chosen)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _report(chosen: Mapping[str, Check]) -> int:
    begun, survived = time.monotonic(), set()
    for name, wrong in judge(chosen.items()):
        mark = "✗" if wrong else "✓"
        print(f"{mark} {name}", *[f"    {each}" for each in wrong], sep="\n", flush=True)
        if not wrong:
            survived.add(name)
    print(*table(chosen.keys(), survived), sep="\n")
    print(f"in {time.monotonic() - begun:.0f} s")
    return 0 if len(survived) == len(chosen) else 1


def table(made: Collection[str], survived: Collection[str]) -> list[str]:
    """Return how many of the faults that were made each step has survived, by kind, and how many in all."""
    head = f"{'':<16}" + "".join(f"{kind:>22}" for kind in KINDS)
    lines = [head]
    for step in STEPS:
        cells = []
        for kind in KINDS:
            names = {case.name for case in cases() if (case.step, case.kind) == (step, kind)}
            mine = names.intersection(made)
            cells.append(f"{len(mine.intersection(survived))}/{len(mine)}" if mine else "·")
        lines.append(f"{step:<16}" + "".join(f"{cell:>22}" for cell in cells))
    percent = 100 * len(survived) // len(made)
    return [*lines, f"steps × faults: survived {len(survived)} of {len(made)} = {percent} %"]


def judge(chosen: Iterable[tuple[str, Check]]) -> Iterable[tuple[str, list[str]]]:
    """Make checks, each in a folder of its own; yield what is wrong with how each ended."""
    for name, check in chosen:
        with processes.temporary_folder("arcrun-publish-fault-") as folder:
            yield name, check(folder)


if __name__ == "__main__":
    raise SystemExit(main())
