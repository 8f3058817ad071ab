"""Measure what a command of `acr` costs over the imports that it can't do without."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.bench.figures import Figure, in_turns
from scripts.engine import engine_with_accounts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# httpx and httpcore load these where they are: in the environment of tests, but not in that of `arcrun[cli]`.
WITHOUT = "import sys; sys.modules.update(trio=None, rich=None); "
IMPORTS = "import httpx, click"
REQUEST = "import os, httpx; httpx.get(os.environ['ARCRUN_BASE_URL'] + '/health')"
ACR = "from arcrun.cli import main; sys.exit(main())"
WORKFLOW = """\
name: bench
flow:
  - "input >> 完成後 >> upper"
config:
  upper: {component: string_ops, operation: upper, text: "{{name}}"}
"""
# What is typed, and the most that it may cost, in imports.
COMMANDS: tuple[tuple[str, float | None], ...] = (
    ("--help", 1.3),
    ("--version", 1.3),
    ("validate bench.yaml", None),
    ("workflows list", 1.3),
)


def measure(rounds: int) -> Iterator[Figure]:
    """Measure the commands in turns with the imports, and with a request that httpx makes alone."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "bench.yaml").write_text(WORKFLOW, "utf-8")
        python = Path(sys.executable)
        with engine_with_accounts(python, place / "data", place / "log") as engine:
            settings = {"ARCRUN_BASE_URL": engine.url, "ARCRUN_API_KEY": engine.keys[0]}
            variables = {**_variables(place), **settings}
            calls = [[IMPORTS], [REQUEST], *([ACR, *typed.split()] for typed, _ in COMMANDS)]
            measures = [partial(_seconds, call, place, variables) for call in calls]
            in_turns(1, *measures)  # compiles what is imported
            imports, request, *taken = in_turns(rounds, *measures)
    for (typed, goal), seconds in zip(COMMANDS, taken, strict=True):
        note = f"{IMPORTS}: {imports * 1000:.0f} ms; ours {seconds * 1000:.0f} ms"
        yield Figure(f"acr {typed}", seconds / imports, "×", goal, note)
    note = f"httpx.get alone: {request * 1000:.0f} ms; ours {taken[-1] * 1000:.0f} ms"
    yield Figure(f"acr {COMMANDS[-1][0]}", taken[-1] / request, "×", 1.0, note)


def _variables(place: Path) -> dict[str, str]:
    """Return an environment in which Python keeps what it compiles, as an installed program has it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ARCRUN_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "PYTHONPYCACHEPREFIX": str(place / "compiled"), "HOME": str(place)}


def _seconds(call: Sequence[str], place: Path, variables: Mapping[str, str]) -> float:
    """Return the processor time of a call: it depends less than wall time on what else runs.

    Args:
        call: a program, and its arguments.
        place: where it runs.
        variables: its environment.
    """
    program, *arguments = call
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", WITHOUT + program, *arguments]
    subprocess.run(command, cwd=place, env=variables, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
