"""Generate mutants of our own code, and see which of them the suite and the tests notice: `nox -s generated_mutants`.

A sample of all mutants is judged, each in a copy of the repository: by the conformance suite alone, and by the tests of
its package. The mutants of Python modules are made by cosmic-ray, those of the JavaScript SDK by Stryker. The result is
a table with the survivors, and `reports/generated-mutants.json`. It fails only if something fails without a mutant.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts import ROOT
from scripts.console import make_console
from scripts.mutation import report, typescript
from scripts.mutation.areas import AREAS, Area
from scripts.mutation.judge import BaselineFailed, Verdict
from scripts.mutation.session import Session, Settings, chosen, chosen_of_each, every

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

# So many are begun on two idle cores before the time is over.
SAMPLE, TYPESCRIPT_SAMPLE, MINUTES = 120, 40, 28.0
NAMES = (*(area.name for area in AREAS), typescript.AREA.name)


def main(arguments: list[str] | None = None) -> int:
    """Run a session; return 1 if something fails without a mutant, and 0 whatever survives."""
    options = _options(arguments)
    console = make_console()
    areas = _areas(options)
    mutants = every(ROOT, areas, options.only)
    scripts = _scripts(options)
    if not mutants and not scripts:
        print("nothing is mutated there: see scripts/mutation/areas.py", file=sys.stderr)
        return 2
    choose = partial(chosen_of_each, areas=areas) if options.fast else chosen
    picked = choose(ROOT, mutants=mutants, count=options.sample, seed=options.seed)
    if options.list:
        for mutant in picked:
            print(f"{mutant}  - {mutant.old} / + {mutant.new}")
        return 0
    signal.signal(signal.SIGTERM, _interrupt)
    deadline = time.monotonic() + 60 * options.minutes
    settings = Settings(
        ROOT,
        Path(sys.executable),
        ROOT / "reports/generated-mutants",
        areas if picked else [],
        options.sample,
        options.seed,
        options.jobs,
        deadline,
        options.quick,
        options.fast,
        options.by or "both",
    )
    for old in settings.logs.glob("*.log"):
        old.unlink()
    session = Session(settings)
    found: list[Verdict] = []
    complete, begun = False, time.monotonic()

    def on(verdict: Verdict) -> None:
        outcome = f"suite: {verdict.suite}, tests: {verdict.tests}"
        where = f"{verdict.mutant}  - {verdict.mutant.old} / + {verdict.mutant.new}"
        mark = "✗" if verdict.survived else "✓"
        seconds = f"{time.monotonic() - begun:.0f} s"
        console.print(
            f"{mark} {where}\n    {outcome} ({seconds})",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )

    try:
        if scripts:
            alone = options.only or options.area or options.fast
            count = options.sample if alone else TYPESCRIPT_SAMPLE
            found += typescript.run(session, scripts, count, console.print, on)
        if picked:
            session.run(picked, console.print, on)
        complete = True
    except BaselineFailed as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        console.print("interrupted", style="yellow")
    found += session.verdicts
    return _conclude(console, found, options, len(picked), complete=complete)


def _areas(options: argparse.Namespace) -> list[Area]:
    """Return the areas of Python modules that are chosen."""
    areas = [area for area in AREAS if options.area is None or area.name in options.area]
    if options.by == "tests":
        return [replace(area, suites=()) for area in areas]
    if options.by == "suite":
        return [replace(area, tests=(), own_tests=()) for area in areas]
    return areas


def _scripts(options: argparse.Namespace) -> list[str]:
    """Return the modules in TypeScript that are chosen."""
    if options.area is not None and typescript.AREA.name not in options.area:
        return []
    return [path for path in typescript.modules(ROOT) if options.only in {None, path}]


def _conclude(
    console: Console,
    found: Sequence[Verdict],
    options: argparse.Namespace,
    count: int,
    *,
    complete: bool,
) -> int:
    python = sum(not verdict.mutant.path.endswith(".ts") for verdict in found)
    notes = []
    if python < count:
        notes.append(f"{count - python} of {count} mutants were not judged: the time was over")
    if options.quick:
        notes.append("only the most related tests and scenarios were run")
    if options.fast:
        notes.append(
            "tests are those of the area that execute the line, the suite is one run of it"
        )
    if found:
        report.show(found, console)
    for note in notes:
        console.print(note, style="yellow")
    path = ROOT / "reports/generated-mutants.json"
    report.write(path, found, seed=options.seed, notes=notes, complete=complete and not notes)
    console.print(f"written to {path.relative_to(ROOT)}; logs beside it", style="dim")
    return 0 if complete else 130


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="nox -s generated_mutants --", description=__doc__)
    parser.add_argument(
        "--sample",
        type=int,
        default=SAMPLE,
        metavar="N",
        help=f"how many mutants of Python modules to judge (default: {SAMPLE}; beside them "
        f"{TYPESCRIPT_SAMPLE} of the JavaScript SDK); with --only or --area of that",
    )
    parser.add_argument("--seed", type=int, default=1, help="repeat a sample (default: 1)")
    parser.add_argument("--only", metavar="PATH", help="only the mutants of this file")
    parser.add_argument(
        "--area",
        action="append",
        choices=NAMES,
        help="only the mutants of this area; may be repeated",
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=MINUTES,
        metavar="M",
        help=f"begin no further mutant after this time (default: {MINUTES:g})",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=min(os.cpu_count() or 1, 4),
        metavar="J",
        help="how many to judge side by side (default: one for each core, 4 at most)",
    )
    parser.add_argument(
        "--quick", action="store_true", help="run only the most related tests and scenarios"
    )
    parser.add_argument(
        "--fast",
        action="store_true",
        help="judge --sample mutants of each area, by those of its tests that execute the line and by "
        "one run of the suite, which ends with the first failure",
    )
    parser.add_argument(
        "--by",
        choices=("tests", "suite"),
        help="judge by the tests only, which takes seconds for a mutant, or by the suite only, which takes minutes; "
        "both by default",
    )
    parser.add_argument("--list", action="store_true", help="show the sample, and judge nothing")
    return parser.parse_args(arguments)


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    raise SystemExit(main())
