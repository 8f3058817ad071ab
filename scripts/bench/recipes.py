"""Measure how lists and searches of recipes slow down with the number of their versions: 1,000 against 100."""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import httpx

from scripts.bench.figures import Figure, in_turns
from scripts.bench.load import request_bytes, requests_a_second
from scripts.engine import engine_with_accounts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripts.engine import Engine

FEW, MANY = 100, 1000
REQUESTS = 160
GOAL = 3.0
# Of the versions, half are of one recipe, and half of recipes that have one. 摘要 is "digest", and in each.
REQUESTED: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("list of recipes", "/prompt-recipes", {}),
    ("list of a recipe's versions", "/prompt-recipes/digest_0/versions", {}),
    ("search: a word of each recipe", "/components/search", {"q": "摘要"}),
    ("search: a word of one recipe", "/components/search", {"q": "digest_7"}),
)


def measure(rounds: int) -> Iterator[Figure]:
    """Measure each request at an engine with many versions, in turns with one with few."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as engines:
        few, many = (
            engines.enter_context(_engine_with_versions(Path(folder) / str(count), count))
            for count in (FEW, MANY)
        )
        for name, path, query in REQUESTED:
            asked = f"{path}?{urlencode({'limit': 50, **query})}"
            slow, fast = in_turns(
                rounds, *(partial(_speed, engine, asked) for engine in (many, few))
            )
            note = f"{MANY:,} versions: {slow:.0f}/s; {FEW} versions: {fast:.0f}/s"
            yield Figure(name, fast / slow, "×", GOAL, note)


def _speed(engine: Engine, path: str) -> float:
    request = request_bytes("GET", path, headers={"X-Arcrun-API-Key": engine.keys[0]})
    return requests_a_second(engine.url, request, REQUESTS)


@contextmanager
def _engine_with_versions(data: Path, count: int) -> Iterator[Engine]:
    """Run an engine whose first account has so many versions of recipes."""
    data.mkdir()
    with engine_with_accounts(Path(sys.executable), data, data / "log") as engine:
        key = {"X-Arcrun-API-Key": engine.keys[0]}
        with httpx.Client(base_url=engine.url, headers=key, timeout=60) as client:
            for number in range(count):
                recipe = {
                    "name": f"digest_{max(0, number - count // 2)}",
                    "description": f"第 {number} 版的每日摘要",
                    "prompt_assembly": {"user": f"Write digest {number}."},
                }
                pushed = client.post("/prompt-recipes", json={"recipe": recipe})
                pushed.raise_for_status()
        yield engine
