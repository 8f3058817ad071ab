"""Whether the database responds: it is asked rarely, however often the server is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from arcrun_server.errors import StorageUnavailableError

if TYPE_CHECKING:
    from arcrun_server.store import Store


async def test_database_is_asked_every_quarter_of_a_second_at_most(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, asked = store.database.rows, []

    async def counted(*arguments: Any, **options: Any) -> list[tuple[Any, ...]]:
        asked.append(time.monotonic())
        return await rows(*arguments, **options)

    monkeypatch.setattr(store.database, "rows", counted)
    for moment in (1000.0, 1000.125, 1000.25, 1000.375, 1000.5):
        with monkeypatch.context() as patch:
            patch.setattr(time, "monotonic", lambda moment=moment: moment)
            await store.ping()
    assert asked == [1000.0, 1000.25, 1000.5]


async def test_database_that_does_not_respond_is_asked_again_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(*_: Any, **__: Any) -> None:
        raise StorageUnavailableError("the disk is full")

    monkeypatch.setattr(store.database, "rows", failing)
    for _ in range(2):
        with pytest.raises(StorageUnavailableError):
            await store.ping()
