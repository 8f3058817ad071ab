"""Runs are kept for some days after their end, and only so many of an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from arcrun_server import clock
from arcrun_server.recipes.recorded_prompt import RecordedPrompt
from arcrun_server.runs.retention import Retention
from arcrun_server.store.pages import PageRequest
from arcrun_server.store.runs import queued_run
from arcrun_server.store.schema import recorded_prompts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pytest

    from arcrun_server.store import Store

DAY = 24 * 60 * 60


async def account_of(store: Store, digit: str) -> str:
    key = "ak_" + digit * 48
    store.accounts.create(key)
    account = await store.accounts.of_key(key)
    assert account is not None
    return account


async def run_of(store: Store, account: str, run_id: str, *, ended: bool = True) -> None:
    run = queued_run(
        run_id, account, plan={}, run_input={}, workflow="w", executor="e", trigger="api"
    )
    await store.runs.accept(run)
    if ended:
        begun = await store.runs.begin(run_id, 0, "e")
        assert begun is not None
        assert await store.runs.end(begun, "succeeded", {}, []) is not None


async def ids_of(store: Store, account: str) -> list[str]:
    page = await store.runs.list(account, PageRequest(200), workflow=None, status=None)
    return [entry["run_id"] for entry in page.entries]


def prompts_of(store: Store) -> int:
    return store.database.read_now(
        lambda connection: connection.execute(
            select(func.count()).select_from(recorded_prompts)
        ).scalar_one()
    )


def retention(store: Store, forgotten: list[tuple[str, int]], days: int, kept: int) -> Retention:
    async def forget(segments: Sequence[tuple[str, int]]) -> None:
        forgotten.extend(segments)

    stores = (store.ended_runs, store.callbacks, store.recorded_prompts)
    return Retention(*stores, forget, days=days, kept=kept)


async def test_a_run_goes_some_days_after_its_end(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await account_of(store, "1")
    ahead = tmp_path / "ahead"
    monkeypatch.setattr(clock, "_ahead", [ahead])
    await run_of(store, account, "old")
    await run_of(store, account, "going on", ended=False)
    ahead.write_text(str(3 * DAY))
    await run_of(store, account, "new")
    forgotten: list[tuple[str, int]] = []

    assert await retention(store, forgotten, days=2, kept=100).remove() == 1
    assert await ids_of(store, account) == ["new", "going on"]
    assert forgotten == [("old", 0)]


async def test_only_so_many_ended_runs_of_an_account_are_kept(store: Store) -> None:
    busy = await account_of(store, "1")
    calm = await account_of(store, "2")
    await run_of(store, busy, "paused long ago", ended=False)
    for number in range(5):
        await run_of(store, busy, f"busy {number}")
    await run_of(store, calm, "calm")
    forgotten: list[tuple[str, int]] = []

    assert await retention(store, forgotten, days=2, kept=2).remove() == 3
    assert await ids_of(store, busy) == ["busy 4", "busy 3", "paused long ago"]
    assert await ids_of(store, calm) == ["calm"]
    assert [run for run, _ in forgotten] == ["busy 0", "busy 1", "busy 2"]


async def test_recorded_prompts_go_as_runs_do_also_if_no_others_come(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await account_of(store, "1")
    ahead = tmp_path / "ahead"
    monkeypatch.setattr(clock, "_ahead", [ahead])
    prompt = RecordedPrompt("greet", 1, "ask", "{}", None)
    store.recorded_prompts.record(account, "run 1", "ask", prompt)
    await store.database.settle()
    of_two_days = retention(store, [], days=2, kept=100)
    ahead.write_text(str(2 * DAY - 60))
    await of_two_days.remove()
    before = prompts_of(store)
    ahead.write_text(str(2 * DAY + 60))
    await of_two_days.remove()

    assert (before, prompts_of(store)) == (1, 0)
