"""Measure speed and size against a baseline in the same run: `nox -s bench`.

Machines are noisy, so no figure is a test: each is measured in turns with its baseline, and the
medians are compared. A missed goal is shown, and does not fail the run.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.table import Table

from scripts import ROOT
from scripts.bench import (
    code,
    engine,
    javascript,
    knowledge_base,
    mcp,
    prompts,
    recipes,
    runner,
    runs,
    sdk,
    server,
    startup,
)
from scripts.console import make_console

if TYPE_CHECKING:
    from rich.console import Console

    from scripts.bench.figures import Figure


def show(figures: list[Figure], console: Console) -> None:
    """Print the figures side by side with their goals."""
    table = Table(title="nox -s bench", title_justify="left")
    for heading in ("", "measured", "goal", "", "against"):
        table.add_column(heading, justify="right" if heading in {"measured", "goal"} else "left")
    for figure in figures:
        mark = {True: "[green]✓[/]", False: "[red]✗[/]", None: ""}[figure.met]
        sign = "≥" if figure.at_least else "≤"
        goal = "" if figure.goal is None else f"{sign} {figure.goal:g} {figure.unit}"
        table.add_row(
            figure.what, f"{figure.value:.3g} {figure.unit}", goal, mark, f"[dim]{figure.note}[/]"
        )
    console.print(table)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the table, and write `reports/bench.json`."""
    parser = argparse.ArgumentParser(prog="nox -s bench --", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="how often each figure is measured")
    options = parser.parse_args(arguments)
    figures = [
        *sdk.measure(options.rounds),
        *startup.measure(options.rounds),
        *javascript.measure(),
        *server.measure(options.rounds),
        *engine.measure(options.rounds),
        *recipes.measure(options.rounds),
        *knowledge_base.measure(options.rounds),
        *code.measure(options.rounds),
        *mcp.measure(options.rounds),
        *prompts.measure(options.rounds),
        *runs.measure(),
        *runner.measure(),
    ]
    show(figures, make_console())
    report = ROOT / "reports" / "bench.json"
    report.parent.mkdir(exist_ok=True)
    document = [{**asdict(figure), "met": figure.met} for figure in figures]
    report.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
