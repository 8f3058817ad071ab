"""Rotation in the middle of things: a killed process, a push at the same moment, runs that wait."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sealed import seal
from server_process import WAIT

from arcrun_server.accounts.keys import HEADER, new_key
from arcrun_server.runs.environment import AccountEnvironment
from arcrun_server.sealing.envelope import EnvelopeError, open_envelope
from arcrun_server.store import Store
from arcrun_server.store.credentials import RevokedKeyError
from arcrun_server.store.key_rotation import KeyInUseError

if TYPE_CHECKING:
    from collections.abc import Callable

TESTS = Path(__file__).parent.parent
posix = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
NAMES = [f"token_{number}" for number in range(5)]


async def stored(store: Store, key: str) -> str:
    """Create an account with sealed credentials, and return its id."""
    store.accounts.create(key)
    account = await store.accounts.of_key(key)
    assert account is not None
    for name in NAMES:
        await store.credentials.push(account, name, seal(key, name, f"value of {name}"))
    return account


async def opened(store: Store, account: str, key: str) -> dict[str, str]:
    found = {}
    for name in NAMES:
        credential = await store.credentials.get(account, name)
        assert credential is not None
        assert credential.encrypted is not None
        assert credential.iv is not None
        found[name] = open_envelope(key, name, credential.encrypted, credential.iv)
    return found


def rotate_until_killed(options: list[object], key: str) -> None:
    """Serve, ask for a rotation, and wait until the process has killed itself on the way."""
    with subprocess.Popen(
        [str(option) for option in options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout
        url = json.loads(process.stdout.readline())["url"]
        with pytest.raises(httpx.HTTPError):
            httpx.put(f"{url}/me/api-key/rotate", headers={HEADER: key}, timeout=WAIT)
        assert process.wait(WAIT) == -signal.SIGKILL


@posix
@pytest.mark.parametrize("point", [1, 3, 5])
async def test_process_killed_during_a_rotation_leaves_the_old_key_and_all_it_opens(
    tmp_path: Path, database_url: str | None, point: int
) -> None:
    data, key = tmp_path / "data", new_key()
    store = Store(data, database_url)
    account = await stored(store, key)
    store.close()
    program = [sys.executable, TESTS / "killed_at.py", "SIGKILL"]
    where = f"arcrun_server.store.key_rotation:seal_envelope:{point}"
    database = ["--database", database_url] if database_url else []
    options = ["serve", "--json", "--port", "0", "--data", data, *database]
    await asyncio.to_thread(rotate_until_killed, [*program, where, *options], key)
    store = Store(data, database_url)
    try:
        assert await store.accounts.of_key(key) == account
        assert await store.accounts.keys_of(account) == [key]
        assert await opened(store, account, key) == {name: f"value of {name}" for name in NAMES}
    finally:
        store.close()


async def test_of_two_rotations_with_one_key_one_succeeds(store: Store) -> None:
    key = new_key()
    account = await stored(store, key)
    new_keys = [new_key(), new_key()]
    results = await asyncio.gather(
        *(store.key_rotation.rotate(account, new, presented=key) for new in new_keys)
    )
    [done] = [result for result in results if result is not None]
    assert await store.accounts.keys_of(account) == [done.api_key]
    assert await opened(store, account, done.api_key) == {
        name: f"value of {name}" for name in NAMES
    }


async def test_proposed_key_that_was_ever_in_use_changes_nothing(store: Store) -> None:
    first, key, others = new_key(), new_key(), new_key()
    account = await stored(store, first)
    store.accounts.create(others)
    await store.key_rotation.rotate(account, key, presented=first)
    for proposed in (first, key, others):
        with pytest.raises(KeyInUseError):
            await store.key_rotation.rotate(account, proposed, presented=key)
    assert await store.accounts.keys_of(account) == [key]
    assert await store.accounts.of_key(first) is None
    assert await opened(store, account, key) == {name: f"value of {name}" for name in NAMES}


async def test_push_under_the_old_key_is_resealed_or_refused_never_lost(store: Store) -> None:
    key = new_key()
    account = await stored(store, key)

    async def push(number: int) -> bool:
        name, value = f"late_{number}", f"late value {number}"
        try:
            await store.credentials.push(account, name, seal(key, name, value), key)
        except RevokedKeyError:
            return False
        return True

    async def rotate() -> str:
        replaced = await store.key_rotation.rotate(account, new_key(), presented=key)
        assert replaced is not None
        return replaced.api_key

    first = [asyncio.create_task(push(number)) for number in range(20)]
    rotation = asyncio.create_task(rotate())
    rest = [asyncio.create_task(push(number)) for number in range(20, 40)]
    pushed = await asyncio.gather(*first, *rest)
    current = await rotation
    assert True in pushed
    assert False in pushed
    for number, was_stored in enumerate(pushed):
        found = await store.credentials.get(account, f"late_{number}")
        assert (found is not None) == was_stored
        if found is not None:
            assert found.encrypted is not None
            assert found.iv is not None
            value = open_envelope(current, found.name, found.encrypted, found.iv)
            assert value == f"late value {number}"


async def test_push_waits_for_a_rotation_of_another_server(
    store: Store, tmp_path: Path, database_url: str | None
) -> None:
    """Two servers of one PostgreSQL database, or the command line beside a server of SQLite."""
    key = new_key()
    account = await stored(store, key)
    other = Store(tmp_path / "data", database_url)
    try:
        outcomes = await asyncio.gather(
            *(push_or_refuse(other, account, f"late_{number}", key) for number in range(10)),
            store.key_rotation.rotate(account, new_key(), presented=key),
            *(push_or_refuse(other, account, f"later_{number}", key) for number in range(10)),
        )
    finally:
        other.close()
    [current] = await store.accounts.keys_of(account)
    for name in (name for name in outcomes if isinstance(name, str)):
        found = await store.credentials.get(account, name)
        assert found is not None
        assert found.encrypted is not None
        assert found.iv is not None
        assert open_envelope(current, name, found.encrypted, found.iv) == "v"


async def push_or_refuse(store: Store, account: str, name: str, key: str) -> str | None:
    try:
        await store.credentials.push(account, name, seal(key, name, "v"), key)
    except RevokedKeyError:
        return None
    return name


async def test_new_key_after_a_revocation_opens_what_was_sealed_under_the_revoked_one(
    store: Store,
) -> None:
    key = new_key()
    account = await stored(store, key)
    assert await store.accounts.revoke_all(account)
    provided = await store.key_rotation.provide(account, new_key(), development=None)
    assert (provided.created, provided.resealed) == (True, len(NAMES))
    assert provided.api_key != key
    assert await opened(store, account, provided.api_key) == {
        name: f"value of {name}" for name in NAMES
    }
    again = await store.key_rotation.provide(account, new_key(), development=None)
    assert (again.api_key, again.created) == (provided.api_key, False)


async def test_envelope_is_bound_to_its_name_after_a_rotation_too(store: Store) -> None:
    key = new_key()
    account = await stored(store, key)
    replaced = await store.key_rotation.rotate(account, new_key(), presented=key)
    assert replaced is not None
    found = await store.credentials.get(account, NAMES[0])
    assert found is not None
    assert found.encrypted is not None
    assert found.iv is not None
    with pytest.raises(EnvelopeError):
        open_envelope(replaced.api_key, NAMES[1], found.encrypted, found.iv)


def test_rotated_development_key_is_the_one_that_development_mode_prints(
    serve: Callable[..., Any], tmp_path: Path
) -> None:
    server = serve("--dev", "--json", "--data", tmp_path)
    ready = server.ready()
    url, headers = ready["url"], {HEADER: ready["key"]}
    assert (
        httpx.put(f"{url}/me/api-key", json={"label": "mine"}, headers=headers).status_code == 200
    )
    rotated = httpx.put(f"{url}/me/api-key/rotate", headers=headers).json()["api_key"]
    assert server.stop() == 0
    server = serve("--json", "--data", tmp_path)
    refused = httpx.get(f"{server.ready()['url']}/me", headers={HEADER: rotated})
    assert refused.status_code == 401
    assert server.stop() == 0
    assert serve("--dev", "--json", "--data", tmp_path).ready()["key"] == rotated


async def test_run_that_reads_a_credential_during_a_rotation_opens_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = new_key()
    account = await stored(store, key)
    get = store.credentials.get
    rotations = iter([new_key()])

    async def get_then_rotate(account: str, name: str) -> Any:
        found = await get(account, name)
        for following in rotations:
            await store.key_rotation.rotate(account, following, presented=key)
        return found

    monkeypatch.setattr(store.credentials, "get", get_then_rotate)
    environment = AccountEnvironment(account, store, registry=None, recipes=None)
    assert await environment.secret(NAMES[0]) == f"value of {NAMES[0]}"
    assert await store.accounts.of_key(key) is None


WAITS = {
    "nodes": [
        {
            "id": "review",
            "type": "Component",
            "componentId": "set",
            "data": {"values": {"pending": True, "task_id": "審核-1"}},
        },
        {
            "id": "hashed",
            "type": "Component",
            "componentId": "hash",
            "data": {"text": "{{credential.token}}"},
        },
    ],
    "edges": [{"from": "review", "to": "hashed", "type": "PIPE"}],
}


def test_paused_run_goes_on_with_the_new_key_and_its_credential(
    serve: Callable[..., Any], tmp_path: Path, database_url: str | None
) -> None:
    database = ["--database", database_url] if database_url else []
    ready = serve("--dev", "--json", "--data", tmp_path, *database).ready()
    client = httpx.Client(base_url=ready["url"], headers={HEADER: ready["key"]}, timeout=WAIT)
    with client:

        def pause() -> None:
            paused = client.post("/webhooks/named/waits/trigger", json={})
            assert paused.json()["paused"] is True, paused.text

        def resume() -> object:
            resumed = client.post(
                "/workflows/resume", json={"task_id": "審核-1", "data": {}}
            ).json()
            assert resumed["status"] == "succeeded", resumed
            return resumed["data"]

        sealed = {"name": "token", **seal(ready["key"], "token", "祕密")}
        assert client.post("/credentials", json=sealed).status_code == 200
        push = {"name": "waits", "description": "waits", "graph": WAITS}
        assert client.post("/webhooks/named", json=push).status_code == 201
        pause()
        before = resume()
        pause()
        rotated = client.put("/me/api-key/rotate").json()
        client.headers[HEADER] = rotated["api_key"]
        assert resume() == before
