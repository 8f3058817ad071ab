"""The parts of parity: what the SDKs offer, send and seal, each compared by itself."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.markup import escape

from scripts import ROOT, processes
from scripts.engine import engine_with_accounts
from scripts.parity.contract import contract_facts, read_contract
from scripts.parity.explained import about, judge, load
from scripts.parity.python import read_python
from scripts.parity.sealing import check
from scripts.parity.surface import compare, compare_to_contract
from scripts.parity.table import tables
from scripts.parity.typescript import read_typescript
from scripts.parity.wire import compare_report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rich.console import Console

    from scripts.parity.explained import Verdict
    from scripts.parity.surface import Surface
    from scripts.rehearsal import Figures

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
    contract = read_contract(ROOT / "openapi" / "arcrun.yaml", recipes)
    sync, other = (read_python(python, kind) for kind in ("sync", "async"))
    typescript = read_typescript(plan.js_sdk, node=plan.node, log=plan.work / "typescript.log")
    for table in tables(contract, sync, typescript):
        console.print(table)
    lines = surface_differences(contract, sync, other, typescript)
    explanations = load(plan.explained)["surface"]
    verdict = judge(lines, explanations)
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
    promised = contract_facts(contract)
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
        UnfitReport: The report says too little.
    """
    report = plan.report or _run_suite(plan)
    file = report / "conformance.json" if report.is_dir() else report
    found = compare_report(json.loads(file.read_text("utf-8")))
    explanations = load(plan.explained)["wire"]
    verdict = judge(
        [str(difference) for difference in found.differences],
        about(explanations, found.sdks),
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
        SealingFailed: One could not.
    """
    data = plan.work / "engine"
    with engine_with_accounts(plan.server_python, data, plan.work / "engine.log") as engine:
        figures = check(
            plan.sdks,
            engine,
            adapters=plan.adapters,
            python=plan.adapter_python,
            runtimes=plan.runtimes,
            work=plan.work,
        )
    return {"sdks": len(plan.sdks), **figures}


def show(verdict: Verdict, console: Console) -> None:
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
