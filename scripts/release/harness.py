"""Use the harness as somebody does who makes a mistake: it must end with a sentence, and prove nothing.

The commands are those of the sources. A server that is interrupted must leave nothing running.
"""

from __future__ import annotations

import os
import secrets
import sys
from typing import TYPE_CHECKING

from scripts import ROOT
from scripts.engine import engine_with_accounts
from scripts.release.clones import Ended, clone, nox, run
from scripts.release.interruptions import left
from scripts.release.python.install import CleanEnvironment, uv

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FAILED, COULD_NOT_RUN = 1, 2
_SCENARIOS = ("--scenario", "health", "--scenario", "key-*")


def checks() -> dict[str, Callable[[Path], list[str]]]:
    """Return the check of each mistake, by name."""
    return {
        "the harness: a wrong key": _wrong_key,
        "the harness: an adapter that can't start": _dead_adapter,
        "the harness: everything is skipped": _everything_skipped,
        "the harness: merge of an incomplete set": _incomplete_set,
        "the harness: a report folder that can't be written": _unwritable_folder,
        "the harness: a key on the command line": _key_on_the_command_line,
        "serve --dev: interrupted by SIGHUP": _interrupted_server,
    }


def install(work: Path) -> None:
    """Install the packages of this checkout, editable, into an environment that all checks use.

    Args:
        work: The folder in which each check has a folder of its own.
    """
    command = ["sync", "--locked", "--quiet", "--no-default-groups", "--all-packages"]
    variables = {"UV_PROJECT_ENVIRONMENT": str(_environment(work).folder)}
    uv(command, log=work / "log", cwd=ROOT, env=variables)


def _environment(work: Path) -> CleanEnvironment:
    return CleanEnvironment("workspace", work / "environment")


def _installed(work: Path) -> CleanEnvironment:
    return _environment(work.parent)


def _suite(work: Path, *arguments: str) -> Ended:
    return run([str(_installed(work).script("arcrun-conformance")), *arguments], work)


def _sentence(ended: Ended, says: str) -> list[str]:
    """Return what is wrong with a command that could not begin: it must say why in a line, and print no more."""
    fine = ended.code == COULD_NOT_RUN and says in ended.err and not ended.out.strip()
    return [] if fine and ended.err.strip().count("\n") == 0 else [f"it ended with {ended}"]


def _wrong_key(work: Path) -> list[str]:
    environment = _installed(work)
    suite = str(environment.script("arcrun-conformance"))
    with engine_with_accounts(environment.python, work / "data", work / "log") as engine:
        key = {"ARCRUN_CONFORMANCE_API_KEY": f"ak_{secrets.token_hex(24)}"}
        ended = run([suite, "run", "--target", engine.url], work, {**os.environ, **key})
    return _sentence(ended, "refuses the key (401)")


def _dead_adapter(work: Path) -> list[str]:
    """Name an interpreter without the SDK: that is a line for each adapter, and not one for each scenario."""
    empty = work / "without-sdk"
    uv(["venv", "--quiet", "--python", sys.executable, str(empty)], log=work / "log")
    python = str(CleanEnvironment("empty", empty).python)
    ended = _suite(work, "run", *_SCENARIOS, "--sdk", "python-sync", "--adapter-python", python)
    said = ended.out.count("the adapter python-sync can't be started")
    return (
        []
        if (ended.code, said) == (COULD_NOT_RUN, 1)
        else [f"said {said} times; it ended: {ended}"]
    )


def _everything_skipped(work: Path) -> list[str]:
    scenario = (ROOT / "conformance/scenarios/sdk/health.yaml").read_text("utf-8")
    (work / "scenarios").mkdir()
    (work / "scenarios" / "health.yaml").write_text(
        scenario.replace("\nspec:", "\nneeds: [time_travel]\nspec:", 1), "utf-8"
    )
    folder = str(work / "scenarios")
    ended = _suite(work, "run", "--scenarios", folder, "--sdk", "python-sync")
    fine = ended.code == FAILED and "nothing was checked" in ended.out
    return [] if fine else [f"it ended with {ended}"]


def _incomplete_set(work: Path) -> list[str]:
    """Merge the reports of one of two shards, without a gate."""
    arguments = (*_SCENARIOS, "--sdk", "python-sync", "--shard", "1/2", "--report-dir", "shard")
    first = _suite(work, "run", *arguments)
    if first.code:
        return [f"the shard ended with {first}"]
    ended = _suite(work, "merge", "shard", "--report-dir", "merged")
    return _sentence(ended, "is missing")


def _unwritable_folder(work: Path) -> list[str]:
    (work / "file").write_text("", "utf-8")
    ended = _suite(work, "run", "--scenario", "health", "--report-dir", "file/reports")
    return _sentence(ended, "reports can't be written to")


def _key_on_the_command_line(work: Path) -> list[str]:
    """Give nox a key for an engine that is not there: no line that is printed may have it."""
    root = clone(work / "checkout")
    key = f"ak_{secrets.token_hex(24)}"
    arguments = ["--target", "http://127.0.0.1:1", "--api-key"]
    wrong = []
    for given in ([*arguments, key], [*arguments[:-1], f"--api-key={key}"]):
        ended = run([*nox(), "-s", "conformance", "--", *given], root)
        if key in ended.printed:
            wrong.append("the key is repeated")
        if ended.code == 0 or "http://127.0.0.1:1/health failed" not in ended.printed:
            wrong.append(f"it ended with {ended}".replace(key, "‹the key›"))
    return wrong


def _interrupted_server(work: Path) -> list[str]:
    command = [str(_installed(work).python), "-u", "-m", "arcrun_server", "serve", "--dev"]
    return left(
        [*command, "--port", "0"], work, until="http://", by="SIGHUP", scratch=work / "s", code=0
    )
