"""Parity: contract, Python and TypeScript SDK offer the same, send the same, and open what each other seals.

`nox -s parity` runs it on the sources; `-- --report DIR` compares the requests of a conformance run that exists.
Differences that are as they should be are in `scripts/parity/explained.yaml`, each with its reason.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from scripts import (
    ROOT,
    parity_contract,
    parity_explained,
    parity_python,
    parity_sealing,
    parity_table,
    parity_typescript,
    parity_wire,
    processes,
)
from scripts.engine import engine_with_accounts
from scripts.parity_surface import compare, compare_to_contract
from scripts.rehearsal import Figures, Rehearsal, StepFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scripts.parity_surface import Surface

EXPLAINED = ROOT / "scripts" / "parity" / "explained.yaml"
SHOWN = 20  # explained differences, of each reason; the others are all shown
SDKS = ("python-sync", "python-async", "node24-esm")


class ParityFailed(Exception):
    """Something differs without a reason; the message lists each difference."""


@dataclass(frozen=True)
class Plan:
    """What is compared, and with what.

    Attributes:
        sdks: Names in the registry of adapters.
        report: A report of the conformance suite to compare; None to make one.
        explained: The explained differences.
        adapters: The registry of adapters.
        server_python: The interpreter that has `arcrun-server`.
        adapter_python: The interpreter that has `arcrun`.
        node: The Node.js that the TypeScript compiler runs on.
        work: A private folder for logs and what else is needed for the while.
        js_sdk: The TypeScript SDK, with its `node_modules`.
        runtimes: The folder in which the JavaScript adapters run.
    """

    sdks: tuple[str, ...]
    report: Path | None
    explained: Path
    adapters: Path
    server_python: Path
    adapter_python: Path
    node: str
    work: Path
    js_sdk: Path = ROOT / "packages" / "js-sdk"
    runtimes: Path = ROOT / ".arcrun" / "javascript"


def surfaces(plan: Plan, console: Console) -> Figures:
    """Compare what contract, Python and TypeScript offer; print it side by side.

    Raises:
        ParityFailed: Something differs without a reason.
    """
    python = ROOT / "packages" / "python-sdk" / "src"
    if not (plan.js_sdk / "node_modules" / "typescript").is_dir():
        raise ParityFailed(
            f"there is no TypeScript compiler: run npm ci --ignore-scripts in {plan.js_sdk}"
        )
    recipes = ROOT / "packages/server/src/arcrun_server/catalog/auth-recipes"
    contract = parity_contract.read_contract(ROOT / "openapi" / "arcrun.yaml", recipes)
    sync, other = (parity_python.read_python(python, kind) for kind in ("sync", "async"))
    typescript = parity_typescript.read_typescript(
        plan.js_sdk, node=plan.node, log=plan.work / "typescript.log"
    )
    for table in parity_table.tables(contract, sync, typescript):
        console.print(table)
    lines = surface_differences(contract, sync, other, typescript)
    explanations = parity_explained.load(plan.explained)["surface"]
    verdict = parity_explained.judge(lines, explanations)
    show(verdict, console)
    return {
        "methods": len(sync.methods),
        "facts": len(sync.facts().keys() | typescript.facts().keys()),
        "explained": sum(map(len, verdict.explained.values())),
        "unexplained": 0,
    }


def surface_differences(
    contract: Surface, sync: Surface, other: Surface, typescript: Surface
) -> list[str]:
    """List the differences between contract, the two Python clients and TypeScript."""
    promised = parity_contract.contract_facts(contract)
    python, node = sync.facts(), typescript.facts()
    return [
        *compare_to_contract(promised, "Python", python),
        *compare_to_contract(promised, "TypeScript", node),
        *compare("Python", python, "asynchronous Python", other.facts()),
        *compare("Python", python, "TypeScript", node),
    ]


def wire(plan: Plan, console: Console) -> Figures:
    """Compare what the SDKs send in every scenario of the conformance suite.

    Raises:
        ParityFailed: Something differs without a reason.
        parity_wire.UnfitReport: The report says too little.
    """
    report = plan.report or _run_suite(plan)
    file = report / "conformance.json" if report.is_dir() else report
    found = parity_wire.compare_report(json.loads(file.read_text("utf-8")))
    explanations = parity_explained.load(plan.explained)["wire"]
    verdict = parity_explained.judge(
        [str(difference) for difference in found.differences],
        parity_explained.about(explanations, found.sdks),
    )
    show(verdict, console)
    return {
        "sdks": len(found.sdks),
        "scenarios": found.scenarios,
        "requests": found.requests,
        "explained": sum(map(len, verdict.explained.values())),
        "unexplained": 0,
    }


def _run_suite(plan: Plan) -> Path:
    """Run the conformance suite; scenarios that fail are told by the comparison."""
    reports = plan.work / "conformance"
    command = [sys.executable, "-m", "arcrun_conformance", "run", "--target", "local"]
    command += ["--sdk", ",".join(plan.sdks), "--adapters", str(plan.adapters)]
    command += ["--server-python", str(plan.server_python)]
    command += ["--adapter-python", str(plan.adapter_python), "--report-dir", str(reports)]
    command += ["--adapter-runtimes", str(plan.runtimes)]
    try:
        processes.run(command, log=plan.work / "conformance.log")
    except processes.CommandFailed:
        if not (reports / "conformance.json").is_file():
            raise
    return reports


def sealing(plan: Plan, _console: Console) -> Figures:
    """Let each SDK open what each has sealed.

    Raises:
        parity_sealing.SealingFailed: One could not.
    """
    data = plan.work / "engine"
    with engine_with_accounts(plan.server_python, data, plan.work / "engine.log") as engine:
        figures = parity_sealing.check(
            plan.sdks,
            engine,
            adapters=plan.adapters,
            python=plan.adapter_python,
            runtimes=plan.runtimes,
            work=plan.work,
        )
    return {"sdks": len(plan.sdks), **figures}


def show(verdict: parity_explained.Verdict, console: Console) -> None:
    """Print the differences that have a reason; raise if there are others, or reasons without one."""
    for reason, differences in verdict.explained.items():
        console.print(f"    [italic]{escape(reason)}[/]", highlight=False)
        for difference in differences[:SHOWN]:
            console.print(f"      [dim]{escape(difference)}[/]", highlight=False)
        if len(differences) > SHOWN:
            console.print(f"      [dim]… and {len(differences) - SHOWN} more[/]", highlight=False)
    problems = [f"differs without a reason: {each}" for each in verdict.unexplained]
    problems += [f"explains nothing, take it out: {each.difference}" for each in verdict.stale]
    if not verdict.go:
        raise ParityFailed("\n".join(f"  {problem}" for problem in problems))


PARTS: dict[str, tuple[str, Callable[[Plan, Console], Figures]]] = {
    "surface": ("contract, Python and TypeScript, read from the code", surfaces),
    "wire": ("what the SDKs send, scenario by scenario", wire),
    "sealing": ("what one SDK seals, each other opens", sealing),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare; return 0 for GO, 1 for NO-GO, 130 when interrupted."""
    options = _options(arguments)
    # Whoever ends us by a signal gets the same cleaning-up as with Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(soft_wrap=True)
    rehearsal = Rehearsal(console)
    with tempfile.TemporaryDirectory(prefix="arcrun-parity-") as work:
        values = {**vars(options), "sdks": tuple(options.sdks.split(",")), "work": Path(work)}
        return _compare(Plan(**values), rehearsal)


