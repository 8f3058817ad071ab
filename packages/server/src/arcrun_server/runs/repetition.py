"""`Idempotency-Key`: the same request under the same key runs once, and is answered the same (CONTRACT.md §2)."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from arcrun_server.errors import ApiError
from arcrun_server.runs.answer import Answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from arcrun_server.store.idempotency import IdempotencyKeys, IdempotentResponse

HEADER = "Idempotency-Key"
_SHAPE = re.compile(r"[\x21-\x7e]{1,128}")


class Repetitions:
    """Runs each key once; a repetition that comes while the first runs waits for it.

    Args:
        answers: Where the first answers are kept.
    """

    def __init__(self, answers: IdempotencyKeys) -> None:
        self._answers = answers
        self._running: dict[tuple[str, str], asyncio.Event] = {}

    async def once(
        self, account: str, key: str, request: bytes, run: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        """Run, or answer what the first run under this key was answered.

        Args:
            account: Whose key it is.
            key: The client's key.
            request: What is asked for.
            run: Does it.

        Raises:
            ApiError: 400, this is no key; 409, the key was used for another request, or its first run was cut off.
        """
        if not _SHAPE.fullmatch(key):
            raise ApiError(
                400,
                "invalid_request",
                f"{HEADER} must be 1 to 128 visible ASCII characters without spaces",
                requires=HEADER,
            )
        place = (account, key)
        while (running := self._running.get(place)) is not None:
            await running.wait()
        # From here to the claim nothing else of this process can come between.
        done = self._running[place] = asyncio.Event()
        try:
            earlier = await self._answers.claim(account, key, request)
            if earlier is not None:
                return _first_answer(earlier)
            answer = await run()
            await self._answers.keep(account, key, answer.status, answer.body)
            return answer
        finally:
            del self._running[place]
            done.set()


def _first_answer(earlier: IdempotentResponse) -> Answer:
    if not earlier.same_request:
        raise ApiError(
            409,
            "conflict",
            f"this {HEADER} was used for another workflow or another input; take a new one for each run",
        )
    if earlier.status is None:
        raise ApiError(
            409,
            "conflict",
            f"the first run under this {HEADER} was cut off, and nobody knows how far it came; "
            "check what it did, then run again under a new key",
        )
    return Answer(earlier.status, earlier.body, repeated=True)
