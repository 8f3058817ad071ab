"""The command `arcrun-conformance sweep`: removes what aborted runs have left at a target."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
from rich.console import Console

from arcrun_conformance.printing import print_line
from arcrun_conformance.runs.cleanup import PREFIX, RUN_ID, Cleaner
from arcrun_conformance.target import TargetError, open_target

from .options import FAILED, GO, UsageError, add_target, api_key, command

if TYPE_CHECKING:
    import argparse

    from .options import Commands


def add_to(commands: Commands) -> None:
    """Add the command to the parser."""
    sweep = command(commands, "sweep", "Remove what aborted runs have left at a target.")
    add_target(sweep, default=None)
    sweep.add_argument("--run", metavar="ID", help="only what this run left (default: any run)")
    sweep.add_argument("--dry-run", action="store_true", help="only list it, remove nothing")
    sweep.set_defaults(command=_sweep)


def _sweep(options: argparse.Namespace) -> int:
    run = options.run or PREFIX
    if options.run and not RUN_ID.fullmatch(options.run):
        raise UsageError(f"{options.run} is not a run's id; an example is {PREFIX}0a1b2c3d")
    if options.target == "local":
        raise UsageError("a local target is created for each run: there is nothing to sweep")
    return asyncio.run(_clean(options, run))


async def _clean(options: argparse.Namespace, run: str) -> int:
    console = Console()
    async with open_target(options.target, api_key(options)) as target:
        cleaner = Cleaner(target)
        try:
            found = await cleaner.left(run)
            for thing in found:
                print_line(console, str(thing))
            if options.dry_run:
                print_line(console, f"{len(found)} found, none removed")
                return GO
            problems = await cleaner.remove(found)
            problems += [f"still there: {thing}" for thing in await cleaner.left(run)]
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise TargetError(
                f"can't list what is at the target: {type(error).__name__}: {error}"
            ) from error
        finally:
            await cleaner.close()
    for problem in problems:
        print_line(console, (problem, "red"))
    print_line(console, f"{len(found)} removed" if not problems else "some could not be removed")
    return FAILED if problems else GO
