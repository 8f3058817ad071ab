"""What is stored of sessions, log-ins on their way, devices and identities, on both databases."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from arcrun_server import clock
from arcrun_server.accounts.keys import new_key
from arcrun_server.store.device_logins import Approval, DeviceLoginError
from arcrun_server.store.identities import Identity
from arcrun_server.store.sessions import SESSION_SECONDS

if TYPE_CHECKING:
    from arcrun_server.store import Store

MIRA = Identity("github", "1", "Mira@example.com", email_verified=True)


async def test_first_log_ins_at_the_same_moment_are_one_account(store: Store) -> None:
    accounts = await asyncio.gather(*(store.identities.account_of(MIRA) for _ in range(5)))
    assert len(set(accounts)) == 1
    [stored] = await store.identities.of_account(accounts[0])
    assert stored == Identity("github", "1", "mira@example.com", email_verified=True)


async def test_address_of_the_last_log_in_counts(store: Store) -> None:
    account = await store.identities.account_of(MIRA)
    moved = Identity("github", "1", "new@example.com", email_verified=False)
    assert await store.identities.account_of(moved) == account
    other = Identity("google", "g", "mira@example.com", email_verified=True)
    assert await store.identities.account_of(other) != account, "Mira gave the address up"


async def test_session_is_of_its_account_until_it_ends(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await store.identities.account_of(MIRA)
    session = await store.sessions.create(account, "github")
    assert await store.sessions.of_token(session.token) == session
    assert await store.sessions.of_token("another") is None
    later = clock.now() + SESSION_SECONDS
    monkeypatch.setattr(clock, "now", lambda: later)
    assert await store.sessions.of_token(session.token) is None


async def test_state_is_taken_once_though_two_ask_at_the_same_moment(store: Store) -> None:
    started = await store.pending_logins.begin("github", "/account")
    assert await store.pending_logins.take(started.state, "another browser") is None
    taken = await asyncio.gather(
        *(store.pending_logins.take(started.state, started.browser) for _ in range(5))
    )
    [login] = [one for one in taken if one is not None]
    assert login == ("github", "/account")


async def test_device_gets_its_approval_once_though_it_asks_twice_at_the_same_moment(
    store: Store,
) -> None:
    account = await store.identities.account_of(MIRA)
    session = await store.sessions.create(account, "github")
    codes = await store.device_logins.begin("acr", "127.0.0.1")
    decisions = await asyncio.gather(
        *(store.device_logins.decide(codes.user_code, session) for _ in range(3))
    )
    assert sorted(decisions) == [False, False, True]
    outcomes = await asyncio.gather(
        *(store.device_logins.poll(codes.device_code) for _ in range(3)), return_exceptions=True
    )
    assert outcomes.count(Approval(account, "github")) == 1
    assert sum(isinstance(one, DeviceLoginError) for one in outcomes) == 2


async def test_device_that_was_refused_stays_refused(store: Store) -> None:
    account = await store.identities.account_of(MIRA)
    session = await store.sessions.create(account, "github")
    codes = await store.device_logins.begin("acr", "127.0.0.1")
    assert await store.device_logins.decide(codes.user_code, None)
    assert not await store.device_logins.decide(codes.user_code, session)
    with pytest.raises(DeviceLoginError, match="access_denied"):
        await store.device_logins.poll(codes.device_code)


async def test_registering_twice_at_the_same_moment_makes_one_key(store: Store) -> None:
    account = await store.identities.account_of(MIRA)
    provided = await asyncio.gather(
        *(store.key_rotation.provide(account, new_key(), development=None) for _ in range(4))
    )
    assert len({one.api_key for one in provided}) == 1
    assert sorted(one.created for one in provided) == [False, False, False, True]
    assert await store.accounts.keys_of(account) == [provided[0].api_key]
