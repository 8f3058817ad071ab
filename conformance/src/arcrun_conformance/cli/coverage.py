"""The command `arcrun-conformance coverage`: which scenarios check what the contract promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from arcrun_conformance.requirements import (
    PAGES,
    Page,
    Requirement,
    covering,
    load_requirements,
    uncovered,
)
from arcrun_conformance.resources import checkout

from .options import DATA, FAILED, GO, UsageError, add_scenarios, all_scenarios, command

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from .options import Commands


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = command(
        commands, "coverage", "Show which scenarios check each requirement of the contract."
    )
    parser.add_argument(
        "--table",
        action="store_true",
        help="print all requirements with the checks that cover them",
    )
    add_scenarios(parser)
    parser.set_defaults(command=coverage)


def coverage(options: argparse.Namespace) -> int:
    """Print the coverage; GO if every statement of the pages is a requirement, and each one is checked.

    Raises:
        UsageError: The runner is installed, so that there are no pages.
    """
    repository = checkout()
    if repository is None:
        raise UsageError("the pages of the contract are in the repository: run this in a checkout")
    pages = {name: Page((repository / name).read_text("utf-8")) for name in PAGES}
    requirements, problems = load_requirements(DATA / "requirements", pages)
    scenarios = all_scenarios(options)
    missing = uncovered(requirements, scenarios)
    console = Console(soft_wrap=True, highlight=False, markup=False)
    if getattr(options, "table", False):
        table = covering(requirements, scenarios)
        for requirement in requirements:
            checks = ", ".join(table[requirement.id]) or "none"
            console.print(f"{requirement.id} ({requirement.by}): {checks}")
    for problem in problems:
        console.print(str(problem))
    for requirement in missing:
        console.print(
            f"no scenario covers {requirement.id} ({requirement.by}): {requirement.quote}"
        )
    go = not problems and not missing
    console.print(f"{'GO' if go else 'NO-GO'} {_counted(requirements, missing)}")
    return GO if go else FAILED


def _counted(requirements: Sequence[Requirement], missing: Sequence[Requirement]) -> str:
    parts = []
    for by in ("engine", "sdk"):
        total = sum(requirement.by == by for requirement in requirements)
        lacking = sum(requirement.by == by for requirement in missing)
        parts.append(f"{total - lacking} of {total} requirements of {by}s covered")
    return ", ".join(parts)
