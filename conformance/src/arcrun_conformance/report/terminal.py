"""Prints a run on the terminal: progress, then the matrix, the failures, and the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from .document import exempt

if TYPE_CHECKING:
    from rich.console import Console

_MARKS = {
    "passed": "[green]✓[/]",
    "failed": "[red bold]✗[/]",
    "error": "[red bold]![/]",
    "skipped": "[yellow]–[/]",
    "unavailable": "[red bold]?[/]",
}


def progress(console: Console) -> Progress:
    """Return a progress bar that disappears when it ends."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )


def show(document: dict[str, Any], console: Console) -> None:
    """Print a run."""
    target = document["target"]
    console.print(
        f"[bold]{escape(target['name'])}[/] {escape(target['url'])} · contract "
        f"{target['contract'] or 'unknown'} · run {document['run']}"
    )
    console.print(_matrix(document))
    show_failures(document, console)
    _show_unavailable(document, console)
    for line in exempt(document):
        console.print(line, style="dim", markup=False, highlight=False, soft_wrap=True)
    if document["deviations"]:
        console.print()
        console.print(_deviations(document["deviations"]))
    _show_end(document, console)


def show_failures(document: dict[str, Any], console: Console) -> None:
    """Print the cells that failed, except for known deviations."""
    listed = {row["scenario"] for row in document["deviations"] if row["state"] == "known"}
    for cell in document["cells"]:
        if cell["outcome"] in {"failed", "error"} and cell["scenario"] not in listed:
            _show_failure(cell, console)


def _matrix(document: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("scenario", no_wrap=True)
    names = [sdk["name"] for sdk in document["sdks"]]
    for name in names:
        table.add_column(name, justify="center")
    table.add_column("", style="dim")
    cells = {(cell["scenario"], cell["sdk"]): cell for cell in document["cells"]}
    for scenario in document["scenarios"]:
        row = [cells.get((scenario["id"], name)) for name in names]
        # That an adapter is not available is reported once, below, not in every row.
        reasons = (c["reason"] for c in row if c and c["outcome"] != "unavailable" and c["reason"])
        reason = next(reasons, "")
        note = reason.splitlines()[0] if reason else ""
        marks = [_MARKS[cell["outcome"]] if cell else " " for cell in row]
        table.add_row(scenario["id"], *marks, escape(note))
    return table


def _deviations(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="deviations from the contract", title_justify="left", box=None)
    for column in ("", "scenario", "contract", "difference", "checks"):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(
            row["state"],
            row["scenario"],
            row["spec"],
            escape(row["text"]),
            ", ".join(row["checks"]),
        )
    return table


def _show_failure(cell: dict[str, Any], console: Console) -> None:
    console.print()
    console.print(f"[red bold]{cell['scenario']}[/] with [bold]{cell['sdk']}[/]")
    for check in cell["checks"]:
        if check["outcome"] == "failed":
            lines = check["message"].splitlines()
            console.print(f"  [red]✗ {check['id']}[/]", highlight=False, soft_wrap=True)
            for line in lines[:12]:
                console.print(f"      {escape(line)}", highlight=False, soft_wrap=True)
            if len(lines) > 12:
                console.print(f"      … and {len(lines) - 12} more lines in conformance.json")
    if cell["stderr"]:
        console.print("  stderr of the adapter:", style="dim")
        for line in cell["stderr"].splitlines()[-12:]:
            console.print(f"      {escape(line)}", style="dim", highlight=False, soft_wrap=True)


def _show_unavailable(document: dict[str, Any], console: Console) -> None:
    missing = {c["sdk"]: c["reason"] for c in document["cells"] if c["outcome"] == "unavailable"}
    if missing:
        console.print()
    for sdk, reason in missing.items():
        text = f"[red bold]{escape(sdk)}[/] {escape(reason)}"
        console.print(text, highlight=False, soft_wrap=True)


def _show_end(document: dict[str, Any], console: Console) -> None:
    console.print()
    outcomes = [cell["outcome"] for cell in document["cells"]]
    counted = ", ".join(
        f"{outcomes.count(outcome)} {outcome}" for outcome in _MARKS if outcome in outcomes
    )
    checks = [check["outcome"] for cell in document["cells"] for check in cell["checks"]]
    exempted = f", {checks.count('exempt')} of them exempt" if "exempt" in checks else ""
    console.print(
        f"{counted or 'no scenario was run'} · {len(checks)} checks{exempted} · {document['seconds']:.1f} s",
        highlight=False,
        soft_wrap=True,
    )
    leftovers = document["leftovers"]
    for line in [*leftovers["problems"], *(f"left behind: {x}" for x in leftovers["left"])]:
        console.print(f"[red]{escape(line)}[/]", highlight=False, soft_wrap=True)
    if not leftovers["problems"] and not leftovers["left"]:
        text = f"{leftovers['created']} credentials and workflows created, all removed"
        console.print(text, style="dim")
    if document["interrupted"]:
        console.print("[red bold]interrupted[/]")
    _show_verdict(document["gate"], console)


def _show_verdict(gate: dict[str, Any] | None, console: Console) -> None:
    if gate is None:
        return
    for line in gate["accepted"]:
        console.print(f"[yellow]accepted: {escape(line)}[/]", highlight=False, soft_wrap=True)
    for line in gate["reasons"]:
        console.print(f"[red]{escape(line)}[/]", highlight=False, soft_wrap=True)
    style = "green" if gate["verdict"] == "GO" else "red"
    console.print(
        f"[{style} bold]{gate['verdict']}[/] gate {gate['contract']}, column {gate['column']}: "
        f"{gate['needed']} scenarios needed",
        highlight=False,
        soft_wrap=True,
    )
