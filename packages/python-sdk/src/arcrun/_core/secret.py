"""Secrets in memory: wrapped, so that no repr, log line, pickle or dump of locals shows them."""

from __future__ import annotations

import json
import re
from typing import NoReturn
from urllib.parse import quote, quote_plus

from .shapes import is_unicode

BLANK = "***"
_SHORTEST = 4  # characters: shorter secrets may be part of ordinary words


class Secret:
    """A secret text, which only `reveal` returns."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    @classmethod
    def of(cls, text: object) -> Secret | None:
        """Wrap non-empty text that UTF-8 can encode; return None for anything else."""
        return cls(text) if is_unicode(text) else None

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return f"Secret('{BLANK}')"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled: bind again in the process that needs it")


def blank_out(text: str, secrets: tuple[Secret, ...]) -> str:
    """Replace each secret in `text`, as it is or as JSON, a URL or a form writes it."""
    forms: set[str] = set()
    for secret in secrets:
        plain = secret.reveal()
        if len(plain) >= _SHORTEST:
            forms |= {plain, json.dumps(plain)[1:-1], json.dumps(plain, ensure_ascii=False)[1:-1]}
            forms |= {quote(plain, safe, errors="replace") for safe in ("", "/", "!*'()")}
            forms.add(quote_plus(plain, errors="replace"))
    if not forms:
        return text
    longest_first = sorted(forms, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), BLANK, text)
