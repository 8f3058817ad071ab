"""Rehearse a release: build, check, upload to loopback, install from there, prove.

`nox -s release` runs it. It ends with GO (exit code 0) or NO-GO (1) and leaves nothing running. After
GO it leaves `dist/`, `evidence/release.json` and `reports/index.html`, after NO-GO the last two of them.
`-- --python-only` leaves the npm package out, and the evidence says so. `-- --only STEP` runs one
step and those that it needs; that is never a GO, and leaves the results of the last rehearsal alone.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from scripts import ROOT, processes
from scripts.console import exit_code, make_console
from scripts.rehearsal import Rehearsal, StepFailed
from scripts.release import evidence, git
from scripts.release.context import ReleaseContext
from scripts.release.environment import isolate
from scripts.release.foreign import in_a_line, visible
from scripts.release.publish import command as publishing
from scripts.release.publish.publication import NotDone
from scripts.release.publish.state import RecordInvalid
from scripts.release.results import AlreadyRunning, NotWritable, Results, new_run, only_one
from scripts.release.steps import STEPS, chosen, steps

if TYPE_CHECKING:
    from rich.console import Console

    from scripts.release.git import GitState

SHOWN_FILES = 5  # of those that differ from the commit


def main(arguments: list[str] | None = None) -> int:
    """Rehearse the release; return 0 for GO, 1 for NO-GO, 2 where it can't begin, 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="nox -s release --", description=__doc__)
    parser.add_argument("--seed", type=int, default=20261122, help="seed of the fuzzer")
    parser.add_argument(
        "--only", choices=[step.name for step in STEPS], help="run one step and those that it needs"
    )
    parser.add_argument("--python-only", action="store_true", help="leave the npm package out")
    publishing.add_options(parser)
    options = parser.parse_args(arguments)
    publishes = options.publish or options.resume or options.abort
    _require_no_idle(parser, options, publishes=publishes)
    if publishes:
        processes.interrupt_on_signals()
        return publishing.run(options)
    possible = [step.name for step in steps(python_only=options.python_only)]
    if options.only and options.only not in possible:
        parser.error(
            f"--python-only leaves out {options.only}; its steps are {', '.join(possible)}"
        )
    processes.interrupt_on_signals()
    results = Results(ROOT, new_run())
    try:
        git.require_checkout(ROOT)
        if not options.only:
            publishing.require_no_publication(ROOT)
        with only_one(ROOT, results.run):
            return _rehearse(options, results)
    except (git.CheckoutUnusable, AlreadyRunning, NotWritable, NotDone, RecordInvalid) as problem:
        print(f"NO-GO: {visible(str(problem))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:  # before the first step, or after the last
        print("NO-GO: interrupted", file=sys.stderr)
        return 130


def _require_no_idle(
    parser: argparse.ArgumentParser, options: argparse.Namespace, *, publishes: bool
) -> None:
    """End with a sentence where an option is given that has no effect."""
    idle = ("seed", "only", "python_only") if publishes else publishing.SETTINGS
    for name in idle:
        if getattr(options, name) != parser.get_default(name):
            option = f"--{name.replace('_', '-')}"
            other = "leave it out" if publishes else "add --publish, --resume or --abort"
            what = "a publication" if publishes else "a rehearsal"
            parser.error(f"{option} has no effect on {what}: {other}")


def _rehearse(options: argparse.Namespace, results: Results) -> int:
    """Run the steps, and leave the results if these are all of them."""
    console, only = make_console(), options.only
    results.begin(whole=not only)
    before = git.git_state(ROOT)
    with processes.temporary_folder("arcrun-release-") as work:
        downloads = isolate(work / "home")
        rehearsal = Rehearsal(console)
        context = ReleaseContext(
            results, work, options.seed, rehearsal, downloads, options.python_only
        )
        scope = " (Python only)" if context.python_only else ""
        code = 1
        try:
            console.print(f"[bold]arcrun: rehearsal of a release{scope}[/], run {results.run}")
            _show_state(console, before)
            code = _run_steps(context, only)
        finally:  # also where nobody reads what is printed any more
            state = _state_of_both(before, git.git_state(ROOT))
            _write_evidence(context, state)
            if not only:
                results.publish(go=code == 0)
        if only:
            console.print(f"its files are in {escape(str(results.folder))}")
        elif code == 0:
            console.print(
                f"\n[bold green]GO[/] {context.version}{scope} in {rehearsal.seconds:.0f} s: "
                "dist/, evidence/, reports/index.html"
            )
            _show_state(console, state)
    return code


def _run_steps(context: ReleaseContext, only: str | None) -> int:
    console = context.rehearsal.console
    step = None
    try:
        for step in chosen(only, python_only=context.python_only):
            with context.rehearsal.step(step.name, step.summary) as figures:
                step.run(context, figures)
    except StepFailed as problem:
        assert step is not None  # noqa: S101 - only a step raises it
        console.print(f"\n[bold red]NO-GO[/] at step [bold]{step.name}[/]:")
        console.print(escape(visible(str(problem))))
        if step.page and (context.reports / step.page).is_file():
            shown = context.reports if only else Path("reports")
            console.print(f"what failed: {escape(str(shown / step.page))}")
        again = f"{'--python-only ' if context.python_only else ''}--only {step.name}"
        console.print(f"run this step alone: nox -s release -- {again}")
        return 1
    except KeyboardInterrupt:
        console.print("\n[bold red]NO-GO[/]: interrupted; all started programs were stopped")
        return 130
    if only:
        console.print(f"\nstep {only} passed; a single step is not a GO")
    return 0


def _state_of_both(before: GitState, after: GitState) -> GitState:
    """Return the state before the rehearsal, dirty also if the checkout has changed since then."""
    if after == before:
        return before
    changed = sorted({*before["changed"], *after["changed"]})
    return {"commit": before["commit"], "dirty": True, "changed": changed}


def _show_state(console: Console, state: GitState) -> None:
    """Say that the working tree is not the commit: nothing of it may be published."""
    if not state["dirty"]:
        return
    changed = state["changed"]
    named = ", ".join(changed[:SHOWN_FILES]) or "another commit was checked out meanwhile"
    more = f" and {len(changed) - SHOWN_FILES} more" if len(changed) > SHOWN_FILES else ""
    console.print(
        f"[bold yellow]not to be published[/]: the working tree is not the commit "
        f"{state['commit'][:12]}: {escape(in_a_line(named))}{more}"
    )


def _write_evidence(context: ReleaseContext, state: GitState) -> None:
    evidence.write(
        context.evidence / "release.json",
        run=context.results.run,
        rehearsal=context.rehearsal,
        scope="python" if context.python_only else "everything",
        expected=[step.name for step in steps(python_only=context.python_only)],
        version=context.version,
        git=state,
        artifacts=context.everything_built,
        reports=context.results.hashes(),
        sboms=context.sboms,
        environments=context.versions,
    )


if __name__ == "__main__":
    raise SystemExit(exit_code(main))
