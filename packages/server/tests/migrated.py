"""What was put into databases of earlier versions, and has to be there after an upgrade."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import text

from arcrun_server.kbdb.base import OwnBlocks
from arcrun_server.kbdb.blocks import complete
from arcrun_server.recipes.reference import Reference
from arcrun_server.recipes.versions import Label
from arcrun_server.sealing.envelope import open_envelope
from arcrun_server.store import Store, idempotency
from arcrun_server.store.pages import PageRequest

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from sqlalchemy import Connection

# The account of the same person in the database of each version.
ALICE = {
    "v1": "acc_8f6f1967796c3ace",
    "v2": "acc_dbb344d1f08e261f",
    "v3": "acc_368e27610f998b69",
}
ALICE_KEY = "ak_" + "a11ce0" * 8
BOB_KEY = "ak_" + "b0b000" * 8
JANUARY_2026 = 1767225600
PAGE = PageRequest(50)


def failing_half_way(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE facts RENAME TO elsewhere"))
    connection.execute(text("DELETE FROM credentials"))
    connection.execute(text("SELECT * FROM nowhere"))


async def everything_is_in(
    folder: Path, monkeypatch: pytest.MonkeyPatch, version: str = "v1"
) -> None:
    """Open a folder that was of an earlier version and compare all that was put into it."""
    # Idempotency keys are kept for a day.
    monkeypatch.setattr(idempotency.clock, "now", lambda: JANUARY_2026 + 60)
    store = Store(folder)
    try:
        alice = await store.accounts.of_key(ALICE_KEY)
        assert alice == ALICE[version]
        assert await store.accounts.of_key(BOB_KEY) is None, "it was revoked"
        keys = store.accounts.keys()
        assert [(key.prefix, key.last_four, key.label, key.revoked_at) for key in keys] == [
            ("ak_a11ce0", ALICE_KEY[-4:], "laptop", None),
            ("ak_b0b000", BOB_KEY[-4:], "", JANUARY_2026),
        ]
        assert await store.accounts.keys_of(alice) == [ALICE_KEY]
        await credentials_are_in(store, alice)
        await workflows_and_runs_are_in(store, alice)
        await recipes_are_version_1(store, alice)
        await idempotency_keys_are_in(store, alice)
        await knowledge_base_works(store, alice)
    finally:
        store.close()


async def recipes_are_version_1(store: Store, alice: str) -> None:
    """Before version 4, a push replaced them."""
    assert (await store.auth_recipes.records(alice, PAGE)).entries == [
        {
            "name": "my_service",
            "version": 1,
            "recipe": {"service": "my_service", "base_url": "https://api.example"},
        }
    ]
    found = await store.api_recipes.get(alice, Reference("rec_3366235b"))
    assert found is not None
    assert (found.name, found.version, found.message) == ("telegram_send", 1, None)
    assert found.created_at == "2026-01-01T00:00:00.000Z"
    assert found.recipe["endpoint"] == "https://api.example/send"


async def prompt_recipes_are_in(store: Store, alice: str) -> None:
    """Since version 3 there are prompt recipes, with versions and labels."""
    newest = await store.prompt_recipes.get(alice, Reference("greet", version=2))
    assert newest is not None
    assert (newest.source, newest.recipe) == (None, {"name": "greet", "description": "第二"})
    labelled = await store.prompt_recipes.get(alice, Reference("greet"))
    assert labelled is not None
    assert (labelled.version, labelled.source, labelled.message) == (
        1,
        "name: greet",
        "why \\ 為何",
    )
    assert labelled.pins == {"tone": [{"block_id": "b", "version": 3}]}
    assert await store.prompt_recipes.labels(alice, "greet") == {"production": Label(1, True)}
    assert (await store.prompt_recipes.list(alice, PAGE)).entries == [
        {"name": "greet", "newest": 2, "description": "第二"}
    ]


async def knowledge_base_works(store: Store, alice: str) -> None:
    """Since version 3 there are blocks, which are found by their words."""
    fields = complete(
        {"page_name": "天氣", "content": "今天的天氣很好"}
    )  # "the weather is fine today"
    (block,) = await OwnBlocks(store.blocks, alice).create([(None, fields)])
    found = await store.blocks.search(alice, "天氣", PAGE)
    assert [one.id for one in found.blocks] == [block.id]


async def credentials_are_in(store: Store, alice: str) -> None:
    assert (await store.credentials.list(alice, PAGE)).entries == [
        {
            "name": "notion_key",
            "service": None,
            "sensitivity": "standard",
            "created_at": JANUARY_2026,
            "last_used_at": JANUARY_2026,
        },
        {
            "name": "telegram_token",
            "service": "telegram",
            "sensitivity": "high",
            "created_at": JANUARY_2026,
            "last_used_at": None,
        },
    ]
    plain = await store.credentials.get(alice, "notion_key")
    assert plain is not None
    assert store.credentials.plain_value(alice, plain) == "ntn_明文 plain"
    sealed = await store.credentials.get(alice, "telegram_token")
    assert sealed is not None
    assert sealed.encrypted is not None
    assert sealed.iv == "AAAAAAAAAAAAAAAA"
    opened = open_envelope(ALICE_KEY, "telegram_token", sealed.encrypted, sealed.iv)
    assert opened == "12345:AAF-密鑰"


async def workflows_and_runs_are_in(store: Store, alice: str) -> None:
    assert (await store.workflows.list(alice, PAGE)).entries == [
        {"name": "bare", "description": "no config", "created_at": "2026-01-01T00:00:00.123Z"},
        {
            "name": "greet",
            "description": "把文字轉成大寫",  # "turn the text into capitals"
            "created_at": "2026-01-01T00:00:00.123Z",
        },
    ]
    greet = await store.workflows.get(alice, "greet")
    assert greet is not None
    assert greet.config == {"大寫": {"component": "comp_uppercase"}}
    assert greet.graph["nodes"][1] == {
        "id": "大寫",
        "type": "Component",
        "componentId": "comp_uppercase",
    }
    bare = await store.workflows.get(alice, "bare")
    assert bare is not None
    assert bare.config is None
    runs = (await store.executions.list(alice, "greet", PAGE)).entries
    assert [(run["timestamp"], run["verdict"], run["message"]) for run in runs] == [
        ("2026-01-01T00:00:00.002Z", "success", ""),
        ("2026-01-01T00:00:00.001Z", "failed", "node 大寫 failed"),
        ("2026-01-01T00:00:00.000Z", "success", ""),
    ]


async def idempotency_keys_are_in(store: Store, alice: str) -> None:
    finished = await store.idempotency.claim(alice, "order-1", b"request one")
    assert finished is not None
    assert (finished.same_request, finished.status) == (True, 200)
    assert json.loads(finished.body) == {"success": True, "data": {"text": "你好"}}
    cut_off = await store.idempotency.claim(alice, "order-2", b"another request")
    assert cut_off is not None
    assert (cut_off.same_request, cut_off.status) == (False, None)
