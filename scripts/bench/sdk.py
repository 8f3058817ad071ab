"""Measure what the Python SDK costs over httpx: an import, a call, a bind; and its size."""

from __future__ import annotations

import importlib.metadata
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from scripts import ROOT
from scripts.bench.figures import Figure, in_turns
from scripts.bench.load import bare_server
from scripts.release.versions import SDK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CALLS = 100
IMPORTS = 40  # pairs at least: a single one is off by more than what is measured
KEY = "ak_" + "5e" * 24


def measure(rounds: int) -> list[Figure]:
    """Measure everything about the Python SDK."""
    with bare_server() as url:
        return [*_import_time(rounds), *_calls(url, rounds), *_size()]


def _import_time(rounds: int) -> Iterator[Figure]:
    def seconds(statement: str) -> Callable[[], float]:
        # Processor time depends less than wall time on what else the machine does.
        timed = f"t = time.process_time(); {statement}; print(time.process_time() - t)"
        code = f"import time; {timed}"

        def run() -> float:
            command = [sys.executable, "-I", "-c", code]
            return float(subprocess.run(command, check=True, capture_output=True).stdout)

        return run

    ratio, ours, baseline = _in_pairs(
        max(rounds, IMPORTS), seconds("from arcrun import Arcrun"), seconds("import httpx")
    )
    note = f"import httpx: {baseline * 1000:.0f} ms; ours {ours * 1000:.0f} ms"
    yield Figure("from arcrun import Arcrun", ratio, "×", 1.10, note)


def _in_pairs(
    pairs: int, ours: Callable[[], float], baseline: Callable[[], float]
) -> tuple[float, float, float]:
    """Measure ours and the baseline in pairs, each side first in every other one.

    A machine that becomes slower or faster meanwhile changes both halves of a pair alike.

    Args:
        pairs: How many are measured, after one that only fills caches.
        ours: Measures ours, in seconds.
        baseline: Measures the baseline, in seconds.

    Returns:
        The median of the ratios, and the medians of ours and of the baseline.
    """
    taken: list[tuple[float, float]] = []
    for number in range(pairs + 1):
        if number % 2:
            mine = ours()
            taken.append((mine, baseline()))
        else:
            theirs = baseline()
            taken.append((ours(), theirs))
    kept = taken[1:]
    return (
        statistics.median(mine / theirs for mine, theirs in kept),
        statistics.median(mine for mine, _ in kept),
        statistics.median(theirs for _, theirs in kept),
    )


def _calls(url: str, rounds: int) -> Iterator[Figure]:
    arcrun: Any = __import__("arcrun")

    def each(call: Callable[[], object]) -> Callable[[], float]:
        def run() -> float:
            begun = time.perf_counter()
            for _ in range(CALLS):
                call()
            return (time.perf_counter() - begun) / CALLS

        return run

    def once(call: Callable[[], object]) -> Callable[[], float]:
        def run() -> float:
            begun = time.perf_counter()
            call()
            return time.perf_counter() - begun

        return run

    with arcrun.Arcrun(KEY, base_url=url) as client, httpx.Client(base_url=url) as raw:
        ratio, ours, baseline = _in_pairs(
            rounds * CALLS,
            once(client.health),
            once(lambda: raw.get("/health").raise_for_status().json()),
        )
        note = f"raw httpx: {baseline * 1e6:.0f} µs a call; ours {ours * 1e6:.0f} µs"
        yield Figure("one call", ratio, "×", 1.05, note)

        client.auth.setup("openai", openai_api_key="sk-test")
        with client.auth.bind("openai"):
            pass

        def bind() -> None:
            client.auth.bind("openai").close()

        (seconds,) = in_turns(rounds, each(bind))
        yield Figure("one more bind()", seconds * 1000, "ms", 1.0, "absolute; the recipe is cached")


def _size() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder]
        source = str(ROOT / "packages" / "python-sdk")
        subprocess.run([*command, source], check=True, capture_output=True)
        (wheel,) = Path(folder).glob("*.whl")
        size = wheel.stat().st_size
    yield Figure("wheel", size / 1000, "kB", 50, "absolute")
    needed = _requirements(SDK, set())
    note = ", ".join(sorted(needed))
    yield Figure("installed dependencies", len(needed), "", None, note)


def _requirements(name: str, seen: set[str]) -> set[str]:
    """Return all distributions that a distribution needs, without extras."""
    for requirement in importlib.metadata.requires(name) or []:
        if "extra ==" in requirement or not (match := re.match(r"[\w.-]+", requirement)):
            continue
        needed = match[0].lower().replace("_", "-")
        try:
            importlib.metadata.distribution(needed)
        except importlib.metadata.PackageNotFoundError:
            continue  # its marker excludes this Python
        if needed not in seen:
            seen.add(needed)
            _requirements(needed, seen)
    return seen
