"""Measure how lists and searches of blocks slow down with the number of blocks: 100,000 against 100."""

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

FEW, MANY = 100, 100_000
AT_ONCE = 1000
REQUESTS = 160
GOAL = 3.0
# 天氣 is "weather", and in each block; the word of a number is in one; the last two words stand apart in each.
REQUESTED: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("list of blocks", "/kbdb/blocks", {}),
    ("search: a word of each block", "/kbdb/search", {"q": "天氣"}),
    ("search: a word of one block", "/kbdb/search", {"q": "no7"}),
    ("search: words that stand apart", "/kbdb/search", {"q": "氣天"}),
)


def measure(rounds: int) -> Iterator[Figure]:
    """Measure each request at an engine with many blocks, in turns with one with few."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as engines:
        few, many = (
            engines.enter_context(_engine_with_blocks(Path(folder) / str(count), count))
            for count in (FEW, MANY)
        )
        for name, path, query in REQUESTED:
            asked = f"{path}?{urlencode({'limit': 50, **query})}"
            slow, fast = in_turns(
                rounds, *(partial(_speed, engine, asked) for engine in (many, few))
            )
            note = f"{MANY:,} blocks: {slow:.0f}/s; {FEW} blocks: {fast:.0f}/s"
            yield Figure(name, fast / slow, "×", GOAL, note)


def _speed(engine: Engine, path: str) -> float:
    request = request_bytes("GET", path, headers={"X-Arcrun-API-Key": engine.keys[0]})
    return requests_a_second(engine.url, request, REQUESTS)


@contextmanager
def _engine_with_blocks(data: Path, count: int) -> Iterator[Engine]:
    """Run an engine whose first account has so many blocks."""
    data.mkdir()
    with engine_with_accounts(Path(sys.executable), data, data / "log") as engine:
        key = {"X-Arcrun-API-Key": engine.keys[0]}
        with httpx.Client(base_url=engine.url, headers=key, timeout=60) as client:
            for begin in range(0, count, AT_ONCE):
                numbers = range(begin, min(begin + AT_ONCE, count))
                texts = [f"今天的天氣很好,這是 no{number}。" for number in numbers]
                body = {"page_name": f"頁 {begin}", "text": texts}
                client.post("/kbdb/blocks/ingest", json=body).raise_for_status()
        yield engine
