"""`arcrun-conformance run --dry-run`: what a run would create at a target that others use."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.console import Console

from arcrun_conformance.printing import print_line
from arcrun_conformance.runs.cleanup import created_in
from arcrun_conformance.runs.runner import RunConfig, execute
from arcrun_conformance.target import observed, open_target

from .interrupts import cancel_on_signals
from .options import FAILED, GO, UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from arcrun_conformance.adapters.registry import RegisteredAdapter
    from arcrun_conformance.runs.results import Run
    from arcrun_conformance.scenarios.scenario import Scenario


def dry_run(
    options: argparse.Namespace, scenarios: Sequence[Scenario], sdks: Sequence[RegisteredAdapter]
) -> int:
    """Run scenarios against an engine of this machine, and list what they create at the target otherwise.

    The target is only asked what it is: its health says what scenarios it can run.

    Raises:
        UsageError: The target is on this machine, or the suite uses no SDK.
        TargetError: The target does not respond.
    """
    if options.target == "local":
        raise UsageError("--dry-run is for a target that others use, such as --target live")
    if options.suite == "engine":
        raise UsageError("--dry-run lists what SDKs create; leave out --suite engine")
    run = asyncio.run(_execute(options, scenarios, sdks))
    return _show(run, options.target, Console())


async def _execute(
    options: argparse.Namespace, scenarios: Sequence[Scenario], sdks: Sequence[RegisteredAdapter]
) -> Run:
    cancel_on_signals()
    target = await observed(options.target)
    async with open_target("local", None, options.server_python) as local:
        stand_in = replace(local, health=target.health, remote=True)
        openers = {sdk.name: sdk.open for sdk in sdks}
        return await execute(
            RunConfig(stand_in, scenarios, openers, options.reply_seconds, options.jobs)
        )


def _show(run: Run, name: str, console: Console) -> int:
    kinds: Counter[str] = Counter()
    requests: Counter[str] = Counter()
    for cell in run.cells:
        for exchange in cell.exchanges:
            if exchange.server == "engine" and exchange.own_response and not exchange.refusal:
                requests[exchange.request.method] += 1
        for created in created_in(cell.exchanges):
            kinds[created.resource.path] += 1
            print_line(console, f"{cell.sdk}  {cell.scenario}  {created}")
    skipped = sum(cell.outcome == "skipped" for cell in run.cells)
    counted = ", ".join(f"{count} at {path}" for path, count in kinds.items()) or "nothing"
    sent = ", ".join(f"{count} {method}" for method, count in sorted(requests.items()))
    print_line(console, f"{len(run.cells) - skipped} cells would be run, {skipped} skipped")
    print_line(console, f"requests before what is created is removed: {sent or 'none'}")
    print_line(
        console,
        f"{name} got GET /health and GET /openapi.json, and nothing else; created would be {counted}",
    )
    return FAILED if run.interrupted else GO