def _compare(plan: Plan, rehearsal: Rehearsal) -> int:
    """Make every comparison, also after one that failed: who repairs wants to see them all."""
    console, failed = rehearsal.console, []
    for name, (doing, compared) in PARTS.items():
        try:
            with rehearsal.step(name, doing) as figures:
                figures.update(compared(plan, console))
        except StepFailed as problem:
            failed.append(name)
            console.print(escape(str(problem)), highlight=False)
        except KeyboardInterrupt:
            console.print("\n[bold red]NO-GO[/]: interrupted; all that was started is stopped")
            return 130
    if failed:
        console.print(f"\n[bold red]NO-GO[/]: {', '.join(failed)}", highlight=False)
        return 1
    console.print(f"\n[bold green]GO[/] in {rehearsal.seconds:.0f} s: 0 unexplained differences")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="nox -s parity --",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--report", type=Path, help="a conformance run of several SDKs: its folder or file"
    )
    parser.add_argument("--sdks", default=",".join(SDKS), help="names in the registry of adapters")
    parser.add_argument("--explained", type=Path, default=EXPLAINED)
    adapters = ROOT / "conformance" / "adapters" / "adapters.yaml"
    parser.add_argument("--adapters", type=Path, default=adapters)
    parser.add_argument("--server-python", type=Path, default=Path(sys.executable))
    parser.add_argument("--adapter-python", type=Path, default=Path(sys.executable))
    parser.add_argument("--js-sdk", type=Path, default=Plan.js_sdk)
    parser.add_argument("--runtimes", type=Path, default=Plan.runtimes)
    parser.add_argument("--node", default=shutil.which("node") or "node")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
