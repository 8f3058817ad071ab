"""Code of one account does not keep that of another one waiting."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pushed_recipes import run

if TYPE_CHECKING:
    from conftest import Api


async def test_an_account_with_endless_code_holds_no_other_up(alice: Api, bob: Api) -> None:
    limits = {"timeout_ms": 300}

    async def endless() -> Any:
        response = await run(alice, "code", code="for (;;);", limits=limits)
        return response.json()["data"]["error_type"]

    # The sandboxes start; then more code waits than both of them could run at once.
    assert await endless() == "TimeoutError"
    waiting = [asyncio.create_task(endless()) for _ in range(8)]
    response = await run(bob, "code", code="return input", input="我的")
    unfinished = [task for task in waiting if not task.done()]
    assert response.json()["data"] == {"success": True, "data": "我的"}
    assert len(unfinished) >= 4
    assert await asyncio.gather(*waiting) == ["TimeoutError"] * 8
