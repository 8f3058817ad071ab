"""Rehearse a release: build, check, upload to loopback, install from there, prove.

`nox -s release` runs it. It ends with GO (exit code 0) or NO-GO (1), leaves `dist/`,
`evidence/release.json` and `reports/index.html`, and leaves nothing running.
`-- --python-only` leaves the npm package out, and the evidence says so. `-- --only STEP` runs one
step and those that it needs; that is never a GO.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import tempfile
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from scripts import ROOT
from scripts.rehearsal import Rehearsal, StepFailed
from scripts.release import evidence
from scripts.release.context import ReleaseContext
from scripts.release.steps import STEPS, chosen, steps


def main(arguments: list[str] | None = None) -> int:
    """Rehearse the release; return 0 for GO, 1 for NO-GO, 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="nox -s release --", description=__doc__)
    parser.add_argument("--seed", type=int, default=20261122, help="seed of the fuzzer")
    parser.add_argument(
        "--only", choices=[step.name for step in STEPS], help="run one step and those that it needs"
    )
    parser.add_argument("--python-only", action="store_true", help="leave the npm package out")
    options = parser.parse_args(arguments)
    possible = [step.name for step in steps(python_only=options.python_only)]
    if options.only and options.only not in possible:
        parser.error(
            f"--python-only leaves out {options.only}; its steps are {', '.join(possible)}"
        )
    # A signal that ends this process cleans up as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    git = evidence.git_state(ROOT)
    for old in ("dist", "evidence"):
        shutil.rmtree(ROOT / old, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="arcrun-release-") as work:
        rehearsal = Rehearsal(Console(soft_wrap=True))
        context = ReleaseContext(
            ROOT, Path(work).resolve(), options.seed, rehearsal, options.python_only
        )
        code = _rehearse(context, options.only)
        if not options.only:
            _write_evidence(context, git)
    return code


def _rehearse(context: ReleaseContext, only: str | None) -> int:
    console, rehearsal = context.rehearsal.console, context.rehearsal
    scope = " (Python only)" if context.python_only else ""
    console.print(f"[bold]arcrun: rehearsal of a release{scope}[/]")
    try:
        for step in chosen(only, python_only=context.python_only):
            with rehearsal.step(step.name, step.summary) as figures:
                step.run(context, figures)
    except StepFailed as problem:
        name = rehearsal.steps[-1].name
        console.print(f"\n[bold red]NO-GO[/] at step [bold]{name}[/]:")
        console.print(escape(str(problem)), highlight=False)
        again = f"nox -s release -- {'--python-only ' if context.python_only else ''}--only {name}"
        console.print(f"run this step alone: {again}", highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("\n[bold red]NO-GO[/]: interrupted; all started programs were stopped")
        return 130
    if only:
        console.print(f"\nstep {only} passed; a single step is not a GO", highlight=False)
        return 0
    result = f"{context.version}{scope} in {rehearsal.seconds:.0f} s: dist/, evidence/, reports/index.html"
    console.print(f"\n[bold green]GO[/] {result}", highlight=False)
    return 0


def _write_evidence(context: ReleaseContext, git: evidence.GitState) -> None:
    evidence.write(
        context.evidence / "release.json",
        rehearsal=context.rehearsal,
        scope="python" if context.python_only else "everything",
        expected=[step.name for step in steps(python_only=context.python_only)],
        version=context.version,
        git=git,
        artifacts=context.everything_built,
        environments=context.versions,
    )


if __name__ == "__main__":
    raise SystemExit(main())
