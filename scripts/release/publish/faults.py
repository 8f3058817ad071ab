"""Publish on loopback with every fault at every step: each must end in one consistent state.

`nox -s publish_faults` publishes tiny packages with the real clients (twine, npm) to registries on loopback. The
process is killed before, in and after each step, registries go down, answers get lost, bytes differ, names are
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
import tempfile
import time
from functools import partial
from pathlib import Path
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
from scripts.release.publish.planted import SPECIAL
from scripts.release.publish.publication import NotDone
from scripts.release.publish.state import STAGES
from scripts.release.publish.world import World, inconsistencies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from multiprocessing.context import SpawnProcess

    from scripts.release.publish.publication import Outcome, Publication
    from scripts.release.publish.state import Record

    Check = Callable[[Path], list[str]]

MOMENTS = ("before", "done but not recorded", "recorded")
# The steps that change something, and in which service; a person does the last but one.
CHANGING = {
    "npm_stage": "npm",
    "pypi_upload": "pypi",
    "npm_approve": "npm",
    "github_release": "github",
}


# These ask no registry.
WITHOUT_REGISTRIES = ("evidence", "live")


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


def checks() -> dict[str, Check]:
    """Return every check by name: each step with each fault, and what only some steps can meet."""
    found: dict[str, Check] = {}
    for stage in STAGES:
        for moment in MOMENTS if stage.then != "released" else MOMENTS[:2]:
            found[f"{stage.step}: killed, {moment}"] = partial(_killed, Kill(stage.step, moment))
        if stage.step not in WITHOUT_REGISTRIES:
            found[f"{stage.step}: registries down"] = partial(_down, stage.step)
    for step, service in CHANGING.items():
        for before in (True, False):
            when = "before it is carried out" if before else "after it was stored"
            found[f"{step}: 5xx {when}"] = partial(_lost, step, service, before)
            found[f"{step}: killed while sending, {when}"] = partial(
                _killed_while_sending, step, service, before
            )
    for special in SPECIAL:
        found[special.name] = partial(_special, special.name)
    return found


def _killed(kill: Kill, folder: Path) -> list[str]:
    with _world(folder) as world:
        code = _in_a_process(world, kill)
        wrong = [] if code == -signal.SIGKILL else [f"the process was not killed: {code}"]
        return [*wrong, *inconsistencies(world), *_resumed(world)]


def _killed_while_sending(step: str, service: str, before: bool, folder: Path) -> list[str]:
    with _world(folder) as world:
        process = _process(world, None)
        at = _requests_before(step, service)
        world.loopback.faults = [
            Fault(service, before, lambda: os.kill(process.pid or 0, signal.SIGKILL), skip=at)
        ]
        process.start()
        process.join()
        wrong = [] if process.exitcode == -signal.SIGKILL else ["the process was not killed"]
        return [*wrong, *inconsistencies(world), *_resumed(world)]


def _lost(step: str, service: str, before: bool, folder: Path) -> list[str]:
    with _world(folder) as world:
        fault = Fault(service, before, skip=_requests_before(step, service))
        world.loopback.faults = [fault]
        publish(world.publication, world.path, None, None)
        wrong = ["the fault was not met"] if world.loopback.faults else []
        return [*wrong, *inconsistencies(world), *_resumed(world)]


def _requests_before(step: str, service: str) -> int:
    """Return how many changing requests the service gets before those of this step."""
    return 1 if (step, service) == ("npm_approve", "npm") else 0


def _down(step: str, folder: Path) -> list[str]:
    with _world(folder) as world:

        def at_step(name: str) -> None:
            world.loopback.down = {"pypi", "npm", "github"} if name == step else set()

        publish(world.publication, world.path, None, at_step)
        world.loopback.down = set()
        return [*inconsistencies(world), *_resumed(world)]


def _special(name: str, folder: Path) -> list[str]:
    (special,) = [each for each in SPECIAL if each.name == name]
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
    parser = argparse.ArgumentParser(prog="nox -s publish_faults --", description=__doc__)
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
    begun, survived = time.monotonic(), 0
    for name, wrong in judge(chosen.items()):
        survived += not wrong
        print(
            f"{'✗' if wrong else '✓'} {name}",
            *[f"    {each}" for each in wrong],
            sep="\n",
            flush=True,
        )
    print(f"survived {survived} of {len(chosen)}, in {time.monotonic() - begun:.0f} s")
    return 0 if survived == len(chosen) else 1


def judge(chosen: Iterable[tuple[str, Check]]) -> Iterable[tuple[str, list[str]]]:
    """Make checks, each in a folder of its own; yield what is wrong with how each ended."""
    for name, check in chosen:
        with tempfile.TemporaryDirectory(prefix="arcrun-publish-fault-") as folder:
            yield name, check(Path(folder).resolve())


if __name__ == "__main__":
    raise SystemExit(main())
