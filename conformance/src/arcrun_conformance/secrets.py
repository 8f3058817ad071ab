"""Redaction: no secret value reaches a report, in any of its encodings."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus

# Shorter values occur in ordinary text, which must not be redacted.
_SHORTEST = 6


@lru_cache(maxsize=10_000)
def encodings(value: str) -> frozenset[str]:
    """Return the texts that a secret can appear as: plain, escaped for JSON or a URL, base64, hex, repr.

    The base64 of a secret depends on how many bytes precede it (as in `user:secret` of HTTP
    Basic), so for each of the three possible offsets the part that does not change is included.

    Example:
        >>> {"sk-1234567", "c2stMTIzNDU2N", "736b2d31323334353637"} <= encodings("sk-1234567")
        True
    """
    raw = value.encode()
    found = {
        value,
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        quote(value, safe=""),
        quote(value),
        quote_plus(value),
        raw.hex(),
    }
    for shift in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            found.add(_stable_part(encode(b"\0" * shift + raw).decode(), shift, len(raw)))
    return frozenset(form for form in found if len(form) >= _SHORTEST)


def _stable_part(encoded: str, shift: int, length: int) -> str:
    # Characters that also encode bits of the neighbouring bytes are cut off on both sides.
    start = (0, 2, 3)[shift]
    end = (shift + length) * 8 // 6
    return encoded[start:end]


class Redactor:
    """Replaces secrets by their names in everything that is reported.

    Example:
        >>> redactor = Redactor({"token": "sk-canary-1"})
        >>> redactor.text("Bearer sk-canary-1")
        'Bearer ‹token›'
    """

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        self._names: dict[str, str] = {}
        self._by_start: dict[str, set[str]] = {}
        for name, value in (secrets or {}).items():
            self.add(name, value)

    def add(self, name: str, value: str) -> None:
        """Add a secret to redact."""
        for form in encodings(value):
            self._names[form] = f"‹{name}›"
            self._by_start.setdefault(form[:_SHORTEST], set()).add(form)

    def text(self, text: str) -> str:
        """Return the text without the secrets."""
        # A report has thousands of secrets and millions of characters, so only the encodings whose
        # first characters occur in the text are searched for. Longer ones come first, since one
        # secret may contain another.
        starts = {text[i : i + _SHORTEST] for i in range(len(text))}
        candidates = {form for s in starts & self._by_start.keys() for form in self._by_start[s]}
        for form in sorted(candidates, key=lambda form: (-len(form), form)):
            text = text.replace(form, self._names[form])
        return text

    def value(self, value: Any) -> Any:
        """Return a JSON value without the secrets, in keys as well as in values."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
        return value
