"""Run the pinned suite against `arcrun-mcp` over HTTP, which serves a real engine."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from scripts import processes
from scripts.engine import START_SECONDS, engine_with_accounts
from scripts.mcp_conformance.judgement import (
    problems,
    read_exceptions,
    read_results,
    required_scenarios,
)
from scripts.rehearsal import StepFailed
from scripts.release.npm import tools

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scripts.engine import Engine
    from scripts.rehearsal import Figures

SOURCE = Path(__file__).parent
LOCKED = ("package.json", "package-lock.json")
EXCEPTIONS = SOURCE / "exceptions.yaml"
REVISIONS = ("2026-07-28", "2025-11-25")
SUITE_SECONDS = 300.0
_PACKAGE = Path("node_modules", "@modelcontextprotocol", "conformance")


def install(folder: Path, log: Path, downloads: Mapping[str, str]) -> None:
    """Install the locked suite into a new folder."""
    folder.mkdir(parents=True)
    for name in LOCKED:
        shutil.copyfile(SOURCE / name, folder / name)
    tools.install_locked(folder, log, downloads)


def measure(
    *, python: Path, engine_python: Path, installed: Path, work: Path, results: Path, log: Path
) -> Figures:
    """Measure `arcrun-mcp` by both revisions that it serves.

    Args:
        python: The interpreter of the environment where `arcrun[mcp]` is installed.
        engine_python: That where `arcrun-server` is installed.
        installed: The folder into which npm installed the suite.
        work: An empty folder for the engine's data.
        results: Receives what the suite writes.
        log: Receives what the programs print.

    Raises:
        StepFailed: A check that is no exception is not met, or an exception is.
        processes.CommandFailed: The suite did not run.
    """
    exceptions = read_exceptions(EXCEPTIONS.read_text("utf-8"))
    token = secrets.token_urlsafe(32)
    checks, required = [], {}
    with (
        engine_with_accounts(engine_python, work / "data", log) as engine,
        _served(python, engine, token, work) as url,
    ):
        for revision in REVISIONS:
            requirements = installed / _PACKAGE / "requirements" / f"{revision}.yaml"
            required[revision] = required_scenarios(yaml.safe_load(requirements.read_text("utf-8")))
            folder = results / revision
            shutil.rmtree(folder, ignore_errors=True)
            command = _command(url, revision, folder)
            variables = {**tools.environment(), "ARCRUN_MCP_TOKEN": token}
            # Its exit code only says whether all scenarios passed.
            processes.run(
                command,
                log=log,
                cwd=installed,
                env=variables,
                timeout=SUITE_SECONDS,
                exit_codes=(0, 1),
            )
            made = read_results(revision, folder)
            if not made:
                raise processes.CommandFailed(command, f"no check of {revision} was made", log)
            checks += made
    found = list(problems(checks, exceptions, required))
    if found:
        raise StepFailed("\n".join(found))
    return {
        "revisions": ", ".join(REVISIONS),
        "scenarios": sum(map(len, required.values())),
        "checks_met": sum(check.is_met for check in checks),
        "exceptions": sum(not check.is_met for check in checks),
    }


def _command(url: str, revision: str, folder: Path) -> list[str]:
    """Return the command that runs the suite's scenarios for a revision, in the folder where it is installed."""
    program = str(_PACKAGE / "dist" / "index.js")
    bearer = (SOURCE / "bearer.mjs").as_uri()  # a URL: in a path, Node.js would decode %2F
    command = [tools.program("node"), "--import", bearer, program, "server"]
    return [*command, "--url", url, "--requirements", revision, "--output-dir", str(folder)]


@contextlib.contextmanager
def _served(python: Path, engine: Engine, token: str, work: Path) -> Iterator[str]:
    """Serve MCP before an engine; yield the URL, which it prints to its standard error."""
    variables = {
        "ARCRUN_BASE_URL": engine.url,
        "ARCRUN_API_KEY": engine.keys[0],
        "ARCRUN_MCP_TOKEN": token,
    }
    printed = work / "mcp.log"
    command = [str(python), "-I", str(SOURCE / "target.py")]
    with (
        printed.open("w", encoding="utf-8") as output,
        processes.started(command, stderr=output, env=variables) as process,
    ):
        line = processes.first_line(process, printed, START_SECONDS)
        yield line.removeprefix("arcrun-mcp: ")
