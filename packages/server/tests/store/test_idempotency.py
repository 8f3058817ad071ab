"""Idempotency keys are claimed in the database: what counts is not what one process knows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from arcrun_server.store import Store, idempotency

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "ak_" + "0" * 48


@pytest.fixture
def other(tmp_path: Path, store: Store, database_url: str | None) -> Iterator[Store]:
    """A second server on the same database."""
    other = Store(tmp_path / "data", database_url)
    yield other
    other.close()


@pytest.fixture
async def account(store: Store) -> str:
    store.accounts.create(KEY)
    account = await store.accounts.of_key(KEY)
    assert account is not None
    return account


async def test_of_many_claims_at_once_on_two_servers_one_is_granted(
    store: Store, other: Store, account: str
) -> None:
    for number in range(10):
        claims = [
            server.idempotency.claim(account, f"k{number}", b"request")
            for server in (store, other) * 5
        ]
        outcomes = await asyncio.gather(*claims)
        assert outcomes.count(None) == 1
        assert all(found is None or found.status is None for found in outcomes)


async def test_response_that_one_server_keeps_is_known_to_the_other(
    store: Store, other: Store, account: str
) -> None:
    assert await store.idempotency.claim(account, "k", b"request") is None
    await store.idempotency.keep(account, "k", 200, b"{}")
    found = await other.idempotency.claim(account, "k", b"request")
    assert found == idempotency.StoredResponse(same_request=True, status=200, body=b"{}")
    changed = await other.idempotency.claim(account, "k", b"another request")
    assert changed is not None
    assert not changed.same_request


async def test_key_is_free_again_after_a_day(
    store: Store, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = idempotency.clock.now()
    assert await store.idempotency.claim(account, "k", b"request") is None
    monkeypatch.setattr(idempotency.clock, "now", lambda: now + 24 * 60 * 60 - 2)
    assert await store.idempotency.claim(account, "k", b"request") is not None
    monkeypatch.setattr(idempotency.clock, "now", lambda: now + 24 * 60 * 60 + 2)
    assert await store.idempotency.claim(account, "k", b"request") is None
