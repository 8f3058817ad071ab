"""The prompts that runs have recorded, as they are stored."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, func, select

from arcrun_server import clock
from arcrun_server.accounts.keys import new_key
from arcrun_server.recipes.recorded_prompt import RecordedPrompt
from arcrun_server.store.recorded_prompts import KEPT, SLACK, RecordedPrompts
from arcrun_server.store.schema import accounts, recorded_prompts

if TYPE_CHECKING:
    from arcrun_server.store import Store

PROMPT = RecordedPrompt("greet", 1, "ask", '{"values": {}, "missing": [], "node": {}}')
DAY = 24 * 60 * 60


@pytest.fixture
def account(store: Store) -> str:
    """Return the id of an account."""
    store.accounts.create(new_key())
    found = store.database.read_now(lambda connection: connection.execute(select(accounts.c.id)))
    return str(found.scalars().first())


def count(store: Store) -> int:
    counted = select(func.count()).select_from(recorded_prompts)
    return int(
        store.database.read_now(lambda connection: connection.execute(counted).scalar()) or 0
    )


async def test_a_prompt_that_is_recorded_again_counts_once_also_within_one_write(
    store: Store, account: str
) -> None:
    kept = store.recorded_prompts
    kept.record(account, "run-1", "ask", PROMPT)
    kept.record(account, "run-1", "ask", replace(PROMPT, answer='"second"'))
    kept.record(account, "run-1", "each.0[1]/ask", PROMPT)

    found = await kept.newest(account, "greet", KEPT)

    assert sorted(one.prompt.answer or "" for one in found) == ["", '"second"']


async def test_an_answer_that_comes_later_belongs_to_its_place(store: Store, account: str) -> None:
    kept = store.recorded_prompts
    kept.record(account, "run-1", "ask", PROMPT)
    kept.record(account, "run-2", "ask", PROMPT)
    await store.database.settle()
    kept.answered("run-1", "ask", '"你好"')

    found = await kept.newest(account, "greet", KEPT)

    assert sorted(one.prompt.answer or "" for one in found) == ["", '"你好"']


async def test_only_the_newest_prompts_of_a_recipe_are_kept(store: Store, account: str) -> None:
    kept = store.recorded_prompts
    kept.record(account, "other", "ask", replace(PROMPT, recipe="other"))
    for number in range(KEPT + SLACK + 1):
        kept.record(account, f"run-{number}", "ask", replace(PROMPT, version=number + 1))
        if number == 0:  # prompts written together are trimmed after the last of them
            await store.database.settle()

    found = await kept.newest(account, "greet", KEPT + SLACK)

    assert len(found) == KEPT
    assert len(await kept.newest(account, "other", KEPT)) == 1


async def test_old_prompts_are_not_read_and_are_removed_when_others_come(
    store: Store, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = RecordedPrompts(store.database, days=3)
    kept.record(account, "run-1", "ask", PROMPT)
    await store.database.settle()
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + 3 * DAY - 60)
    assert len(await kept.newest(account, "greet", KEPT)) == 1
    monkeypatch.setattr(clock, "now", lambda: now + 3 * DAY + 60)

    assert await kept.newest(account, "greet", KEPT) == []
    assert count(store) == 1
    kept.record(account, "run-2", "ask", replace(PROMPT, recipe="other"))
    await store.database.settle()
    assert count(store) == 1
    assert len(await kept.newest(account, "other", KEPT)) == 1


async def test_prompts_go_with_the_account(store: Store, account: str) -> None:
    store.recorded_prompts.record(account, "run-1", "ask", PROMPT)
    await store.database.settle()

    await store.database.write(
        lambda connection: connection.execute(
            delete(accounts).where(accounts.c.id == account)
        ).close()
    )

    assert count(store) == 0
