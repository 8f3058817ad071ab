"""Redaction: no secret value reaches a report, in any of the forms that it can take."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, quote_plus

# Shorter values would blank out ordinary text, and are no secrets.
_SHORTEST = 6


def forms(value: str) -> set[str]:
    """The texts that a secret can stand as: itself, escaped for JSON or a URL, base64, hex, repr.

    Base64 shifts with what stands before the secret (`user:secret` of HTTP Basic), so the part that
    stays the same at each of the three shifts is included.

    Example:
        >>> {"sk-1234567", "c2stMTIzNDU2N", "736b2d31323334353637"} <= forms("sk-1234567")
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
    return {form for form in found if len(form) >= _SHORTEST}


def _stable_part(encoded: str, shift: int, length: int) -> str:
    # Characters that mix bits of the secret with its neighbours' are cut off on both sides.
    start = (0, 2, 3)[shift]
    end = (shift + length) * 8 // 6
    return encoded[start:end]


class Redactor:
    """Replaces secrets by their names in whatever is about to be reported.

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
        """Redact a further secret from now on."""
        for form in forms(value):
            self._names[form] = f"‹{name}›"
            self._by_start.setdefault(form[:_SHORTEST], set()).add(form)

    def text(self, text: str) -> str:
        """The text without the secrets."""
        # A report has thousands of secrets and millions of characters: only forms whose start stands
        # in the text are looked for. Longer ones first, as one secret may hold another.
        starts = {text[i : i + _SHORTEST] for i in range(len(text) - _SHORTEST + 1)}
        candidates = {form for s in starts & self._by_start.keys() for form in self._by_start[s]}
        for form in sorted(candidates, key=lambda form: (-len(form), form)):
            text = text.replace(form, self._names[form])
        return text

    def value(self, value: Any) -> Any:
        """A JSON value without the secrets, in keys as well as in values."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
        return value
