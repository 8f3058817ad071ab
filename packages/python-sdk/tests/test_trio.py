"""The asynchronous client on trio: waiting, locking and threads go through anyio."""

from __future__ import annotations

import trio

import arcrun


def test_requests_retries_tokens_and_bound_clients_on_trio(
    server, other_server, serve_recipe, canned, key
) -> None:
    server.on("GET", "/health", canned(503, headers={"retry-after-ms": "1"}), {"ok": True})
    other_server.on("POST", "/token", {"access_token": "access-1", "expires_in": 3600})
    other_server.on("GET", "/x", {"ok": True})
    serve_recipe(
        "crm",
        other_server.url,
        ["crm_refresh_token"],
        primitive="oauth2",
        oauth2={"client_id": "id", "token_endpoint": f"{other_server.url}/token"},
        inject={"header": {"Authorization": "Bearer {{runtime.access_token}}"}},
    )
    results: list[object] = []

    async def main() -> None:
        async with arcrun.AsyncArcrun(key, base_url=server.url) as client:
            results.append(await client.health())
            await client.auth.setup("crm", crm_refresh_token="refresh-1")
            async with await client.auth.bind("crm", trust_origin=other_server.url) as crm:

                async def ask() -> None:
                    results.append((await crm.get("/x")).json())

                async with trio.open_nursery() as nursery:
                    for _ in range(3):
                        nursery.start_soon(ask)

    trio.run(main)
    assert results == [{"ok": True}] * 4
    assert len(other_server.to("/token")) == 1
