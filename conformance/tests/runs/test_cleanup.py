"""The removal of what a run has created: lists are read to their end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from arcrun_conformance.runs import cleanup
from arcrun_conformance.runs.cleanup import PREFIX, RESOURCES, Cleaner, Created, created_in
from arcrun_conformance.wire.journal import Exchange, Request, Response

if TYPE_CHECKING:
    from mini_engine import MiniEngine

RUN = f"{PREFIX}0a1b2c3d"


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7])
async def test_what_is_left_on_later_pages_is_found(engine: MiniEngine, count: int) -> None:
    names = [f"{RUN}_{number}" for number in range(count)]
    engine.credentials = dict.fromkeys(names)
    engine.page_size = 2
    cleaner = Cleaner(engine.target)
    assert [thing.name for thing in await cleaner.left(RUN)] == names
    await cleaner.close()


async def test_a_list_whose_pages_never_end_is_a_problem(engine: MiniEngine) -> None:
    engine.credentials = dict.fromkeys("abc")
    engine.page_size, engine.repeats_cursors = 1, True
    cleaner = Cleaner(engine.target)
    with pytest.raises(ValueError, match="the list /credentials repeats the cursor '0'"):
        await cleaner.left(RUN)
    await cleaner.close()


async def test_a_list_with_ever_new_cursors_is_a_problem(
    engine: MiniEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleanup, "_MOST_PAGES", 3)
    engine.credentials = dict.fromkeys("abcde")
    engine.page_size = 1
    cleaner = Cleaner(engine.target)
    with pytest.raises(ValueError, match="the list /credentials has more than 3 pages"):
        await cleaner.left(RUN)
    await cleaner.close()


@pytest.mark.parametrize("key", ["ak_\xff", "ak_密"])
async def test_what_was_created_with_any_bytes_as_key_is_tried(
    engine: MiniEngine, key: str
) -> None:
    thing = Created(RESOURCES[1], f"{RUN}_token", key)
    cleaner = Cleaner(engine.target)
    assert await cleaner.remove([thing]) == [], "the engine refuses the key, so there is nothing"
    await cleaner.close()
    assert [exchange.request.method for exchange in engine.journal.exchanges] == ["DELETE"]


@pytest.mark.parametrize(
    ("status", "fault", "count"),
    [(200, None, 1), (503, None, 1), (None, None, 1), (403, None, 0), (429, "status", 1)],
)
def test_what_the_engine_refused_was_not_created(
    status: int | None, fault: str | None, count: int
) -> None:
    request = Request("POST", "/auth-recipes", [], b'{"service": "notion"}')
    response = None if status is None else Response(status)
    exchange = Exchange(1, "engine", "", 0.0, request, response, fault=fault)
    assert len(created_in([exchange])) == count


@pytest.mark.parametrize(
    ("path", "names"),
    [("/credentials/token", ["token"]), ("/auth-recipes/own/labels/production", [])],
)
def test_what_is_below_a_resource_is_none_of_its_own(path: str, names: list[str]) -> None:
    exchange = Exchange(1, "engine", "", 0.0, Request("PUT", path, [], b"{}"), Response(200))
    assert [created.name for created in created_in([exchange])] == names
