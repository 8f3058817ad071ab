"""Compare what the SDKs offer, send and seal, each part by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.markup import escape

from scripts import ROOT, processes
from scripts.engine import engine_with_accounts
from scripts.parity.contract import contract_facts, read_contract
from scripts.parity.explained import judge, load
from scripts.parity.python import read_python
from scripts.parity.sealing import check_sealing
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
SHOWN = 20  # explained differences of each reason; all others are shown
SDKS = ("python-sync", "python-async", "node24-esm")


class ParityFailed(Exception):
    """Something differs without a reason; the message lists each difference."""


@dataclass(frozen=True)
class Settings:
    """What is compared, and the programs that this needs.

    Attributes:
        sdks: Names in the registry of adapters.
        report: A report of the conformance suite to compare; None to run the suite.
        explained: The explained differences of the surface.
        adapters: The registry of adapters.
        server_python: The interpreter of the environment that has `arcrun-server`.
        adapter_python: The interpreter of the environment that has `arcrun`.
        conformance_python: The interpreter of the environment that has `arcrun-conformance`.
        node: The Node.js that runs the TypeScript compiler.
        work: A private folder for logs and temporary files.
        js_sdk: The TypeScript SDK, with its `node_modules`.
        runtimes: The folder in which the JavaScript adapters run.
    """

    sdks: tuple[str, ...]
    report: Path | None
    explained: Path
    adapters: Path
    server_python: Path
    adapter_python: Path
    conformance_python: Path
    node: str
    work: Path
    js_sdk: Path = ROOT / "packages" / "js-sdk"
    runtimes: Path = ROOT / ".arcrun" / "javascript"


def compare_surfaces(settings: Settings, console: Console) -> Figures:
    """Compare what contract, Python and TypeScript offer; print it side by side.

    Raises:
        ParityFailed: Something differs without a reason.
    """
    source = ROOT / "packages" / "python-sdk" / "src"
    if not (settings.js_sdk / "node_modules" / "typescript").is_dir():
        raise ParityFailed(
            f"the TypeScript compiler is missing: run npm ci --ignore-scripts in {settings.js_sdk}"
        )
    recipes = ROOT / "packages/server/src/arcrun_server/catalog/auth-recipes"
    contract = read_contract(ROOT / "openapi" / "arcrun.yaml", recipes)
    python, python_async = (read_python(source, kind) for kind in ("sync", "async"))
    typescript = read_typescript(
        settings.js_sdk, node=settings.node, log=settings.work / "typescript.log"
    )
    for table in tables(contract, python, typescript):
        console.print(table)
    lines = surface_differences(contract, python, python_async, typescript)
    verdict = judge(lines, load(settings.explained))
    show(verdict, console)
    return {
        "methods": len(python.methods),
        "facts": len(python.facts().keys() | typescript.facts().keys()),
        "explained": sum(map(len, verdict.explained.values())),
        "unexplained": 0,
    }


def surface_differences(
    contract: Surface, python: Surface, python_async: Surface, typescript: Surface
) -> list[str]:
    """List the differences between contract, the two Python clients and TypeScript."""
    promised = contract_facts(contract)
    python_facts, typescript_facts = python.facts(), typescript.facts()
    return [
        *compare_to_contract(promised, "Python", python_facts),
        *compare_to_contract(promised, "TypeScript", typescript_facts),
        *compare("Python", python_facts, "asynchronous Python", python_async.facts()),
        *compare("Python", python_facts, "TypeScript", typescript_facts),
    ]


def compare_requests(settings: Settings, console: Console) -> Figures:
    """Compare what the SDKs send in every scenario of the conformance suite.

    Raises:
        ParityFailed: Something differs without a reason.
        processes.CommandFailed: The suite could not run, or could not compare its report.
    """
    report = settings.report or _run_suite(settings)
    found = compare_report(settings.conformance_python, report, settings.work / "wire.log")
    show(found.verdict, console)
    return {
        "sdks": found.sdks,
        "scenarios": found.scenarios,
        "requests": found.requests,
        "explained": sum(map(len, found.verdict.explained.values())),
        "unexplained": 0,
    }


def _run_suite(settings: Settings) -> Path:
    """Run the conformance suite; the comparison reports the scenarios that fail."""
    reports = settings.work / "conformance"
    command = [str(settings.conformance_python), "-I", "-m", "arcrun_conformance", "run"]
    command += ["--target", "local", "--sdk", ",".join(settings.sdks)]
    command += ["--adapters", str(settings.adapters)]
    command += ["--server-python", str(settings.server_python)]
    command += ["--adapter-python", str(settings.adapter_python), "--report-dir", str(reports)]
    command += ["--adapter-runtimes", str(settings.runtimes)]
    try:
        processes.run(command, log=settings.work / "conformance.log")
    except processes.CommandFailed:
        if not (reports / "conformance.json").is_file():
            raise
    return reports


def compare_sealing(settings: Settings, _console: Console) -> Figures:
    """Let each SDK open what each has sealed.

    Raises:
        SealingFailed: One could not.
    """
    data, log = settings.work / "engine", settings.work / "engine.log"
    with engine_with_accounts(settings.server_python, data, log) as engine:
        figures = check_sealing(
            settings.sdks,
            engine,
            adapters=settings.adapters,
            python=settings.adapter_python,
            runtimes=settings.runtimes,
            work=settings.work,
        )
    return {"sdks": len(settings.sdks), **figures}


def show(verdict: Verdict, console: Console) -> None:
    """Print the differences that have a reason.

    Raises:
        ParityFailed: Others have none, or a reason has no difference.
    """
    for reason, differences in verdict.explained.items():
        console.print(f"    [italic]{escape(reason)}[/]", highlight=False)
        for difference in differences[:SHOWN]:
            console.print(f"      [dim]{escape(difference)}[/]", highlight=False)
        if len(differences) > SHOWN:
            console.print(f"      [dim]… and {len(differences) - SHOWN} more[/]", highlight=False)
    problems = [f"differs without a reason: {each}" for each in verdict.unexplained]
    problems += [f"explains nothing, remove it: {each}" for each in verdict.unused]
    if problems:
        raise ParityFailed("\n".join(f"  {problem}" for problem in problems))


PARTS: dict[str, tuple[str, Callable[[Settings, Console], Figures]]] = {
    "surface": ("contract, Python and TypeScript, read from the code", compare_surfaces),
    "wire": ("what the SDKs send, scenario by scenario", compare_requests),
    "sealing": ("what one SDK seals, each other opens", compare_sealing),
}
