"""Telling a service that a request may be a repetition (docs/contract.md#retries-and-idempotency)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADER = "Idempotency-Key"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def with_repeat_key(headers: Mapping[str, str], method: str, key: str | None) -> dict[str, str]:
    """Return the headers of a request with the key under which it is repeated, if it is one that changes something.

    Args:
        headers: What the node sends; a key of its own counts.
        method: The method, in capitals.
        key: The key of the invocation; None if it is not repeated.

    Example:
        >>> with_repeat_key({"a": "b"}, "POST", "k1")
        {'a': 'b', 'Idempotency-Key': 'k1'}
        >>> with_repeat_key({"idempotency-key": "own"}, "POST", "k1"), with_repeat_key({}, "GET", "k1")
        ({'idempotency-key': 'own'}, {})
    """
    if key is None or method in _SAFE or any(name.lower() == HEADER.lower() for name in headers):
        return dict(headers)
    return {**headers, HEADER: key}
