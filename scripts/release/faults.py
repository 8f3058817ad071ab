"""Rehearse releases that must fail: each has one fault, and the right step must say NO-GO.

`nox -s release_faults` clones the checked-out commit, adds one fault, and runs the real rehearsal
there: only the step that must find the fault, with those that it needs. Some are interrupted halfway,
and must leave nothing behind; some can't begin, and must say why in a sentence. One has no fault, but a
caller whose settings are for another server: it must end with GO. Those that begin with `publish` break a publication on
loopback, at every step.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from functools import partial
from multiprocessing import Pool
from typing import TYPE_CHECKING, NamedTuple

from scripts import processes
from scripts.console import exit_code, make_console
from scripts.release import checkouts, harness, hostile, interruptions
from scripts.release.clones import (
    clone,
    evidence_of,
    leave_old_results,
    rehearse,
    run_folder,
    wrong_results,
)
from scripts.release.planted import FAULTS, Fault
from scripts.release.publish import faults as publishing
from scripts.release.steps import STEPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from rich.console import Console

    Check = Callable[[Path], list[str]]

PUBLISHING = "publish: "
# One that waits beside one that computes: more would exceed the time-outs of the suites.
JOBS = min(2, os.cpu_count() or 1)


class Judged(NamedTuple):
    """How a check ended: what is wrong, and how long it took."""

    name: str
    wrong: list[str]
    seconds: float


def main(arguments: list[str] | None = None) -> int:
    """Rehearse every fault; return 0 if the right step found each of them."""
    parser = argparse.ArgumentParser(prog="nox -s release_faults --", description=__doc__)
    parser.add_argument("--only", default="", help="only what has this text in its name")
    parser.add_argument("--jobs", type=int, default=JOBS, help=f"how many at once ({JOBS})")
    parser.add_argument("--list", action="store_true", help="list the names, and rehearse nothing")
    options = parser.parse_args(arguments)
    console = make_console()
    chosen = {name: check for name, check in checks().items() if options.only in name}
    if options.list:
        console.print("\n".join(chosen), markup=False, highlight=False, soft_wrap=True)
        return 0
    if not chosen:
        parser.error(f"nothing has {options.only!r} in its name; --list names all")
    processes.interrupt_on_signals()
    try:
        return _report(console, chosen, options.jobs)
    except KeyboardInterrupt:
        console.print("interrupted; all started programs were stopped")
        return 130


def checks() -> dict[str, Check]:
    """Return all checks by name, the longest first, so that others run beside them."""
    planted: dict[str, Check] = {each.title: partial(_missed, each) for each in FAULTS}
    last_steps_first = dict(reversed(planted.items()))
    return {
        **hostile.checks(),
        **last_steps_first,
        **interruptions.checks(),
        **checkouts.checks(),
        **harness.checks(),
        **{f"{PUBLISHING}{name}": check for name, check in publishing.checks().items()},
    }


def _report(console: Console, chosen: dict[str, Check], jobs: int) -> int:
    """Make the checks; print a line for each, and return the exit code."""
    begun, missed = time.monotonic(), set()
    with processes.temporary_folder("arcrun-faults-") as work:
        if harness.checks().keys() & chosen.keys():
            harness.install(work)
        for judged in _judge_all(chosen, work, jobs):
            if judged.wrong:
                missed.add(judged.name)
            mark = "✗" if judged.wrong else "✓"
            console.print(
                f"{mark} {judged.name}, {judged.seconds:.0f} s", markup=False, soft_wrap=True
            )
            for each in judged.wrong:
                console.print(f"    {each}", markup=False, soft_wrap=True)
    of_publishing = [name for name in chosen if name.startswith(PUBLISHING)]
    if of_publishing:
        made = [name.removeprefix(PUBLISHING) for name in of_publishing]
        survived = {name.removeprefix(PUBLISHING) for name in {*of_publishing} - missed}
        for line in publishing.table(made, survived):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print(f"{len(chosen)} in {time.monotonic() - begun:.0f} s, {len(missed)} missed")
    return 1 if missed else 0


def _judge_all(names: Iterable[str], work: Path, jobs: int) -> Iterator[Judged]:
    """Make each check in a process of its own, several at once, and end these where this one is interrupted."""
    every = [(name, work / str(number)) for number, name in enumerate(names)]
    # These start processes of their own, which a process of the pool may not, and take seconds.
    alone = [task for task in every if task[0].startswith(PUBLISHING)]
    tasks = [task for task in every if task not in alone]
    yield from map(_judge, alone)
    if not tasks:
        return
    with Pool(jobs, _end_quietly, maxtasksperchild=1) as pool:
        yield from pool.imap_unordered(_judge, tasks)
        pool.close()
        pool.join()


def _end_quietly() -> None:
    """Let only the process that has started this one end it, by SIGTERM: then all that it has started is stopped.

    Ctrl-C in a terminal reaches both. It is not ignored, since what is started here would ignore it too.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: None)


def _judge(task: tuple[str, Path]) -> Judged:
    name, folder = task
    folder.mkdir()
    begun = time.monotonic()
    try:
        wrong = checks()[name](folder)
    except Exception as error:  # noqa: BLE001 - one that can't be made is one that is missed
        wrong = [f"{type(error).__name__}: {error}"]
    return Judged(name, wrong, time.monotonic() - begun)


def _missed(fault: Fault, work: Path) -> list[str]:
    """Rehearse a fault; return what is wrong with how that ended."""
    root = clone(work / "checkout")
    fault.add(root)
    leave_old_results(root)
    ended = rehearse(root, fault.options)
    document = evidence_of(root)
    failed = [step for step in document["steps"] if step["status"] != "passed"]
    first = failed[0] if failed else {"name": None, "problem": ""}
    found = (ended.code, document["decision"], first["name"])
    if found != (1, "NO-GO", fault.step):
        return [f"it ended with {found}:", *ended.printed.splitlines()[-20:]]
    said = f"{first['problem']}\n{_failed_tests(root)}"
    wrong = [f"it does not say {text!r}" for text in fault.says if text not in said]
    (page,) = [step.page for step in STEPS if step.name == fault.step]
    if page and not fault.at_once and not (run_folder(root) / "reports" / page).is_file():
        wrong.append("there is no page that shows what failed")
    if "Traceback" in ended.printed:
        wrong.append(f"it shows a traceback: {ended.printed}")
    return [*wrong, *wrong_results(root, whole=fault.whole)]


def _failed_tests(root: Path) -> str:
    """Return the lines of the log that name tests that failed: the message of the step has the first of them."""
    log = run_folder(root) / "evidence" / "logs" / "tests.log"
    lines = log.read_text("utf-8", "replace").splitlines() if log.is_file() else []
    return "\n".join(line for line in lines if line.startswith(("FAILED ", "ERROR ")))


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
