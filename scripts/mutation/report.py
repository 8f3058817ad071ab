"""The result of a session: a table for a terminal, and JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich.table import Table

from scripts.mutation.judge import KILLED, NOT_JUDGED, SURVIVED, TIMED_OUT, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from rich.console import Console

# In percent: what all tests, and what the suite alone, should notice.
GOALS = {"all tests": 90.0, "suite alone": 60.0}
NOTICED = frozenset({KILLED, TIMED_OUT})


@dataclass(frozen=True)
class Row:
    """The figures of an area. What ran into a time-out was noticed, and counts as killed too."""

    area: str
    mutants: int
    by_suite: int | None
    judged_by_suite: int
    by_tests: int | None
    judged_by_tests: int
    survived: int
    timed_out: int

    def share(self, goal: str) -> float | None:
        """Return how many percent were noticed; `None` if none was judged."""
        if goal == "all tests":
            if self.by_tests is None:
                return None
            return _percent(self.mutants - self.survived, self.mutants)
        return _percent(self.by_suite or 0, self.judged_by_suite)


def rows(verdicts: Sequence[Verdict]) -> list[Row]:
    """Return the figures of each area, and at the end those of all of them."""
    areas = list(dict.fromkeys(verdict.mutant.area for verdict in verdicts))
    found = [_row(area, [v for v in verdicts if v.mutant.area == area]) for area in areas]
    return [*found, _row("all", verdicts)]


def _row(area: str, verdicts: Sequence[Verdict]) -> Row:
    by_suite = [verdict.suite for verdict in verdicts if verdict.suite != NOT_JUDGED]
    by_tests = [verdict.tests for verdict in verdicts if verdict.tests != NOT_JUDGED]
    return Row(
        area,
        len(verdicts),
        sum(outcome in NOTICED for outcome in by_suite) if by_suite else None,
        len(by_suite),
        sum(outcome in NOTICED for outcome in by_tests) if by_tests else None,
        len(by_tests),
        sum(verdict.survived for verdict in verdicts),
        sum(TIMED_OUT in {verdict.suite, verdict.tests} for verdict in verdicts),
    )


def show(verdicts: Sequence[Verdict], console: Console) -> None:
    """Print the table, whether the goals are met, and the survivors."""
    table = Table("area", "mutants", "killed by suite", "killed by tests", "survived", "timed out")
    for row in rows(verdicts):
        by_suite = "–" if row.by_suite is None else f"{row.by_suite} of {row.judged_by_suite}"
        by_tests = "–" if row.by_tests is None else f"{row.by_tests} of {row.judged_by_tests}"
        figures = (row.mutants, by_suite, by_tests, row.survived, row.timed_out)
        table.add_row(row.area, *map(str, figures), end_section=row.area != "all")
    console.print(table)
    for line in goals(verdicts):
        console.print(line, highlight=False)
    for heading, chosen in (
        ("Survived everything", [v for v in verdicts if v.survived]),
        ("Survived the suite", [v for v in verdicts if v.suite == SURVIVED and not v.survived]),
    ):
        if chosen:
            console.print(f"\n{heading}:", style="bold")
            console.print(
                "\n".join(survivors(chosen)), highlight=False, markup=False, soft_wrap=True
            )


def goals(verdicts: Sequence[Verdict]) -> Iterable[str]:
    """Yield a sentence for each goal: met, missed, or not measured."""
    total = rows(verdicts)[-1]
    for name, goal in GOALS.items():
        share = total.share(name)
        if share is None:
            yield f"{name}: nothing judged (goal: {goal:g} %)"
        else:
            yield f"{name}: {share:.1f} % (goal: {goal:g} %) {'met' if share >= goal else 'missed'}"


def survivors(verdicts: Iterable[Verdict]) -> list[str]:
    """Return `file:line  - old / + new` for each."""
    mutants = sorted((v.mutant for v in verdicts), key=lambda m: (m.path, m.line, m.new))
    return [f"{mutant}  - {mutant.old} / + {mutant.new}" for mutant in mutants]


def write(
    path: Path, verdicts: Sequence[Verdict], *, seed: int, notes: Sequence[str], complete: bool
) -> None:
    """Write everything as JSON: the figures, whether the goals are met, and each mutant."""
    total = rows(verdicts)[-1]
    document: dict[str, Any] = {
        "seed": seed,
        "complete": complete,
        "notes": list(notes),
        "goals": {
            name: {"goal": goal, "reached": share, "met": share is not None and share >= goal}
            for name, goal in GOALS.items()
            for share in (total.share(name),)
        },
        "areas": [asdict(row) for row in rows(verdicts)],
        "mutants": [{**asdict(verdict), "survived": verdict.survived} for verdict in verdicts],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", "utf-8")


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None
