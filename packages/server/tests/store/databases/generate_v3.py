"""Fill a data folder with everything that a server with schema 3 stores. Runs on that version only; see README.md."""

import asyncio
import base64
import sys
from pathlib import Path
from unittest import mock

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from arcrun_server.engine import RunResult
from arcrun_server.kbdb.base import OwnBlocks
from arcrun_server.kbdb.blocks import complete
from arcrun_server.store import Store
from arcrun_server.store.pages import PageRequest

ALICE = "ak_" + "a11ce0" * 8
BOB = "ak_" + "b0b000" * 8
JANUARY_2026 = 1767225600


def sealed(api_key: str, name: str, value: str) -> dict[str, str]:
    """Seal as a client does (envelope v1), under a nonce of zeros."""
    key = HKDF(
        algorithm=hashes.SHA256(), length=32, salt=b"arcrun.credentials.v1", info=b"AES-256-GCM"
    ).derive(api_key.encode())
    content = AESGCM(key).encrypt(
        bytes(12), value.encode(), b"arcrun.credentials.v1:" + name.encode()
    )
    return {
        "encrypted": base64.b64encode(content).decode(),
        "iv": base64.b64encode(bytes(12)).decode(),
    }


async def fill(store: Store) -> None:
    store.accounts.create(ALICE, "laptop")
    store.accounts.create(BOB)
    alice = await store.accounts.of_key(ALICE)
    bob = await store.accounts.of_key(BOB)
    await store.credentials.push(
        alice,
        "telegram_token",
        sealed(ALICE, "telegram_token", "12345:AAF-密鑰")
        | {"service": "telegram", "sensitivity": "high"},
    )
    await store.credentials.push(alice, "notion_key", {"value": "ntn_明文 plain"})
    await store.credentials.push(bob, "notion_key", {"value": "bob's own"})
    store.credentials.mark_used(alice, {"notion_key"})
    graph = {
        "nodes": [
            {"id": "input", "type": "Input"},
            {"id": "大寫", "type": "Component", "componentId": "comp_uppercase"},
        ],
        "edges": [{"from": "input", "to": "大寫", "type": "PIPE"}],
    }
    await store.workflows.push(
        alice,
        "greet",
        description="把文字轉成大寫",
        graph=graph | {"id": "greet", "name": "greet"},
        config={"大寫": {"component": "comp_uppercase"}},
    )
    await store.workflows.push(
        alice,
        "bare",
        description="no config",
        graph=graph | {"id": "bare", "name": "bare"},
        config=None,
    )
    await store.auth_recipes.push(
        alice, "my_service", {"service": "my_service", "base_url": "https://api.example"}
    )
    await store.api_recipes.push(
        alice,
        "telegram_send",
        {
            "canonical_id": "telegram_send",
            "hash_id": "rec_3366235b",
            "endpoint": "https://api.example/send",
        },
    )
    for number in range(3):
        result = RunResult(
            success=number != 1,
            error="node 大寫 failed" if number == 1 else None,
            duration_ms=number + 0.4,
        )
        store.executions.record(alice, "greet", JANUARY_2026 * 1000 + number, result)
    await store.executions.list(alice, "greet", PageRequest(10))  # waits until they are written
    await store.idempotency.claim(alice, "order-1", b"request one")
    body = '{"success":true,"data":{"text":"你好"}}'
    await store.idempotency.keep(alice, "order-1", 200, body.encode())
    await store.idempotency.claim(alice, "order-2", b"request two")  # and cut off
    fields = complete({"page_name": "天氣", "content": "昨天下雨"})  # "it rained yesterday"
    await OwnBlocks(store.blocks, alice).create([(None, fields)])
    await store.prompt_texts.put(alice, "greeting", "你好 {{name}}")
    [bobs] = [entry for entry in store.accounts.keys() if entry.prefix == BOB[:9]]  # noqa: SIM118
    store.accounts.revoke(bobs.id)


if __name__ == "__main__":
    with mock.patch("time.time", return_value=JANUARY_2026 + 0.123):
        opened = Store(Path(sys.argv[1]))
        asyncio.run(fill(opened))
        opened.close()
