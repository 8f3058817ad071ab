"""Blocks on both databases: written once, changed in turn, found by their words, and protected."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text

from arcrun_server.errors import StorageUnavailableError
from arcrun_server.kbdb.base import OwnBlocks, WorkflowBlocks
from arcrun_server.kbdb.blocks import (
    BlockConflictError,
    PageTooLargeError,
    ProtectedTemplateError,
    complete,
)
from arcrun_server.kbdb.search import phrases_of, spaced
from arcrun_server.store import block_index, postgresql, sqlite
from arcrun_server.store.blocks import PAGE_BYTES, RUN_BLOCKS, Blocks
from arcrun_server.store.pages import PageRequest
from arcrun_server.store.schema import accounts

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from arcrun_server.store.database import Database

ALICE, BOB = "acc_a11ce", "acc_b0b"
PAGE = PageRequest(50)


@pytest.fixture
def store(database: Database) -> Blocks:
    """The blocks of two accounts that have none yet."""
    rows = [{"id": account, "created_at": 0} for account in (ALICE, BOB)]
    database.write_now(lambda connection: connection.execute(insert(accounts), rows).close())
    return Blocks(database)


@pytest.fixture
def alice(store: Blocks) -> OwnBlocks:
    return OwnBlocks(store, ALICE)


def new(content: str, block_id: str | None = None, **fields: Any) -> Any:
    return block_id, complete({"page_name": "p", "content": content, **fields})


async def found(store: Blocks, query: str, account: str = ALICE) -> list[str]:
    page = await store.search(account, query, PAGE)
    return [block.id for block in page.blocks]


async def test_what_is_stored_comes_back_to_the_letter(alice: OwnBlocks) -> None:
    content = "\\ \\0 \x01 \ufeff e\u0301 \u202e 😀\r\n'\"; %s :p"
    fields = {
        "page_name": " 頁\\n",
        "type": "t\\",
        "source": "s",
        "metadata": {"b": 1, "a": [None]},
    }
    await alice.create([new(content, "one", **fields)])
    block = await alice.block("one")
    assert block is not None
    assert block.fields() == {"content": content, **fields}
    assert list(block.metadata) == ["b", "a"]
    assert [one.id for one in await alice.page(" 頁\\n")] == ["one"]


async def test_of_changes_at_once_none_is_lost(alice: OwnBlocks) -> None:
    await alice.create([new("0", "one")])
    await asyncio.gather(
        *(alice.change("one", {"metadata": {str(n): n}, "content": str(n)}) for n in range(8))
    )
    versions = [await alice.block("one", version) for version in range(1, 10)]
    contents = [version.content for version in versions if version is not None]
    assert contents[0] == "0"
    assert sorted(contents[1:]) == [str(n) for n in range(8)]
    assert await alice.block("one", 10) is None
    newest = await alice.block("one")
    assert newest is not None
    assert (newest.version, newest.metadata) == (9, {newest.content: int(newest.content)})


async def test_blocks_are_created_all_or_none(alice: OwnBlocks, store: Blocks) -> None:
    await alice.create([new("天氣", "one")])
    with pytest.raises(BlockConflictError):
        await alice.create([new("雨", "two"), new("雪", "one")])
    assert await alice.block("two") is None
    assert await found(store, "雨") == []
    (same,) = await alice.create([new("天氣", "one")])
    assert same.version == 1
    assert await found(store, "天氣") == ["one"]


async def test_account_sees_its_own_blocks_only(alice: OwnBlocks, store: Blocks) -> None:
    bob = OwnBlocks(store, BOB)
    await alice.create([new("天氣", "one")])
    await bob.create([new("天氣很好", "one")])
    assert await found(store, "天氣", ALICE) == ["one"]
    assert await bob.delete("one")
    assert await found(store, "天氣", BOB) == []
    assert [block.content for block in await alice.page("p")] == ["天氣"]


async def test_deleted_block_leaves_nothing(
    alice: OwnBlocks, store: Blocks, database: Database
) -> None:
    await alice.create([new("天", "one"), new("氣", "two")])
    await alice.change("one", {"content": "雨"})
    assert await alice.delete("one")

    def rows(connection: Connection) -> list[int]:
        tables = ("blocks", "block_versions", "block_index")
        return [connection.execute(text(f"SELECT count(*) FROM {t}")).scalar_one() for t in tables]

    assert await database.read(rows) == [1, 0, 1]
    assert await found(store, "雨") == []


async def test_workflow_can_not_write_a_template(alice: OwnBlocks, store: Blocks) -> None:
    await alice.create([new("{{a}}", "template", type="template"), new("note", "note")])
    workflow = WorkflowBlocks(store, ALICE)
    for refused in (
        workflow.create([new("note", "fine"), new("{{b}}", "forged", type="template")]),
        workflow.change("template", {"content": "forged"}),
        workflow.change("template", {"type": None}),
        workflow.change("note", {"type": "template"}),
        workflow.delete("template"),
    ):
        with pytest.raises(ProtectedTemplateError):
            await refused
    assert {block.id: block.version for block in await alice.page("p")} == {
        "template": 1,
        "note": 1,
    }
    assert [block.id for block in await workflow.page("p", "template")] == ["template"]
    assert await workflow.delete("note")


async def test_note_that_becomes_a_template_meanwhile_is_not_changed_by_a_workflow(
    alice: OwnBlocks, store: Blocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner makes it a template between the workflow's look and its write."""
    await alice.create([new("note", "note")])
    write = Blocks._change

    async def late(self: Blocks, *arguments: Any) -> Any:
        monkeypatch.setattr(Blocks, "_change", write)
        await alice.change("note", {"type": "template"})
        return await self._change(*arguments)

    monkeypatch.setattr(Blocks, "_change", late)
    with pytest.raises(ProtectedTemplateError):
        await WorkflowBlocks(store, ALICE).change("note", {"content": "forged"})
    (block,) = await alice.page("p")
    assert (block.content, block.type, block.version) == ("note", "template", 2)


