"""The commands `arcrun-conformance list`, `show` and `validate`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.syntax import Syntax
from rich.table import Table

from arcrun_conformance import gate as gates
from arcrun_conformance.cleaning import visible, visible_line
from arcrun_conformance.printing import print_line

from .options import (
    GO,
    UsageError,
    adapters,
    add_adapters,
    add_gate_file,
    add_scenarios,
    all_scenarios,
    command,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from arcrun_conformance.adapters.registry import RegisteredAdapter

    from .options import Commands


def add_to(commands: Commands) -> None:
    """Add the commands to the parser."""
    listing = command(commands, "list", "List the scenarios, the SDKs or the capabilities.")
    what = listing.add_mutually_exclusive_group()
    for name, text in (
        ("scenarios", "the scenarios (the default)"),
        ("sdks", "the adapters of the registry"),
        ("capabilities", "the capabilities of engines and adapters that scenarios need"),
    ):
        what.add_argument(f"--{name}", dest="what", action="store_const", const=name, help=text)
    add_adapters(listing)
    listing.set_defaults(command=_list, what="scenarios", scenarios=None)

    show = command(commands, "show", "Show a scenario.")
    show.add_argument("id", help="the scenario's id")
    add_scenarios(show)
    show.set_defaults(command=_show)

    validate = command(commands, "validate", "Check the scenarios, the gate and the registry.")
    add_scenarios(validate)
    add_gate_file(validate)
    add_adapters(validate)
    validate.set_defaults(command=_validate)


def _list(options: argparse.Namespace) -> int:
    console = Console()
    if options.what == "sdks":
        _list_sdks(list(adapters(options).values()), console)
    else:
        tables = {"scenarios": _scenarios, "capabilities": _capabilities}
        console.print(tables[options.what](options))
    return GO


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")  # what is too wide is never cut
    return table


def _cell(text: str) -> str:
    """Return a text of a file as a cell shows it."""
    return escape(visible_line(text))


def _scenarios(options: argparse.Namespace) -> Table:
    table = _table("suite", "scenario", "contract", "title")
    for scenario in all_scenarios(options):
        sections = ", ".join(link.partition("#")[2] for link in scenario.spec)
        table.add_row(*map(_cell, (scenario.suite, scenario.id, sections, scenario.title)))
    return table


def _list_sdks(sdks: Sequence[RegisteredAdapter], console: Console) -> None:
    """Print a table of SDKs, and below it what no column holds: their commands, and why some can't be run."""
    table = _table("sdk", "language", "runtime", "by default", "available")
    for sdk in sdks:
        default, available = (
            "yes" if is_so else "no" for is_so in (sdk.default, not sdk.why_unavailable())
        )
        table.add_row(*map(_cell, (sdk.name, sdk.language, sdk.runtime, default, available)))
    console.print(table)
    for texts in (
        {sdk.name: shlex.join(sdk.command) for sdk in sdks},
        {sdk.name: sdk.why_unavailable() for sdk in sdks},
    ):
        lines = _once_each(texts)
        if lines:
            console.print()
        for line in lines:
            print_line(console, line)


def _once_each(texts: Mapping[str, str]) -> list[str]:
    """Return each text once, after the names of all SDKs that have it; SDKs without a text are left out.

    Example:
        >>> _once_each({"a": "x", "b": "", "c": "x"})
        ['a, c: x']
    """
    names: dict[str, list[str]] = {}
    for name, text in texts.items():
        if text:
            names.setdefault(text, []).append(name)
    return [f"{', '.join(having)}: {text}" for text, having in names.items()]


def _capabilities(options: argparse.Namespace) -> Table:
    needed: dict[tuple[str, str], list[str]] = {}
    for scenario in all_scenarios(options):
        for capability in scenario.needs:
            needed.setdefault(("engine", capability), []).append(scenario.id)
        for capability in scenario.adapter_capabilities():
            needed.setdefault(("adapter", capability), []).append(scenario.id)
        for capability in scenario.capabilities_of_checks():
            needed.setdefault(("adapter, for single checks", capability), []).append(scenario.id)
    table = _table("of", "capability", "scenarios that need it")
    for (owner, capability), scenarios in sorted(needed.items()):
        table.add_row(*map(_cell, (owner, capability, str(len(scenarios)))))
    return table


def _show(options: argparse.Namespace) -> int:
    scenarios = {scenario.id: scenario for scenario in all_scenarios(options)}
    scenario = scenarios.get(options.id)
    if scenario is None:
        raise UsageError(
            f"no scenario is named {options.id}; list all with `arcrun-conformance list`"
        )
    Console().print(Syntax(visible(scenario.source), "yaml", background_color="default"))
    return GO


def _validate(options: argparse.Namespace) -> int:
    scenarios = all_scenarios(options)
    gates.load(options.gate_file, [scenario.id for scenario in scenarios])
    known = adapters(options)
    Console().print(f"{len(scenarios)} scenarios, the gate and {len(known)} adapters are valid")
    return GO
