"""Prints a run on the terminal: progress, then the matrix, the failures, and the verdict in the last line."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from arcrun_conformance.cleaning import visible, visible_line
from arcrun_conformance.printing import print_line

from .causes import causes
from .document import exempt, failed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rich.console import Console

_MARKS = {
    "passed": ("✓", "green"),
    "failed": ("✗", "red bold"),
    "error": ("!", "red bold"),
    "skipped": ("–", "yellow"),
    "unavailable": ("?", "red bold"),
}
# How many lines of a message, and of what an adapter wrote to stderr, are shown.
_LINES = 12
# From so many cells on, a log says how far a run is.
_LONG_RUN = 50
_NOT_RUN = ": was not run"


@contextmanager
def progress(console: Console, total: int) -> Iterator[Callable[[str], None]]:
    """Show how much of a run has ended; yield what is to be called with the name of each cell that ends.

    It is a bar that disappears; in a log, which can't take a line back, a line for each tenth of a long run.
    """
    if not console.is_terminal:
        yield _log_of(console, total)
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task("starting", total=total)
        yield lambda name: bar.update(task, advance=1, description=visible_line(name))


def _log_of(console: Console, total: int) -> Callable[[str], None]:
    numbers = itertools.count(1)

    def ended(name: str) -> None:
        number = next(numbers)
        if total >= _LONG_RUN and number * 10 // total > (number - 1) * 10 // total:
            _print(console, Text(f"{number} of {total}: {name}"))

    return ended


def show(document: dict[str, Any], console: Console, page: Path | None = None) -> None:
    """Print a run, and where its page is."""
    target = document["target"]
    _print(
        console,
        Text.assemble(
            (target["name"], "bold"),
            f" {target['url']} · contract {target['contract'] or 'unknown'} · run {document['run']}",
        ),
    )
    if any(sdk.get("started", True) for sdk in document["sdks"]):
        for line in _matrix(document, console.width):
            _print(console, line)
    for text in exempt(document):
        _print(console, Text(text, style="dim"))
    for line in _deviations(document["deviations"]):
        _print(console, line)
    _show_leftovers(document["leftovers"], console)
    show_failures(document, console)
    _show_end(document, console, page)


def show_failures(document: dict[str, Any], console: Console) -> None:
    """Print the failures, by cause."""
    for cause in causes(document):
        _show_cause(document, cause, console)


def _print(console: Console, line: Text | None = None) -> None:
    """Print a line as it is: not coloured by what it contains, and neither wrapped nor cut."""
    text = line or Text()
    # What has no style of its own has that of the line.
    parts = ((part.text, part.style or text.style) for part in text.render(console))
    print_line(console, *parts)


def _print_lines(console: Console, text: str, style: str) -> None:
    """Print a text that may have several lines; those after the first are indented, so that none is a verdict."""
    for number, line in enumerate(visible(text).splitlines()):
        _print(console, Text("    " * (number > 0) + line, style=style))


def _padded(text: str, width: int) -> str:
    """Return a text with spaces to that many columns; a Chinese character takes two."""
    return text + " " * (width - cell_len(text))


def _matrix(document: dict[str, Any], width: int) -> list[Text]:
    """Return the lines of the matrix; where they would be too wide, columns are numbered."""
    names = [sdk["name"] for sdk in document["sdks"]]
    first = max([cell_len(s["id"]) for s in document["scenarios"]] + [len("scenario")])
    lines, labels = [], names
    if first + sum(cell_len(name) + 2 for name in names) > width:
        labels = [str(number) for number in range(1, len(names) + 1)]
        legend = ", ".join(f"{n} {name}" for n, name in zip(labels, names, strict=True))
        lines.append(Text(f"columns: {legend}", style="dim"))
    head = "  ".join([_padded("scenario", first), *labels])
    lines.append(Text(head, style="bold"))
    cells = {(cell["scenario"], cell["sdk"]): cell for cell in document["cells"]}
    for scenario in document["scenarios"]:
        row = [cells.get((scenario["id"], name)) for name in names]
        lines.append(_row(scenario["id"], row, labels, first))
    return lines


def _row(scenario: str, row: list[dict[str, Any] | None], labels: list[str], first: int) -> Text:
    line = Text(_padded(scenario, first))
    for cell, label in zip(row, labels, strict=True):
        mark, style = _MARKS[cell["outcome"]] if cell else (" ", "")
        width = cell_len(label)
        line.append("  " + " " * ((width - 1) // 2))
        line.append(mark, style=style)
        line.append(" " * (width // 2))
    # What fails is told below, once for all rows.
    reasons = (cell["reason"] for cell in row if cell and cell["outcome"] == "skipped")
    if reason := next(filter(None, reasons), ""):
        line.append(f"  {reason.splitlines()[0]}", style="dim")
    line.rstrip()
    return line


def _deviations(rows: list[dict[str, Any]]) -> list[Text]:
    if not rows:
        return []
    lines = [Text(), Text("deviations from the contract", style="italic")]
    for row in rows:
        checks = f" ({', '.join(row['checks'])})" if row["checks"] else ""
        line = Text(f"  {row['state']}  {row['scenario']}{checks}: {row['text']}")
        lines.append(line.append(f" {row['spec']}", style="dim"))
    return lines


def _show_leftovers(leftovers: dict[str, Any], console: Console) -> None:
    _print(console)
    for line in [*leftovers["problems"], *(f"left behind: {x}" for x in leftovers["left"])]:
        _print_lines(console, line, "red")
    if not leftovers["problems"] and not leftovers["left"]:
        text = f"{leftovers['created']} credentials and workflows created, all removed"
        _print(console, Text(text, style="dim"))


def _show_cause(document: dict[str, Any], cause: dict[str, Any], console: Console) -> None:
    """Print a cause once, with all cells that it affects."""
    _print(console)
    count = len(cause["cells"])
    if cause["dead"]:
        text = ": ".join(line.strip() for line in cause["message"].splitlines() if line.strip())
        line = Text(cause["title"], style="red bold")
        _print(console, line.append(f": {text} ({_times(count, 'scenario')})", style="not bold"))
        _print(console, Text(f"  again: {cause['command']}", style="dim"))
        return
    scenarios = list(dict.fromkeys(scenario for scenario, _ in cause["cells"]))
    sdks = list(dict.fromkeys(sdk for _, sdk in cause["cells"]))
    line = Text("✗ ", style="red").append(cause["title"], style="red bold")
    _print(console, line.append(f" with {', '.join(sdks)}", style="not bold default"))
    if len(scenarios) > 1:
        _print(console, Text(f"  in {', '.join(scenarios)}"))
    first, *others = cause["checks"]
    if others:
        _print(console, Text(f"  {cause['cells'][0][0]}: {first['check']}"))
    _show_lines(cause["message"].splitlines(), console)
    for part in others:
        said = (part["message"].splitlines() or [""])[0]
        _print(console, Text(f"  also {part['cells'][0][0]}: {part['check']}: {said}"))
    if cause["then"]:
        _print(console, Text(f"  then failed: {', '.join(cause['then'])}", style="dim"))
    _print(console, Text(f"  {cause['verdict']}"))
    _print(console, Text(f"  again: {cause['command']}", style="dim"))
    _show_stderr(document, cause, console)


def _show_lines(lines: list[str], console: Console) -> None:
    for line in lines[:_LINES]:
        _print(console, Text(f"      {line}"))
    if len(lines) > _LINES:
        text = f"      … and {_times(len(lines) - _LINES, 'more line')} in conformance.json"
        _print(console, Text(text))


def _show_stderr(document: dict[str, Any], cause: dict[str, Any], console: Console) -> None:
    scenario, sdk = cause["cells"][0]
    cells = (c for c in document["cells"] if (c["scenario"], c["sdk"]) == (scenario, sdk))
    cell = next(cells)
    first = next((check["id"] for check in cell["checks"] if check["outcome"] == "failed"), "")
    if cell["stderr"] and first == cause["check"]:  # once for each cell
        _print(console, Text("  stderr of the adapter:", style="dim"))
        for line in cell["stderr"].splitlines()[-_LINES:]:
            _print(console, Text(f"      {line}", style="dim"))


def _times(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _show_end(document: dict[str, Any], console: Console, page: Path | None) -> None:
    _print(console)
    if page:
        _print(console, Text(f"the page of this run: {page}"))
    if document["interrupted"]:
        _print(console, Text("interrupted: what is not shown was not run", "red bold"))
    if document.get("crash"):
        _print_lines(console, document["crash"], "red bold")
    gate = document["gate"]
    for line in gate["accepted"] if gate else ():
        _print_lines(console, f"accepted: {line}", "yellow")
    for line in _reasons(gate["reasons"]) if gate else ():
        _print_lines(console, line, "red")
    counted = _counted(document)
    if gate is None:
        bad = failed(document)
        verdict = ("FAILED", "red bold") if bad else ("PASSED", "green bold")
        _print(console, Text.assemble(verdict, f" {counted}"))
        return
    style = "green" if gate["verdict"] == "GO" else "red"
    text = f" gate {gate['contract']}, column {gate['column']}: {_times(gate['needed'], 'scenario')} needed · {counted}"
    _print(console, Text.assemble((gate["verdict"], f"{style} bold"), text))


def _reasons(reasons: list[str]) -> list[str]:
    """Return the gate's reasons, one line for all that was not run: a part of a suite lacks most of it."""
    missing = [reason for reason in reasons if reason.endswith(_NOT_RUN)]
    if len(missing) < 2:
        return reasons
    names = ", ".join(reason.removesuffix(_NOT_RUN) for reason in missing)
    others = [reason for reason in reasons if reason not in missing]
    return [*others, f"{len(missing)} that the gate needs were not run: {names}"]


def _counted(document: dict[str, Any]) -> str:
    outcomes = [cell["outcome"] for cell in document["cells"]]
    counted = ", ".join(
        f"{outcomes.count(outcome)} {outcome}" for outcome in _MARKS if outcome in outcomes
    )
    if outcomes and set(outcomes) == {"skipped"}:
        counted += ", so nothing was checked"
    checks = [check["outcome"] for cell in document["cells"] for check in cell["checks"]]
    exempted = f", {checks.count('exempt')} of them exempt" if "exempt" in checks else ""
    return (
        f"{counted or 'no scenario was run'} · {len(checks)} checks{exempted} · "
        f"{document['seconds']:.1f} s"
    )