async def test_page_of_a_list_is_not_much_larger_than_its_limit(
    alice: OwnBlocks, store: Blocks
) -> None:
    large = "x" * (PAGE_BYTES // 4)
    await alice.create([new(large, f"b{n}") for n in range(9)])
    page = await store.listed(ALICE, PAGE)
    assert [block.id for block in page.blocks] == ["b0", "b1", "b2"]
    page = await store.listed(ALICE, PageRequest(50, page.last))
    assert [block.id for block in page.blocks] == ["b3", "b4", "b5"]


@pytest.mark.parametrize("contents", [["x" * 300_000] * 4, ["x"] * (RUN_BLOCKS + 1)])
async def test_page_that_no_run_can_hold_is_refused(alice: OwnBlocks, contents: list[str]) -> None:
    await alice.create([new(content) for content in contents])
    with pytest.raises(PageTooLargeError, match="by their ids"):
        await alice.page("p")


async def test_phrase_is_found_behind_thousands_of_its_words(
    alice: OwnBlocks, store: Blocks
) -> None:
    """PostgreSQL itself keeps 256 positions of a word, and none behind 16,383."""
    await alice.create([new("天地氣" * 20_000 + "天氣", "long"), new("天地氣" * 300, "short")])
    assert await found(store, "天氣") == ["long"]
    assert await found(store, "氣天地") == ["short", "long"]


@pytest.mark.parametrize("between", [" mira ", "。", " 雨 ", "1"])
async def test_characters_on_both_sides_of_a_word_are_no_phrase(
    alice: OwnBlocks, store: Blocks, between: str
) -> None:
    """The pairs 天氣 and 氣很 are in the text, and 天氣很 is not."""
    await alice.create([new(f"天氣{between}氣很", "one")])
    assert await found(store, "天氣很") == []
    assert await found(store, "天氣 氣很") == ["one"]


async def test_more_pairs_than_an_index_takes_are_found_as_well(
    alice: OwnBlocks, store: Blocks
) -> None:
    steps = ((0x4E00 + n, 0x4E00 + n + step) for step in range(1, 7) for n in range(20_000))
    different = "".join(chr(one) + chr(other) for one, other in steps)
    assert len(set(pairwise(different))) > 200_000
    await alice.create([new(f"{different}天氣", "one"), new("天氣", "two")])
    assert await found(store, "天氣") == ["two", "one"]
    assert await found(store, "氣天") == []


async def test_more_different_words_than_an_index_takes(alice: OwnBlocks, store: Blocks) -> None:
    words = " ".join(f"\u0439{n:05d}\u0436" * 2 for n in range(15_000))
    await alice.create([new(words, "one")])
    assert await found(store, "\u043900007\u0436\u043900007\u0436") == ["one"]


PARTS = st.text(st.sampled_from("ab天氣😀\u0301é'\"\\*-_: +&|!()@"), max_size=12)


@given(contents=st.lists(PARTS, max_size=4), query=PARTS)
@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_search_finds_what_has_the_words_in_order(
    contents: list[str], query: str, database: Database
) -> None:
    """Both databases agree with a search through the texts themselves."""

    def search(connection: Connection) -> tuple[list[int], list[int]]:
        account = "acc_search"
        connection.execute(text("DELETE FROM accounts WHERE id = 'acc_search'"))
        connection.execute(insert(accounts), {"id": account, "created_at": 0})
        for number, content in enumerate(contents, 1):
            row = text(
                "INSERT INTO blocks VALUES (:n, 'acc_search', :id, 1, '', '', NULL, NULL, '{}', 0, 0, 0)"
            )
            connection.execute(row, {"n": number, "id": str(number)})
            block_index.IndexedWords("", content).add(connection, account, number)
        phrases = phrases_of(query)
        expected = [
            number
            for number, content in enumerate(contents, 1)
            if all(f" {phrase} " in f" {spaced(content)} " for phrase in phrases)
        ]
        if not phrases:
            return [], []
        got = block_index.find(connection, account, phrases, 100, 100)
        return got, sorted(expected, reverse=True)

    got, expected = database.write_now(search)
    assert got == expected


async def test_search_that_takes_too_long_is_ended(
    store: Blocks, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "LONG_READ_MS", 50)
    monkeypatch.setattr(postgresql, "LONG_READ_MS", 50)
    endless = (
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1000000000) "
        "SELECT count(*) FROM n"
    )
    began = time.monotonic()
    with pytest.raises(StorageUnavailableError, match="too long"):
        await database.read_long(lambda connection: connection.execute(text(endless)).all())
    assert time.monotonic() - began < 10
    assert await found(store, "a") == []
